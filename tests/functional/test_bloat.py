"""``bloat``: every number worked out by hand, or by another reader of the same archive."""

from __future__ import annotations

import io
import json
import lzma
import tarfile
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import (
    Content,
    docker_archive,
    file,
    folder,
    hardlink,
    image,
    layer,
    oci_archive,
    sparse,
    symlink,
)
from tests.disk import Disk
from tests.sample_support import SAMPLES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli_support import Cli

Layers = list[dict[str, Content]]
DELETE = "delete it in the RUN of line {} that writes it, or write it in an earlier stage"
BASE: dict[str, object] = {
    "created_by": "/bin/sh -c #(nop) ADD file:0 in / ",
    "created": "2024-01-01T00:00:00Z",
}


def save(
    folder: Path, layers: Layers, history: list[str | dict[str, object]], dockerfile: str = ""
) -> Path:
    """Write an archive, and a Dockerfile beside it."""
    tars = [layer(members) for members in layers]
    archive = folder / "app.tar"
    archive.write_bytes(docker_archive(image(*tars, history=history)))
    if dockerfile:
        (folder / "Dockerfile").write_text(dockerfile)
    return archive


def groups(data: dict[str, Any]) -> list[tuple[str, int, int | None, int | None]]:
    """Return cause, bytes, and the lines that wrote and undid."""
    return [
        (each["cause"], each["bytes"], each["written_by"]["line"], each["undone_by"]["line"])
        for each in data["groups"]
    ]


def read_layers(archive: Path) -> list[bytes]:
    """Return the layers of what ``docker save`` wrote, by tarfile alone."""
    with tarfile.open(archive) as tar:

        def content(name: str) -> bytes:
            member = tar.getmember(name)
            if member.issym():
                member = tar.getmember(f"{name.rpartition('/')[0]}/{member.linkname}")
            found = tar.extractfile(member)
            assert found is not None
            return found.read()

        (manifest,) = json.loads(content("manifest.json"))
        return [content(name) for name in manifest["Layers"]]


def test_dives_own_image_wastes_what_can_be_counted_by_hand(cli: Cli, alone: Path) -> None:
    """Ten copies of a file of 6,405 bytes, five of them undone; dive prints its score.

    Source: dive, ``.data/Dockerfile.example`` and ``image_archive_analysis_test.go``.
    """
    readme, example = b"r" * 6405, {"root/": folder(), "root/example/": folder()}
    layers: Layers = [
        {"bin/": folder(), "bin/busybox": b"b" * 1_154_361},
        {"somefile.txt": readme},
        {**example, "root/example/really/": folder(), "root/example/really/nested/": folder()},
        {**example, "root/example/somefile1.txt": readme},
        {**example, "root/example/somefile1.txt": file(readme, mode=0o444)},
        {**example, "root/example/somefile2.txt": readme},
        {**example, "root/example/somefile3.txt": readme},
        {**example, "root/example/.wh.somefile3.txt": b"", "root/saved.txt": readme},
        {"root/": folder(), "root/.saved.txt": readme},
        {"root/": folder(), "root/.wh.example": b""},
        {"root/": folder(), "root/.data/": folder(), "root/.data/test.sh": b"s" * 2187},
        {"tmp/": folder(), "tmp/saved.again1.txt": readme},
        {"root/": folder(), "root/.data/": folder(), "root/.data/saved.again2.txt": readme},
        {"root/": folder(), "root/saved.txt": file(readme, mode=0o755)},
        {"root/": folder(0o421)},
    ]
    steps = [
        "ADD README.md /somefile.txt",
        "RUN mkdir -p /root/example/really/nested",
        "RUN cp /somefile.txt /root/example/somefile1.txt",
        "RUN chmod 444 /root/example/somefile1.txt",
        "RUN cp /somefile.txt /root/example/somefile2.txt",
        "RUN cp /somefile.txt /root/example/somefile3.txt",
        "RUN mv /root/example/somefile3.txt /root/saved.txt",
        "RUN cp /root/saved.txt /root/.saved.txt",
        "RUN rm -rf /root/example/",
        "ADD .scripts/ /root/.data/",
        "RUN cp /root/saved.txt /tmp/saved.again1.txt",
        "RUN cp /root/saved.txt /root/.data/saved.again2.txt",
        "RUN chmod +x /root/saved.txt",
        "RUN chmod 421 /root",
    ]
    history = [
        f"RUN /bin/sh -c {each[4:]} # buildkit" if each.startswith("RUN") else f"{each} # buildkit"
        for each in steps
    ]
    dockerfile = "\n".join(["FROM busybox:latest", *steps, ""])
    archive = save(alone, layers, [BASE, *history], dockerfile)
    data = cli.checked_json("bloat", archive, "-f", "Dockerfile")["data"]
    assert (data["stored_bytes"], data["wasted_bytes"]) == (1_220_598, 32_025)
    assert data["visible_bytes"] == 1_188_573
    assert data["dive_efficiency"] == 0.9844212134184309
    assert data["causes"] == {"removed": 19_215, "hidden": 0, "overwritten": 0, "metadata": 12_810}
    # somefile1 before its chmod, it and somefile2 with their directory, somefile3 by mv,
    # saved.txt before its chmod; each with the lines of the Dockerfile above.
    assert sorted(groups(data)) == [
        ("metadata", 6405, 4, 5),
        ("metadata", 6405, 8, 14),
        ("removed", 6405, 5, 10),
        ("removed", 6405, 6, 10),
        ("removed", 6405, 7, 8),
    ]
    assert cli.run("bloat", archive).lines[0] == ("WASTED  32.0 kB (32,025 bytes) of 1.2 MB, 2.6%")


