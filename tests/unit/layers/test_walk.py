"""One layer's tar to its entries, markers and notes."""

from __future__ import annotations

import hashlib
import tarfile
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from layertrace.errors import LayerError, LimitError, StoppedError
from layertrace.layers import misplaced
from layertrace.layers.walk import walk_layer
from layertrace.model.entry import Entry, EntryKind
from layertrace.model.limits import DEFAULTS
from tests.builders import (
    BLOCK,
    Content,
    Member,
    block,
    char,
    checksummed,
    fifo,
    file,
    folder,
    hardlink,
    layer,
    sparse,
    symlink,
)
from tests.readers import MemoryReader, walk, walk_damaged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.layers.index import LayerIndex


def only(index: LayerIndex) -> Entry:
    """Return the one entry of an index."""
    assert len(index) == 1
    return index.entry(0)


def paths(tar: bytes) -> list[str]:
    """Return the paths of a layer."""
    return list(walk(tar).paths)


def test_empty_layer_has_no_entries() -> None:
    """Two zero blocks are a layer that changes nothing."""
    index = walk(layer())
    assert (len(index), index.whiteouts, index.opaques, index.notes) == (0, (), (), ())


@pytest.mark.parametrize(
    ("content", "kind", "link"),
    [
        pytest.param(b"x", EntryKind.FILE, "", id="file"),
        pytest.param(
            Member(type=tarfile.AREGTYPE, content=b"x"), EntryKind.FILE, "", id="old file"
        ),
        pytest.param(
            Member(type=tarfile.CONTTYPE, content=b"x"), EntryKind.FILE, "", id="contiguous file"
        ),
        pytest.param(folder(), EntryKind.DIR, "", id="directory"),
        pytest.param(symlink("../b/./c"), EntryKind.SYMLINK, "../b/./c", id="symlink, as stored"),
        pytest.param(symlink("/b/"), EntryKind.SYMLINK, "/b/", id="absolute symlink, as stored"),
        pytest.param(symlink(""), EntryKind.SYMLINK, "", id="symlink to nothing"),
        pytest.param(hardlink("./b//c"), EntryKind.HARDLINK, "b/c", id="hard link, cleaned"),
        pytest.param(hardlink("/b"), EntryKind.HARDLINK, "b", id="absolute hard link, cleaned"),
        pytest.param(char(1, 3), EntryKind.CHAR, "", id="character device"),
        pytest.param(block(8, 0), EntryKind.BLOCK, "", id="block device"),
        pytest.param(fifo(), EntryKind.FIFO, "", id="pipe"),
    ],
)
def test_every_kind_of_entry_is_kept(content: Content, kind: EntryKind, link: str) -> None:
    """What a tar can hold and a container can see is an entry of its kind."""
    entry = only(walk(layer({"a": content})))
    assert (entry.path, entry.kind, entry.link_target) == ("a", kind, link)


def test_attributes_are_those_of_the_header() -> None:
    """Mode without the file type, owner and whole seconds, rounded down."""
    tar = layer({"a": file(b"!!", mode=0o104755, uid=1000, gid=50, mtime=1.75)})
    assert only(walk(tar)) == Entry(
        path="a", kind=EntryKind.FILE, size=2, mode=0o4755, uid=1000, gid=50, mtime=1,
        offset=tar.index(b"!!"),
    )  # fmt: skip


def test_time_before_the_epoch_is_rounded_down() -> None:
    """-1.5 seconds is in second -2."""
    assert only(walk(layer({"a": file(mtime=-1.5)}))).mtime == -2


@pytest.mark.parametrize("value", [2**31, 2**50], ids=["32 bits", "51 bits"])
def test_numbers_too_large_for_octal_are_read(value: int) -> None:
    """GNU's base-256 fields hold larger ones."""
    entry = only(walk(layer({"a": file(uid=value, gid=value)}, form=tarfile.GNU_FORMAT)))
    assert (entry.uid, entry.gid) == (value, value)


def test_device_numbers_are_kept() -> None:
    """Major and minor stand beside the entry."""
    index = walk(layer({"null": char(1, 3), "sda": block(8, 1), "a": fifo()}))
    assert index.devices == {0: (1, 3), 1: (8, 1)}


