"""Every command that reads an image, and its options, on the multi-stage sample."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from layertrace.views.tui.ports import Picking
from tests.builders import docker_archive, hardlink, image, layer, oci_archive, oci_files, symlink
from tests.builders import write_folder as write_layout
from tests.cli_support import Cli, check_schema
from tests.sample_support import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from layertrace.views.tui.app import LayertraceApp

START: Final = "/app/dist/bin/start"
LOCK: Final = "/app/package-lock.json"
JSON_COMMANDS: Final = (
    ["why", START, LOCK, "/", "/app"],
    ["files"],
    ["files", "--all", "--digests"],
    ["layers"],
    ["stages"],
    ["tree"],
    ["tree", "/app", "--depth", "9"],
)


def _paths(envelope: dict[str, Any]) -> list[str]:
    return [record["path"] for record in envelope["data"]]


# --- JSON


@pytest.mark.parametrize("words", JSON_COMMANDS, ids=" ".join)
def test_json_is_what_the_schema_says(cli: Cli, sample: Path, words: list[str]) -> None:
    """Every envelope is valid, has no field the schema keeps silent about, and names its image."""
    envelope = cli.checked_json(words[0], sample, *words[1:])
    assert envelope["schema"] == f"layertrace.{words[0]}/1"
    assert envelope["image"]["reference"] == str(sample)
    assert envelope["findings"] == []
    assert envelope["data"]


@pytest.mark.parametrize("words", JSON_COMMANDS, ids=" ".join)
def test_json_of_an_image_without_a_dockerfile_is_what_the_schema_says(
    cli: Cli, alone: Path, words: list[str]
) -> None:
    """What is not known is null, and nothing is left out."""
    base = layer({"app/dist/bin/start": b"x", "app/package-lock.json": b"{}", "l": symlink("x")})
    (alone / "app.tar").write_bytes(docker_archive(image(base, layer({"app/.wh.dist": b""}), base)))
    envelope = cli.checked_json(words[0], "app.tar", *words[1:])
    assert envelope["image"]["stages"] == []
    assert {x["instruction"] for x in envelope["image"]["layers"]} == {None}


def test_jsonl_has_the_records_of_json(cli: Cli, sample: Path) -> None:
    """One record a line, the same as in the envelope, and valid by themselves."""
    lines = cli.run("files", sample, "--jsonl", "--all").lines
    records = [json.loads(line) for line in lines]
    assert records == cli.json("files", sample, "--all")["data"]
    for record in records:
        check_schema(record, "record")


def test_json_of_files_stands_a_record_a_line(cli: Cli, sample: Path) -> None:
    """A long list can be read, searched and compared line by line."""
    lines = cli.run("files", sample, "--json").lines
    records = [line for line in lines if line.startswith('    {"path":')]
    assert len(records) == len(json.loads("\n".join(lines))["data"])
    assert cli.json("files", sample, "no-such-name")["data"] == []


# --- why


def test_why_answers_several_paths_in_their_order(cli: Cli, sample: Path) -> None:
    """Each path has its chain, text and JSON alike."""
    envelope = cli.json("why", sample, LOCK, START)
    assert _paths(envelope) == [LOCK, START]
    text = cli.run("why", sample, LOCK, START).out
    first, second = text.split("\n\n/app/dist")
    assert first.startswith(f"{LOCK}  file  400 B  0644  0:0  sha256:")
    assert "COPY --from=build /app/dist /app/dist" in second
    assert "Origin: made by `RUN npm install --production` in stage stage-1 (line 17)" in first


def test_why_takes_paths_as_people_write_them(cli: Cli, sample: Path) -> None:
    """Without the first slash, with too many, with dots or a slash at the end."""
    wanted = cli.json("why", sample, "/app/dist")["data"][0]
    for path in ("app/dist", "//app//dist/", "/app/./dist", "/app/x/../dist", "./app/dist"):
        assert cli.json("why", sample, path)["data"][0] == wanted


def test_why_of_a_link_is_about_the_link(cli: Cli, sample: Path) -> None:
    """The last part is not followed: a link has an origin of its own."""
    (answer,) = cli.json("why", sample, "/app/dist/latest")["data"]
    assert answer["record"]["type"] == "symlink"
    assert "→ server.js" in cli.run("why", sample, "/app/dist/latest").out
    (hard,) = cli.json("why", sample, "/app/dist/www.js")["data"]
    assert hard["record"]["type"] == "hardlink"
    assert hard["record"]["link_target"] == "/app/dist/server.js"


def test_why_follows_links_on_the_way(cli: Cli, alone: Path) -> None:
    """``/bin/sh`` is found where ``/bin`` leads to ``usr/bin``."""
    only = layer({"bin": symlink("usr/bin"), "usr/bin/sh": b"#!", "usr/bin/ash": hardlink("gone")})
    (alone / "app.tar").write_bytes(docker_archive(image(only)))
    assert _paths(cli.json("why", "app.tar", "/bin/sh")) == ["/usr/bin/sh"]
    assert cli.run("cat", "app.tar", "/bin/sh").out == "#!"


def test_why_of_a_folder_no_entry_made(cli: Cli, alone: Path) -> None:
    """Only paths below it do: that is said, and is unknown."""
    (alone / "app.tar").write_bytes(docker_archive(image(layer({"a/b/c": b"c"}))))
    (answer,) = cli.json("why", "app.tar", "/a/b")["data"]
    assert answer["record"]["implicit"] is True
    assert answer["record"]["mode"] is None
    assert answer["hops"] == []
    assert "no layer has an entry for it" in cli.run("why", "app.tar", "/a/b").out


@pytest.mark.parametrize(
    ("paths", "limit", "code"),
    [
        pytest.param([START, LOCK], "verified", 0, id="verified"),
        pytest.param([START], "inferred", 0, id="verified-is-more-than-inferred"),
        pytest.param([START, "/app"], "verified", 0, id="folder"),
    ],
)
def test_why_require_passes_what_is_sure(
    cli: Cli, sample: Path, paths: list[str], limit: str, code: int
) -> None:
    """A trust as good as asked for ends with 0."""
    cli.run("why", sample, *paths, "--require", limit, code=code)


@pytest.mark.parametrize("limit", ["verified", "inferred"])
def test_why_require_refuses_what_is_weaker(cli: Cli, alone: Path, limit: str) -> None:
    """Without a Dockerfile nothing is verified: the answer is printed, the exit code is 1."""
    (alone / "app.tar").write_bytes(docker_archive(image(layer({"a": b""}))))
    assert "Origin" in cli.run("why", "app.tar", "/a", "--require", limit, code=1).out
    assert cli.json("why", "app.tar", "/a", "--require", limit, code=1)["data"]
    assert cli.run("why", "app.tar", "/a").code == 0


# --- files


def test_files_lists_trust_stage_layer_size_change_and_path(cli: Cli, sample: Path) -> None:
    """One line a path; how many there are goes to stderr."""
    answer = cli.run("files", sample, "/app/dist/**")
    assert answer.lines[0].split() == ["✔", "build", "L6", "m", "/app/dist/bin/"]
    assert answer.lines[1].split() == ["✔", "build", "L6", "84", "B", "m", START]
    assert answer.err == f"{len(answer.lines)} of 108 paths\n"


@pytest.mark.parametrize(
    ("expr", "paths"),
    [
        pytest.param("stage:build size:>200", ["/app/dist/server.js"], id="stage-and-size"),
        pytest.param("*.css", ["/app/dist/public/style.css"], id="glob"),
        pytest.param("origin:context", ["/app/package.json"], id="origin"),
        pytest.param("layer:6 type:file", [START], id="layer"),
        pytest.param("type:symlink dist", ["/app/dist/latest"], id="type"),
        pytest.param("trust:unknown", [], id="trust"),
        pytest.param("dist .map|.css type:file", None, id="or"),
    ],
)
def test_files_filters(cli: Cli, sample: Path, expr: str, paths: list[str] | None) -> None:
    """The expression of the terminal view."""
    found = _paths(cli.json("files", sample, expr))
    if paths is None:
        assert found == ["/app/dist/public/style.css", "/app/dist/server.js.map"]
    else:
        assert found == paths


def test_files_all_adds_what_was_removed(cli: Cli, sample: Path) -> None:
    """Removed paths come with ``--all`` only."""
    shipped = _paths(cli.json("files", sample))
    every = cli.json("files", sample, "--all")["data"]
    removed = [record["path"] for record in every if record["change"] == "removed"]
    assert removed == ["/usr/share/doc/npm", "/usr/share/doc/npm/README"]
    assert sorted([*shipped, *removed]) == sorted(record["path"] for record in every)
    assert _paths(cli.json("files", sample, "mark:-", "--all")) == removed


def test_files_of_one_layer(cli: Cli, sample: Path) -> None:
    """``--layer`` takes the index of the JSON or the number that is shown."""
    by_index = cli.json("files", sample, "--layer", "3")["data"]
    assert [record["layer"] for record in by_index] == [3] * len(by_index)
    assert cli.json("files", sample, "--layer", "L4")["data"] == by_index
    assert cli.json("files", sample, "--layer", "l4")["data"] == by_index
    assert "/app/package.json" in [record["path"] for record in by_index]


def test_files_sorts_and_limits(cli: Cli, sample: Path) -> None:
    """By path, by size from the largest, by layer from the base."""
    by_path = _paths(cli.json("files", sample))
    assert by_path == sorted(by_path, key=lambda path: path.split("/"))
    by_size = cli.json("files", sample, "!type:hardlink", "--sort", "size")["data"]
    sizes = [record["size"] for record in by_size]
    assert sizes == sorted(sizes, reverse=True)
    layers = [r["layer"] for r in cli.json("files", sample, "--sort", "layer")["data"]]
    assert layers == sorted(layers)
    first = _paths(cli.json("files", sample, "--sort", "size", "--limit", "2"))
    assert first == ["/bin/busybox", "/usr/local/bin/npm"]


def test_files_null_gives_exact_paths(cli: Cli, sample: Path) -> None:
    """For ``xargs -0``: bare paths, each ended by a NUL byte."""
    out = cli.run("files", sample, "stage:build", "-0").out
    assert out.endswith("\0")
    assert out.split("\0")[:-1] == _paths(cli.json("files", sample, "stage:build"))
    assert cli.run("files", sample, "no-such-name", "--null").out == ""


def test_files_digests_hashes_what_nobody_asked_for(cli: Cli, sample: Path) -> None:
    """A digest is null unless it was needed; with ``--digests`` every file has one."""

    def hashed(*words: str) -> list[bool]:
        records = cli.json("files", sample, *words)["data"]
        return [r["digest"] is not None for r in records if r["type"] in {"file", "hardlink"}]

    assert not all(hashed("--no-cache"))
    assert all(hashed("--no-cache", "--digests"))
    (only,) = cli.json("files", sample, START, "--digests")["data"]
    assert only["digest"].startswith("sha256:2f744cbb8c62")


def test_a_hard_link_that_outlives_its_file_is_a_file(cli: Cli, alone: Path) -> None:
    """A later layer removed the name its bytes stand under: nothing is wasted."""
    linked = layer({"a": b"content", "b": hardlink("a"), "c": hardlink("a")})
    (alone / "app.tar").write_bytes(docker_archive(image(linked, layer({".wh.a": b""}))))
    b, c = cli.checked_json("files", "app.tar")["data"]
    assert (b["type"], b["link_target"], b["size"]) == ("file", None, 7)
    assert (c["type"], c["size"]) == ("hardlink", 7)
    assert [row["wasted"] for row in cli.json("layers", "app.tar")["data"]] == [0, 0]
    assert cli.run("cat", "app.tar", "/c").out == "content"


# --- layers and stages


def test_layers_has_a_row_a_layer_and_a_sum(cli: Cli, sample: Path) -> None:
    """Stage, size, files, waste, line and instruction of each."""
    lines = cli.run("layers", sample).lines
    head, *rows, total = lines
    assert head.split() == ["LAYER", "STAGE", "SIZE", "FILES", "WASTED", "LINE", "INSTRUCTION"]
    assert len(rows) == len(cli.json("layers", sample)["data"]) == 6
    assert rows[2].endswith(":15  COPY --from=build /app/dist /app/dist")
    assert total.split() == ["2.0", "MB", "72", "5.7", "kB"]


def test_layers_without_a_dockerfile_shows_the_history(cli: Cli, alone: Path) -> None:
    """What the image says of itself, and a question mark for the stage."""
    steps = ["/bin/sh -c #(nop) ADD file:1 in / ", ""]
    (alone / "app.tar").write_bytes(
        docker_archive(image(layer({"a": b"a"}), layer({"b": b""}), history=steps))
    )
    lines = cli.run("layers", "app.tar").lines
    assert lines[1].split()[:2] == ["L1", "?"]
    assert "(not recorded)" in lines[2]


def test_stages_says_what_stays_behind(cli: Cli, sample: Path) -> None:
    """Of a stage that is copied from; the final stage's layers are the image."""
    envelope = cli.json("stages", sample)
    rows = {row["name"]: row for row in envelope["data"]}
    build, final = rows["build"], rows["stage-1"]
    assert build["stays_behind"] == build["size"] - build["shipped_bytes"]
    assert final["stays_behind"] is None
    assert rows["build context"]["stays_behind"] is None
    assert sum(row["shipped_files"] for row in envelope["data"]) == len(
        cli.json("files", sample, "!type:dir")["data"]
    )


