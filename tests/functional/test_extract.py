"""``extract``: what lands in the folder, what never does, and what stays after trouble."""

from __future__ import annotations

import gzip
import lzma
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from layertrace.archive.target import target_tree
from layertrace.pipeline.handing import hand_out
from layertrace.views.progress import Line
from layertrace.views.signals import asked_to_stop
from tests.builders import (
    Content,
    Member,
    block,
    char,
    docker_archive,
    docker_files,
    fifo,
    file,
    folder,
    hardlink,
    image,
    layer,
    sparse,
    symlink,
)
from tests.cli_support import Cli
from tests.fake_engine import FakeEngine, serving
from tests.sample_support import SAMPLES
from tests.trees import OnDisk, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from layertrace.archive.blob import LayerReader
    from layertrace.layers.index import LayerIndex

TIME = 1_600_000_000


def save(*layers: Mapping[str, Content], packed: bool = False) -> str:
    """Write an image of these layers; return its name."""
    one = image(*(layer(each) for each in layers))
    Path("app.tar").write_bytes(docker_archive(one, packed=packed))
    return "app.tar"


def found(name: str = "out") -> dict[str, OnDisk]:
    """Return what lies in a folder."""
    return tree_of(Path(name))


def names(name: str) -> list[str]:
    """Return the names in a folder."""
    return sorted(each.name for each in Path(name).iterdir())


def contents(name: str = "out") -> dict[str, bytes]:
    """Return the regular files of a folder."""
    return {
        path: (Path(name) / path).read_bytes()
        for path, each in found(name).items()
        if each.kind == "file"
    }


def everything_but(*names: str) -> dict[str, OnDisk]:
    """Return what lies in the current folder beside ``names``."""
    return {path: each for path, each in found(".").items() if path.partition("/")[0] not in names}


# --- what is written


def test_a_path_lands_under_its_whole_path(cli: Cli, alone: Path) -> None:
    """As with tar; the folders above it come along, and nothing else does."""
    save({"app/dist/a.js": b"a", "app/dist/lib/b.js": b"b", "app/other": b"c", "etc/x": b"d"})
    answer = cli.run("extract", "app.tar", "/app/dist", "etc/x", "-o", "out")
    assert contents() == {"app/dist/a.js": b"a", "app/dist/lib/b.js": b"b", "etc/x": b"d"}
    assert answer.out == ""
    assert answer.err.splitlines()[-1] == "wrote to out: 3 files, 4 folders, 3 B"


def test_the_root_is_the_whole_image_as_it_ships(cli: Cli, alone: Path) -> None:
    """What upper layers replaced or removed is not there."""
    base = {"a/old": b"1", "a/kept": b"2", "gone/x": b"3", "file": b"4", "dir/x": b"5"}
    top = {"a/.wh.old": b"", ".wh.gone": b"", "file/now": b"6", "dir": b"7"}
    save(base, top)
    cli.run("extract", "app.tar", "/", "-o", "out")
    assert contents() == {"a/kept": b"2", "file/now": b"6", "dir": b"7"}


def test_modes_and_times_are_the_images(cli: Cli, alone: Path) -> None:
    """Of files, of folders (those nobody may write in too), of links their time."""
    old = os.umask(0o077)
    try:
        save({
            "./": folder(0o750, mtime=TIME + 4),
            "shut": folder(0o555, mtime=TIME),
            "shut/in": folder(0o000, mtime=TIME + 1),
            "shut/in/run": file(b"x", mode=0o751, mtime=TIME + 2),
            "implied/none": file(b"", mode=0o000, mtime=TIME + 3),
            "link": Member(type=b"2", link="/nowhere", mtime=TIME + 5),
        })  # fmt: skip
        cli.run("extract", "app.tar", "/", "-o", "new/out")
    finally:
        os.umask(old)
    tree = found("new/out")
    assert {path: (each.mode, each.mtime) for path, each in tree.items() if path != "implied"} == {
        "shut": (0o555, TIME),
        "shut/in": (0o000, TIME + 1),
        "shut/in/run": (0o751, TIME + 2),
        "implied/none": (0o000, TIME + 3),
        "link": (None, TIME + 5),
    }
    assert tree["implied"].mode == 0o755
    root = Path("new/out").stat()
    assert (root.st_mode & 0o7777, root.st_mtime) == (0o750, TIME + 4)


