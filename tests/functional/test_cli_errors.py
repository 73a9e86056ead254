"""What goes wrong: the documented exit code, at most three lines, nothing on stdout."""

from __future__ import annotations

import json
import lzma
import os
from typing import TYPE_CHECKING, Any

import pytest

from layertrace import __version__
from layertrace.errors import SourceError
from layertrace.views.cli import main
from tests.builders import (
    SampleImage,
    docker_archive,
    docker_files,
    file,
    from_json,
    image,
    layer,
    oci_archive,
    oci_files,
    step,
    symlink,
    to_json,
    write_folder,
)
from tests.cli_support import Cli, check_error, engine_away, spawn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

READING = ("open", "layers", "stages", "files", "tree")
DOCKERFILE = "FROM base\nCOPY a /a\n"
BASE = layer({"etc/hosts": b"127.0.0.1"})
TOP = layer({"a": b"a" * 2000, "b": symlink("a"), "dir/c": b"c", "gone/here": symlink("nowhere")})


def app(*layers: bytes) -> SampleImage:
    """An image of two layers, or of those given."""
    return image(*(layers or (BASE, TOP)), history=["FROM", "COPY a /a"] if not layers else None)


@pytest.fixture
def archive(alone: Path) -> Path:
    """A good archive."""
    path = alone / "app.tar"
    path.write_bytes(docker_archive(app()))
    return path


# --- what is there is not an image


def _garbage() -> bytes:
    return b"GIF89a" + bytes(range(256)) * 40


def _truncated() -> bytes:
    return docker_archive(app())[:4000]


def _cut_packed() -> bytes:
    return lzma.compress(docker_archive(app()))[:300]


def _without_manifest() -> bytes:
    files = docker_files(app())
    del files["manifest.json"]
    return layer(files)


def _manifest(change: Callable[[dict[str, Any]], None]) -> bytes:
    files = docker_files(app())
    manifest = files["manifest.json"]
    assert isinstance(manifest, bytes)
    (only,) = json.loads(manifest)
    change(only)
    return layer(files | {"manifest.json": to_json([only])})


def _missing_layers() -> bytes:
    return _manifest(lambda only: only.update(Layers=["gone/layer.tar", "gone/too.tar"]))


def _missing_layer() -> bytes:
    return _manifest(lambda only: only.update(Layers=[only["Layers"][0], "gone/layer.tar"]))


def _missing_config() -> bytes:
    return _manifest(lambda only: only.update(Config="gone.json"))


def _too_few_layers() -> bytes:
    return _manifest(lambda only: only.update(Layers=only["Layers"][:1]))


def _not_json() -> bytes:
    return layer(docker_files(app()) | {"manifest.json": b"[{"})


def _wrong_diff_id() -> bytes:
    files = docker_files(app())
    return layer({
        name: layer({"a": b"another"}) if name.endswith("layer.tar") else content
        for name, content in files.items()
    })  # fmt: skip


def _wrong_blob() -> bytes:
    altered = TOP.replace(b"aaaa", b"aaab", 1)
    return layer({
        name: altered if content == TOP else content
        for name, content in oci_files(app()).items()
    })  # fmt: skip


def _layer_of_garbage() -> bytes:
    return docker_archive(app(BASE, b"this is no tar" * 100))


@pytest.mark.parametrize("command", READING)
@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(lambda: b"", "is empty", id="empty"),
        pytest.param(_garbage, "is not an image archive", id="garbage"),
        pytest.param(lambda: b"\x1f\x8b\x08", "app.tar", id="gzip-of-nothing"),
        pytest.param(_truncated, "cut short", id="truncated"),
        pytest.param(_cut_packed, "app.tar", id="truncated-xz"),
        pytest.param(_without_manifest, "manifest.json", id="no-manifest"),
        pytest.param(_not_json, "manifest.json", id="manifest-not-json"),
        pytest.param(_missing_layers, "is not there", id="missing-layers"),
    ],
)
def test_a_damaged_archive_is_told(
    cli: Cli, alone: Path, command: str, content: Callable[[], bytes], words: str
) -> None:
    """Every command says what is wrong with the archive and ends with 3."""
    (alone / "app.tar").write_bytes(content())
    assert words in "\n".join(cli.fail(command, "app.tar", code=3))
    assert words in "\n".join(cli.fail(command, "app.tar", "--no-cache", code=3))


