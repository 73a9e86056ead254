"""Archives and layout folders: files by name, whatever is wrong with the rest."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import socket
import tarfile
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from layertrace.archive.folder_store import FolderStore
from layertrace.archive.store import open_store, open_tar
from layertrace.archive.tar_store import TarStore
from layertrace.errors import ArchiveError, LayerError, LimitError, SourceError, StorageError
from layertrace.model import pax
from layertrace.model.limits import DEFAULTS
from tests.builders import (
    BLOCK,
    Content,
    Member,
    char,
    folder,
    hardlink,
    layer,
    sparse,
    symlink,
    write_folder,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[bytes], TarStore]]:
    """Return what opens an archive from its bytes."""
    stores: list[TarStore] = []

    def open_bytes(data: bytes) -> TarStore:
        path = tmp_path / "app.tar"
        path.write_bytes(data)
        store = open_store(path)
        assert isinstance(store, TarStore)
        stores.append(store)
        return store

    yield open_bytes
    for store in stores:
        store.close()


def open_files() -> int:
    """Return how many files this process has open."""
    folder = Path("/dev/fd")
    return sum(1 for _ in folder.iterdir())


FILES: dict[str, Content] = {
    "a/": folder(), "a/one": b"1" * 600, "./two": b"2", "/three": b"", "null": char(1, 3),
    "a/link": symlink("../two"), "hard": hardlink("./a/one"), "far": symlink("a/link"),
    "out": symlink("../../../../etc/passwd"), "gone": symlink("nothing"), "round": symlink("round"),
    "a/b": symlink("../a/c"), "a/c": symlink("b"), "n" * 300: b"long",
}  # fmt: skip


def test_files_of_an_archive_are_found_by_name(opened: Callable[[bytes], TarStore]) -> None:
    """However the name is spelled, through symbolic and hard links too."""
    store = opened(layer(FILES))
    assert store.read("a/one", limit=600) == b"1" * 600
    for name in ("two", "./two", "/two", "a/link", "a/../two", "far"):
        assert (store.has(name), store.size(name), store.read(name, limit=9)) == (True, 1, b"2")
    assert (store.read("three", limit=0), store.size("hard")) == (b"", 600)
    assert store.read("n" * 300, limit=9) == b"long"
    assert store.names() == ("a/one", "two", "three", "n" * 300)


@pytest.mark.parametrize("name", ["none", "a", "null", "out", "gone", "round", "a/b", "", "."])
def test_what_is_no_file_of_the_archive_is_refused(
    opened: Callable[[bytes], TarStore], name: str
) -> None:
    """Folders, devices, links to nothing, in a circle or out of the archive."""
    store = opened(layer(FILES))
    assert not store.has(name)
    with pytest.raises(ArchiveError, match="has no file"):
        store.read(name, limit=9)


def test_last_of_several_members_with_one_name_counts(
    opened: Callable[[bytes], TarStore],
) -> None:
    """As in extraction, a link and a file in each other's place too."""
    store = opened(
        layer([("a", b"1"), ("a", b"22"), ("b", symlink("a")), ("b", b"333"), ("c", b"4"),
               ("./c", symlink("a"))])
    )  # fmt: skip
    assert [store.read(name, limit=9) for name in "abc"] == [b"22", b"333", b"22"]


def test_document_larger_than_its_limit_is_refused(opened: Callable[[bytes], TarStore]) -> None:
    """Before it is read."""
    with pytest.raises(LimitError, match=r"two in .* has 1 bytes, more than 0"):
        opened(layer(FILES)).read("two", limit=0)


def test_file_stored_with_holes_is_not_taken_for_its_parts(
    opened: Callable[[bytes], TarStore],
) -> None:
    """No image tool writes sparse members; wrong bytes would be worse than none."""
    assert not opened(layer({"a": sparse(9000, {0: b"x"}), "b": b""})).has("a")