def test_special_bits_go_unless_they_are_to_stay(cli: Cli, alone: Path) -> None:
    """Setuid and setgid of a program, the sticky bit of a folder."""
    save({"su": file(b"x", mode=0o6755), "tmp": folder(0o1777)})
    for words, modes in (([], (0o755, 0o777)), (["--keep-setuid"], (0o6755, 0o1777))):
        cli.run("extract", "app.tar", "/", "-o", f"out{len(words)}", *words)
        tree = found(f"out{len(words)}")
        assert (tree["su"].mode, tree["tmp"].mode) == modes


def test_hard_links_are_made_again_inside_what_is_chosen(cli: Cli, alone: Path) -> None:
    """Across layers too; a name whose file is not chosen becomes a file of its own."""
    save({"a/one": b"same", "b/two": hardlink("a/one")}, {"b/three": hardlink("a/one")})
    cli.run("extract", "app.tar", "/", "-o", "all")
    inodes = {Path("all", name).stat().st_ino for name in ("a/one", "b/two", "b/three")}
    assert len(inodes) == 1
    cli.run("extract", "app.tar", "/b", "-o", "part")
    assert contents("part") == {"b/two": b"same", "b/three": b"same"}
    assert Path("part/b/two").stat().st_ino == Path("part/b/three").stat().st_ino


def test_a_second_name_of_a_link_is_a_link(cli: Cli, alone: Path) -> None:
    """Tar can name one twice."""
    save({"link": symlink("/nowhere"), "same": hardlink("link")})
    cli.run("extract", "app.tar", "/", "-o", "out")
    assert {path: each.target for path, each in found().items()} == {
        "link": "/nowhere",
        "same": "/nowhere",
    }


def test_a_hard_link_keeps_what_its_file_was(cli: Cli, alone: Path) -> None:
    """A later layer that writes the file anew does not reach its other names."""
    save({"one": b"old", "two": hardlink("one")}, {"one": b"new"})
    cli.run("extract", "app.tar", "/", "-o", "out")
    assert contents() == {"one": b"new", "two": b"old"}


def test_sparse_files_stay_sparse(cli: Cli, alone: Path) -> None:
    """Both GNU's own form and that in PAX records; their content is right, zeros too."""
    size = 8 << 20
    data = b"1\n%d\n4\n" % (4 << 20)
    pax = Member(
        content=data.ljust(512, b"\0") + b"tail",
        pax={
            "GNU.sparse.major": "1",
            "GNU.sparse.minor": "0",
            "GNU.sparse.name": "pax",
            "GNU.sparse.realsize": str(size),
        },
    )
    save({"gnu": sparse(size, {4096: b"x" * 4096, 4 << 20: b"y"}), "GNUSparseFile.0/pax": pax})
    cli.run("extract", "app.tar", "/", "-o", "out")
    for name, parts in (("gnu", {4096: b"x" * 4096, 4 << 20: b"y"}), ("pax", {4 << 20: b"tail"})):
        status = Path("out", name).stat()
        assert status.st_size == size
        assert status.st_blocks * 512 < 1 << 20, "the holes take room"
        wanted = bytearray(size)
        for offset, part in parts.items():
            wanted[offset : offset + len(part)] = part
        assert Path("out", name).read_bytes() == wanted
        assert cli.run("cat", "app.tar", f"/{name}").out.encode() == wanted


def test_names_that_are_not_utf8_are_written_exactly(cli: Cli, alone: Path) -> None:
    """Byte for byte, and so are links to them."""
    name = b"caf\xe9\n\x1b[2J".decode("utf-8", "surrogateescape")
    save({f"d/{name}": b"x", "link": symlink(f"d/{name}")})
    answer = cli.run("extract", "app.tar", "/", "-o", "out")
    tree = found()
    assert tree[f"d/{name}"].size == 1
    assert tree["link"].target == f"d/{name}"
    assert "\x1b" not in answer.err


