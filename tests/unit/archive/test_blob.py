"""Stored bytes to a layer's tar: regions of files, compressions, digests."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import itertools
import lzma
import os
import sys
import zlib
from types import SimpleNamespace
from typing import TYPE_CHECKING

import lz4.frame
import pytest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from layertrace.archive import compression
from layertrace.archive.blob import AbsentReader, PlainReader, Region, StreamReader
from layertrace.archive.blob import digest_of as digest_by
from layertrace.archive.compression import PIECE, Compression, sniff, unpack
from layertrace.errors import DigestMismatchError, LayerError, StoppedError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Some of it packs well and some not at all.
TAR = b"".join(hashlib.sha256(b"%d" % n).digest() + bytes(400) for n in range(3_000))
PACKED = gzip.compress(TAR, mtime=0)
# A frame that holds a reader's own notes, as zstd:chunked and seekable zstd end with.
SKIPPED = b"\x5e\x2a\x4d\x18" + (300).to_bytes(4, "little") + bytes(range(100)) * 3
CHECKED = {int(zstd.CompressionParameter.checksum_flag): 1}


def digest_of(data: bytes) -> str:
    """Return the digest of ``data``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def cut(data: bytes, size: int) -> Iterator[bytes]:
    """Yield ``data`` in pieces of ``size`` bytes."""
    return (data[start : start + size] for start in range(0, len(data), size))


def plain(data: bytes, size: int = PIECE) -> bytes:
    """Return what a blob holds."""
    return b"".join(unpack(cut(data, size), "layer 0"))


@pytest.fixture
def region(tmp_path: Path) -> Iterator[Region]:
    """Return a region that holds TAR in the middle of a file."""
    path = tmp_path / "file"
    path.write_bytes(b"before" + TAR + b"after")
    fd = os.open(path, os.O_RDONLY)
    yield Region(fd=fd, offset=6, size=len(TAR))
    os.close(fd)


@pytest.mark.parametrize(
    ("head", "compression"),
    [
        (gzip.compress(b"x", mtime=0), Compression.GZIP),
        (bz2.compress(b"x"), Compression.BZIP2),
        (lzma.compress(b"x"), Compression.XZ),
        (b"BZh4", Compression.BZIP2),
        (b"BZh4/readme.txt", Compression.NONE),
        (b"\x28\xb5\x2f\xfd....", Compression.ZSTD),
        (b"\x5e\x2a\x4d\x18....", Compression.SKIPPED),
        (b"\x04\x22\x4d\x18....", Compression.LZ4),
        (b"etc/hosts", Compression.NONE),
        (b"\x1f", Compression.NONE),
        (b"", Compression.NONE),
    ],
)
def test_compression_is_told_by_the_first_bytes(head: bytes, compression: Compression) -> None:
    """Neither names nor media types are asked."""
    assert sniff(head) is compression


def test_region_ends_where_it_ends(region: Region) -> None:
    """What stands around it in the file is never read."""
    assert region.read_at(0, 1 << 30) == TAR
    assert region.read_at(len(TAR) - 3, 9) == TAR[-3:]
    assert (region.read_at(len(TAR), 1), region.read_at(len(TAR) + 9, 1)) == (b"", b"")
    assert b"".join(region.pieces()) == TAR