def cuts() -> list[object]:
    """Return the places in a small archive where it may be cut."""
    tar = layer({"a": b"1" * 600, "b": b"2" * 600, "n" * 200: b"3"})
    return [
        pytest.param(tar[:700], {"a": "it ends inside a"}, id="in the first file"),
        pytest.param(tar[: 3 * BLOCK], {"b": "cut short"}, id="behind the first file"),
        pytest.param(tar[: 3 * BLOCK + 9], {"b": "cut short"}, id="in the second header"),
        pytest.param(tar[: 5 * BLOCK], {"b": "it ends inside b"}, id="in the second file"),
        pytest.param(tar[: 7 * BLOCK + 9], {"n" * 200: "the archive is"}, id="in a PAX header"),
        pytest.param(
            tar[: 3 * BLOCK] + b"junk" * 400, {"b": "no tar header at byte 1,536"}, id="junk"),
        pytest.param(tar[: len(tar) - 1024], {"c": "it has no end mark"}, id="no end"),
    ]  # fmt: skip


@pytest.mark.parametrize(("tar", "lost"), cuts())
def test_archive_that_is_cut_short_says_so_where_a_file_is_missing(
    opened: Callable[[bytes], TarStore], tar: bytes, lost: dict[str, str]
) -> None:
    """What stands before the damage is still read."""
    store = opened(tar)
    for name in {"a", "b"} - lost.keys():
        if store.has(name):
            assert len(store.read(name, limit=600)) == 600
    for name, why in lost.items():
        with pytest.raises(ArchiveError) as caught:
            store.read(name, limit=600)
        assert why in str(caught.value)
        assert len(str(caught.value).splitlines()) <= 3


def test_whole_archive_has_no_damage(opened: Callable[[bytes], TarStore]) -> None:
    """Nor has one that is filled up with zeros, as tar programs do."""
    assert opened(layer(FILES)).damage == ""
    assert opened(layer(FILES) + bytes(10_240)).damage == ""


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(b"x", "not a tar file", id="a byte"),
        pytest.param(b"garbage " * 999, "not a tar file", id="garbage"),
        pytest.param(layer({"a": b"x"})[:300], "not a tar file", id="cut in the first header"),
        pytest.param(b'{"json": true}' * 99, "not a tar file", id="JSON"),
        pytest.param(gzip.compress(b""), "not a tar file", id="packed nothing"),
        pytest.param(gzip.compress(b"garbage" * 999), "not a tar file", id="packed garbage"),
        pytest.param(gzip.compress(layer(FILES))[:60], "cut short", id="packed, cut short"),
        pytest.param(gzip.compress(b"x" * 99)[:-4] + b"....", "damaged", id="packed, damaged"),
        pytest.param(b"\x28\xb5\x2f\xfd" + b"\xff" * 99, "zstd", id="packed by zstd, damaged"),
    ],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, data: bytes, why: str) -> None:
    """In at most three lines, and no file stays open."""
    path = tmp_path / "app.tar"
    path.write_bytes(data)
    before = open_files()
    with pytest.raises((ArchiveError, LayerError)) as caught:
        open_store(path)
    assert why in str(caught.value)
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3
    assert open_files() == before


def test_empty_tar_is_an_archive_of_nothing(opened: Callable[[bytes], TarStore]) -> None:
    """Whoever looks for an image finds none."""
    assert opened(layer()).names() == ()


def extended(kind: bytes, content: bytes) -> bytes:
    """Return one extended header."""
    return layer({"x": Member(type=kind, content=content)}, form=tarfile.USTAR_FORMAT, end=False)


@pytest.mark.parametrize(
    "bomb",
    [
        pytest.param(extended(b"x", b"") * 100_000, id="nested PAX headers"),
        pytest.param(extended(b"L", b"x\0") * 100_000, id="nested long names"),
        pytest.param(extended(b"x", b"9" * 500_000), id="digits"),
        pytest.param(extended(b"x", b"2 " * 400_000 + b"="), id="records"),
    ],
)  # fmt: skip
def test_bomb_in_an_archive_is_found_soon(opened: Callable[[bytes], TarStore], bomb: bytes) -> None:
    """What is before it is read, what is behind it is lost, and nothing hangs."""
    whole = layer({"a": b"1"}, end=False) + bomb + layer({"b": b"2"})
    start = time.process_time()
    store = opened(whole)
    assert store.read("a", limit=9) == b"1"
    assert time.process_time() - start < 5
    with pytest.raises(ArchiveError) as caught:
        store.read("b", limit=9)
    assert len(str(caught.value).splitlines()) <= 3