def test_every_kind_of_waste_has_its_pair_of_lines(cli: Cli, alone: Path) -> None:
    """A directory removed, a chmod, a small file replaced by a large one, opaque, links."""
    layers: Layers = [
        {"usr/doc/a": b"1" * 1000, "usr/doc/b": b"2" * 500, "etc/motd": b"m" * 30},
        {"app/": folder(), "app/start": b"s" * 200, "app/test/t": b"t" * 70, "app/z": b"z"},
        {"app/cache/c": b"c" * 5000, "app/one": b"o" * 40, "app/two": hardlink("app/one")},
        {
            "usr/.wh.doc": b"", "etc/motd": b"M" * 90, "app/start": file(b"s" * 200, mode=0o755),
            "app/.wh.one": b"", "app/cache/": folder(), "app/cache/.wh..wh..opq": b"",
            "app/.wh.test": b"",
        },
        {"app/z": b"large" * 100},
    ]  # fmt: skip
    dockerfile = (
        "FROM base\nCOPY app /app\nRUN make\n"
        "RUN rm -r /usr/doc /app/test && chmod 755 /app/start\nCOPY z /app/z\n"
    )
    history: list[str | dict[str, object]] = [
        BASE,
        "COPY app /app # buildkit",
        "RUN /bin/sh -c make # buildkit",
        "RUN /bin/sh -c rm -r /usr/doc /app/test && chmod 755 /app/start # buildkit",
        "COPY z /app/z # buildkit",
    ]
    archive = save(alone, layers, history, dockerfile)
    found = cli.checked_json("bloat", archive, "-f", "Dockerfile")
    assert groups(found["data"]) == [
        ("hidden", 5000, 3, 4),
        ("removed", 1500, 1, 4),
        ("metadata", 200, 2, 4),
        ("removed", 70, 2, 4),
        ("overwritten", 30, 1, 4),
        ("overwritten", 1, 2, 5),
    ]
    assert found["data"]["wasted_bytes"] == 6801
    first, second, third, *_ = found["data"]["groups"]
    assert first["advice"] == DELETE.format(3)
    assert second["paths"] == [
        {"path": "/usr/doc/a", "bytes": 1000},
        {"path": "/usr/doc/b", "bytes": 500},
    ]
    assert third["advice"] == "COPY --chmod=755 in line 2, instead of line 4"
    assert third["written_by"] == {
        "layer": 1, "stage": "stage-0", "line": 2, "instruction": "COPY app /app",
    }  # fmt: skip
    assert [each["wasted"] for each in found["image"]["layers"]] == [1530, 271, 5000, 0, 0]