def test_a_deep_path_is_written(cli: Cli, alone: Path) -> None:
    """More folders than a process may keep open, on a path longer than calls take."""
    deep = "/".join(["d" * 3] * 950)
    save({f"{deep}/file": b"x", f"{deep}/same": hardlink(f"{deep}/file"), "file": b"y"})
    cli.run("extract", "app.tar", "/", "-o", "out")
    handle = os.open("out", os.O_RDONLY)
    for part in deep.split("/"):
        above, handle = handle, os.open(part, os.O_RDONLY, dir_fd=handle)
        os.close(above)
    assert [os.stat(name, dir_fd=handle).st_nlink for name in ("file", "same")] == [2, 2]
    os.close(handle)


@pytest.mark.parametrize("form", ["plain", "packed"])
def test_each_layer_is_read_once(
    cli: Cli, alone: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the order of the names: content comes in the order of the tar."""
    first = {f"{number:03d}": b"%d" % number * 50 for number in reversed(range(200))}
    save(first, {"100": b"new", "top": b"x" * 3_000_000}, packed=form == "packed")
    opened: list[int] = []

    def counted(
        reader: LayerReader,
        index: LayerIndex,
        number: int,
        *rest: Any,  # noqa: ANN401
        **more: Any,  # noqa: ANN401
    ) -> None:
        opened.append(number)
        hand_out(reader, index, number, *rest, **more)

    monkeypatch.setattr("layertrace.pipeline.stored.hand_out", counted)
    cli.run("extract", "app.tar", "/", "-o", "out")
    assert opened == [0, 1]
    assert contents() == first | {"100": b"new", "top": b"x" * 3_000_000}


def test_an_image_of_the_engine_is_extracted_as_its_archive(
    cli: Cli, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It streams once more, whatever the number of files."""
    base = layer({"a": b"a" * 70_000, "b": b"b"})
    one = image(base, layer({"b": b"new", "c": hardlink("a")}))
    fake = FakeEngine(saved=docker_archive(one))
    fake.add(one)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{alone}/engine.sock")
    with serving(fake, alone / "engine.sock"):
        cli.run("extract", "app:1", "/", "-o", "out")
        assert len(fake.asked) == 2
        Path("app.tar").write_bytes(docker_archive(one))
        cli.run("extract", "app.tar", "/", "-o", "wanted")
        assert contents() == contents("wanted")
        fake.saved = docker_archive(image(base))
        cli.fail("extract", "app:1", "/", "-o", "broken", code=3)
    assert not Path("broken").exists()


@pytest.mark.parametrize("kind", ["multistage", "regular"])
def test_a_sample_has_what_files_lists(cli: Cli, alone: Path, kind: str) -> None:
    """Every type, size, digest, link target, mode and time of the shipped images."""
    Path("app.tar").write_bytes(
        lzma.decompress((SAMPLES / "tiny-app" / f"{kind}.tar.xz").read_bytes())
    )
    records = cli.json("files", "app.tar", "--digests")["data"]
    wanted = {
        record["path"][1:]: OnDisk(
            kind={"hardlink": "file"}.get(record["type"], record["type"]),
            size=record["size"],
            digest=record["digest"],
            target=record["link_target"] if record["type"] == "symlink" else None,
            mode=None if record["type"] == "symlink" else record["mode"] & 0o777,
            mtime=record["mtime"],
        )
        for record in records
        if record["path"] != "/"
    }
    cli.run("extract", "app.tar", "/", "-o", "out")
    assert found() == wanted


# --- links


def test_links_are_text_that_is_never_followed(cli: Cli, alone: Path) -> None:
    """One that leads out is written as it is."""
    save({"out": symlink("../../../outside"), "abs": symlink("/etc/passwd"), "in": symlink("out")})
    cli.run("extract", "app.tar", "/", "-o", "dir")
    assert {path: each.target for path, each in found("dir").items()} == {
        "out": "../../../outside",
        "abs": "/etc/passwd",
        "in": "out",
    }


def test_folders_that_are_links_lead_where_a_container_goes(cli: Cli, alone: Path) -> None:
    """The file lands where the image has it, and a note says where that is."""
    save({"usr/lib/x/f": b"f", "lib": symlink("usr/lib"), "up": symlink("/lib/x/../../../usr/lib")})
    for number, word in enumerate(("/lib/x", "/up/x/", "/lib/../lib/x/f")):
        answer = cli.run("extract", "app.tar", word, "-o", f"out{number}")
        assert contents(f"out{number}") == {"usr/lib/x/f": b"f"}
        assert f"note: {word} is /usr/lib/x" in answer.err


def test_a_link_itself_is_written_unless_a_slash_follows(cli: Cli, alone: Path) -> None:
    """As programs take it; a note tells of the slash."""
    save({"usr/lib/f": b"f", "lib": symlink("usr/lib")})
    answer = cli.run("extract", "app.tar", "/lib", "-o", "link")
    assert {path: each.kind for path, each in found("link").items()} == {"lib": "symlink"}
    assert "note: /lib is a link; /lib/ takes what it leads to" in answer.err
    cli.run("extract", "app.tar", "/lib/", "-o", "folder")
    assert contents("folder") == {"usr/lib/f": b"f"}


@pytest.mark.parametrize("command", [["cat"], ["extract", "-o", "out"]], ids=lambda c: c[0])
def test_links_in_a_circle_lead_nowhere(cli: Cli, alone: Path, command: list[str]) -> None:
    """Exit code 4, and the link is named."""
    save({"a": symlink("b/x"), "b": symlink("a"), "long": symlink("x/../" * 2_000), "x": folder()})
    for path in ("/a/file", "/b/", "/long/x"):
        lines = cli.fail(*command, "app.tar", path, code=4)
        assert "leads nowhere" in lines[0]
    assert not Path("out").exists()


def test_cat_goes_where_a_container_goes(cli: Cli, alone: Path) -> None:
    """``..`` leads up from where a link leads; links never lead out of the image."""
    save({
        "deep/er/dir/f": b"1",
        "deep/er/up": b"2",
        "short": symlink("deep/er/dir"),
        "out": symlink("../../../../deep/er/up"),
    })  # fmt: skip
    assert cli.run("cat", "app.tar", "/short/f").out == "1"
    assert cli.run("cat", "app.tar", "/short/../up").out == "2"
    assert cli.run("cat", "app.tar", "/out").out == "2"
    assert "is not in" in cli.fail("cat", "app.tar", "/deep/er/up/../up", code=4)[0]


# --- what never is written


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param({"../../evil": b"x"}, id="climbs"),
        pytest.param({"/evil": b"x", "//../evil2": b"y"}, id="absolute"),
        pytest.param({"d": symlink(".."), "d/evil": b"x"}, id="below-a-link"),
        pytest.param({"d": symlink("/"), "d/tmp/evil-layertrace": b"x"}, id="below-a-link-to-root"),
        pytest.param({"d": hardlink("../victim"), "e": hardlink("/victim")}, id="hard-link-out"),
        pytest.param({"d": symlink("../victim"), "e": hardlink("d")}, id="hard-link-to-link"),
        pytest.param([("d", symlink("..")), ("d", folder()), ("d/evil", b"x")], id="link-then-dir"),
        pytest.param([("d", folder()), ("d/f", b"x"), ("d", symlink(".."))], id="dir-then-link"),
    ],
)
@pytest.mark.parametrize("stacked", ["one-layer", "layer-each"])
def test_nothing_leaves_the_folder(
    cli: Cli, alone: Path, entries: Iterable[tuple[str, Content]], stacked: str
) -> None:
    """Whatever an image is made of, alone or layer upon layer, into old and new folders."""
    pairs = list(entries.items()) if isinstance(entries, dict) else list(entries)
    stack = [layer([pair]) for pair in pairs] if stacked == "layer-each" else [layer(pairs)]
    Path("app.tar").write_bytes(docker_archive(image(*stack)))
    Path("victim").write_bytes(b"victim")
    before = everything_but("out")
    for words in ([], ["--force"]):
        cli.run("extract", "app.tar", "/", "-o", "out/in", *words)
        assert everything_but("out") == before
        assert Path("victim").stat().st_nlink == 1
        assert names("out") == ["in"]
    assert not Path("/tmp/evil-layertrace").exists()  # noqa: S108 - where the image points