@pytest.mark.parametrize("command", [["why", "app.tar", "/a"], ["cat", "app.tar", "/a"]])
@pytest.mark.parametrize("content", [_truncated, _missing_layers, lambda: b""])
def test_a_damaged_archive_is_told_before_any_answer(
    cli: Cli, alone: Path, command: list[str], content: Callable[[], bytes]
) -> None:
    """Nothing is said about a path of an archive of which nothing can be read."""
    (alone / "app.tar").write_bytes(content())
    cli.fail(*command, code=3)


def test_json_of_a_damaged_archive_is_nothing(cli: Cli, alone: Path) -> None:
    """No half of a document is written."""
    (alone / "app.tar").write_bytes(_missing_layers())
    for command in READING[1:]:
        cli.fail(command, "app.tar", "--json", code=3)
    cli.fail("files", "app.tar", "--jsonl", code=3)
    cli.fail("files", "app.tar", "-0", code=3)


# --- a layer is damaged, the others are not


def _cut_layer() -> bytes:
    files = docker_files(app())
    return layer({
        name: TOP[:1500] if content == TOP else content for name, content in files.items()
    })  # fmt: skip


HALF = [
    pytest.param((_missing_layer, "layer-missing", "is not there"), id="missing"),
    pytest.param((_cut_layer, "layer-damaged", "is cut short"), id="cut"),
    pytest.param((_layer_of_garbage, "layer-damaged", "damaged tar header"), id="garbage"),
]


@pytest.mark.parametrize("command", READING)
@pytest.mark.parametrize("half", HALF)
def test_what_can_be_read_beside_a_damaged_layer_is_shown(
    cli: Cli, alone: Path, command: str, half: tuple[Callable[[], bytes], str, str]
) -> None:
    """The layer is named, the rest is shown, and the exit code says that it is not all."""
    content, code, words = half
    (alone / "app.tar").write_bytes(content())
    for options in ([], ["--no-cache"], []):
        answer = cli.run(command, "app.tar", *options, code=3)
        assert "hosts" in answer.out or command != "files"
        assert answer.out
        assert words in answer.err
        assert "error: what is shown is not whole: L2 could not be read" in answer.err
        assert len(answer.err.splitlines()) <= 3
    if command != "open":
        document = json.loads(cli.run(command, "app.tar", "--json", code=3).out)
        assert [f["code"] for f in document["findings"]] == [code]
        assert document["findings"][0]["layer"] == 1


@pytest.mark.parametrize("half", HALF)
def test_questions_that_need_no_damaged_layer_are_answered(
    cli: Cli, alone: Path, half: tuple[Callable[[], bytes], str, str]
) -> None:
    """Those about what is there end well, those about what may be in the damage do not."""
    content, _, words = half
    (alone / "app.tar").write_bytes(content())
    assert cli.run("cat", "app.tar", "/etc/hosts").out == "127.0.0.1"
    assert cli.json("files", "app.tar", "--layer", "0")["data"]
    assert words in cli.run("why", "app.tar", "/etc/hosts").err
    cli.run("files", "app.tar", "--layer", "1", code=3)
    for command in (["cat", "app.tar", "/dir/c"], ["why", "app.tar", "/dir/c"],
                    ["cat", "app.tar", "/dir/c", "--layer", "1"]):  # fmt: skip
        lines = cli.fail(*command, code=3)
        assert words in "\n".join(lines)
    assert words in "\n".join(cli.fail("layers", "app.tar", "--verify", code=3))


# --- a digest or a number is wrong, and everything can be read