def test_stages_without_a_dockerfile_hints_at_it(cli: Cli, alone: Path) -> None:
    """The hint goes to stderr."""
    (alone / "app.tar").write_bytes(docker_archive(image(layer({"a": b"a"}))))
    answer = cli.run("stages", "app.tar")
    assert "hint: give -f Dockerfile to tell stages apart" in answer.err
    assert "hint" not in answer.out


def test_stages_of_a_build_with_a_stage_that_ships_nothing(cli: Cli, alone: Path) -> None:
    """A stage that only tests something weighs, and all of it stays behind."""
    base = layer({"sh": b"#!"})
    tested = image(base, layer({"report": b"r" * 500}), history=["FROM", "RUN make report"])
    final = image(base, layer({"app": b"a"}), history=["FROM", "COPY app /app"])
    (alone / "test.tar").write_bytes(docker_archive(tested))
    (alone / "app.tar").write_bytes(docker_archive(final))
    (alone / "Dockerfile").write_text(
        "FROM sh AS test\nRUN make report\nFROM sh\nCOPY app /app\n", encoding="utf-8"
    )
    words = ("app.tar", "-f", "Dockerfile", "--stage", "test=test.tar")
    rows = {row["name"]: row for row in cli.json("stages", *words)["data"]}
    assert rows["test"]["stays_behind"] == 502
    line = next(x for x in cli.run("stages", *words).lines if " test " in x)
    assert line.split()[-3:] == ["502", "B", "-"]