def test_devices_and_pipes_are_left_out_and_told(cli: Cli, alone: Path) -> None:
    """How many there are; so are hard links to nothing."""
    save({
        "dev/null": char(1, 3),
        "dev/sda": block(8, 0),
        "dev/pipe": fifo(),
        "lost": hardlink("none"),
        "same": hardlink("dev"),
        "f": b"x",
    })  # fmt: skip
    answer = cli.run("extract", "app.tar", "/", "-o", "out", "--quiet")
    assert {path: each.kind for path, each in found().items()} == {"dev": "dir", "f": "file"}
    assert answer.err.splitlines() == [
        "note: left out devices and named pipes: /dev/null and 2 more",
        "note: left out hard links to no file of the image: /lost and 1 more",
    ]


def test_names_the_system_cannot_write_are_left_out_and_told(cli: Cli, alone: Path) -> None:
    """With all below them."""
    long = "x" * 256
    save({f"{long}/below": b"1", f"d/{long}": b"2", "d/f": b"3"})
    answer = cli.run("extract", "app.tar", "/", f"/{long}/below", "-o", "out")
    assert contents() == {"d/f": b"3"}
    assert "left out names that this system cannot write" in answer.err


# --- what is there already


def test_files_that_are_there_are_kept(cli: Cli, alone: Path) -> None:
    """All is looked at before anything is written; the first ones are named."""
    save({name: name.encode() for name in ("a/1", "a/2", "a/3", "a/4", "b")})
    for name in ("a/1", "a/2", "a/3", "a/4"):
        Path("out", name).parent.mkdir(parents=True, exist_ok=True)
        Path("out", name).write_bytes(b"mine")
    before = found()
    assert cli.fail("extract", "app.tar", "/", "-o", "out", code=2) == [
        "error: a/1, a/2, a/3 and 1 more exist already in out",
        "  nothing was written",
        "  --force replaces files and links; or name another folder with -o",
    ]
    assert found() == before