@pytest.mark.parametrize("command", READING)
@pytest.mark.parametrize(
    "case",
    [
        pytest.param((_missing_config, ["config-missing"], "gone.json is not there"), id="config"),
        pytest.param((_too_few_layers, ["layer-count"], "has 1 layers"), id="too-few-layers"),
        pytest.param((_wrong_diff_id, ["digest-mismatch"] * 2, "does not have"), id="diff-id"),
        pytest.param((_wrong_blob, ["digest-mismatch"], "does not have"), id="blob"),
    ],
)
def test_what_does_not_match_is_a_finding(
    cli: Cli, alone: Path, command: str, case: tuple[Callable[[], bytes], list[str], str]
) -> None:
    """Reading goes on and ends well, today and from the cache."""
    content, codes, words = case
    (alone / "app.tar").write_bytes(content())
    for options in ([], ["--no-cache"], []):
        answer = cli.run(command, "app.tar", *options)
        assert answer.out
        assert words in answer.err
        assert len(answer.err.splitlines()) <= 3
    if command != "open":
        document = cli.json(command, "app.tar")
        assert [finding["code"] for finding in document["findings"]] == codes


@pytest.mark.parametrize("content", [_wrong_diff_id, _wrong_blob])
def test_verify_refuses_what_does_not_match(
    cli: Cli, alone: Path, content: Callable[[], bytes]
) -> None:
    """Who asks for every digest to be checked wants no other answer."""
    (alone / "app.tar").write_bytes(content())
    for command in READING:
        assert "does not have the digest" in cli.fail(command, "app.tar", "--verify", code=3)[0]


def test_layers_that_lie_are_not_trusted(cli: Cli, alone: Path) -> None:
    """The configuration, which tells the instruction, knows nothing of such a layer."""
    (alone / "Dockerfile").write_text("FROM scratch\nCOPY hosts /etc/hosts\nCOPY a /a\n")
    honest = image(BASE, layer({"a": b"x"}), history=["COPY hosts /etc/hosts", "COPY a /a"])
    (alone / "app.tar").write_bytes(docker_archive(honest))
    words = ("app.tar", "-f", "Dockerfile")
    layers = cli.json("layers", *words)["data"]
    assert [row["trust"] for row in layers] == ["verified", "verified"]
    lying = layer({
        name: layer({"a": b"another"}) if content == layer({"a": b"x"}) else content
        for name, content in docker_files(honest).items()
    })  # fmt: skip
    (alone / "app.tar").write_bytes(lying)
    layers = cli.json("layers", *words)["data"]
    assert [row["trust"] for row in layers] == ["verified", "contradicted"]
    assert layers[1]["diff_id"] == honest.diff_ids[1]


def test_an_error_does_not_stick_to_a_good_archive(cli: Cli, alone: Path) -> None:
    """The cache keeps nothing of a damaged archive that would answer for a good one."""
    (alone / "app.tar").write_bytes(docker_archive(app()))
    for number, content in enumerate([_wrong_diff_id, _cut_layer, _missing_layer]):
        (alone / f"bad{number}.tar").write_bytes(content())
    codes = (0, 3, 3)
    for number, code in enumerate(codes):
        cli.run("files", f"bad{number}.tar", "--digests", code=code)
    good = cli.run("files", "app.tar", "--digests").out
    assert good == cli.run("files", "app.tar", "--digests", "--no-cache").out
    assert "/dir/c" in good
    for number, code in enumerate(codes):
        bad = cli.run("files", f"bad{number}.tar", "--digests", code=code).out
        assert bad != good
        assert bad == cli.run("files", f"bad{number}.tar", "--no-cache", code=code).out


def test_verify_reads_what_the_cache_knows(cli: Cli, archive: Path) -> None:
    """``--verify`` holds for a second opening too."""
    first = cli.run("layers", archive, "--verify").out
    assert cli.run("layers", archive, "--verify").out == first
    assert cli.run("layers", archive).out == first


# --- there is nothing, or something else


