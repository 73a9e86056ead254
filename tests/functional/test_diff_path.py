"""``diff OLD NEW PATH`` as people and scripts meet it: what of one file changed."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import docker_archive, file, folder, image, layer, symlink
from tests.cli_support import check_schema
from tests.elf_builder import Part, dynamic, make_elf, note, string
from tests.unit.analysis.contents.test_listing import zip_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders import Content
    from tests.cli_support import Cli


def library(text: bytes, build_id: bytes, *needed: str) -> bytes:
    """Return an ELF file."""
    strings = string(*needed)
    return make_elf(
        Part(name=".text", type=1, data=text, flags=6),
        Part(name=".note.gnu.build-id", type=7, data=note(build_id)),
        Part(name=".dynstr", type=3, data=strings, flags=2),
        Part(name=".dynamic", type=6, data=dynamic(strings, needed=needed), link=".dynstr"),
    )


OLD: dict[str, Content] = {
    "same": b"1\n", "gone": b"1\n", "text": file(b"a\nb\n", mtime=86_400), "d/": folder(),
    "elf": library(b"12", b"\1" * 4, "liba.so", "libb.so"),
    "jar": zip_of({"META-INF/MANIFEST.MF": b"", "A.class": b"1"}),
    "bytes": b"\xff" * 40, "link": symlink("a"), "to": symlink("text"), "hostile": b"a\n",
    "key.pem": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    "packed": gzip.compress(b"a\n", mtime=0), "kind": b"x", "l\x1b[2Jx": b"1\n",
    "huge": b"x\n" * 60_000,
}  # fmt: skip
NEW: dict[str, Content] = {
    "same": b"1\n", "come": b"#!/bin/sh\necho", "text": file(b"a\nc\n", mode=0o755), "d/": folder(),
    "elf": library(b"1234", b"\2" * 4, "libb.so", "libc.so"),
    "jar": zip_of({"META-INF/MANIFEST.MF": b"", "B.class": b"22"}),
    "bytes": b"\xff" * 17 + b"\0" + b"\xff" * 22, "link": symlink("b"), "to": symlink("text"),
    "hostile": b"\x1b]0;title\x1b\\\t\xe2\x80\xae`````\n",
    "key.pem": b"-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----\n",
    "packed": gzip.compress(b"b\n", mtime=0), "kind": symlink("x"), "l\x1b[2Jx": b"2\n",
    "huge": b"x\n" * 60_001,
}  # fmt: skip


@pytest.fixture
def pair(alone: Path) -> tuple[Path, Path]:
    """Return two images."""
    paths = (alone / "old.tar", alone / "new.tar")
    for path, entries in zip(paths, (OLD, NEW), strict=True):
        path.write_bytes(docker_archive(image(layer(entries))))
    return paths


TEXT = {
    "text": [
        "/text  modified  text  4 B",
        "  mode   0644 → 0755",
        "  mtime  1970-01-02 00:00:00 → 1970-01-01 00:00:00",
        "  1 line added, 1 removed: 2 → 2",
        "--- old/text", "+++ new/text", "@@ -1,2 +1,2 @@", " a", "-b", "+c",
    ],
    "same": ["/same  same  text  2 B"],
    "come": [
        "/come  added  script for /bin/sh  14 B",
        "  2 lines added, 0 removed: 0 → 2",
        "--- /dev/null", "+++ new/come", "@@ -0,0 +1,2 @@", "+#!/bin/sh", "+echo",
        "\\ No newline at end of file",
    ],
    "gone": [
        "/gone  removed  text  2 B",
        "  0 lines added, 1 removed: 1 → 0",
        "--- old/gone", "+++ /dev/null", "@@ -1 +0,0 @@", "-1",
    ],
    "elf": [
        "/elf  modified  elf  668 B → 670 B  +2 bytes",
        "  old: shared object, amd64, 64 bits, little endian, build id 01010101, stripped",
        "  new: shared object, amd64, 64 bits, little endian, build id 02020202, stripped",
        "  build id         01010101 → 02020202",
        "  needs no longer  liba.so",
        "  needs also       libc.so",
        "  OLD  NEW   CHANGE  SECTION",
        "    2    4       +2  .text",
        "   44   44  content  .note.gnu.build-id",
        "   17   17  content  .dynstr",
        "  2 sections the same",
    ],
    "jar": [
        "/jar  modified  jar  233 B → 234 B  +1 byte",
        "  1 member added, 1 removed, 0 modified: 2 → 2",
        "  -  -1  A.class",
        "  +  +2  B.class",
    ],
    "bytes": [
        "/bytes  modified  binary  40 B",
        "  first difference at byte 17 (0x11); 1 of 40 bytes that both have differ",
        "  00000000  ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff  ................",
        "- 00000010  ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff  ................",
        "+ 00000010  ff 00 ff ff ff ff ff ff ff ff ff ff ff ff ff ff  ................",
        f"  00000020  {'ff ' * 8}{' ' * 24} ........",
    ],
    "link": ["/link  modified  symlink", "  links to  a → b"],
    "kind": ["/kind  type  text → symlink  1 B  -1 byte", "  type      file → symlink",
             "  mode      0644 → 0777", "  links to  none → x"],
    "key.pem": [
        "/key.pem  modified  private key  59 B",
        "  the content of a private key is not shown",
    ],
    "packed": [
        "/packed  modified  gzip  22 B",
        "  1 line added, 1 removed: 1 → 1",
        "  unpacked: text",
        "--- old/packed", "+++ new/packed", "@@ -1 +1 @@", "-a", "+b",
    ],
    "hostile": [
        "/hostile  modified  text  2 B → 21 B  +19 bytes",
        "  1 line added, 1 removed: 1 → 1",
        "--- old/hostile", "+++ new/hostile", "@@ -1 +1 @@", "-a",
        "+\\x1b]0;title\\x1b\\\t\\u202e`````",
    ],
    "l\x1b[2Jx": [
        "/l\\x1b[2Jx  modified  text  2 B",
        "  1 line added, 1 removed: 1 → 1",
        "--- old/l\\x1b[2Jx", "+++ new/l\\x1b[2Jx", "@@ -1 +1 @@", "-1", "+2",
    ],
    "huge": [
        "/huge  modified  text  120.0 kB → 120.0 kB  +2 bytes",
        "  1 line added, 0 removed: 60,000 → 60,001",
        "  too long to be shown line by line",
    ],
    "d": ["/d  same  dir",
          "  what changed below it: diff with --files and a --filter, without a path"],
}  # fmt: skip


@pytest.mark.parametrize("path", TEXT)
def test_every_kind_of_content_is_told_in_its_own_way(
    cli: Cli, pair: tuple[Path, Path], path: str
) -> None:
    """As text; the JSON of each is what the schema says, and Markdown has its lines."""
    code = 0 if path in {"same", "d"} else 1
    assert cli.run("diff", *pair, f"/{path}", "--exit-code", code=code).lines == TEXT[path]
    found: dict[str, Any] = cli.json("diff", *pair, path)
    check_schema(found, "diff-path")
    assert found["data"]["path"] == f"/{path}"
    assert found["data"]["change"] == TEXT[path][0].split("  ")[1]
    markdown = cli.run("diff", *pair, path, "--format", "markdown").lines
    assert markdown[0].startswith("### /")
    fenced = [line for line in TEXT[path] if line[:1] in "+-@" or line.startswith("  0000")]
    assert [line for line in markdown if line in fenced] == fenced


def test_a_fence_is_longer_than_what_it_holds(cli: Cli, pair: tuple[Path, Path]) -> None:
    """Else a file could end it and write Markdown of its own."""
    lines = cli.run("diff", *pair, "/hostile", "--format", "markdown").lines
    assert [line for line in lines if set(line) <= {"`"} and line] == ["``````"]
    assert "``````diff" in lines


def test_links_that_are_the_same_are_followed(cli: Cli, pair: tuple[Path, Path]) -> None:
    """What they lead to is what changed."""
    assert cli.run("diff", *pair, "/to").lines == TEXT["text"]


def test_a_path_in_neither_image_is_no_empty_difference(cli: Cli, pair: tuple[Path, Path]) -> None:
    """The nearest that is there is named."""
    (first, *rest) = cli.fail("diff", *pair, "/tex", code=4)
    assert first == "error: /tex is in neither image"
    assert any("/text" in line for line in rest)


def test_two_layers_have_versions_too(cli: Cli, alone: Path) -> None:
    """One file as a container saw it after either."""
    path = alone / "app.tar"
    path.write_bytes(docker_archive(image(layer({"a": b"1\n"}), layer({"a": b"2\n"}))))
    assert cli.run("diff", path, "--layers", "0", "1", "/a").lines[-2:] == ["-1", "+2"]


def test_a_terminal_gets_lines_it_can_hold(cli: Cli, alone: Path) -> None:
    """A packed script is one line of all its text."""
    for name, content in (("old", b"x" * 9_000), ("new", b"y" * 9_000)):
        (alone / f"{name}.tar").write_bytes(docker_archive(image(layer({"a": content}))))
    assert max(map(len, cli.run("diff", "old.tar", "new.tar", "/a").lines)) == 9_001
    cli._terminal = True
    lines = cli.run("diff", "old.tar", "new.tar", "/a").lines
    assert lines[-2] == "+" + "y" * 2_000 + "… 7,000 characters more"