def test_force_replaces_files_and_links_alone(cli: Cli, alone: Path) -> None:
    """What is not in the image stays, and so do folders with their attributes."""
    save({"a/f": b"new", "link": symlink("new"), "now-a-folder/x": b"x", "over-link": b"y"})
    out = Path("out")
    (out / "a").mkdir(parents=True, mode=0o710)
    (out / "a/f").write_bytes(b"old")
    (out / "a/mine").write_bytes(b"mine")
    (out / "link").symlink_to("old")
    (out / "now-a-folder").write_bytes(b"old")
    Path("victim").write_bytes(b"victim")
    (out / "over-link").symlink_to("../victim")
    cli.run("extract", "app.tar", "/", "-o", "out", "--force")
    assert contents() == {
        "a/f": b"new",
        "a/mine": b"mine",
        "now-a-folder/x": b"x",
        "over-link": b"y",
    }
    assert found()["link"].target == "new"
    assert (out / "a").stat().st_mode & 0o7777 == 0o710
    assert Path("victim").read_bytes() == b"victim"
    assert names("out") == ["a", "link", "now-a-folder", "over-link"]


@pytest.mark.parametrize("words", [[], ["--force"]], ids=["", "force"])
def test_a_folder_in_the_way_of_a_file_is_never_replaced(
    cli: Cli, alone: Path, words: list[str]
) -> None:
    """Nor is anything else written then."""
    save({"a": b"x", "f": b"y"})
    Path("out/f").mkdir(parents=True)
    lines = cli.fail("extract", "app.tar", "/", "-o", "out", *words, code=2)
    assert lines[0] == "error: out/f: is a folder, where the image has none"
    assert names("out") == ["f"]


