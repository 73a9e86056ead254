"""Files that stand elsewhere now: the content that one path lost and another has."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from layertrace.model.difference import DiffKind
from layertrace.model.entry import EntryKind
from layertrace.rootfs.places import STRIDE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from layertrace.analysis.difference.pairs import Pairs
    from layertrace.analysis.difference.sides import Side
    from layertrace.rootfs.places import Place

_LEAST: Final = 256
"""Bytes: of anything smaller two files may well have the same by chance."""
_MANY: Final = 32
"""Paths on one side with one content: what that many share moved nowhere."""
_DEPTH: Final = 4
"""Names at the end of two paths that are compared, where several have the content."""
_FILE: Final = int(EntryKind.FILE)

_Files = dict[int, list[int]]


def find_renames(old: Side, new: Side, pairs: Pairs, paths: Sequence[str]) -> Mapping[int, int]:
    """Return the number of each removed path whose file was only renamed, and the added one's.

    Raises:
        LayertraceError: a content cannot be had.
    """
    gone = _by_size(old, pairs.old, pairs.kinds, DiffKind.REMOVED)
    come = _by_size(new, pairs.new, pairs.kinds, DiffKind.ADDED)
    both = gone.keys() & come.keys()
    ours = _by_digest(old, pairs.old, gone, both)
    theirs = _by_digest(new, pairs.new, come, both)
    found: dict[int, int] = {}
    for digest in ours.keys() & theirs.keys():
        found.update(_match(ours[digest], theirs[digest], paths))
    return dict(sorted(found.items()))


def _by_size(side: Side, rows: Sequence[int], kinds: bytearray, wanted: DiffKind) -> _Files:
    sizes: defaultdict[int, list[int]] = defaultdict(list)
    for number, kind in enumerate(kinds):
        packed = side.places[rows[number]] if kind == wanted else -1
        if packed < 0:
            continue
        index, entry = side.layers[packed // STRIDE], packed % STRIDE
        if index.kinds[entry] == _FILE and index.sizes[entry] >= _LEAST:
            sizes[index.sizes[entry]].append(number)
    return sizes


def _by_digest(
    side: Side, rows: Sequence[int], files: _Files, sizes: set[int]
) -> Mapping[str, list[int]]:
    places: dict[int, Place] = {
        number: side.content(side.places[rows[number]]) for size in sizes for number in files[size]
    }
    digests = side.trace.digests(places.values())
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number in sorted(places):
        found[digests[places[number]]].append(number)
    return found


def _match(
    gone: Sequence[int], come: Sequence[int], paths: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """Yield those that belong together: no other path could be meant."""
    if len(gone) == len(come) == 1:
        yield gone[0], come[0]
        return
    if len(gone) > _MANY or len(come) > _MANY:
        return
    left, right = set(gone), set(come)
    for depth in range(_DEPTH, 0, -1):
        ours, theirs = _by_tail(left, paths, depth), _by_tail(right, paths, depth)
        for tail in ours.keys() & theirs.keys():
            if len(ours[tail]) == len(theirs[tail]) == 1:
                (one,), (other,) = ours[tail], theirs[tail]
                yield one, other
                left.discard(one)
                right.discard(other)


def _by_tail(numbers: set[int], paths: Sequence[str], depth: int) -> Mapping[str, list[int]]:
    found: defaultdict[str, list[int]] = defaultdict(list)
    for number in numbers:
        names = paths[number].split("/")
        if len(names) >= depth:
            found["/".join(names[-depth:])].append(number)
    return found
