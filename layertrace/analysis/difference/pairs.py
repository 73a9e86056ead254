"""Two file systems side by side: every path that differs, and in what."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.analysis.difference.sides import IMPLICIT
from layertrace.model.difference import Attribute, DiffKind
from layertrace.model.entry import EntryKind
from layertrace.rootfs.places import STRIDE, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from layertrace.analysis.difference.sides import Side
    from layertrace.layers.index import LayerIndex

_AT_ONCE: Final = 20_000
"""Contents compared in one go: each layer is opened once a go."""
_FILE: Final = int(EntryKind.FILE)
_DIR: Final = int(EntryKind.DIR)
_SYMLINK: Final = int(EntryKind.SYMLINK)
_HARDLINK: Final = int(EntryKind.HARDLINK)
_DEVICES: Final = frozenset({int(EntryKind.CHAR), int(EntryKind.BLOCK)})
_OPEN: Final = 255
"""For now in the place of a kind: the contents are to be compared."""
_SAME: Final = 254
_NONE: Final = -1


@dataclass(slots=True)
class Pairs:
    """The changes in columns, before anybody asked for their causes."""

    old: array[int] = field(default_factory=lambda: array("q"))
    """Into the side's rows; -1: it has no such path."""
    new: array[int] = field(default_factory=lambda: array("q"))
    kinds: bytearray = field(default_factory=bytearray)
    attributes: bytearray = field(default_factory=bytearray)
    deltas: array[int] = field(default_factory=lambda: array("q"))

    def add(self, old: int, new: int, kind: int, attributes: int, delta: int) -> None:
        """Add a row."""
        self.old.append(old)
        self.new.append(new)
        self.kinds.append(kind)
        self.attributes.append(attributes)
        self.deltas.append(delta)

    def keep(self, numbers: Sequence[int]) -> Pairs:
        """Return some of the rows."""
        return Pairs(
            array("q", (self.old[n] for n in numbers)),
            array("q", (self.new[n] for n in numbers)),
            bytearray(self.kinds[n] for n in numbers),
            bytearray(self.attributes[n] for n in numbers),
            array("q", (self.deltas[n] for n in numbers)),
        )


def find_pairs(old: Side, new: Side, *, times: bool = True) -> Pairs:
    """Return the paths that differ, in preorder.

    Files of a layer that both images have are not read, nor are those of different sizes.

    Args:
        old: the one image.
        new: the other.
        times: a path that differs in its time alone is a change.

    Raises:
        LayertraceError: a content cannot be had.
    """
    pairs = Pairs()
    compare = _Compare(old, new)
    for a, b in _side_by_side(old, new):
        if b == _NONE:
            pairs.add(a, b, DiffKind.REMOVED, 0, -old.sizes[a])
        elif a == _NONE:
            pairs.add(a, b, DiffKind.ADDED, 0, new.sizes[b])
        else:
            kind, attributes = compare.entries(a, b)
            if kind != _SAME or attributes:
                pairs.add(a, b, kind, attributes, new.sizes[b] - old.sizes[a])
    _compare_contents(old, new, pairs)
    ignored = 0 if times else int(Attribute.TIME)
    return pairs.keep(
        [
            number
            for number, (kind, attributes) in enumerate(
                zip(pairs.kinds, pairs.attributes, strict=True)
            )
            if kind != DiffKind.METADATA or attributes & ~ignored
        ]
    )


def same_layers(old: Side, new: Side) -> Mapping[int, int]:
    """Return the layers of the old image that the new one has as well, whatever their order.

    By the diff_ids that are in the images; what the layers hold must agree with that.
    """
    known: dict[str, int] = {}
    for number, diff_id in enumerate(new.diff_ids):
        known.setdefault(diff_id, number)
    shared = (
        (number, known.get(diff_id)) for number, diff_id in enumerate(old.diff_ids) if diff_id
    )
    return {
        number: other
        for number, other in shared
        if other is not None and _is_same(old.layers[number], new.layers[other])
    }


def _is_same(one: LayerIndex, two: LayerIndex) -> bool:
    return one is two or (
        one.kinds == two.kinds
        and one.sizes == two.sizes
        and one.offsets == two.offsets
        and list(one.paths) == list(two.paths)
        and one.links == two.links
    )


def _side_by_side(old: Side, new: Side) -> Iterator[tuple[int, int]]:
    """Yield the paths of both in preorder: their numbers, -1 where one does not have it."""
    ours, theirs = old.table.paths, new.table.paths
    a, b, ends = 0, 0, (len(old.rows), len(new.rows))
    while a < ends[0] and b < ends[1]:
        left, right = ours[old.rows[a]], theirs[new.rows[b]]
        if left == right:
            yield a, b
            a, b = a + 1, b + 1
        elif left.replace("/", "\0") < right.replace("/", "\0"):
            yield a, _NONE
            a += 1
        else:
            yield _NONE, b
            b += 1
    yield from ((rest, _NONE) for rest in range(a, ends[0]))
    yield from ((_NONE, rest) for rest in range(b, ends[1]))