@pytest.mark.parametrize("words", [[], ["--force"]], ids=["", "force"])
def test_a_link_planted_in_the_folder_is_not_followed(
    cli: Cli, alone: Path, words: list[str]
) -> None:
    """Where the image has a folder: refused, or replaced by a folder."""
    save({"etc/cron.d/job": b"evil"})
    Path("victim").mkdir()
    Path("out").mkdir()
    Path("out/etc").symlink_to("../victim")
    if words:
        cli.run("extract", "app.tar", "/", "-o", "out", *words)
        assert contents() == {"etc/cron.d/job": b"evil"}
    else:
        assert "etc exists already" in cli.fail("extract", "app.tar", "/", "-o", "out", code=2)[0]
    assert names("victim") == []


def test_the_folder_itself_may_be_a_link(cli: Cli, alone: Path) -> None:
    """The user named it."""
    save({"f": b"x"})
    Path("real").mkdir()
    Path("out").symlink_to("real")
    cli.run("extract", "app.tar", "/", "-o", "out")
    assert contents("real") == {"f": b"x"}
    Path("file").write_bytes(b"")
    cli.fail("extract", "app.tar", "/", "-o", "file", code=2)
    assert "file: is no folder" in cli.fail("extract", "app.tar", "/", "-o", "file/x", code=2)[0]


# --- trouble


def test_a_missing_path_writes_nothing(cli: Cli, alone: Path) -> None:
    """Even if another one is there."""
    save({"a": b"x"})
    assert cli.fail("extract", "app.tar", "/a", "/none", "-o", "out", code=4) == [
        "error: /none is not in app.tar"
    ]
    assert not Path("out").exists()


def damaged(form: str) -> bytes:
    """Return an image whose upper layer, plain or packed, is cut short in its last file."""
    one = image(layer({"low/f": b"low"}), layer({"a": b"a", "b": os.urandom(300_000)}))
    files = docker_files(one)
    name = next(name for name, content in files.items() if content == one.layers[1])
    tar = one.layers[1]
    files[name] = (gzip.compress(tar) if form == "packed" else tar)[:-200_000]
    return layer(files)


@pytest.mark.parametrize("form", ["plain", "packed"])
def test_a_damaged_layer_writes_nothing(cli: Cli, alone: Path, form: str) -> None:
    """What it may have had is not known; above it, everything is."""
    Path("app.tar").write_bytes(damaged(form))
    for path in ("/", "/low/f", "/a"):
        lines = cli.fail("extract", "app.tar", path, "-o", "out", code=3)
        assert lines[1] == "  L2 could not be read to the end"
    assert not Path("out").exists()
    below, above = layer({"x": b"x" * 9_000}), layer({"f": b"f"})
    files = docker_files(image(below, above))
    name = next(name for name, content in files.items() if content == below)
    files[name] = below[:-9_000]
    Path("app.tar").write_bytes(layer(files))
    cli.run("extract", "app.tar", "/f", "-o", "out")
    assert contents() == {"f": b"f"}


