"""Headers read without tarfile, many at a time: where a batch ends is of no matter."""

from __future__ import annotations

import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from layertrace.errors import LimitError
from layertrace.layers import plain, walk
from layertrace.layers.headers import OddDecoder
from layertrace.layers.plain import PlainRows
from layertrace.layers.walk import walk_layer
from layertrace.model.limits import DEFAULTS
from tests.builders import BLOCK, Member, checksummed, file, folder, hardlink, layer, symlink
from tests.readers import MemoryReader

if TYPE_CHECKING:
    from layertrace.layers.index import LayerIndex

LONG = "d/" * 60 + "f"
MIXED = (
    layer([
        ("etc/", folder(0o700, uid=1, mtime=7)), ("etc/hosts", file(b"hosts", uid=5, mtime=9)),
        ("etc/.wh.old", b""), ("h", hardlink("etc/hosts")), ("etc/.wh.link", hardlink("etc/hosts")),
        ("etc/.wh..wh..opq", file(b"", capability=b"\1x")), ("l", symlink("../x")),
        ("caf\udce9", b"latin"), (LONG, file(b"long", capability=b"\1\0\2")),
        ("big", file(b"z" * 3000, uid=2**40, mtime=1.5)), ("end", b"e"),
    ], end=False)
    + layer([(LONG + "g", symlink("t" * 150)), (LONG + "h", hardlink("l" * 150)), ("last", b"")],
            form=tarfile.GNU_FORMAT)
)  # fmt: skip


def read(tar: bytes, *, hashing: bool = True) -> tuple[LayerIndex, dict[int, bytes]]:
    """Return index and digests of a layer."""
    walked = walk_layer(MemoryReader(tar), name="layer 0", hash_contents=hashing)
    return walked.index, walked.digests


@pytest.mark.parametrize("most", [1, 2, 3, 5])
@pytest.mark.parametrize("hashing", [False, True])
def test_where_a_batch_ends_is_of_no_matter(
    most: int,
    hashing: bool,  # noqa: FBT001 - a parameter
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor is how much of what repeats is remembered."""
    expected = read(MIXED, hashing=hashing)
    monkeypatch.setattr(walk, "_MOST_ROWS", most)
    monkeypatch.setattr(plain, "_MOST_VALUES", 0)
    monkeypatch.setattr(plain, "_MOST_SUMS", 0)
    assert read(MIXED, hashing=hashing) == expected
    assert len(expected[0]) == 11
    assert expected[0].capabilities == {expected[0].numbers[LONG]: b"\1\0\2"}


def test_extended_headers_read_here_are_as_tarfile_reads_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Names, targets, owners, times and capabilities; read one by one nothing differs."""
    expected = read(MIXED)
    monkeypatch.setattr(PlainRows, "read_extended", lambda *_: None)
    assert read(MIXED) == expected


def test_common_headers_are_read_without_tarfile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long names and PAX records of what nearly all have are no reason to ask it."""
    monkeypatch.setattr(OddDecoder, "decode", None)
    tar = layer({
        LONG: file(b"", uid=2**40, gid=2**30, mtime=1.5), "d/": folder(mtime=-1),
        "l": symlink("t" * 150), "caf\u00e9" * 30: file(b"", capability=b"\1"),
    })  # fmt: skip
    assert len(read(tar)[0]) == 4
    tar = layer({LONG: b"", "l": symlink("t" * 150), LONG + "h": hardlink("l" * 150)},
                form=tarfile.GNU_FORMAT)  # fmt: skip
    assert len(read(tar)[0]) == 3


def test_file_of_an_odd_header_is_hashed_too() -> None:
    """An owner that octal digits cannot hold is tarfile's to read; its content is as any."""
    tar = layer({"a": file(b"aa", uid=2**40)}, form=tarfile.GNU_FORMAT)
    index, digests = read(tar)
    assert (index.uids[0], len(digests)) == (2**40, 1)


@pytest.mark.parametrize("record", ["size", "uid", "mtime"])
def test_record_that_is_no_plain_number_is_for_tarfile(record: str) -> None:
    """Which takes zero for it."""
    index, _ = read(layer({"a": Member(content=b"", pax={record: "x1"}), "b": b"y"}))
    assert list(index.paths) == ["a", "b"]
    assert (index.uids[0], index.mtimes[0]) == (0, 0)


def test_size_in_a_record_holds_for_files_alone() -> None:
    """A directory has no content, whatever a record says."""
    tar = layer({
        "a": Member(content=b"x" * 600, pax={"size": "600"}),
        "d/": Member(type=tarfile.DIRTYPE, pax={"size": "600"}), "b": b"y",
    })  # fmt: skip
    index, _ = read(tar)
    assert dict(zip(index.paths, index.sizes, strict=True)) == {"a": 600, "d": 0, "b": 1}


def test_what_follows_a_name_in_its_field_is_no_part_of_it() -> None:
    """Some writers leave what stood there before."""
    tar = bytearray(layer({"ab": b"x", "c": b"y"}))
    tar[10:14] = b"junk"
    tar[:BLOCK] = checksummed(bytes(tar[:BLOCK]))
    assert list(read(bytes(tar))[0].paths) == ["ab", "c"]


def test_damaged_extended_header_is_tarfiles_to_refuse() -> None:
    """Nothing is taken from one whose checksum is wrong."""
    tar = bytearray(layer({LONG: b"x"}))
    tar[0] ^= 1
    assert "damaged tar header at byte 0" in read(bytes(tar))[0].damage


def test_capability_counts_against_the_limit_of_names() -> None:
    """As every name does."""
    tar = layer({"a": file(b"", capability=b"\1" * 50)})
    limits = replace(DEFAULTS, names=90)
    with pytest.raises(LimitError, match="more than 90 bytes"):
        walk_layer(MemoryReader(tar), name="layer 0", limits=limits)