def test_region_is_whole_though_the_system_reads_less(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call may return less than it was asked for."""
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda fd, size, at: pread(fd, min(size, 1000), at))
    assert region.read_at(5, 5000) == TAR[5:5005]


def test_region_of_a_file_that_shrank_ends_early(tmp_path: Path) -> None:
    """Whoever reads it finds that the tar is cut short."""
    (tmp_path / "file").write_bytes(b"12345")
    fd = os.open(tmp_path / "file", os.O_RDONLY)
    region = Region(fd=fd, offset=3, size=100)
    assert (region.read_at(0, 50), list(region.pieces())) == (b"45", [b"45"])
    os.close(fd)


def test_failing_disk_is_said_so(tmp_path: Path) -> None:
    """A file that cannot be read is trouble with the disk, not with the image."""
    fd = os.open(tmp_path, os.O_RDONLY)
    with pytest.raises(StorageError, match="cannot read") as caught:
        Region(fd=fd, offset=0, size=10).read_at(0, 10)
    os.close(fd)
    assert caught.value.exit_code == 5


def test_plain_layer_is_read_anywhere_and_verified(region: Region) -> None:
    """Offsets may go back; digests are checked when asked for."""
    name = digest_of(TAR)
    with PlainReader(region, name="layer 0", diff_id=name, digest=name) as reader:
        assert reader.random_access
        assert (reader.read_at(700, 5), reader.read_at(3, 5)) == (TAR[700:705], TAR[3:8])
        assert reader.length() == len(TAR)
        reader.verify()
    PlainReader(region, name="layer 0", diff_id=name).verify()


@pytest.mark.parametrize(
    ("diff_id", "digest", "subject"),
    [
        (digest_of(b""), None, "layer 0's tar"),
        (digest_of(TAR), digest_of(b""), "the blob of layer 0"),
    ],
    ids=["diff_id", "digest"],
)
def test_plain_layer_that_is_another_is_refused(
    region: Region, diff_id: str, digest: str | None, subject: str
) -> None:
    """The error says what was expected and what is there."""
    reader = PlainReader(region, name="layer 0", diff_id=diff_id, digest=digest)
    with pytest.raises(DigestMismatchError) as caught:
        reader.verify()
    assert (caught.value.subject, caught.value.expected) == (subject, digest_of(b""))
    assert caught.value.actual == digest_of(TAR)
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(TAR, id="plain"),
        pytest.param(PACKED, id="gzip"),
        pytest.param(
            gzip.compress(TAR[:999], mtime=0) + gzip.compress(TAR[999:], mtime=0), id="gzip members"
        ),
        pytest.param(PACKED + bytes(700), id="gzip filled up with zeros"),
        pytest.param(bz2.compress(TAR), id="bzip2"),
        pytest.param(lzma.compress(TAR), id="xz"),
        pytest.param(zstd.compress(TAR), id="zstd"),
        pytest.param(zstd.compress(TAR[:999]) + zstd.compress(TAR[999:]), id="zstd frames"),
        pytest.param(SKIPPED + zstd.compress(TAR), id="zstd behind a frame to skip"),
        pytest.param(
            zstd.compress(TAR[:999]) + SKIPPED + zstd.compress(TAR[999:]) + SKIPPED * 2,
            id="zstd as zstd:chunked",
        ),
        pytest.param(zstd.compress(TAR) + bytes(700), id="zstd filled up with zeros"),
        pytest.param(lz4.frame.compress(TAR), id="lz4"),
        pytest.param(
            SKIPPED * 3 + lz4.frame.compress(TAR[:999]) + SKIPPED + lz4.frame.compress(TAR[999:]),
            id="lz4 frames between frames to skip",
        ),
    ],
)
@pytest.mark.parametrize("size", [61, 4096, PIECE])
def test_blob_is_unpacked_whatever_its_compression(data: bytes, size: int) -> None:
    """And in whatever pieces it comes."""
    assert plain(data, size) == TAR


@pytest.mark.parametrize(
    "data", [b"", gzip.compress(b"", mtime=0), gzip.compress(b"", mtime=0) * 3]
)
def test_empty_blob_is_empty(data: bytes) -> None:
    """An empty file, or nothing packed."""
    assert plain(data) == b""


@pytest.mark.parametrize(
    "data",
    [
        PACKED,
        bz2.compress(TAR),
        lzma.compress(TAR),
        zstd.compress(TAR),
        lz4.frame.compress(TAR),
        SKIPPED + zstd.compress(TAR),
    ],
)
def test_blob_that_is_cut_short_is_refused(data: bytes) -> None:
    """Wherever the cut is, between packed members alone excepted."""
    for size in {6, 9, 11, 20, len(data) // 2, len(data) - 8, len(data) - 1}:
        with pytest.raises(LayerError, match="layer 0 is cut short: its packed data ends early"):
            plain(data[:size])


@pytest.mark.parametrize("size", [1_000, PIECE])
def test_members_of_all_sizes_follow_each_other(size: int) -> None:
    """Small ones behind large ones, and thousands of empty ones, wherever a piece ends."""
    empty = gzip.compress(b"", mtime=0)
    parts = [TAR[:900_000], b"x", TAR[900_000:], *[b"%d" % n for n in range(500)]]
    data = empty.join(gzip.compress(part, mtime=0) for part in parts) + empty * 20_000
    assert plain(data, size) == b"".join(parts)


def spoilt(data: bytes, at: int) -> bytes:
    """Return ``data`` with one byte changed."""
    return data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(spoilt(PACKED, 2), id="gzip method"),
        pytest.param(spoilt(PACKED, len(PACKED) // 2), id="gzip content"),
        pytest.param(spoilt(PACKED, len(PACKED) - 7), id="gzip checksum"),
        pytest.param(spoilt(PACKED, len(PACKED) - 2), id="gzip length"),
        pytest.param(PACKED + b"junk that is no member", id="junk behind gzip"),
        pytest.param(spoilt(bz2.compress(TAR), 99), id="bzip2"),
        pytest.param(spoilt(lzma.compress(TAR), 99), id="xz"),
        pytest.param(spoilt(zstd.compress(TAR, options=CHECKED), 9_999), id="zstd"),
        pytest.param(b"\x28\xb5\x2f\xfd" + bytes(range(255, 0, -1)), id="no zstd"),
        pytest.param(b"\x04\x22\x4d\x18" + bytes(range(255, 0, -1)), id="no lz4"),
    ],
)
def test_damaged_blob_is_refused(data: bytes) -> None:
    """No damage passes for content, and the error names the layer."""
    with pytest.raises(
        LayerError, match=r"layer 0 is damaged: its .* cannot be unpacked"
    ) as caught:
        plain(data)
    assert len(str(caught.value).splitlines()) <= 3


def test_bomb_is_unpacked_in_small_pieces() -> None:
    """A blob of zeros costs time, never memory."""
    squeezer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(squeezer.compress(bytes(PIECE)) for _ in range(64)) + squeezer.flush()
    sizes = [len(piece) for piece in unpack(iter([bomb]), "layer 0")]
    assert sum(sizes) == 64 * PIECE
    assert max(sizes) <= PIECE


def stream(
    data: bytes,
    size: int = 5000,
    *,
    diff_id: str | None = digest_of(TAR),
    digest: str | None = None,
) -> StreamReader:
    """Return a reader of ``data`` as it arrives."""
    return StreamReader(cut(data, size), name="layer 0", diff_id=diff_id, digest=digest)


@pytest.mark.parametrize("size", [1, 511, 5000, PIECE])
@pytest.mark.parametrize("data", [TAR[:40_000], gzip.compress(TAR[:40_000], mtime=0)])
def test_stream_is_read_forward_with_gaps(data: bytes, size: int) -> None:
    """Pieces as they come, reads as they are asked for, contents passed over."""
    tar = TAR[:40_000]
    with stream(data, size, diff_id=digest_of(tar)) as reader:
        assert not reader.random_access
        position = 0
        for gap, wanted in itertools.islice(itertools.cycle([(0, 512), (7, 1), (900, 3000)]), 20):
            position += gap
            assert reader.read_at(position, wanted) == tar[position : position + wanted]
            position = min(position + wanted, len(tar))
        reader.verify()
        assert (reader.length(), reader.diff_id()) == (len(tar), digest_of(tar))


@pytest.mark.parametrize("data", [TAR, PACKED])
def test_stream_ends_where_it_ends(data: bytes) -> None:
    """Reading past it gives what is left, then nothing."""
    reader = stream(data)
    assert reader.read_at(len(TAR) - 5, 99) == TAR[-5:]
    assert (reader.read_at(len(TAR), 9), reader.read_at(len(TAR) + 99, 9)) == (b"", b"")
    assert reader.length() == len(TAR)
    reader.verify()


def test_stream_read_for_contents_alone_hashes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Contents are the same; a digest that was not computed cannot be had by mistake."""
    with stream(PACKED) as reader:
        hashed: list[bytes] = []
        monkeypatch.setattr(reader, "_hashing", SimpleNamespace(update=hashed.append, close=list))
        reader.forgo_digests()
        assert reader.read_at(0, len(TAR) + 1) == TAR
        assert not hashed
        with pytest.raises(ValueError, match="no digests"):
            reader.mismatches()


@pytest.mark.parametrize("packed", [False, True])
def test_reading_the_rest_can_be_stopped(region: Region, *, packed: bool) -> None:
    """It may be much, for nothing but a digest: it is asked on the way whether to stop."""
    reader = (
        stream(PACKED)
        if packed
        else PlainReader(region, name="layer 0", diff_id=digest_of(TAR), digest=None)
    )
    with reader:
        with pytest.raises(StoppedError):
            reader.mismatches(lambda: True)
        if not packed:
            assert reader.mismatches() == ()


def test_stream_that_was_read_in_part_is_verified_whole() -> None:
    """Digests are of all bytes, whoever stopped reading where."""
    reader = stream(PACKED, digest=digest_of(PACKED))
    reader.read_at(0, 512)
    reader.verify()
    assert reader.length() == len(TAR)


def test_stream_whose_digest_is_not_known_yet_tells_it() -> None:
    """An engine says only at the end what it sent."""
    reader = stream(TAR, diff_id=None)
    reader.verify()
    assert reader.diff_id() == digest_of(TAR)


@pytest.mark.parametrize(
    ("diff_id", "digest", "subject"),
    [
        (digest_of(b""), digest_of(PACKED), "layer 0's tar"),
        (digest_of(TAR), digest_of(b""), "the blob of layer 0"),
    ],
    ids=["diff_id", "digest"],
)
def test_stream_that_is_another_is_refused(diff_id: str, digest: str, subject: str) -> None:
    """Of the unpacked and of the stored bytes, each against its own digest."""
    with pytest.raises(DigestMismatchError) as caught:
        stream(PACKED, diff_id=diff_id, digest=digest).verify()
    assert (caught.value.subject, caught.value.expected) == (subject, digest_of(b""))


@pytest.mark.parametrize("size", [61, 5000, PIECE])
@pytest.mark.parametrize("data", [TAR, PACKED, PACKED + b"junk", b"tiny"])
def test_stream_tells_the_digest_of_what_is_stored(data: bytes, size: int) -> None:
    """Packed or not, damaged behind its tar or not."""
    reader = stream(data, size, diff_id=None)
    reader.read_at(0, 512)
    try:
        reader.mismatches()
    except LayerError:
        assert data.endswith(b"junk")
    assert (reader.digest(), reader.stored_size) == (digest_of(data), len(data))


def test_gzip_is_not_loaded_for_plain_layers() -> None:
    """Most archives never need it."""
    assert not {"igzip_lib", "zstd"} & vars(compression).keys()


@pytest.mark.parametrize("size", [100, 5000, PIECE])
def test_what_stands_before_damage_is_read(size: int) -> None:
    """The error comes only when there is nothing more to give, and every time then."""
    data = PACKED[: len(PACKED) // 2]
    reader = stream(data, size)
    whole = b""
    while piece := _read(reader, len(whole), 7000):
        whole += piece
    assert len(whole) > 10_000
    assert TAR.startswith(whole)
    assert reader.length() == len(whole)
    for read in (lambda: reader.read_at(len(whole), 1), reader.mismatches):
        with pytest.raises(LayerError, match="cut short"):
            read()


def _read(reader: StreamReader, offset: int, size: int) -> bytes:
    try:
        return reader.read_at(offset, size)
    except LayerError:
        return b""


def test_layer_whose_digest_nobody_knows_is_read(region: Region) -> None:
    """Old archives name none: it is computed."""
    reader = PlainReader(region, name="layer 0", diff_id="")
    assert reader.mismatches() == ()
    assert reader.diff_id() == digest_of(TAR)


@pytest.mark.parametrize("data", [TAR, PACKED])
def test_digests_may_be_sha512(region: Region, data: bytes) -> None:
    """The specification registers it too."""
    long = f"sha512:{hashlib.sha512(data).hexdigest()}"
    reader = stream(data, digest=long)
    assert reader.mismatches() == ()
    wrong = stream(data, digest=f"sha512:{'0' * 128}").mismatches()
    assert [each.actual for each in wrong] == [long]
    if data is TAR:
        plain = PlainReader(region, name="layer 0", diff_id=digest_of(TAR), digest=long)
        assert plain.mismatches() == ()
        plain = PlainReader(region, name="layer 0", diff_id=long, digest=digest_of(b""))
        assert [each.actual for each in plain.mismatches()] == [digest_of(TAR)]
        assert plain.diff_id() == long


def test_both_digests_may_be_wrong() -> None:
    """Each is told."""
    wrong = stream(PACKED, diff_id=digest_of(b"1"), digest=digest_of(b"2")).mismatches()
    assert [each.expected for each in wrong] == [digest_of(b"1"), digest_of(b"2")]


def test_layer_that_is_not_at_hand_says_why() -> None:
    """Whatever is asked of it."""
    reader = AbsentReader(LayerError("layer 3 is not in the archive"))
    assert (reader.random_access, reader.length()) == (False, 0)
    for ask in (lambda: reader.read_at(0, 1), reader.verify, reader.diff_id):
        with pytest.raises(LayerError, match="layer 3"):
            ask()


def test_digest_is_by_the_algorithm_of_another() -> None:
    """So that the two can be compared."""
    assert digest_by(b"x") == digest_of(b"x")
    assert digest_by(b"x", like=digest_of(b"")) == digest_of(b"x")
    assert digest_by(b"x", like="sha512:12") == f"sha512:{hashlib.sha512(b'x').hexdigest()}"