def test_an_archive_that_changes_meanwhile_leaves_nothing(
    cli: Cli, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written before is gone again; what was there is untouched."""
    save({"a": b"x", "b/c": b"y" * 5_000, "d": b"z" * 5_000})
    Path("out").mkdir()
    Path("out/a").write_bytes(b"mine")
    before = found()
    plain = target_tree.TargetTree.make_folder

    def cut(self: target_tree.TargetTree, path: str) -> bool:
        os.truncate("app.tar", 2_048)
        return plain(self, path)

    monkeypatch.setattr(target_tree.TargetTree, "make_folder", cut)
    cli.fail("extract", "app.tar", "/", "-o", "out", "--force", "--quiet", code=3)
    assert found() == before


def test_a_full_disk_leaves_nothing(cli: Cli, alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three lines, exit code 5, and no folder that was not there."""
    save({"a/b/f": b"x", "g": b"y"})

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(target_tree, "_write_all", full)
    lines = cli.fail("extract", "app.tar", "/", "-o", "new/out", code=5)
    assert lines == [
        "error: new/out/a/b/f: cannot be written",
        "  No space left on device",
        "  what was written before is removed again",
    ]
    assert not Path("new").exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_nothing(
    cli: Cli, alone: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """Exit code 130; what had to make way is back in its place."""
    save({"a": b"new", "b/c": b"y", "d": b"z"})
    Path("out").mkdir()
    Path("out/a").write_bytes(b"mine")
    before = found()
    plain = target_tree.TargetTree.write_file

    def interrupted(self: target_tree.TargetTree, path: str, *rest: object) -> None:
        plain(self, path, *rest)  # type: ignore[arg-type]
        os.kill(os.getpid(), number)

    monkeypatch.setattr(target_tree.TargetTree, "write_file", interrupted)
    handlers = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    answer = cli.run("extract", "app.tar", "/", "-o", "out", "--force", code=130)
    assert answer.err == "stopped\n"
    assert found() == before
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_a_layer_of_the_engine_without_room_for_it_is_told(
    cli: Cli, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is put on disk to be read; exit code 5, and no folder is left."""
    one = image(layer({"a": b"a"}))
    fake = FakeEngine(saved=docker_archive(one))
    fake.add(one)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{alone}/engine.sock")
    with serving(fake, alone / "engine.sock"):
        cli.run("layers", "app:1")

        def full(**_: object) -> NoReturn:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("layertrace.pipeline.handing.tempfile.TemporaryFile", full)
        lines = cli.fail("extract", "app:1", "/", "-o", "out", code=5)
    assert lines[0] == "error: cannot put a layer of the engine on disk to read it"
    assert lines[2] == "  set TMPDIR to a larger disk"
    assert not Path("out").exists()


def test_who_asks_twice_is_not_kept_waiting() -> None:
    """The first signal is a request, the second ends whatever is done."""
    with asked_to_stop() as stop:
        assert not stop()
        os.kill(os.getpid(), signal.SIGINT)
        assert stop()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)


def test_progress_is_shown_where_somebody_watches(
    alone: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes done and to do."""
    save({"a": b"x" * 3_000_000})
    monkeypatch.setattr("layertrace.views.progress._QUIET", 0)
    monkeypatch.setattr("layertrace.views.progress._EVERY", 0)
    shown: list[str] = []
    monkeypatch.setattr(Line, "show", lambda _, text: shown.append(text))
    Cli(capsysbinary, terminal=True).run("extract", "app.tar", "/", "-o", "out")
    assert [line.split("  ")[:2] for line in shown if line.startswith("writing")] == [
        ["writing", "1.0 MB of 3.0 MB"],
        ["writing", "2.1 MB of 3.0 MB"],
        ["writing", "3.0 MB of 3.0 MB"],
    ]


def test_only_root_gives_files_away(cli: Cli, alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody else is told before anything is read."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    lines = cli.fail("extract", "none.tar", "/", "-o", "out", "--same-owner", code=2)
    assert lines == ["error: --same-owner: only root may give files away"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_root_may_keep_owners(cli: Cli, alone: Path) -> None:
    """Of files, folders and links; without the option all is the user's own."""
    save({"d": folder(uid=11, gid=12), "d/f": file(b"x", uid=13, gid=14, mode=0o4755),
          "l": Member(type=b"2", link="d", uid=15, gid=16)})  # fmt: skip
    cli.run("extract", "app.tar", "/", "-o", "mine")
    cli.run("extract", "app.tar", "/", "-o", "theirs", "--same-owner", "--keep-setuid")

    def owners(name: str) -> Iterator[tuple[int, int]]:
        for path in ("d", "d/f", "l"):
            status = Path(name, path).lstat()
            yield status.st_uid, status.st_gid

    assert set(owners("mine")) == {(os.getuid(), os.getgid())}
    assert list(owners("theirs")) == [(11, 12), (13, 14), (15, 16)]
    assert Path("theirs/d/f").stat().st_mode & 0o7777 == 0o4755