@pytest.mark.parametrize("command", READING)
@pytest.mark.parametrize(
    "reference",
    ["missing.tar", "./missing", "docker-archive:missing.tar", "oci-archive:missing", "oci:gone"],
)
def test_a_missing_file_is_told(cli: Cli, command: str, reference: str) -> None:
    """An archive or folder that is not there ends with 3."""
    lines = cli.fail(command, reference, code=3)
    assert "does not exist" in lines[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("empty", {}, id="empty"),
        pytest.param("project", {"Dockerfile": b"FROM x"}, id="project"),
        pytest.param("half", {"index.json": b"{}"}, id="layout-without-marker"),
        pytest.param("listed", {"manifest.json": b"[]"}, id="no-images"),
    ],
)
def test_a_folder_that_is_no_layout_is_told(
    cli: Cli, alone: Path, name: str, content: dict[str, bytes]
) -> None:
    """A folder without an image in it ends with 3, and is named."""
    folder = alone / name
    folder.mkdir()
    write_folder(folder, content)
    for command in READING:
        assert name in "".join(cli.fail(command, f"./{name}", code=3))


def test_a_layout_that_lacks_a_blob_is_told(cli: Cli, alone: Path) -> None:
    """A layer that is not in the folder is marked; that ends with 3."""
    layout = write_folder(alone / "layout", oci_files(app()))
    for blob in (layout / "blobs" / "sha256").iterdir():
        if blob.read_bytes() == TOP:
            blob.unlink()
    assert "is not there" in cli.run("layers", "oci:layout", code=3).err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_told(cli: Cli, archive: Path) -> None:
    """Permission denied ends with 3."""
    archive.chmod(0)
    assert "denied" in " ".join(cli.fail("layers", archive, code=3))


def test_several_images_have_to_be_told_apart(cli: Cli, alone: Path) -> None:
    """An archive of two images lists them, and ``:NAME`` chooses."""
    other = image(BASE, tags=("other:2",))
    (alone / "both.tar").write_bytes(docker_archive(app(), other))
    lines = cli.fail("layers", "both.tar", code=3)
    assert "app:1" in "\n".join(lines)
    assert "other:2" in "\n".join(lines)
    chosen = cli.json("layers", "docker-archive:both.tar:other:2")
    assert len(chosen["data"]) == 1
    cli.fail("layers", "docker-archive:both.tar:third:3", code=3)


def test_an_index_without_the_platform_is_told(cli: Cli, alone: Path) -> None:
    """``--platform`` names what is not there."""
    images = [image(BASE, platform=f"linux/{name}") for name in ("amd64", "arm64")]
    (alone / "two.tar").write_bytes(oci_archive(*images, nested=True))
    lines = cli.fail("layers", "two.tar", "--platform", "linux/s390x", code=3)
    assert "linux/arm64" in "\n".join(lines)
    assert cli.json("layers", "two.tar", "--platform", "linux/arm64")["image"]["platform"] == (
        "linux/arm64"
    )


# --- the engine


@engine_away
@pytest.mark.parametrize("reference", ["docker-daemon:app:1", "app:1", "node"])
def test_an_engine_that_is_not_running_is_told(cli: Cli, reference: str) -> None:
    """An image of the engine needs one: exit code 5."""
    lines = cli.fail("layers", reference, code=5)
    assert lines[0] == "error: the Docker engine is not running, or not there"
    assert "no.sock" in lines[1]


# --- paths


@pytest.mark.parametrize("command", ["why", "cat", "tree"])
def test_a_path_that_is_not_there_is_told(cli: Cli, archive: Path, command: str) -> None:
    """A path that no layer has ends with 4."""
    assert cli.fail(command, archive, "/nope/at/all", code=4) == [
        f"error: /nope/at/all is not in {archive}"
    ]


def test_a_slip_gets_the_path_that_was_meant(cli: Cli, archive: Path) -> None:
    """The nearest name is offered."""
    assert "did you mean /etc/hosts?" in cli.fail("why", archive, "/etc/hots", code=4)[1]
    assert "did you mean /etc/hosts?" in cli.fail("cat", archive, "/usr/etc/hosts", code=4)[1]


