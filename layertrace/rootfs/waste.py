"""Bytes that layers store and no container sees, each of them once, with its cause.

A regular file's content is seen as long as one name of it is: an entry that is hidden may
live on in a hard link, of its own layer or of a later one.

Source: CONTRACT.md, section 4, ``bloat.data``.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.model.entry import EntryKind
from layertrace.model.waste import Cause
from layertrace.rootfs.places import STRIDE, Place
from layertrace.rootfs.squash import content_number, link_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from layertrace.layers.index import LayerIndex
    from layertrace.rootfs.squash import Hidden, Rootfs

    Digests = Callable[[Iterable[Place]], Mapping[Place, str]]
    """Returns the digests of the contents at some places; of one that it cannot tell, none."""

_FILE: Final = int(EntryKind.FILE)
_DIR: Final = int(EntryKind.DIR)
_HARDLINK: Final = int(EntryKind.HARDLINK)


class Wasted(NamedTuple):
    """Content that one layer stores for a path in vain."""

    path: str
    """``""``: of members that stand at no path, such as one lost below a link of its layer."""
    bytes: int
    cause: Cause
    layer: int
    by: int
    """The layer that undid it; the same where that holds several members of one path."""


def find_wasted(rootfs: Rootfs, digests: Digests) -> tuple[Wasted, ...]:
    """Return what is stored and not seen, in no order to rely on; none of no bytes.

    Args:
        rootfs: of the image.
        digests: asked at most once, and only of contents that another of the same size
            took the place of.
    """
    contents = _Contents(rootfs)
    gone = [contents.end(each) for each in rootfs.hidden if contents.is_wasted(each)]
    undoers = {by: _Undoer(rootfs.layers[by]) for by in {each.by for each in gone}}
    same = _find_same(contents, undoers, gone, digests)
    found = [
        Wasted(
            rootfs.layers[place.layer].paths[place.number],
            contents.size(place),
            Cause.METADATA if place in same else undoers[by].cause(name),
            place.layer,
            by,
        )
        for place, name, by in gone
    ]
    for layer, index in enumerate(rootfs.layers):
        found += _within(layer, index)
    return tuple(found)


def visible_bytes(rootfs: Rootfs) -> list[int]:
    """Return, for each layer, the bytes of it that a container sees."""
    contents = _Contents(rootfs)
    visible = [sum(index.sizes) for index in rootfs.layers]
    for each in rootfs.hidden:
        if contents.is_wasted(each):
            place = each.place
            visible[place.layer] -= rootfs.layers[place.layer].sizes[place.number]
    return visible


def _find_same(
    contents: _Contents, undoers: Mapping[int, _Undoer], gone: Iterable[_Gone], digests: Digests
) -> set[Place]:
    """Return the files whose very content stands at their path since."""
    twins: dict[Place, Place] = {}
    for place, name, by in gone:
        number = undoers[by].index.numbers.get(name)
        twin = None if number is None else contents.of(Place(by, number))
        if twin is not None and contents.size(twin) == contents.size(place):
            twins[place] = twin
    known = digests(dict.fromkeys((*twins, *twins.values()))) if twins else {}
    return {
        place for place, twin in twins.items() if place in known and known[place] == known.get(twin)
    }


def _within(layer: int, index: LayerIndex) -> Iterator[Wasted]:
    """Yield what a layer itself has undone before any other."""
    rest = index.stored_bytes - sum(index.sizes)
    for number, size in index.repeats.items():
        rest -= size
        yield Wasted(index.paths[number], size, Cause.OVERWRITTEN, layer, layer)
    if rest:
        yield Wasted("", rest, Cause.HIDDEN, layer, layer)


class _Gone(NamedTuple):
    """Content that no name of it keeps in sight."""

    place: Place
    name: str
    """The last one that it had."""
    by: int
    """The layer in which that went."""


class _Undoer:
    """One layer, and what it does to paths of those below it."""

    def __init__(self, index: LayerIndex) -> None:
        self.index = index
        self._removed = frozenset(index.whiteouts)
        self._opaque = frozenset(index.opaques)
        self._causes: dict[str, Cause | None] = {}

    def cause(self, path: str) -> Cause:
        """Return why a path that this layer hides is not seen; nothing is said of contents."""
        if path in self.index.numbers:
            return Cause.OVERWRITTEN
        if path in self._removed:
            return Cause.REMOVED
        # What stands below the path now made a directory of it.
        return self._inside(path.rpartition("/")[0]) or Cause.OVERWRITTEN

    def _inside(self, directory: str) -> Cause | None:
        """Return what happened to all that lay in a directory."""
        chain: list[str] = []
        while directory not in self._causes:
            chain.append(directory)
            if not directory:
                break
            directory = directory.rpartition("/")[0]
        cause = self._causes.get(directory)
        for path in reversed(chain):
            if cause is not Cause.REMOVED:
                cause = self._own(path) or cause
            self._causes[path] = cause
        return cause

    def _own(self, directory: str) -> Cause | None:
        if directory in self._removed:
            return Cause.REMOVED
        number = self.index.numbers.get(directory)
        is_wall = number is not None and self.index.kinds[number] != _DIR
        return Cause.HIDDEN if is_wall or directory in self._opaque else None


class _Contents:
    """Which contents of an image some name of theirs keeps in sight."""

    def __init__(self, rootfs: Rootfs) -> None:
        self.rootfs = rootfs
        self._columns = [(index.kinds, index.sizes) for index in rootfs.layers]

    def is_wasted(self, hidden: Hidden) -> bool:
        """Say whether an entry that is not seen holds content that is not seen either."""
        layer, number = place = hidden.place
        kinds, sizes = self._columns[layer]
        return kinds[number] == _FILE and sizes[number] > 0 and place not in self._kept

    def end(self, hidden: Hidden) -> _Gone:
        """Return when the last name of wasted content went."""
        last = self._last_links.get(hidden.place, hidden)
        (layer, number), by = last if last.by > hidden.by else hidden
        return _Gone(hidden.place, self.rootfs.layers[layer].paths[number], by)

    def size(self, place: Place) -> int:
        """Return the bytes of the entry at a place."""
        return self._columns[place.layer][1][place.number]

    def of(self, place: Place) -> Place | None:
        """Return the regular file that an entry is, or is a hard link to."""
        found: Place | None = place
        while found is not None:
            index = self.rootfs.layers[found.layer]
            number = content_number(index, found.number)
            if number is not None:
                is_file = index.kinds[number] == _FILE
                return Place(found.layer, number) if is_file else None
            target = link_end(index, found.number)
            found = None if target is None else self._below(target, found.layer)
        return None

    @cached_property
    def _kept(self) -> frozenset[Place]:
        """The contents of entries that are hidden while a hard link to them is not."""
        seen, promoted = self.rootfs.seen, self.rootfs.promoted
        kept = {Place(seen[path] // STRIDE, number) for path, number in promoted.items()}
        for layer, index in enumerate(self.rootfs.layers):
            for number in index.links:
                is_link = index.kinds[number] == _HARDLINK
                if is_link and seen.get(index.paths[number]) == layer * STRIDE + number:
                    content = self.of(Place(layer, number))
                    if content is not None and content.layer != layer:
                        kept.add(content)
        return frozenset(kept)

    @cached_property
    def _last_links(self) -> Mapping[Place, Hidden]:
        """Of contents that had hard links, the one that went last."""
        last: dict[Place, Hidden] = {}
        for each in self.rootfs.hidden:
            if self._columns[each.place.layer][0][each.place.number] == _HARDLINK:
                content = self.of(each.place)
                if content is not None and last.get(content, each).by <= each.by:
                    last[content] = each
        return last

    @cached_property
    def _hiders(self) -> Mapping[Place, int]:
        return dict(self.rootfs.hidden)

    def _below(self, path: str, layer: int) -> Place | None:
        """Return the entry that a container of the layers below ``layer`` sees at a path."""
        for lower in range(layer - 1, -1, -1):
            number = self.rootfs.layers[lower].numbers.get(path)
            if number is not None:
                place = Place(lower, number)
                return place if self._hiders.get(place, layer) >= layer else None
        return None