@pytest.mark.parametrize("name", ["regular", "multistage", "multistage-classic"])
def test_waste_of_a_sample_is_what_a_disk_does_not_have(cli: Cli, alone: Path, name: str) -> None:
    """Stored by tarfile's headers, visible by putting the layers on a disk; layer by layer."""
    archive = alone / f"{name}.tar"
    archive.write_bytes(lzma.decompress((SAMPLES / "tiny-app" / f"{name}.tar.xz").read_bytes()))
    disk, stored = Disk(), []
    for number, tar in enumerate(read_layers(archive)):
        disk.put(number, tar)
        with tarfile.open(fileobj=io.BytesIO(tar)) as members:
            stored.append(sum(member.size for member in members if member.isreg()))
    seen = disk.visible()
    wasted = [size - seen[number] for number, size in enumerate(stored)]
    found = cli.checked_json("bloat", archive)
    data = found["data"]
    assert (data["stored_bytes"], data["visible_bytes"]) == (sum(stored), seen.total())
    assert data["wasted_bytes"] == sum(wasted) == sum(each["bytes"] for each in data["groups"])
    written: Counter[int] = Counter()
    for each in data["groups"]:
        written[each["written_by"]["layer"]] += each["bytes"]
        assert each["bytes"] == sum(path["bytes"] for path in each["paths"])
        assert each["path_count"] == len(each["paths"])
    assert [written[number] for number in range(len(stored))] == wasted
    layers = cli.json("layers", archive)["data"]
    assert [each["wasted"] for each in layers] == wasted


def test_packed_layers_waste_the_same(cli: Cli, alone: Path) -> None:
    """Contents that must be unpacked to be compared are compared."""
    layers = [layer({"a": b"123", "b": b"1"}), layer({"a": file(b"123", mode=0o700), "b": b"2"})]
    (alone / "app.tar").write_bytes(oci_archive(image(*layers), packed=True))
    data = cli.checked_json("bloat", "app.tar")["data"]
    assert {(each["cause"], each["bytes"]) for each in data["groups"]} == {
        ("metadata", 3),
        ("overwritten", 1),
    }


def test_nothing_wasted_is_said_in_one_line(cli: Cli, alone: Path) -> None:
    """An image of one layer wastes nothing, and no bytes at all are no division by zero."""
    assert cli.run("bloat", save(alone, [{"a": b"123"}], ["RUN x"])).lines == [
        "WASTED  0 B of 3 B, 0.0%",
        "    removed later 0 B · hidden later 0 B · overwritten 0 B · metadata only 0 B",
        "    100.0% of the stored bytes are seen; efficiency as dive scores it: 100.0000%",
    ]
    assert len(cli.run("bloat", "app.tar", "--format", "markdown").lines) == 5
    empty = cli.run("bloat", save(alone, [{"d/": folder()}], ["RUN x"])).lines
    assert empty[0] == "WASTED  0 B of 0 B, 0.0%"


def test_text_shows_each_pair_of_steps_with_what_to_change(cli: Cli, alone: Path) -> None:
    """The largest first: bytes, cause, both instructions, advice, paths."""
    layers: Layers = [
        {"lib/a": b"a" * 2000, "lib/b": b"b" * 10},
        {"lib/a": b"A" * 2100, "lib/b": b"B" * 10},
        {"x": b"x" * 100, "y": b"y" * 200},
        {".wh.x": b"", ".wh.y": b""},
    ]
    dockerfile = "FROM base\nRUN make\nRUN rm /x /y\n"
    history: list[str | dict[str, object]] = [
        BASE, BASE, "RUN /bin/sh -c make # buildkit", "RUN /bin/sh -c rm /x /y # buildkit",
    ]  # fmt: skip
    archive = save(alone, layers, history, dockerfile)
    lines = cli.run("bloat", archive, "-f", "Dockerfile").lines
    assert lines[:3] == [
        "WASTED  2.3 kB (2,310 bytes) of 4.4 kB, 52.3%",
        "    removed later 300 B · hidden later 0 B · overwritten 2.0 kB · metadata only 0 B",
        "    300 B of the 300 B above the base (100.0%)",
    ]
    markdown = cli.run("bloat", archive, "-f", "Dockerfile", "--format", "markdown").lines
    assert markdown[4].startswith("300 B of the 300 B above the base (100.0%). 47.7% of the ")
    assert lines[4:] == [
        "",
        "2.0 kB  overwritten  L1 :1 → L2 :1",
        "    L1 :1 → L2 :1  FROM base",
        "    change: nothing here: it is inside the base image, only another one is without it",
        "    2.0 kB  /lib/a",
        "      10 B  /lib/b",
        "",
        "300 B  removed later  L3 :2 → L4 :3",
        "    L3 :2  RUN make",
        "    L4 :3  RUN rm /x /y",
        f"    change: {DELETE.format(2)}",
        "    200 B  /y",
        "    100 B  /x",
    ]
    bounded = cli.run("bloat", archive, "-f", "Dockerfile", "--limit", "1", "--paths", "1").lines
    assert bounded[4:] == [
        *lines[4:9],
        "    and 1 path more, 10 B",
        "",
        "and 1 group more, 300 B (--all lists them)",
    ]