# --- tree


def test_tree_prints_folders_with_what_they_weigh(cli: Cli, sample: Path) -> None:
    """The largest first, names in their order where sizes are the same."""
    lines = cli.run("tree", sample, "--depth", "1").lines
    assert lines[0].split() == ["2.0", "MB", "4", "origins", "/"]
    assert lines[1].endswith("  base         bin/")
    empty = [line.split()[-1] for line in lines if line.split()[:2] == ["0", "B"]]
    assert empty == sorted(empty)
    assert "proc/" in empty


def test_tree_of_a_folder_a_file_and_a_link(cli: Cli, sample: Path, alone: Path) -> None:
    """A folder's row stands first, a file is one row, a link to a folder is that folder."""
    rows = cli.json("tree", sample, "/app/dist", "--depth", "1")["data"]
    assert [row["path"] for row in rows][:2] == ["/app/dist", "/app/dist/server.js"]
    assert [row["depth"] for row in rows][:2] == [0, 1]
    assert rows[0]["size"] == sum(row["size"] for row in rows[1:])
    assert [r["type"] for r in cli.json("tree", sample, "/app/package.json")["data"]] == ["file"]
    only = layer({"lib": symlink("usr/lib"), "usr/lib/x.so": b"x", "lost": symlink("nowhere")})
    (alone / "app.tar").write_bytes(docker_archive(image(only)))
    assert _paths(cli.json("tree", "app.tar", "/lib")) == ["/usr/lib", "/usr/lib/x.so"]
    assert _paths(cli.json("tree", "app.tar", "/lost")) == ["/lost"]


