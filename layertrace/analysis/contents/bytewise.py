"""Two contents, byte by byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.analysis.contents.values import BytesDifference, HexRow

if TYPE_CHECKING:
    from layertrace.analysis.contents.stored import Stored

ROW: Final = 16
_ROWS: Final = 5
_PIECE: Final = 1 << 20


def compare_bytes(
    old: Stored | None, new: Stored | None, *, rows: bool = True
) -> BytesDifference | None:
    """Return how two contents differ, None if they do not; what is absent is empty.

    Args:
        old: the one.
        new: the other.
        rows: the bytes themselves, too.
    """
    sizes = [0 if each is None else each.size for each in (old, new)]
    shared, first, differing = min(sizes), -1, 0
    for at in range(0, shared if old is not None and new is not None else 0, _PIECE):
        length = min(_PIECE, shared - at)
        before, after = _at(old, at, length), _at(new, at, length)
        if before == after:
            continue
        # As numbers they are compared at once, a loop over bytes would take seconds.
        apart = (int.from_bytes(before, "little") ^ int.from_bytes(after, "little")).to_bytes(
            length, "little"
        )
        differing += length - apart.count(0)
        if first < 0:
            first = at + length - len(apart.lstrip(b"\0"))
    if first < 0 and sizes[0] == sizes[1]:
        return None
    first = shared if first < 0 else first
    return BytesDifference(
        first=first,
        differing=differing,
        compared=shared,
        rows=_rows(old, new, first) if rows else (),
    )


def _rows(old: Stored | None, new: Stored | None, first: int) -> tuple[HexRow, ...]:
    start = max(0, first - first % ROW - ROW)
    rows = (
        HexRow(offset=at, old=_at(old, at, ROW), new=_at(new, at, ROW))
        for at in range(start, start + _ROWS * ROW, ROW)
    )
    return tuple(row for row in rows if row.old or row.new)


def _at(stored: Stored | None, offset: int, size: int) -> bytes:
    return b"" if stored is None else stored.read_at(offset, size)