def test_limits_bound_the_lists_and_not_the_sums(cli: Cli, alone: Path) -> None:
    """Counts tell of what is not listed; JSON has all of it unless it is bounded."""
    many: dict[str, Content] = {f"f{number:02}": b"x" * 10 for number in range(12)}
    gone: dict[str, Content] = {f".wh.{name}": b"" for name in many}
    layers = [each for _ in range(11) for each in (many, gone)]
    archive = save(alone, layers, [f"RUN {number}" for number in range(22)])
    whole = cli.checked_json("bloat", archive)["data"]
    assert [len(each["paths"]) for each in whole["groups"]] == [12] * 11
    some = cli.checked_json("bloat", archive, "--limit", "2", "--paths", "3")["data"]
    assert [len(each["paths"]) for each in some["groups"]] == [3, 3]
    assert [each["path_count"] for each in some["groups"]] == [12, 12]
    assert (some["group_count"], some["wasted_bytes"]) == (11, 1320)
    text = cli.run("bloat", archive).out
    assert text.count("and 9 paths more, 90 B") == 10
    assert "and 1 group more, 120 B (--all lists them)" in text
    everything = cli.run("bloat", archive, "--all").out
    assert "more" not in everything
    assert everything.count("/f11") == 11


def test_what_may_be_left_out_stands_apart(cli: Cli, alone: Path) -> None:
    """Visible caches and contents that are there twice are not in the sum."""
    content = bytes(range(256)) * 32
    layers: Layers = [
        {"var/lib/apt/lists/x": b"l" * 500, "etc/x": b"x"},
        {"a": content, "b": content, "c": hardlink("a"), "var/lib/apt/lists/y": b"L" * 50},
        {"etc/x": b"y"},
    ]
    history: list[str | dict[str, object]] = [BASE, "RUN one", "RUN two"]
    archive = save(alone, layers, history, "FROM base\nRUN one\nRUN two\n")
    data = cli.checked_json("bloat", archive)["data"]
    assert data["wasted_bytes"] == 1
    (lists,) = data["maybe"]
    assert (lists["rule"], lists["bytes"]) == ("apt-lists", 550)
    assert [each["bytes"] for each in lists["written_by"]] == [500, 50]
    (twice,) = data["duplicates"]
    assert (twice["size"], twice["bytes"], twice["path_count"]) == (8192, 8192, 2)
    assert [each["path"] for each in twice["paths"]] == ["/a", "/b"]
    lines = cli.run("bloat", archive).lines
    assert "LOOK AT  550 B that a container sees and may not need" in lines
    assert "550 B  apt-lists  L1 500 B, L2 50 B" in lines
    assert lines[-4:] == [
        "DUPLICATES  8.2 kB: 1 content more than once",
        "    8.2 kB  2 of 8.2 kB",
        "        /a",
        "        /b",
    ]
    shorter = cli.run("bloat", archive, "--paths", "1").lines
    assert shorter[-2:] == ["        /a", "        and 1 path more"]
    markdown = cli.run("bloat", archive, "--format", "markdown", "--paths", "1").lines
    assert "| 8.2 kB | 2 | 8.2 kB | /a<br>and 1 path more |" in markdown