# --- cat


def test_cat_writes_exact_bytes(cli: Cli, alone: Path) -> None:
    """Into a pipe the content comes as it is, binary too."""
    content = bytes(range(256)) * 700
    (alone / "app.tar").write_bytes(docker_archive(image(layer({"x": content}))))
    out = cli.run("cat", "app.tar", "/x").out
    assert out.encode("utf-8", "surrogateescape") == content


def test_cat_follows_links_and_reads_hard_links(cli: Cli, sample: Path) -> None:
    """All three names give the one content."""
    wanted = cli.run("cat", sample, "/app/dist/server.js").out
    assert "npm run build" in wanted
    assert cli.run("cat", sample, "/app/dist/latest").out == wanted
    assert cli.run("cat", sample, "/app/dist/www.js").out == wanted


def test_cat_of_a_layer_gives_what_it_stored(cli: Cli, sample: Path) -> None:
    """Also of what a later layer replaced or removed."""
    now = cli.run("cat", sample, LOCK).out
    before = cli.run("cat", sample, LOCK, "--layer", "3").out
    assert before != now
    assert cli.run("cat", sample, LOCK, "--layer", "L4").out == before
    assert cli.run("cat", sample, "/usr/share/doc/npm/README", "--layer", "0").out


# --- open and demo