@pytest.mark.parametrize("value", [b"\1\0\0\2\0\4\0\0", b"\1\0\0\2\xff\xfe\n="])
def test_capability_is_kept_byte_for_byte(value: bytes) -> None:
    """``security.capability`` is binary, whatever PAX's charset says."""
    index = walk(layer({"a": b"", "b": file(capability=value)}))
    assert index.capabilities == {1: value}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("./a", "a"),
        ("/a", "a"),
        ("a/./b", "a/b"),
        ("a//b", "a/b"),
        ("a/../b", "b"),
        ("../../a", "a"),
        ("a/.", "a"),
        ("a/b/..", "a"),
        ("a//", "a"),
        (".a/..b/...", ".a/..b/..."),
        ("a\\b", "a\\b"),
        ("a\nb", "a\nb"),
    ],
)
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT])
def test_names_are_cleaned(name: str, path: str, form: tarfile._TarFormat) -> None:
    """A path is relative to the rootfs and never climbs above it, as in a chroot."""
    assert paths(layer({name: folder()}, form=form)) == [path]


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_are_whole(form: tarfile._TarFormat) -> None:
    """A ustar prefix, a GNU long name and a PAX path all give the name."""
    name = "d" * 90 + "/" + "f" * 90
    assert paths(layer({name: b""}, form=form)) == [name]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("size", [99, 100, 101, 255, 256, 511, 512, 4095, 4096])
def test_names_and_targets_of_any_length_are_whole(form: tarfile._TarFormat, size: int) -> None:
    """No length is special, blocks and fields full to the last byte included."""
    index = walk(layer({"n" * size: symlink("t" * size * 9)}, form=form))
    assert (index.paths, index.links) == (["n" * size], {0: "t" * size * 9})


def test_path_longer_than_any_system_takes_is_left_out() -> None:
    """Half a million nested directories cost no time, and the rest of the layer is read."""
    start = time.process_time()
    index = walk(layer({"d/" * 500_000 + "f": b"x", "n" * 4097: b"", "a": b"y", "b/c": b""}))
    assert list(index.paths) == ["a", "b/c"]
    assert [code for code, _ in index.notes] == ["path-too-long"]
    assert time.process_time() - start < 30


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_name_that_is_not_utf8_keeps_its_bytes(form: tarfile._TarFormat) -> None:
    """Bytes that are no UTF-8 stand as surrogates (PEP 383)."""
    name = b"caf\xe9 \xff".decode("utf-8", "surrogateescape")
    assert paths(layer({name: b""}, form=form)) == [name]


def test_times_in_a_gnu_header_are_no_part_of_the_name() -> None:
    """GNU tar keeps access times where ustar keeps the first part of a name."""
    tar = bytearray(layer({"a": file(b"x"), "b": file(uid=2**40)}, form=tarfile.GNU_FORMAT))
    for start in (0, 2 * BLOCK):
        tar[start + 345 : start + 357] = b"14573022450\0"
        tar[start : start + BLOCK] = checksummed(bytes(tar[start : start + BLOCK]))
    assert paths(bytes(tar)) == ["a", "b"]


def test_old_directory_is_told_by_its_slash() -> None:
    """Before POSIX a directory was a file whose name ends in a slash."""
    assert only(walk(layer({"a/": Member(type=tarfile.AREGTYPE)}))).kind is EntryKind.DIR


def test_global_pax_header_holds_for_all_that_follow() -> None:
    """A ``g`` header changes every later entry, in front of plain headers too."""
    tar = layer({"a": b""}, end=False)
    tar += tarfile.TarInfo.create_pax_global_header({"uid": "7"}) + layer({"b": b"", "c": b""})
    assert list(walk(tar).uids) == [0, 7, 7]


def test_global_comment_changes_nothing() -> None:
    """``git archive`` begins with one."""
    tar = tarfile.TarInfo.create_pax_global_header({"comment": "c" * 40}) + layer({"b": b"x"})
    assert (paths(tar), walk(tar).sizes[0]) == (["b"], 1)


def test_content_is_found_at_its_offset_whatever_the_headers() -> None:
    """``offset`` is where the content starts in the tar, behind all headers."""
    files: dict[str, Content] = {"a": b"first", "n" * 300: b"second", "c": b"third"}
    tar = layer(files)
    index = walk(tar)
    found = [tar[o : o + s] for o, s in zip(index.offsets, index.sizes, strict=True)]
    assert found == [b"first", b"second", b"third"]


