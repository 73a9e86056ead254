"""The build context: what a builder is sent, and what the archive says of it."""

from __future__ import annotations

import io
import os
import socket
import tarfile
from typing import TYPE_CHECKING

import pytest

from layertrace.archive.build_context import (
    FolderContents,
    ignore_matcher,
    list_context,
    pattern_of,
    read_ignore,
    walk_context,
)
from layertrace.archive.export.context_tar import ContextTar
from layertrace.errors import SourceError, StoppedError
from tests.builders import sha256

if TYPE_CHECKING:
    from pathlib import Path


def write(folder: Path, *names: str) -> None:
    """Write files whose content is their name."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name))


def listed(folder: Path, *patterns: str) -> list[str]:
    """Return the paths that are not ignored."""
    return [entry.path for entry in list_context(folder, ignore_matcher(patterns))]


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        pytest.param((), ["a.log", "b", "b/c.log", "b/d", "b/d/e.log", "f"], id="nothing-ignored"),
        pytest.param(("*.log",), ["b", "b/c.log", "b/d", "b/d/e.log", "f"], id="top-level-only"),
        pytest.param(("**/*.log",), ["b", "b/d", "f"], id="every-level"),
        pytest.param(("b",), ["a.log", "f"], id="a-folder-and-all-in-it"),
        pytest.param(("b", "!b/d/e.log"), ["a.log", "b/d/e.log", "f"], id="taken-back-below"),
        pytest.param(("*", "!f"), ["f"], id="all-but-one"),
        pytest.param(("# f", "", " f "), ["a.log", "b", "b/c.log", "b/d", "b/d/e.log"], id="blank"),
        pytest.param(("/f", "a.log"), ["b", "b/c.log", "b/d", "b/d/e.log"], id="leading-slash"),
    ],
)
def test_list_context_leaves_out_what_is_ignored(
    tmp_path: Path, patterns: tuple[str, ...], expected: list[str]
) -> None:
    """Patterns mean what the Dockerfile reference says."""
    write(tmp_path, "a.log", "b/c.log", "b/d/e.log", "f")
    assert sorted(listed(tmp_path, *patterns)) == expected


def test_list_context_tells_each_kind(tmp_path: Path) -> None:
    """A file has its content's digest, a link its target, a folder neither."""
    write(tmp_path, "d/file")
    (tmp_path / "d/file").chmod(0o4755)
    os.utime(tmp_path / "d/file", (0, 1_700_000_000.9))
    (tmp_path / "link").symlink_to("d")
    os.mkfifo(tmp_path / "pipe")
    folder, link, file = list_context(tmp_path, ignore_matcher(()))
    assert (folder.path, folder.kind, folder.size, folder.digest) == ("d", "dir", 0, None)
    assert (link.path, link.kind, link.link_target) == ("link", "symlink", "d")
    assert (file.path, file.kind, file.size) == ("d/file", "file", 6)
    assert (file.mode, file.mtime) == (0o4755, 1_700_000_000)
    assert file.digest == sha256(b"d/file")


def test_list_context_refuses_a_file_it_cannot_read(tmp_path: Path) -> None:
    """What a builder could not send either is named."""
    write(tmp_path, "key")
    (tmp_path / "key").chmod(0)
    user = os.geteuid()
    tmp_path.chmod(0o755)
    for parent in tmp_path.parents[:3]:
        if parent.stat().st_mode & 0o777 == 0o700:
            parent.chmod(0o711)
    if user == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(SourceError, match=r"key: cannot be read\nPermission denied"):
            listed(tmp_path)
    finally:
        os.seteuid(user)


def test_read_ignore_prefers_the_file_beside_the_dockerfile(tmp_path: Path) -> None:
    """``NAME.dockerignore`` replaces ``.dockerignore``, for BuildKit alone."""
    dockerfile = tmp_path / "app.Dockerfile"
    assert read_ignore(tmp_path, dockerfile) == ()
    (tmp_path / ".dockerignore").write_bytes(b"\xef\xbb\xbfcommon\r\nlines\n")
    assert read_ignore(tmp_path, dockerfile) == ("common", "lines", "")
    (tmp_path / "app.Dockerfile.dockerignore").write_text("own\x0bline\x85")
    assert read_ignore(tmp_path, dockerfile) == ("own\x0bline\x85",)
    assert read_ignore(tmp_path, None) == ("common", "lines", "")