def test_open_off_a_terminal_prints_the_summary(cli: Cli, sample: Path) -> None:
    """One line of head, the layers, the stages; ``open`` may be left out."""
    answer = cli.run("open", sample)
    assert answer.lines[0] == f"{sample}  linux/amd64  2.0 MB  6 layers  2 stages"
    assert answer.err == ""
    assert cli.run(sample).out == answer.out
    assert cli.run("--plain", sample).out == answer.out
    assert cli.run(sample, "--plain", "--ascii", "--no-color").out == answer.out


def test_open_takes_the_dockerfile_first(cli: Cli, alone: Path) -> None:
    """``layertrace -f Dockerfile app.tar`` opens as well."""
    (alone / "app.tar").write_bytes(docker_archive(image(layer({"a": b""}), history=["COPY a /"])))
    (alone / "Dockerfile").write_text("FROM scratch\nCOPY a /\n", encoding="utf-8")
    assert "1 stage" in cli.run("-f", "Dockerfile", "app.tar").lines[0]


def test_demo_opens_the_sample(cli: Cli) -> None:
    """Off a terminal, its summary; ``--path`` says where it is."""
    path = cli.run("demo", "--path").out.strip()
    assert path == str(SAMPLES / "tiny-app" / "multistage.tar.xz")
    assert cli.run("demo").out == cli.run("demo", "--plain").out
    assert cli.run("demo").lines[0].startswith(path)