class _Seen(NamedTuple):
    """What a container sees at a path, as far as it is compared."""

    kind: int
    size: int
    stands_for: object
    """Of a link its target, of a device its numbers."""
    mode: int
    owner: tuple[int, int]
    mtime: int
    capability: bytes | None


class _Compare:
    """Compares entries of two images."""

    def __init__(self, old: Side, new: Side) -> None:
        self._old = old
        self._new = new
        shared = same_layers(old, new)
        self._shared = [shared.get(number, _NONE) for number in range(len(old.layers))]

    def entries(self, a: int, b: int) -> tuple[int, int]:
        """Return how two entries differ, and in which attributes."""
        old, new = self._old, self._new
        ours, theirs = old.places[a], new.places[b]
        links = 0 if old.sizes[a] == new.sizes[b] else int(Attribute.LINKS)
        if ours == theirs == IMPLICIT:
            return _SAME, 0
        if IMPLICIT in {ours, theirs}:
            return self._with_implicit(a, b)
        layer, number = ours // STRIDE, ours % STRIDE
        shared = self._shared[layer]
        if shared >= 0 and theirs == shared * STRIDE + number:
            kinds = old.layers[layer].kinds
            if kinds[number] != _HARDLINK:
                return (DiffKind.METADATA, links) if links else (_SAME, 0)
        return self._look(ours, theirs, links=links)

    def _look(self, ours: int, theirs: int, *, links: int) -> tuple[int, int]:
        (mine, here), (yours, there) = _seen(self._old, ours), _seen(self._new, theirs)
        attributes = _attributes(mine, yours)
        if mine.kind != yours.kind:
            return DiffKind.TYPE, attributes
        if mine.size != yours.size or mine.stands_for != yours.stands_for:
            return DiffKind.MODIFIED, attributes
        attributes |= links
        if mine.kind == _FILE and mine.size and not self._is_one(here, there):
            return _OPEN, attributes
        return (DiffKind.METADATA, attributes) if attributes else (_SAME, 0)

    def _is_one(self, here: Place, there: Place) -> bool:
        return here.number == there.number and self._shared[here.layer] == there.layer

    def _with_implicit(self, a: int, b: int) -> tuple[int, int]:
        """A directory that no entry made has neither mode nor owner nor time to compare."""
        if self._old.places[a] == IMPLICIT:
            kind = _seen(self._new, self._new.places[b])[0].kind
        else:
            kind = _seen(self._old, self._old.places[a])[0].kind
        if kind != _DIR:
            return DiffKind.TYPE, 0
        return DiffKind.METADATA, int(Attribute.MODE | Attribute.OWNER | Attribute.TIME)


def _seen(side: Side, packed: int) -> tuple[_Seen, Place]:
    place = Place(packed // STRIDE, packed % STRIDE)
    if side.layers[place.layer].kinds[place.number] == _HARDLINK:
        end = side.content(packed)
        # One to a directory is nothing but a link: no container makes it.
        place = place if side.layers[end.layer].kinds[end.number] == _DIR else end
    index, number = side.layers[place.layer], place.number
    kind = index.kinds[number]
    stands_for: object = None
    if kind in {_SYMLINK, _HARDLINK}:
        stands_for = index.links.get(number)
    elif kind in _DEVICES:
        stands_for = index.devices.get(number)
    return _Seen(
        kind,
        index.sizes[number],
        stands_for,
        index.modes[number],
        (index.uids[number], index.gids[number]),
        index.mtimes[number],
        index.capabilities.get(number),
    ), place


def _attributes(one: _Seen, two: _Seen) -> int:
    # The mode and the time of a link are nobody's to see.
    is_link = one.kind == two.kind == _SYMLINK
    found = Attribute(0)
    if one.mode != two.mode and not is_link:
        found |= Attribute.MODE
    if one.owner != two.owner:
        found |= Attribute.OWNER
    if one.mtime != two.mtime:
        found |= Attribute.TIME
    if one.capability != two.capability:
        found |= Attribute.CAPABILITY
    return int(found)


def _compare_contents(old: Side, new: Side, pairs: Pairs) -> None:
    """Settle what entries of one size could not tell, some at a time."""
    waiting = [number for number, kind in enumerate(pairs.kinds) if kind == _OPEN]
    for start in range(0, len(waiting), _AT_ONCE):
        some = waiting[start : start + _AT_ONCE]
        ours = [old.content(old.places[pairs.old[number]]) for number in some]
        theirs = [new.content(new.places[pairs.new[number]]) for number in some]
        mine, yours = old.trace.digests(ours), new.trace.digests(theirs)
        for number, here, there in zip(some, ours, theirs, strict=True):
            same = mine[here] == yours[there]
            pairs.kinds[number] = DiffKind.METADATA if same else DiffKind.MODIFIED
