"""The walker reads what ``tarfile`` writes, and what is damaged as ``tarfile`` reads it."""

from __future__ import annotations

import io
import tarfile
from contextlib import suppress
from typing import Literal

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from layertrace.errors import LayerError
from layertrace.layers.plain import PlainRows
from layertrace.layers.walk import WINDOW
from layertrace.model.entry import EntryKind, clean_path
from tests.builders import BLOCK, checksummed, padded
from tests.readers import walk

Row = tuple[int, int, int, int, int, int, int, str]
"""Kind, size, offset, mode, uid, gid, mtime, link target."""

KINDS = {
    tarfile.REGTYPE: EntryKind.FILE,
    tarfile.AREGTYPE: EntryKind.FILE,
    tarfile.CONTTYPE: EntryKind.FILE,
    tarfile.LNKTYPE: EntryKind.HARDLINK,
    tarfile.SYMTYPE: EntryKind.SYMLINK,
    tarfile.CHRTYPE: EntryKind.CHAR,
    tarfile.BLKTYPE: EntryKind.BLOCK,
    tarfile.DIRTYPE: EntryKind.DIR,
    tarfile.FIFOTYPE: EntryKind.FIFO,
}
SIZES = [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, WINDOW - BLOCK, WINDOW - 1, WINDOW, WINDOW + 1, 999]
FORMS: list[Literal[0, 1, 2]] = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]
# Later releases of Python refuse a tar for what is no PAX record; here it ends the records.
_STRICT = hasattr(tarfile, "_header_length_prefix_re")