def test_on_a_terminal_the_view_opens(
    cli: Cli, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets the image still closed, and the marks and hues that were asked for."""
    seen: list[tuple[str, bool, bool, int]] = []

    asked: list[tuple[str, ...]] = []

    def run_app(app: LayertraceApp) -> int:
        asked.append(app.options.asked)
        if app.options.asked:
            return 0
        assert not isinstance(app._open_image, Picking)
        opening = app._open_image(lambda _: None, lambda: False)
        seen.append((app.title, app.options.ascii, app.options.color, len(opening.head.layers)))
        return 0

    monkeypatch.setattr("layertrace.views.terminal.can_browse", lambda: True)
    monkeypatch.setattr("layertrace.views.tui.app.run_app", run_app)
    cli.run("open", sample)
    cli.run(sample, "--ascii", "--no-color")
    cli.run(sample, "--plain")
    assert seen == [(str(sample), False, True, 6), (str(sample), True, False, 6)]
    # A command that is copied there reads the image in the same way, and gives no secret away.
    given = ["-f", "no/Dockerfile", "--stage", "build=x:1", "--build-arg", "TOKEN=hunter2"]
    cli.run(sample, *given)
    assert asked[-1] == (
        "--dockerfile", "no/Dockerfile", "--build-arg", "TOKEN", "--stage", "build=x:1",
    )  # fmt: skip
    # The fonts of the Linux console have no marks, whatever the locale is.
    monkeypatch.setenv("TERM", "linux")
    cli.run(sample)
    assert seen[-1][1]


# --- where an image may stand


def test_every_kind_of_reference_opens(cli: Cli, alone: Path) -> None:
    """Archives and layouts, named or looked into, give the same files."""
    one = image(layer({"a": b"a", "b/c": b"c"}), tags=("app:1",))
    (alone / "docker.tar").write_bytes(docker_archive(one))
    (alone / "hybrid.tar").write_bytes(docker_archive(one, hybrid=True, packed=True))
    (alone / "oci.tar").write_bytes(oci_archive(one, packed=True))
    write_layout(alone / "layout", oci_files(one))
    references = [
        "docker.tar", "./docker.tar",
        "docker-archive:docker.tar", "docker-archive:docker.tar:app:1",
        "hybrid.tar", "oci.tar", "oci-archive:oci.tar", "./layout", "layout", "oci:layout",
    ]  # fmt: skip
    found = {name: cli.json("files", name)["data"] for name in references}
    wanted = found["docker.tar"]
    for name, records in found.items():
        plain = [{**record, "digest": None} for record in records]
        assert plain == [{**record, "digest": None} for record in wanted], name


def test_the_second_opening_comes_from_the_cache(cli: Cli, sample: Path) -> None:
    """And says the same; ``--no-cache`` keeps and uses nothing."""
    first = cli.run("files", sample, "--no-cache").out
    assert cli.run("cache", "list").out == ""
    assert cli.run("files", sample).out == first
    assert cli.run("cache", "list").out
    assert cli.run("files", sample).out == first
    assert cli.run("files", sample, "--verify").out == first


def test_names_that_are_not_utf8_are_exact_in_json(cli: Cli, alone: Path) -> None:
    """The text is readable, the bytes stand beside it in base64."""
    name = b"caf\xe9/x\xff".decode("utf-8", "surrogateescape")
    (alone / "app.tar").write_bytes(
        docker_archive(image(layer({name: b"", "link": symlink("to\udcfe")})))
    )
    records = {record["path"]: record for record in cli.checked_json("files", "app.tar")["data"]}
    assert base64.b64decode(records["/caf\\xe9/x\\xff"]["path_b64"]) == b"/caf\xe9/x\xff"
    assert base64.b64decode(records["/link"]["link_target_b64"]) == b"to\xfe"
    assert "path_b64" not in records["/link"]
    for command in (["tree", "app.tar", "--depth", "9"], ["why", "app.tar", "/" + name]):
        rows = cli.checked_json(*command)["data"]
        assert any(base64.b64decode(row.get("path_b64", "")) == b"/caf\xe9/x\xff" for row in rows)