def test_files_larger_than_the_window_are_passed_over() -> None:
    """Of a large file the walker reads about a window, not the content."""
    reader = MemoryReader(layer({"big": bytes(8 << 20), "a": b"x"}))
    index = walk_layer(reader, name="layer 0").index
    assert (index.paths, list(index.sizes)) == (["big", "a"], [8 << 20, 1])
    assert reader.taken < 1 << 20


@pytest.mark.parametrize("parts", [1, 4, 5, 25, 26, 60])
def test_sparse_file_has_its_expanded_size_and_its_parts(parts: int) -> None:
    """GNU's own form: four parts in the header, the others in blocks behind it."""
    stored = {number * 4096: b"x" * 100 for number in range(parts)}
    index = walk(layer({"s": sparse(1 << 30, stored), "after": b"y"}))
    assert (index.paths, list(index.sizes)) == (["s", "after"], [1 << 30, 1])
    assert index.sparse == {0: tuple((offset, 100) for offset in stored)}


def pax_sparse(*records: tuple[str, str], content: bytes) -> Member:
    """Return a sparse file in one of the forms GNU tar writes in PAX records."""
    return Member(content=content, pax=dict(records))


@pytest.mark.parametrize(
    "member",
    [
        pytest.param(
            pax_sparse(("GNU.sparse.size", "9000"), ("GNU.sparse.numblocks", "1"),
                       ("GNU.sparse.offset", "4096"), ("GNU.sparse.numbytes", "3"),
                       content=b"abc"), id="0.0"),
        pytest.param(
            pax_sparse(("GNU.sparse.map", "4096,3"), ("GNU.sparse.size", "9000"), content=b"abc"),
            id="0.1"),
        pytest.param(
            pax_sparse(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"),
                       ("GNU.sparse.realsize", "9000"),
                       content=b"1\n4096\n3\n".ljust(BLOCK, b"\0") + b"abc"), id="1.0"),
        pytest.param(
            pax_sparse(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"),
                       ("GNU.sparse.realsize", "9000"), ("size", "515"),
                       content=b"1\n4096\n3\n".ljust(BLOCK, b"\0") + b"abc"),
            id="1.0 with the stored size in a record"),
    ],
)  # fmt: skip
def test_sparse_file_in_pax_records_is_read(member: Member) -> None:
    """All three forms GNU tar has used give expanded size, parts and content."""
    tar = layer({"s": member, "after": b"y"})
    index = walk(tar)
    assert (index.paths, list(index.sizes)) == (["s", "after"], [9000, 1])
    assert index.sparse == {0: ((4096, 3),)}
    assert tar[index.offsets[0] :].startswith(b"abc")


def test_whiteouts_are_kept_apart_from_entries() -> None:
    """Markers are no entries; each is kept once."""
    tar = layer([("a/.wh.b", b""), ("a/.wh..wh..opq", b""), ("./a/.wh.b", b""), ("a/c", b"")])
    index = walk(tar)
    assert (list(index.paths), index.whiteouts, index.opaques) == (["a/c"], ("a/b",), ("a",))


def test_name_with_a_marker_in_its_middle_is_an_entry() -> None:
    """Only the beginning of the last part makes a marker."""
    index = walk(layer({"a.wh.b": b"", ".wh.a/b": b""}))
    assert (list(index.paths), index.whiteouts) == (["a.wh.b", ".wh.a/b"], ())


@pytest.mark.parametrize("name", ["a/.wh.", "a/.wh..", "a/.wh...", ".wh."])
def test_whiteout_that_names_nothing_is_noted(name: str) -> None:
    """An invalid marker removes nothing and is no entry."""
    index = walk(layer({name: b"", "b": b""}))
    assert (list(index.paths), index.whiteouts, index.opaques) == (["b"], (), ())
    assert [code for code, _ in index.notes] == ["invalid-whiteout"]


def test_aufs_books_are_left_out_and_noted() -> None:
    """What AUFS kept for itself is seen by no container."""
    index = walk(layer({".wh..wh.plnk/": folder(), ".wh..wh.plnk/1.2": b"x", "a": b""}))
    assert (list(index.paths), [code for code, _ in index.notes]) == (["a"], ["aufs-metadata"])