def test_a_removed_path_is_told_with_who_removed_it(cli: Cli, alone: Path) -> None:
    """What a layer removed is not called unknown."""
    (alone / "app.tar").write_bytes(
        docker_archive(image(BASE, layer({"etc/.wh.hosts": b""}), layer({"x": b""})))
    )
    assert cli.fail("why", "app.tar", "/etc/hosts", code=4) == [
        "error: /etc/hosts is not in app.tar",
        "  L1 had it; L2 removed it",
        "  files --all lists removed paths",
    ]


def test_one_missing_path_of_several_gives_no_answer(cli: Cli, archive: Path) -> None:
    """All or nothing: a script does not take a part for the whole."""
    cli.fail("why", archive, "/a", "/nope", code=4)
    cli.fail("why", archive, "/a", "/nope", "--json", code=4)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        pytest.param(["/dir"], "/dir is not a regular file but a dir", id="implicit-folder"),
        pytest.param(["/"], "is not a regular file but a dir", id="root"),
        pytest.param(["/gone/here"], "/gone/nowhere is not in", id="dangling-link"),
        pytest.param(["/b", "--layer", "1"], "not a regular file but a symlink", id="link"),
        pytest.param(["/a", "--layer", "0"], "layer 0 has no /a", id="other-layer"),
    ],
)
def test_cat_says_what_is_no_file(cli: Cli, archive: Path, words: list[str], what: str) -> None:
    """Only a regular file has content: exit code 4."""
    assert what in cli.fail("cat", archive, *words, code=4)[0]


# --- the Dockerfile