def limited(tmp_path: Path, tar: bytes, **limits: int) -> None:
    """Open an archive that may hold no more than these."""
    path = tmp_path / "limited.tar"
    path.write_bytes(tar)
    open_store(path, replace(DEFAULTS, **limits)).close()


MAPS = layer({"s": sparse(1 << 30, {n * 4096: b"x" for n in range(999)})}, end=False)
ATTRIBUTES = extended(b"x", b"9 a=bcde\n" * 2000) + layer({"f": b""}, end=False)


@pytest.mark.parametrize("bomb", [MAPS, ATTRIBUTES], ids=["maps", "attributes"])
def test_headers_beyond_the_limit_are_not_read(tmp_path: Path, bomb: bytes) -> None:
    """Sparse maps without end, or a mebibyte of attributes a file, are no image."""
    limited(tmp_path, bomb + layer(), members=100)
    with pytest.raises(LimitError, match="more than 20 files"):
        limited(tmp_path, bomb + layer(), members=20)


def test_more_members_than_the_limit_are_refused(tmp_path: Path) -> None:
    """An archive of an image has some hundreds at most."""
    limited(tmp_path, layer({"a": b"", "b": symlink("a")}), members=2)
    with pytest.raises(LimitError, match="more than 2 files") as caught:
        limited(tmp_path, layer({"a": b"", "b": symlink("a"), "c": b""}), members=2)
    assert caught.value.limit == "members"


def test_archive_cut_inside_a_sparse_map_is_read_so_far(
    opened: Callable[[bytes], TarStore],
) -> None:
    """The rest of a block of numbers is none."""
    whole = layer({"a": b"1", "s": sparse(1 << 30, {n * 4096: b"x" for n in range(99)})})
    store = opened(whole[: 4 * BLOCK + 12])
    assert store.names() == ("a",)
    assert store.damage


def test_header_larger_than_the_limit_is_refused(tmp_path: Path) -> None:
    """By what its size field says, whether the archive has so much or not."""
    limited(tmp_path, extended(b"x", b"9 a=bcde\n" * 200) + layer(), pax=2048)
    with pytest.raises(LimitError, match="PAX header or long name of 2,560 bytes") as caught:
        limited(tmp_path, extended(b"x", b"9 a=bcde\n" * 228)[:600], pax=2048)
    assert caught.value.limit == "pax"