def test_last_of_several_members_with_one_path_is_the_entry() -> None:
    """Extraction lets the last win; what only the first had is gone with it."""
    tar = layer([
        ("a", char(1, 3)), ("b", symlink("x")), ("./a", file(b"12", mode=0o600)), ("c", fifo()),
        ("b", sparse(5, {0: b"hello"})), ("c", char(1, 5)), ("d", symlink("y")),
    ])  # fmt: skip
    index = walk(tar)
    assert [(e.path, e.kind, e.size) for e in map(index.entry, range(len(index)))] == [
        ("a", EntryKind.FILE, 2), ("b", EntryKind.FILE, 5), ("c", EntryKind.CHAR, 0),
        ("d", EntryKind.SYMLINK, 0),
    ]  # fmt: skip
    assert (index.links, index.devices) == ({3: "y"}, {2: (1, 5)})
    assert index.sparse == {1: ((0, 5),)}
    assert [code for code, _ in index.notes] == ["repeated-path"]


def test_stored_bytes_count_every_copy() -> None:
    """A replaced duplicate still takes its place in the tar."""
    index = walk(layer([("a", b"123"), ("a", b"45"), ("b", hardlink("a")), (".wh.c", b"6")]))
    assert (sum(index.sizes), index.stored_bytes) == (2, 6)


@pytest.mark.parametrize("name", ["./", "/", ".", "a/.."])
def test_root_is_an_entry_with_an_empty_path(name: str) -> None:
    """A layer may give the root its mode and owner."""
    entry = only(walk(layer({name: folder(0o700, uid=5)})))
    assert (entry.path, entry.mode, entry.uid) == ("", 0o700, 5)


def test_root_that_is_no_directory_is_passed_over() -> None:
    """Nothing can replace the root; the layer is strange, not broken."""
    index = walk(layer({"/": symlink("x"), "a": b""}))
    assert (list(index.paths), [code for code, _ in index.notes]) == (["a"], ["root-not-directory"])


def test_odd_root_that_is_no_directory_is_passed_over() -> None:
    """What only few entries have is not given to the next one."""
    index = walk(layer({"/": char(1, 3), "a": b""}))
    assert (list(index.paths), index.devices) == (["a"], {})


def test_member_of_unknown_type_is_left_out_with_its_content() -> None:
    """A volume label or a vendor's type is seen by no container."""
    index = walk(layer({"v": Member(type=b"V", content=b"x" * 600), "a": b"y"}))
    assert (list(index.paths), list(index.offsets)) == (["a"], [4 * BLOCK])
    assert [code for code, _ in index.notes] == ["unknown-tar-type"]


def test_size_of_a_member_without_content_is_passed_over() -> None:
    """A size in a directory's or link's header is not followed by content."""
    tar = layer({"d": folder(), "l": hardlink("d"), "f": fifo(), "a": b"x"}, end=False)
    sized = bytearray(tar)
    for start in range(0, 3 * BLOCK, BLOCK):
        sized[start + 124 : start + 136] = b"00000001000\0"
        sized[start : start + BLOCK] = checksummed(bytes(sized[start : start + BLOCK]))
    index = walk(bytes(sized))
    assert (list(index.paths), list(index.sizes)) == (["d", "l", "f", "a"], [0, 0, 0, 1])


def test_what_follows_the_end_marker_is_not_read() -> None:
    """One zero block ends a tar; GNU tar fills up to 10 KiB behind it."""
    assert paths(layer({"a": b""}) + layer({"b": b""})) == ["a"]


def test_tar_without_end_marker_is_noted() -> None:
    """Some tools leave the zero blocks out; nothing is lost."""
    index = walk(layer({"a": b"x"}, end=False))
    assert (list(index.paths), [code for code, _ in index.notes]) == (["a"], ["no-end-marker"])