def test_markdown_is_a_table(cli: Cli, alone: Path) -> None:
    """For a pull request: the sums, and a row a pair of steps."""
    layers: Layers = [{"a": b"1", "b": b"22"}, {".wh.a": b""}, {"b": b"333"}]
    save(alone, layers, ["RUN one", "RUN two", "RUN three"])
    lines = cli.run("bloat", "app.tar", "--format", "markdown", "--limit", "1").lines
    sums = "removed later 1 B, hidden later 0 B, overwritten 2 B, metadata only 0 B"
    change = "join L1 and L3 in one RUN, or move both to an earlier stage"
    assert lines == [
        "### Wasted in app\\.tar",
        "",
        f"**3 B** of 6 B, 50.0%: {sums}",
        "",
        "50.0% of the stored bytes are seen; efficiency as dive scores it: 33.3333%",
        "",
        "| Size | Why | Layers | Paths | Change |",
        "| ---: | --- | --- | --- | --- |",
        f"| 2 B | overwritten | L1 → L3 | 2 B /b | {change} |",
        "",
        "and 1 group more, 1 B",
    ]


def test_hostile_names_and_instructions_are_made_visible(cli: Cli, alone: Path) -> None:
    """In text and Markdown; JSON has the exact name."""
    name = "a\x1b[2J\n| `x` <img>\udcff"
    history: list[str | dict[str, object]] = ["RUN \x1b]0;x\x07", "RUN rm\n| forged |"]
    archive = save(alone, [{name: b"12"}, {f".wh.{name}": b""}], history)
    shown = r"/a\x1b[2J\x0a| `x` <img>\xff"
    text = cli.run("bloat", archive).out
    assert f"    2 B  {shown}\n" in text
    assert r"    L1  RUN \x1b]0;x\x07" in text
    markdown = cli.run("bloat", archive, "--format", "markdown").out
    for out in (text, markdown):
        assert out.replace("\n", "").isprintable()
    assert r"2 B /a\\x1b\[2J\\x0a\| \`x\` \<img\>\\xff |" in markdown
    data = cli.checked_json("bloat", archive)["data"]
    assert data["groups"][0]["paths"][0]["path_b64"] == "L2EbWzJKCnwgYHhgIDxpbWc+/w=="


def test_members_of_one_layer_for_one_path_are_told(cli: Cli, alone: Path) -> None:
    """The layer that wrote them undid them too, and only the builder can do otherwise."""
    tar = layer([("a", b"123"), ("a", b"12")])
    (alone / "app.tar").write_bytes(docker_archive(image(tar)))
    data = cli.checked_json("bloat", "app.tar")["data"]
    assert groups(data) == [("overwritten", 3, None, None)]
    assert "the builder stored more than one member" in data["groups"][0]["advice"]
    assert "3 B  overwritten  L1, more than once" in cli.run("bloat", "app.tar").lines


def test_sparse_file_that_would_unpack_to_too_much_is_not_compared(cli: Cli, alone: Path) -> None:
    """It counts as other content; what else may be compared still is."""
    huge = sparse(1 << 32, {0: b"1"})
    layers: Layers = [
        {"huge": huge, "a": b"123", "s": symlink("a")},
        {"huge": huge, "a": file(b"123", mode=0o700)},
    ]
    lines = cli.run("bloat", save(alone, layers, ["RUN one", "RUN two"])).lines
    assert "4.29 GB  overwritten  L1 → L2" in lines
    assert "3 B  metadata only  L1 → L2" in lines


def test_damaged_layer_is_an_error_after_what_can_be_told(cli: Cli, alone: Path) -> None:
    """What is shown is not whole, and the exit code says so."""
    tars = [layer({"a": b"1" * 600}), layer({"a": b"2" * 700, "b": b"3" * 9000})]
    cut = tars[1][: 512 + 1024 + 700]
    (alone / "app.tar").write_bytes(docker_archive(image(tars[0], cut)))
    answer = cli.run("bloat", "app.tar", code=3)
    assert "600 B  overwritten  L1 → L2" in answer.lines
    assert "not whole: L2" in answer.err


@pytest.mark.parametrize(
    "words",
    [("--json", "--format", "markdown"), ("--all", "--limit", "3"), ("--all", "--paths", "3"),
     ("--limit", "0"), ("--format", "yaml")],
)  # fmt: skip
def test_options_that_contradict_each_other_are_refused(
    cli: Cli, alone: Path, words: tuple[str, ...]
) -> None:
    """A usage error, before anything is read."""
    cli.fail("bloat", alone / "missing.tar", *words, code=2)