def test_many_global_records_for_many_members_are_refused(
    opened: Callable[[bytes], TarStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each member takes over all of them: that would take hours."""
    monkeypatch.setattr(pax, "MAX_APPLIED", 1000)
    records = b"".join(b"%d a%05d=\n" % (11, number) for number in range(50))
    bomb = extended(b"g", records) + layer({f"{n}": b"" for n in range(21)})
    assert "global headers with too many records" in opened(bomb).damage


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_packed_archive_is_unpacked_to_be_read(
    opened: Callable[[bytes], TarStore], pack: Callable[[bytes], bytes]
) -> None:
    """By what is in it; its name says nothing."""
    assert opened(pack(layer(FILES))).read("two", limit=9) == b"2"


def test_witness_of_an_archive_changes_with_its_bytes(tmp_path: Path) -> None:
    """The same file, packed or not, is the same witness; a changed one another."""
    path = tmp_path / "app.tar"
    witnesses = []
    for data in (layer(FILES), gzip.compress(layer(FILES), mtime=0)):
        path.write_bytes(data)
        for _ in range(2):
            store = open_store(path)
            witnesses.append(store.witness)
            store.close()
    assert witnesses[0] == witnesses[1] != witnesses[2] == witnesses[3]


def test_pipe_is_read_to_its_end_and_is_a_witness_of_its_own() -> None:
    """What comes from a pipe may be anything the next time."""
    data = layer(FILES | {"big": bytes(300_000)})
    witnesses = set()
    for _ in range(2):
        reading, writing = os.pipe()
        # A pipe holds less than this, so somebody has to write meanwhile.
        writer = threading.Thread(target=_write_and_close, args=(writing, data))
        writer.start()
        store = open_tar(os.fdopen(reading, "rb", buffering=0), name="stdin")
        writer.join()
        assert store.size("big") == 300_000
        witnesses.add(store.witness)
        store.close()
    assert len(witnesses) == 2


def _write_and_close(fd: int, data: bytes) -> None:
    with os.fdopen(fd, "wb") as pipe:
        pipe.write(data)


def test_full_disk_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the folder that is full, and what to do."""
    path = tmp_path / "app.tgz"
    path.write_bytes(gzip.compress(layer(FILES)))

    def full(fd: int, data: object) -> NoReturn:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    before = open_files()
    with pytest.raises(StorageError, match="No space left on device") as caught:
        open_store(path)
    assert caught.value.exit_code == 5
    assert len(str(caught.value).splitlines()) == 3
    assert open_files() == before


def test_missing_temporary_folder_is_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As any other trouble with the disk."""
    path = tmp_path / "app.tgz"
    path.write_bytes(gzip.compress(layer(FILES)))

    def none(**_: object) -> NoReturn:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", none)
    with pytest.raises(StorageError, match="Read-only file system"):
        open_store(path)


@pytest.mark.parametrize(
    ("name", "why"),
    [("none.tar", "does not exist"), ("f/none.tar", "cannot read"), ("n" * 300, "cannot read")],
)
def test_path_that_cannot_be_opened_is_said_so(tmp_path: Path, name: str, why: str) -> None:
    """Nothing there, a file where a folder should be, a name too long."""
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(SourceError, match=why) as caught:
        open_store(tmp_path / name)
    assert caught.value.exit_code == 3


def test_socket_is_no_archive(tmp_path: Path) -> None:
    """What is neither file nor folder nor pipe is refused."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        with pytest.raises(SourceError, match="cannot read"):
            open_store(tmp_path / "s")


def test_files_of_a_folder_are_found_by_name(tmp_path: Path) -> None:
    """In folders, through links that stay inside."""
    write_folder(tmp_path, {"index.json": b"{}", "blobs/sha256/a": b"1"})
    (tmp_path / "link").symlink_to("blobs/sha256/a")
    (tmp_path / "blobs" / "up").symlink_to("..")
    store = open_store(tmp_path)
    assert isinstance(store, FolderStore)
    for name in ("blobs/sha256/a", "link", "blobs/up/link"):
        assert (store.has(name), store.size(name), store.read(name, limit=1)) == (True, 1, b"1")
    assert store.names() == ("blobs", "index.json", "link")
    with pytest.raises(LimitError, match="more than 0"):
        store.read("link", limit=0)
    store.close()


def test_no_name_leads_out_of_a_folder(tmp_path: Path) -> None:
    """Neither dots nor an absolute name nor a link, whatever a manifest says."""
    inside = write_folder(tmp_path / "layout", {"index.json": b"{}"})
    secret = tmp_path / "secret"
    secret.write_bytes(b"mine")
    (inside / "link").symlink_to(secret)
    (inside / "up").symlink_to("..")
    (inside / "round").symlink_to("round")
    (inside / "a").symlink_to("b")
    (inside / "b").symlink_to("a")
    store = FolderStore(inside)
    names = ["../secret", str(secret), "link", "up/secret", "round", "a", "a/b", "a\0b", "n" * 9999]
    names += ["index.json/x", "", ".", "..", "\ud800", "x/../../secret"]
    for name in names:
        assert not store.has(name), name
        with pytest.raises(ArchiveError, match="has no file"):
            store.region(name)
    store.close()


def test_folder_keeps_no_file_open_once_closed(tmp_path: Path) -> None:
    """And opens each of them once."""
    store = open_store(write_folder(tmp_path, {"a": b"1", "b": b"2"}))
    before = open_files()
    for name in "abab":
        store.region(name)
    assert open_files() == before + 2
    store.close()
    assert open_files() == before


@pytest.mark.parametrize("name", ["index.json", "manifest.json", "blobs/sha256/a"])
def test_witness_of_a_folder_changes_with_any_of_its_files(tmp_path: Path, name: str) -> None:
    """A blob that was altered in its place too."""
    files: dict[str, Content] = {"index.json": b"{}", "manifest.json": b"", "blobs/sha256/a": b"1"}
    write_folder(tmp_path, files)
    before, again = FolderStore(tmp_path).witness, FolderStore(tmp_path).witness
    (tmp_path / name).write_bytes(b"other")
    assert before == again != FolderStore(tmp_path).witness


def test_folder_that_may_not_be_read_is_said_so(tmp_path: Path) -> None:
    """As the system words it."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(SourceError, match="cannot read"):
        FolderStore(tmp_path / "file")