@pytest.mark.parametrize(
    ("text", "what"),
    [
        pytest.param("FROM base\nCOPPY a /a\n", "wrong:2: ", id="unknown-instruction"),
        pytest.param("COPY a /a\n", "wrong", id="no-from"),
        pytest.param("", "wrong", id="empty"),
        pytest.param("FROM base\nRUN <<EOF\nx\n", "wrong:2: ", id="open-heredoc"),
        pytest.param("FROM base\nCOPY --from=5 a /a\n", "wrong:2: ", id="stage-to-come"),
    ],
)
@pytest.mark.parametrize("command", READING)
def test_a_dockerfile_with_a_mistake_is_told(
    cli: Cli, archive: Path, command: str, text: str, what: str
) -> None:
    """File and line stand before the message: exit code 3."""
    (archive.parent / "wrong").write_text(text, encoding="utf-8")
    assert what in cli.fail(command, archive, "-f", "wrong", code=3)[0]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(["-f", "nowhere"], 3, id="dockerfile-missing"),
        pytest.param(["-f", "."], 3, id="dockerfile-is-a-folder"),
        pytest.param(["-f", "Dockerfile", "--context", "nowhere"], 3, id="context-missing"),
        pytest.param(["-f", "Dockerfile", "--stage", "x=app.tar"], 2, id="no-such-stage"),
        pytest.param(["-f", "Dockerfile", "--stage", "stage-0=missing.tar"], 3, id="stage-missing"),
        pytest.param(
            ["-f", "Dockerfile", "--stage", "stage-0=app.tar", "--stage", "0=missing.tar"],
            3,
            id="second-stage-missing",
        ),
        pytest.param(["-f", "Dockerfile", "--target", "x"], 3, id="target-unknown"),
        pytest.param(["--base", "missing.tar"], 3, id="base-missing"),
        pytest.param(["--provenance", "missing.json"], 3, id="provenance-missing"),
        pytest.param(["--provenance", "Dockerfile"], 3, id="provenance-not-json"),
        pytest.param(["--target", "x"], 2, id="target-without-dockerfile"),
        pytest.param(["--context", "."], 2, id="context-without-dockerfile"),
        pytest.param(["--stage", "a=b.tar"], 2, id="stage-without-dockerfile"),
        pytest.param(["--build-arg", "A=1"], 2, id="argument-without-dockerfile"),
        pytest.param(["-f", "Dockerfile", "--build-arg", "=1"], 2, id="argument-without-name"),
        pytest.param(["-f", "Dockerfile", "--build-arg", "NOT_SET"], 2, id="argument-not-set"),
        pytest.param(["-f", "Dockerfile", "--stage", "stage-0"], 2, id="stage-without-image"),
        pytest.param(["--platform", "linux"], 2, id="platform"),
        pytest.param(["--platform", "a/b/c/d"], 2, id="platform-too-long"),
    ],
)
def test_build_knowledge_that_does_not_fit_is_told(
    cli: Cli, archive: Path, words: list[str], code: int
) -> None:
    """A wrong option is never passed over."""
    (archive.parent / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    cli.fail("layers", archive, *words, code=code)


# --- usage


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([""], id="empty-image"),
        pytest.param(["layers"], id="no-image"),
        pytest.param(["why", "app.tar"], id="no-path"),
        pytest.param(["cat", "app.tar"], id="no-file"),
        pytest.param(["layers", "app.tar", "more"], id="too-many"),
        pytest.param(["layers", "app.tar", "--nope"], id="unknown-option"),
        pytest.param(["--nope", "app.tar"], id="unknown-option-of-open"),
        pytest.param(["layers", "docker-daemon:"], id="daemon-of-nothing"),
        pytest.param(["layers", "oci:"], id="layout-of-nothing"),
        pytest.param(["tree", "app.tar", "--depth", "0"], id="depth"),
        pytest.param(["tree", "app.tar", "--depth", "deep"], id="depth-word"),
        pytest.param(["why", "app.tar", "/a", "--require", "proven"], id="require"),
        pytest.param(["files", "app.tar", "--limit", "0"], id="limit"),
        pytest.param(["files", "app.tar", "--sort", "colour"], id="sort"),
        pytest.param(["files", "app.tar", "--layer", "2"], id="layer-beyond"),
        pytest.param(["files", "app.tar", "--layer", "L0"], id="layer-shown-from-one"),
        pytest.param(["files", "app.tar", "--layer", "L3"], id="shown-layer-beyond"),
        pytest.param(["files", "app.tar", "--layer=-1"], id="layer-negative"),
        pytest.param(["files", "app.tar", "--layer", "9" * 5000], id="layer-huge"),
        pytest.param(["cat", "app.tar", "/a", "--layer", "x"], id="layer-word"),
        pytest.param(["files", "app.tar", "--json", "--jsonl"], id="two-formats"),
        pytest.param(["files", "app.tar", "--json", "-0"], id="json-and-null"),
        pytest.param(["files", "app.tar", "--jsonl", "-0"], id="jsonl-and-null"),
        pytest.param(["files", "app.tar", "size:>huge"], id="filter-size"),
        pytest.param(["files", "app.tar", "colour:red"], id="filter-key"),
        pytest.param(["schema", "nope"], id="schema"),
        pytest.param(["schema"], id="schema-of-nothing"),
        pytest.param(["completion", "csh"], id="shell"),
        pytest.param(["cache", "burn"], id="cache-command"),
        pytest.param(["cache", "prune", "--keep", "much"], id="keep-word"),
        pytest.param(["cache", "prune", "--keep", ">1MB"], id="keep-comparison"),
    ],
)
def test_wrong_words_end_with_2(cli: Cli, archive: Path, words: list[str]) -> None:
    """What the command cannot mean is a usage error."""
    cli.fail(*words, code=2)


# --- how an error is worded


def test_a_name_cannot_forge_a_line_of_an_error(cli: Cli, alone: Path) -> None:
    """A newline or an escape sequence of an image stays inside its line."""
    evil = layer({"etc/hosts\nerror: all is lost\x1b[2J": b""})
    (alone / "app.tar").write_bytes(docker_archive(image(evil)))
    lines = cli.fail("why", "app.tar", "/etc/hosts\nerror: all is well\x1b[2J", code=4)
    assert len(lines) == 2
    assert "\x1b" not in "".join(lines)
    assert "\\x0aerror: all is lost\\x1b[2J" in lines[1]


