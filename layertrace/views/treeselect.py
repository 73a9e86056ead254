"""Which paths of a file tree are shown, and in what order: functions over columns."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from enum import StrEnum
from itertools import compress
from typing import TYPE_CHECKING, Final

from layertrace.views.filetree import Mark

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from layertrace.views.filetree import FileTree
    from layertrace.views.treesums import Sums

_SWAP: Final = bytes([1, 0, *range(2, 256)])
"""Turns a column of 0 and 1 round."""

_PIECE: Final = 1 << 15
"""So many paths are looked at in one go: a millisecond or two."""
_SPARSE: Final = 8
"""Where one path of so many is shown, sorting those is faster than looking at all."""


class SortKey(StrEnum):
    """What decides the order among siblings (or among all, when flat)."""

    SIZE = "size"
    NAME = "name"
    FILES = "files"
    LAYER = "layer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How much of a scope is on view; files are everything but directories."""

    shown: int
    total: int
    by_marks: int = 0
    """Files that match but are hidden by their mark."""
    directories: int = 0
    """Directories that match although nothing shown lies in them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is shown of a scope, one byte a path."""

    hits: bytearray
    """1 for a path that is shown for its own sake."""
    shown: bytearray
    """1 for those and the directories above them."""
    tally: Tally
    holders: bytearray | None = None
    """1 for a directory with something shown in it; None: all that hold anything."""

    def can_open(self, sums: Sums, node: int) -> bool:
        """Return whether something shown lies in ``node``."""
        return sums.spans[node] > 1 if self.holders is None else bool(self.holders[node])


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrangement:
    """The sorted preorder of every present path, folded or not."""

    order: array[int]
    """Place to path."""
    places: array[int]
    """Path to place; of a path that is not present, 0."""
    every: array[int]
    """All places, to be copied piece by piece."""
    holders: array[int]
    """Places of what holds anything, which are few, in order."""


def sort_paths(
    tree: FileTree, sums: Sums, nodes: Iterable[int], key: SortKey, *, reverse: bool
) -> list[int]:
    """Sort ``nodes``; sizes and counts fall, names and layers rise, unless reversed.

    Equals keep the order they come in.
    """
    if key is SortKey.NAME:
        names = {node: tree.name(node) for node in nodes}
        return sorted(names, key=names.__getitem__, reverse=reverse)
    if key is SortKey.LAYER:
        return sorted(nodes, key=sums.layers.__getitem__, reverse=reverse)
    if key is SortKey.FILES:
        return sorted(nodes, key=sums.files.__getitem__, reverse=not reverse)
    if sums.total_lost:
        # A removed file weighs something, yet stands after all that ships.
        nodes = sorted(nodes, key=sums.lost.__getitem__, reverse=not reverse)
    return sorted(nodes, key=sums.sizes.__getitem__, reverse=not reverse)


def arrange(tree: FileTree, sums: Sums, key: SortKey, *, reverse: bool) -> Arrangement:
    """Give every present path its place in the sorted preorder."""
    nodes = list(compress(range(len(tree)), sums.present))
    parents, spans = tree.parents, sums.spans
    # Where each directory's next child goes, relative to it; last, the root's.
    filled = [1] * len(tree) + [0]
    places = array("I", bytes(4 * len(tree)))
    for node in sort_paths(tree, sums, nodes, key, reverse=reverse):
        parent = parents[node]
        places[node] = filled[parent]
        filled[parent] += spans[node]
    order = array("I", bytes(4 * len(nodes)))
    for node in nodes:
        parent = parents[node]
        if parent >= 0:
            places[node] += places[parent]
        order[places[node]] = node
    holding = [node for node in set(parents) if node >= 0 and spans[node] > 1]
    return Arrangement(
        order=order,
        places=places,
        every=array("I", range(len(order))),
        holders=array("I", sorted(map(places.__getitem__, holding))),
    )