def test_read_ignore_refuses_what_is_no_file(tmp_path: Path) -> None:
    """A folder of that name is an error, not an empty list."""
    (tmp_path / ".dockerignore").mkdir()
    with pytest.raises(SourceError, match="cannot be read"):
        read_ignore(tmp_path, None)


@pytest.mark.parametrize(
    "name", ["app.tar", "out/a*[b]?.tar", "#x", "!x", " x ", "a b", "back\\slash", "new\nline"]
)
def test_pattern_of_ignores_one_path_alone(tmp_path: Path, name: str) -> None:
    """Whatever an archive is called, its name means itself in a list of patterns."""
    write(tmp_path, name, "aXbY.tar", "x", "y.tar", "out/aXbY.tar")
    patterns = pattern_of(tmp_path, tmp_path / name)
    assert name not in listed(tmp_path, *patterns)
    assert {"aXbY.tar", "x", "y.tar", "out/aXbY.tar"} <= set(listed(tmp_path, *patterns))


def test_pattern_of_follows_links_to_the_context(tmp_path: Path) -> None:
    """Context and archive may be named by different ways to the same folder."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert pattern_of(tmp_path / "link", tmp_path / "real/x") == ("/x",)
    assert pattern_of(tmp_path / "real", tmp_path / "x") == ()


def test_ignore_matcher_refuses_a_malformed_pattern() -> None:
    """A pattern no builder takes is an error of the source."""
    with pytest.raises(SourceError, match="dockerignore"):
        ignore_matcher(("[",))


# --- the tar for the classic builder


def sent(tar: ContextTar, **extra: bytes) -> dict[str, tuple[tarfile.TarInfo, bytes]]:
    """Return the members of the context's tar."""
    data = b"".join(tar.chunks(extra))
    assert tar.sent == len(data)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {m.name: (m, b"".join(archive.extractfile(m) or ())) for m in archive}


def context_tar(folder: Path, *patterns: str, keep: tuple[str, ...] = ()) -> ContextTar:
    """Return the tar of a context."""
    return ContextTar(folder, patterns=patterns, keep=frozenset(keep))


def test_context_tar_sends_every_kind_as_root(tmp_path: Path) -> None:
    """Members keep kind, mode and time; owners are root's, as the docker command sends them."""
    write(tmp_path, "d/file")
    (tmp_path / "d/twin").hardlink_to(tmp_path / "d/file")
    (tmp_path / "d/link").symlink_to("file")
    os.mkfifo(tmp_path / "d/pipe")
    (tmp_path / "d/file").chmod(0o4711)
    os.utime(tmp_path / "d/file", (0, 5))
    found = sent(context_tar(tmp_path))
    kinds = {name: member.type for name, (member, _) in found.items()}
    assert kinds == {
        "d": tarfile.DIRTYPE,
        "d/file": tarfile.REGTYPE,
        "d/link": tarfile.SYMTYPE,
        "d/pipe": tarfile.FIFOTYPE,
        "d/twin": tarfile.LNKTYPE,
    }
    member, content = found["d/file"]
    assert content == b"d/file"
    assert (member.mode, member.mtime) == (0o4711, 5)
    assert {(m.uid, m.gid, m.uname, m.gname) for m, _ in found.values()} == {(0, 0, "", "")}
    assert found["d/twin"][0].linkname == "d/file"


def test_context_tar_lists_what_copy_can_see(tmp_path: Path) -> None:
    """Two names of one file have one digest; what only the builder needs is not listed."""
    write(tmp_path, "app", "Dockerfile", "x.log")
    (tmp_path / "zwin").hardlink_to(tmp_path / "app")
    tar = context_tar(tmp_path, "*.log", "Dockerfile", keep=("Dockerfile",))
    assert set(sent(tar)) == {"app", "zwin", "Dockerfile"}
    assert {entry.path: entry.digest for entry in tar.entries} == {
        "app": sha256(b"app"),
        "zwin": sha256(b"app"),
    }