def test_debug_shows_where_an_error_came_from(cli: Cli) -> None:
    """``--debug`` anywhere lets the exception through."""
    with pytest.raises(SourceError):
        main(["layers", "--debug", "missing.tar"])
    with pytest.raises(SourceError):
        main(["--debug", "layers", "missing.tar"])


def test_an_error_of_ours_is_called_a_bug(
    cli: Cli, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever nobody raised on purpose ends with 70 and says what to do, and where it is kept."""
    monkeypatch.setattr("layertrace.views.samples.SAMPLE", 5)
    answer = cli.run("demo", "--plain", code=70)
    assert answer.out == ""
    assert answer.err.splitlines()[0].startswith("error: TypeError: ")
    log = alone.parent / "cache" / "crash.log"
    step = f"this is a bug in layertrace; {log} says where, and --debug shows the traceback"
    assert answer.err.splitlines()[1:] == [step]
    text = log.read_text(encoding="utf-8")
    assert text.startswith(f"layertrace {__version__}, Python ")
    assert "samples.py" in text
    assert text.endswith("\nTypeError\n")
    assert log.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("LAYERTRACE_CACHE_DIR", str(log))
    answer = cli.run("demo", "--plain", code=70)
    step = "this is a bug in layertrace; --debug shows the traceback"
    assert answer.err.splitlines()[1:] == [step]


def test_the_system_refusing_is_no_bug(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the operating system ends with 5."""
    monkeypatch.setattr("layertrace.views.samples.SAMPLE", "x" * 5000)
    check_error(cli.run("demo", "--path", code=5))


def test_a_missing_sample_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without it says so."""
    monkeypatch.setattr("layertrace.views.samples.SAMPLE", "none.tar")
    assert "not installed" in cli.fail("demo", code=3)[0]


def test_an_error_reaches_a_terminal_that_knows_ascii_only(archive: Path) -> None:
    """Marks of ours are written in ASCII, names escaped."""
    words = ("cat", "app.tar", "/gone/здесь")
    done = spawn(*words, environment={"LC_ALL": "C"}, folder=archive.parent)
    assert done.returncode == 4
    assert done.stderr.isascii()
    assert b"\\u0437" in done.stderr


def test_an_image_without_layers_is_no_error(cli: Cli, alone: Path) -> None:
    """There is nothing in it, and that is said."""
    (alone / "none.tar").write_bytes(docker_archive(image(history=[step("CMD x", empty=True)])))
    assert cli.json("layers", "none.tar")["data"] == []
    assert cli.json("files", "none.tar")["data"] == []
    assert [row["path"] for row in cli.json("tree", "none.tar")["data"]] == ["/"]
    assert cli.run("files", "none.tar").out == ""
    assert "the image has 0" in cli.fail("files", "none.tar", "--layer", "0", code=2)[1]


def test_a_file_of_the_image_can_be_empty(cli: Cli, alone: Path) -> None:
    """``cat`` of it prints nothing and ends well."""
    (alone / "app.tar").write_bytes(docker_archive(image(layer({"empty": file(b"")}))))
    assert cli.run("cat", "app.tar", "/empty").out == ""


def test_a_configuration_that_is_not_one_is_told(cli: Cli, alone: Path) -> None:
    """The key that is wrong is named."""
    files = docker_files(app())
    name = next(n for n in files if n.endswith(".json") and n != "manifest.json")
    config = from_json(files[name])
    rootfs = config["rootfs"]
    assert isinstance(rootfs, dict)
    rootfs["diff_ids"] = ["sha256:12ab", 5]
    (alone / "app.tar").write_bytes(layer(files | {name: to_json(config)}))
    lines = cli.fail("layers", "app.tar", code=3)
    assert "rootfs.diff_ids[0]" in lines[0]