def cuts() -> list[object]:
    """Return tars that end too early, in every kind of place."""
    plain = layer({"a": b"x" * 600})
    long = layer({"n" * 300: b"x"})
    gnu = layer({"n" * 300: b"x"}, form=tarfile.GNU_FORMAT)
    holes = layer({"s": sparse(1 << 20, {n * 4096: b"x" * 99 for n in range(30)})})
    unknown = layer({"v": Member(type=b"V", content=b"x" * 600)})
    one = pax_sparse(("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), content=b"9\n" * 500)
    return [
        pytest.param(plain[:1], id="after a byte"),
        pytest.param(plain[:511], id="in a header"),
        pytest.param(plain[:512], id="before the content"),
        pytest.param(plain[:1000], id="in the content"),
        pytest.param(plain[: 512 + 599], id="before the content's last byte"),
        pytest.param(plain[: 3 * 512 + 5], id="in the end marker"),
        pytest.param(long[:512], id="before a PAX record"),
        pytest.param(long[:700], id="in a PAX record"),
        pytest.param(long[:1024], id="behind a PAX header"),
        pytest.param(gnu[:800], id="in a GNU long name"),
        pytest.param(gnu[:1100], id="in the header behind a GNU long name"),
        pytest.param(holes[:512], id="before a sparse map"),
        pytest.param(holes[:1000], id="in a sparse map"),
        pytest.param(holes[:1600], id="in a sparse file's parts"),
        pytest.param(layer({"s": one})[:2048], id="in a sparse map in the content"),
        pytest.param(unknown[:800], id="in content nobody sees"),
    ]


@pytest.mark.parametrize("tar", cuts())
def test_tar_that_ends_too_early_is_refused(tar: bytes) -> None:
    """A layer that lost its end is an error that says so."""
    with pytest.raises(LayerError, match="layer 0 is cut short: its tar ends after ") as caught:
        walk(tar)
    assert len(str(caught.value).splitlines()) <= 3


def test_hashing_meets_the_end_inside_a_file() -> None:
    """Reading contents finds a cut where passing them over does; what is not whole is left out."""
    tar = layer({"a": b"x" * 600, "b": b"y" * 2000})
    for size in (4 * BLOCK, 4 * BLOCK + 1999):
        for hashing in (False, True):
            reader = MemoryReader(tar[:size])
            walked = walk_layer(reader, name="x", hash_contents=hashing)
            assert "cut short" in walked.index.damage
            assert list(walked.index.paths) == ["a"]
            assert walked.index.stored_bytes == 600
            assert list(walked.digests) == [0] * hashing


def test_what_stands_before_damage_is_kept() -> None:
    """Entries and whiteouts, a last entry with all of its content; nothing after it."""
    good = layer([("a", b"x"), (".wh.b", b""), ("c", b"y" * BLOCK)], end=False)
    for rest in (b"", b"no header" * 99):
        index = walk_damaged(good + rest + layer({"d": b""}) * bool(rest))
        assert list(index.paths) == ["a", "c"]
        assert index.whiteouts == ("b",)
        assert ("damaged tar header at byte 2,560" in index.damage) == bool(rest)
    holes = layer([("a", b"x"), ("s", sparse(9000, {0: b"x" * 600, 8000: b"y" * 600}))])
    assert list(walk_damaged(holes[: 2 * BLOCK + BLOCK + 1199]).paths) == ["a"]
    assert list(walk_damaged(holes[: 2 * BLOCK + BLOCK + 1200]).paths) == ["a", "s"]


def test_reader_that_fails_ends_the_walk() -> None:
    """Its error is the layer's damage."""

    class Failing(MemoryReader):
        def read_at(self, offset: int, size: int) -> bytes:
            piece = super().read_at(offset, size)
            if not piece:
                raise LayerError("the disk is round", why="it rolls", hint="stop it")
            return piece

    tar = layer({"a": b"x"}, end=False)
    index = walk_layer(Failing(tar), name="x").index
    assert (list(index.paths), index.damage) == (["a"], "the disk is round: it rolls")


@pytest.mark.parametrize("error", [LayerError("cut"), LimitError("all", limit="size", allowed=9)])
def test_what_cannot_be_read_behind_the_end_marker(error: LayerError) -> None:
    """A limit is one there too; damage is told by whoever reads on."""

    class Failing(MemoryReader):
        def read_at(self, offset: int, size: int) -> bytes:
            if offset >= self.length():
                raise error
            return super().read_at(offset, size)

    reader = Failing(layer({"a": b"x"}))
    if isinstance(error, LimitError):
        with pytest.raises(LimitError, match="all"):
            walk_layer(reader, name="x")
    else:
        assert walk_layer(reader, name="x").index.damage == ""


def test_digests_are_those_of_the_entries_that_stay() -> None:
    """Regular files alone, the last of one path, whole however large."""
    big = bytes(range(256)) * 4096
    tar = layer([
        ("a", b"first"), ("b", big), ("l", hardlink("a")), ("d/", folder()), ("a", b"last"),
        ("s", sparse(9, {0: b"x"})), ("b", symlink("a")), ("e", b""), (".wh.x", b"marker"),
    ])  # fmt: skip
    walked = walk_layer(MemoryReader(tar), name="layer 0", hash_contents=True)
    found = {walked.index.paths[number]: digest for number, digest in walked.digests.items()}
    contents = {"l": b"first", "a": b"last", "e": b""}
    assert found == {path: hashlib.sha256(data).digest() for path, data in contents.items()}
    whole = walk_layer(MemoryReader(layer({"b": big})), name="layer 0", hash_contents=True)
    assert whole.digests == {0: hashlib.sha256(big).digest()}


def test_digests_are_made_only_when_asked_for() -> None:
    """Without a question contents are not read."""
    assert walk_layer(MemoryReader(layer({"a": b"x"})), name="layer 0").digests == {}


def test_walk_tells_how_far_it_is_and_stops_when_told() -> None:
    """``watch`` hears of bytes and entries at each window; True ends the walk."""
    heard: list[tuple[int, int]] = []

    def watch(position: int, entries: int) -> bool:
        heard.append((position, entries))
        return len(heard) == 3

    tar = layer({f"{number}": bytes(1 << 20) for number in range(8)})
    with pytest.raises(StoppedError):
        walk_layer(MemoryReader(tar), name="layer 0", watch=watch)
    assert heard == [(0, 0), ((1 << 20) + BLOCK, 1), (2 * ((1 << 20) + BLOCK), 2)]


def limited(tar: bytes, **limits: int) -> LayerIndex:
    """Return the index of a layer that may hold no more than these."""
    given = replace(DEFAULTS, **limits)
    return walk_layer(MemoryReader(tar), name="layer 0", limits=given).index


@pytest.mark.parametrize(
    "third",
    [
        pytest.param(("c", b""), id="file"),
        pytest.param((".wh.c", b""), id="whiteout"),
        pytest.param(("d/.wh..wh..opq", b""), id="opaque whiteout"),
        pytest.param(("a", b""), id="the same once more"),
    ],
)
def test_more_entries_than_the_limit_are_refused(third: tuple[str, bytes]) -> None:
    """A bomb of empty files, or of markers, ends in an error, not in all memory."""
    assert len(limited(layer({"a": b"", "b": b""}), entries=2)) == 2
    with pytest.raises(LimitError, match="layer 0 has more than 2 entries"):
        limited(layer([("a", b""), ("b", b""), third]), entries=2)


def test_directories_without_an_entry_count_as_entries() -> None:
    """A few deep paths name very many of them."""
    tar = layer({"a/b/c/d": b""})
    assert len(limited(tar, entries=4)) == 1
    with pytest.raises(LimitError, match="more than 3 entries"):
        limited(tar, entries=3)


CAPABLE = {"a": Member(pax={"SCHILY.xattr.security.capability": "x" * 60})}


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param({"a" * 99: b""}, id="path"),
        pytest.param({"\u4e00" * 30: b""}, id="path of wide characters"),
        pytest.param({"a": symlink("b" * 20)}, id="link target"),
        pytest.param({".wh." + "a" * 80: b""}, id="whiteout"),
        pytest.param(CAPABLE, id="capability"),
        pytest.param({"a": sparse(4096, {0: b"x"})}, id="sparse map"),
        pytest.param({"a/b": b""}, id="directories on the way"),
        pytest.param({"a": symlink("b" * 9), "a/cde": b""}, id="where a link leads"),
    ],
)
def test_names_that_take_more_memory_than_the_limit_are_refused(
    entries: Mapping[str, Content],
) -> None:
    """Long names are as good a bomb as many."""
    with pytest.raises(LimitError, match="more than 99 bytes of memory") as caught:
        limited(layer(entries), names=99)
    assert caught.value.limit == "names"
    assert len(limited(layer(entries), names=500)) < 3


def test_path_deeper_than_the_limit_is_left_out() -> None:
    """No container could open it; the note names the limit."""
    tar = layer({"a/b/c": b"", "a/b/c/d": b"", "e": b""})
    index = limited(tar, depth=3)
    assert list(index.paths) == ["a/b/c", "e"]
    assert index.notes == (
        ("path-too-deep", "paths of more than 3 directories, left out (--max depth=NUMBER)"),
    )


def test_following_links_for_ever_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long targets for many entries take hours."""
    monkeypatch.setattr(misplaced, "_MAX_TOIL", 100)
    with pytest.raises(LayerError, match="too long to follow"):
        walk(layer([("a", symlink("b/" * 20)), *((f"a/{n}", b"") for n in range(9))]))