def test_context_tar_keeps_a_dockerfile_in_an_ignored_folder(tmp_path: Path) -> None:
    """The builder's own file is sent even where all around it is ignored."""
    write(tmp_path, "build/Dockerfile", "build/junk", "app")
    tar = context_tar(tmp_path, "build", keep=("build/Dockerfile",))
    assert set(sent(tar)) == {"app", "build/Dockerfile"}
    assert [entry.path for entry in tar.entries] == ["app"]


def test_context_tar_leaves_out_sockets(tmp_path: Path) -> None:
    """A socket, which no tar can hold, does not stop a build."""
    write(tmp_path, "app")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        assert set(sent(context_tar(tmp_path))) == {"app"}


def test_context_tar_holds_names_of_any_bytes_and_length(tmp_path: Path) -> None:
    """Names past 100 characters and names that are not UTF-8 arrive as they are."""
    name = "n" * 120 + os.fsdecode(b"\xff")
    write(tmp_path, f"{'d' * 120}/{name}")
    assert f"{'d' * 120}/{name}" in sent(context_tar(tmp_path))


def test_context_tar_refuses_a_file_that_shrinks(tmp_path: Path) -> None:
    """A file that changes while it is sent would spoil all that follows."""
    write(tmp_path, "a", "log")
    tar = context_tar(tmp_path)
    chunks = tar.chunks({})
    for _ in range(4):  # up to the header of the second file
        next(chunks)
    (tmp_path / "log").write_text("")
    with pytest.raises(SourceError, match="became shorter"):
        next(chunks)


def test_context_tar_ends_when_the_build_is_stopped(tmp_path: Path) -> None:
    """Nothing more is read once the user stopped."""
    write(tmp_path, "a", "b")
    tar = context_tar(tmp_path)
    chunks = tar.chunks({})
    next(chunks)
    tar.stopped = True
    with pytest.raises(StoppedError):
        next(chunks)


def test_context_tar_keeps_what_the_builder_will_hash(tmp_path: Path) -> None:
    """The sum of a file is that of its header and content; engine 20.10 gave these."""
    (tmp_path / "a.txt").write_bytes(b"one\n")
    (tmp_path / "h1").write_bytes(b"h\n")
    (tmp_path / "h2").hardlink_to(tmp_path / "h1")
    (tmp_path / "l").symlink_to("h1")
    for name in ("a.txt", "h1"):
        (tmp_path / name).chmod(0o644)
    tar = context_tar(tmp_path)

    sent(tar, extra=b"two\n")

    sums = {entry.path: entry.copy_sum for entry in tar.entries}
    assert sums == {
        "a.txt": "fb2ef221e83c84a93740c829bee4baab212d1689bfb4058b34bada70a5899e97",
        "extra": sha256(
            b"nameextramode420uid0gid0size4typeflag0linknameunamegnamedevmajor0devminor0two\n"
        ).removeprefix("sha256:"),
        "h1": sha256(
            b"nameh1mode420uid0gid0size2typeflag0linknameunamegnamedevmajor0devminor0h\n"
        ).removeprefix("sha256:"),
        "h2": "c88cd226a465eb3c7a0e6b5df2e8ef85b9c21e092064a4202b3ead354762f279",
        "l": None,
    }


def test_contents_are_summed_after_each_header(tmp_path: Path) -> None:
    """Of a file several sums are had in one reading, and its size is known before."""
    write(tmp_path, "a", "dir/b")
    files = {file.path: file for file in walk_context(tmp_path, ignore_matcher(()))}
    contents = FolderContents(files)

    assert contents.cost(["a", "dir/b"]) == 6
    assert contents.sums({"a": [b"", b"1"], "dir/b": [b"2"]}) == {
        "a": tuple(sha256(each).removeprefix("sha256:") for each in (b"a", b"1a")),
        "dir/b": (sha256(b"2dir/b").removeprefix("sha256:"),),
    }


def test_hard_links_are_told_by_the_path_that_is_sent_first(tmp_path: Path) -> None:
    """A builder is sent a folder's content before what comes after it: so ``a/z`` is first."""
    write(tmp_path, "a/z", "alone")
    os.link(tmp_path / "a" / "z", tmp_path / "a.b")
    os.link(tmp_path / "a" / "z", tmp_path / "c")
    files = {file.path: file for file in walk_context(tmp_path, ignore_matcher(()))}

    assert FolderContents(files).first_names() == {"a.b": "a/z", "c": "a/z"}