bytes_of_names = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1).map(
        str.encode
    ),
    st.lists(st.integers(1, 255), min_size=1, max_size=20).map(bytes),
    st.sampled_from([b".", b"..", b"/", b"a/", b"./a", b"a//b", b"a/../b", b"...", b"a/.", b"a"]),
    st.integers(90, 300).map(lambda size: b"n" * size),
    st.integers(90, 270).map(lambda size: b"d/" * (size // 2) + b"f"),
)
# A marker is no entry, which tests of their own cover.
names = bytes_of_names.map(lambda name: name.decode("utf-8", "surrogateescape")).filter(
    lambda name: ".wh." not in name
)
small = st.one_of(
    st.sampled_from([0, 1, 0o7777777, 0o10000000, 2**31, 2**40]), st.integers(0, 9**7)
)


@st.composite
def members(draw: st.DrawFn) -> tarfile.TarInfo:
    """Return one header's worth of anything tarfile can write."""
    info = tarfile.TarInfo(draw(names))
    info.type = draw(st.sampled_from(list(KINDS)))
    info.mode = draw(st.integers(0, 0o7777))
    info.uid, info.gid = draw(small), draw(small)
    info.mtime = draw(st.one_of(st.integers(0, 2**34), st.integers(-(2**40), 2**40)))
    # An old file whose header's name ends in a slash is a directory: no content.
    if info.type in {tarfile.REGTYPE, tarfile.CONTTYPE}:
        info.size = draw(st.sampled_from(SIZES))
    if info.issym() or info.islnk():
        info.linkname = draw(names)
    if info.isdev():
        info.devmajor, info.devminor = draw(st.integers(0, 0o7777777)), draw(st.integers(0, 255))
    return info


def write(infos: list[tarfile.TarInfo], form: Literal[0, 1, 2]) -> bytes:
    """Return a tar of what fits the format; ustar holds neither long names nor large numbers."""
    pieces: list[bytes] = []
    for number, info in enumerate(infos):
        with suppress(ValueError):
            header = info.tobuf(form, "utf-8", "surrogateescape")
            pieces += (header, padded(bytes([number % 256]) * info.size))
    return b"".join(pieces) + bytes(2 * BLOCK)


def reference(tar: bytes) -> dict[str, Row]:
    """Return the entries as ``tarfile`` reads their headers, one after the other.

    Raises:
        tarfile.HeaderError: a header is damaged.
        UnicodeDecodeError: it names a character set by what is no text.
    """
    rows: dict[str, Row] = {}
    members = linked = 0
    data = io.BytesIO(tar)
    with tarfile.TarFile(fileobj=io.BytesIO(bytes(BLOCK)), errors="surrogateescape") as file:
        file.fileobj, file.offset = data, 0
        while tar[file.offset : file.offset + BLOCK].strip(b"\0"):
            data.seek(file.offset)
            info = tarfile.TarInfo.fromtarfile(file)
            kind, path = KINDS.get(info.type), clean_path(info.name)
            if kind is None or (not path and kind is not EntryKind.DIR):
                continue
            link = info.linkname if kind is EntryKind.SYMLINK else ""
            link = clean_path(info.linkname) if kind is EntryKind.HARDLINK else link
            size = info.size if kind is EntryKind.FILE else 0
            members, linked = members + 1, linked + (kind is EntryKind.HARDLINK)
            rows[path] = (
                int(kind), size, info.offset_data, info.mode & 0o7777,
                info.uid, info.gid, int(info.mtime // 1), link,
            )  # fmt: skip
        # What a link to a replaced file is has laws of its own.
        assume(not linked or len(rows) == members)
        return rows


def is_plain(rows: dict[str, Row]) -> bool:
    """Say whether all stands where it says, below no file or link of the same layer."""
    return not any(
        path.startswith(f"{above}/") for above, row in rows.items() if row[0] != EntryKind.DIR
        for path in rows
    )  # fmt: skip


def found(tar: bytes) -> dict[str, Row]:
    """Return the entries as the walker reads them."""
    index = walk(tar)
    return {
        e.path: (int(e.kind), e.size, e.offset, e.mode, e.uid, e.gid, e.mtime, e.link_target)
        for e in map(index.entry, range(len(index)))
    }


@settings(deadline=None)
@given(st.lists(members(), max_size=6), st.sampled_from(FORMS))
def test_walker_reads_whatever_tarfile_writes(
    infos: list[tarfile.TarInfo], form: Literal[0, 1, 2]
) -> None:
    """Paths, kinds, sizes, offsets, modes, owners, times and targets are the same."""
    tar = write(infos, form)
    rows = reference(tar)
    assume(is_plain(rows))
    assert found(tar) == rows


@given(
    st.lists(members(), min_size=1, max_size=3),
    st.sampled_from(FORMS),
    st.lists(st.tuples(st.integers(0, BLOCK - 1), st.integers(0, 255)), min_size=1, max_size=4),
    st.booleans(),
    st.data(),
)
@settings(max_examples=400, deadline=None)
def test_damaged_header_is_an_error_or_reads_as_in_tarfile(
    infos: list[tarfile.TarInfo],
    form: Literal[0, 1, 2],
    changes: list[tuple[int, int]],
    repaired: bool,  # noqa: FBT001 - drawn
    data: st.DataObject,
) -> None:
    """With the checksum made right or not, no damage makes the two disagree."""
    for info in infos:
        info.size = min(info.size, BLOCK)
    tar = bytearray(write(infos, form))
    assume(len(tar) > 2 * BLOCK)
    start = data.draw(st.integers(0, len(tar) // BLOCK - 3)) * BLOCK
    for offset, value in changes:
        tar[start + offset] = value
    header = bytes(tar[start : start + BLOCK])
    if repaired:
        header = tar[start : start + BLOCK] = checksummed(header)
    # Where GNU's headers hold times, and PAX's sparse files: see headers.py.
    assume(header[257:263] == b"ustar\0" or not header[345])
    try:
        rows = found(bytes(tar))
    except LayerError:
        return
    unused = {*range(124, 136), *range(329, 345)}
    try:
        expected = reference(bytes(tar))
    except UnicodeDecodeError:
        # It takes whatever follows for the name of a character set, and fails to read that.
        return
    except tarfile.HeaderError as error:
        strict = _STRICT and str(error) == "invalid header"
        assert strict or unused.intersection(offset for offset, _ in changes)
    else:
        assert rows == expected or not is_plain(expected)


@given(
    members(),
    st.sampled_from(FORMS),
    st.lists(
        st.tuples(
            st.sampled_from(
                [0, 99, 100, 107, 108, 116, 124, 130, 135, 136, 147, 156, 157, 257, 345]
            ),
            st.binary(min_size=1, max_size=12),
        ),
        max_size=3,
    ),
)
@settings(max_examples=400, deadline=None)
def test_plain_decoder_agrees_with_tarfile_or_passes(
    info: tarfile.TarInfo, form: Literal[0, 1, 2], changes: list[tuple[int, bytes]]
) -> None:
    """What the quick decoder answers for a header is what tarfile answers."""
    try:
        header = info.tobuf(form, "utf-8", "surrogateescape")[-BLOCK:]
    except ValueError:
        return
    for offset, text in changes:
        header = (header[:offset] + text + header[offset + len(text) :])[:BLOCK]
    header = checksummed(header)
    rows = PlainRows()
    rows.take(header, 0, 0, 1)
    if not len(rows) or (header[345] and header[257:263] != b"ustar\0"):
        return
    name = rows.names[0].partition(b"\0")[0].decode("utf-8", "surrogateescape")
    kind, size, owner, mtime = rows.kinds[0], rows.sizes[0], rows.owners[0], rows.mtimes[0]
    link = rows.links.get(0, b"").decode("utf-8", "surrogateescape")
    try:
        told = tarfile.TarInfo.frombuf(header, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        # A size that is none, of what has no content.
        assert kind != EntryKind.FILE
        return
    assert (name.rstrip("/"), kind) == (told.name.rstrip("/"), KINDS[told.type])
    assert (*owner, mtime) == (told.mode & 0o7777, told.uid, told.gid, told.mtime)
    assert size == (told.size if kind == EntryKind.FILE else 0)
    assert link == (told.linkname if told.issym() or told.islnk() else "")


@settings(deadline=None)
@given(st.binary(max_size=4 * BLOCK), st.integers(0, 3))
def test_any_bytes_are_a_layer_or_an_error(data: bytes, blocks: int) -> None:
    """Nothing but a LayerError ever comes of a layer that is none."""
    with suppress(LayerError):
        walk(data + bytes(blocks * BLOCK))