def select(
    tree: FileTree, sums: Sums, matches: Iterable[int] | None, hidden: Collection[Mark]
) -> Selection:
    """Choose what to show: what matches, where its mark is not hidden.

    Args:
        tree: the files.
        sums: their scope.
        matches: rows of the table that a filter lets through; None: no filter.
        hidden: marks whose files are left out.
    """
    files = both(sums.chosen, tree.is_dir.translate(_SWAP))
    total = files.count(1)
    if matches is None and not hidden:
        tally = Tally(shown=total, total=total)
        return Selection(hits=sums.chosen, shown=sums.present, tally=tally)
    wanted = both(sums.chosen, _flags(len(tree), matches))
    allowed = sums.marks.translate(
        bytes(number >= len(Mark) or Mark(number) not in hidden for number in range(256))
    )
    files = both(files, wanted)
    hits = both(files, allowed)
    found = hits.count(1)
    shown, holders = bytearray(hits), bytearray(len(tree))
    _show_holders(tree, hits, shown, holders)
    directories = 0
    for node in compress(tree.directories, map(wanted.__getitem__, tree.directories)):
        if shown[node]:
            hits[node] = matches is not None
        # Without a filter one whose files are all hidden goes with them.
        elif allowed[node] and (matches is not None or sums.spans[node] == 1):
            hits[node] = shown[node] = 1
            directories += matches is not None
    if hits.count(1) > found:
        _show_holders(tree, hits, shown, holders)
    if shown == sums.present:
        # The very same, for what comes next to see that it is.
        shown = sums.present
    by_marks = files.count(1) - found
    tally = Tally(shown=found, total=total, by_marks=by_marks, directories=directories)
    return Selection(hits=hits, shown=shown, tally=tally, holders=holders)


def files_of(tree: FileTree, flags: bytearray) -> Iterable[int]:
    """Return the paths flagged in ``flags`` that are no directories."""
    return compress(range(len(tree)), both(flags, tree.is_dir.translate(_SWAP)))


def both(one: bytes | bytearray, other: bytes | bytearray) -> bytearray:
    r"""Return 1 where both have 1; as two large numbers, for it is on the way of a key.

    >>> both(b"\x00\x01\x01", b"\x01\x01\x00")
    bytearray(b'\x00\x01\x00')
    """
    together = int.from_bytes(one, "little") & int.from_bytes(other, "little")
    return bytearray(together.to_bytes(len(one), "little"))


def _flags(size: int, rows: Iterable[int] | None) -> bytearray:
    if rows is None:
        return bytearray(b"\x01") * size
    flags = bytearray(size)
    for row in rows:
        flags[row] = 1
    return flags


def _show_holders(tree: FileTree, hits: bytearray, shown: bytearray, holders: bytearray) -> None:
    """Show what has hits below it; from the end on, so that no path is looked at twice."""
    first = stop = len(hits)
    for node in reversed(tree.holders):
        found = hits.find(1, node + 1, stop)
        first = found if found >= 0 else first
        stop = node + 1
        if first < node + tree.counts[node]:
            holders[node] = shown[node] = 1


def pieces(size: int) -> Iterator[range]:
    """Yield the numbers below ``size`` in pieces.

    What is done to a whole column in one call keeps every other thread, and so the screen,
    from going on meanwhile.
    """
    for start in range(0, size, _PIECE):
        yield range(start, min(start + _PIECE, size))


def places_shown(arranged: Arrangement, sums: Sums, selected: Selection) -> array[int]:
    """Return the places of what is shown, in order, were nothing folded."""
    shown = selected.shown
    if shown is sums.present:
        return arranged.every
    places = array("I")
    if shown.count(1) * _SPARSE < len(shown):
        for piece in pieces(len(shown)):
            nodes = compress(piece, shown[piece.start : piece.stop])
            places.extend(map(arranged.places.__getitem__, nodes))
        return array("I", sorted(places))
    for piece in pieces(len(arranged.order)):
        flags = map(shown.__getitem__, arranged.order[piece.start : piece.stop])
        places.extend(compress(piece, flags))
    return places


def unfolded(
    arranged: Arrangement,
    sums: Sums,
    shown: array[int],
    opened: bytearray,
    within: range,
) -> array[int]:
    """Return the places on view within some: those shown but for what lies in what is closed.

    Args:
        arranged: the order of all.
        sums: their scope.
        shown: places of what is shown, in order.
        opened: 1 for a path that is open.
        within: places to look at; none of them is in something closed outside of them.
    """
    order, holders, spans = arranged.order, arranged.holders, sums.spans
    # Where all is shown a place is its own index.
    whole = len(shown) == len(order)
    lines = array("I")
    taken = within.start if whole else bisect_left(shown, within.start)
    number, last = bisect_left(holders, within.start), bisect_left(holders, within.stop)
    while number < last:
        place = holders[number]
        node = order[place]
        number += 1
        if opened[node]:
            continue
        after = place + spans[node]
        if whole:
            lines += shown[taken : place + 1]
            taken = after
        else:
            lines += shown[taken : bisect_left(shown, place + 1, taken)]
            taken = bisect_left(shown, after, taken)
        if number < last and holders[number] < after:
            number = bisect_left(holders, after, number)
    lines += shown[taken : within.stop if whole else bisect_left(shown, within.stop, taken)]
    return lines
