"""The regular files a container sees, each content once, in columns."""

from __future__ import annotations

from array import array
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.rootfs.places import STRIDE, Place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layertrace.pipeline.answers import ImageTrace
    from layertrace.rootfs.squash import Rootfs

_FILE: Final = int(EntryKind.FILE)
_HARDLINK: Final = int(EntryKind.HARDLINK)


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleFiles:
    """Every regular file in sight that is not empty; hard links to one file are one row."""

    paths: Sequence[str]
    """Of several hard links the first by name."""
    sizes: Sequence[int]
    places: Sequence[int]
    """Of the entries that hold the contents, packed as in the squash."""
    names: Mapping[int, tuple[str, ...]]
    """Row to all names in sight, for the files that a visible hard link leads to."""

    def place(self, row: int) -> Place:
        """Return the entry that holds a content."""
        return Place(*divmod(self.places[row], STRIDE))


def list_visible(trace: ImageTrace) -> VisibleFiles:
    """Return the files a container of an image sees."""
    rootfs = trace.rootfs
    links = _links(trace)
    layers = [(index.kinds, index.sizes) for index in rootfs.layers]
    paths: list[str] = []
    sizes, places = array("q"), array("q")
    for path, packed in rootfs.seen.items():
        number = packed % STRIDE
        kinds, column = layers[packed // STRIDE]
        if kinds[number] == _FILE and column[number] and packed not in links:
            paths.append(path)
            sizes.append(column[number])
            places.append(packed)
    names: dict[int, tuple[str, ...]] = {}
    for packed, each in links.items():
        size = layers[packed // STRIDE][1][packed % STRIDE]
        if size:
            names[len(paths)] = each
            paths.append(each[0])
            sizes.append(size)
            places.append(packed)
    return VisibleFiles(paths=paths, sizes=sizes, places=places, names=names)


def _links(trace: ImageTrace) -> dict[int, tuple[str, ...]]:
    """Return the contents that visible hard links lead to, with all their names in sight."""
    rootfs = trace.rootfs
    names: defaultdict[int, list[str]] = defaultdict(list)
    for layer, index in enumerate(rootfs.layers):
        for number in index.links:
            path = index.paths[number]
            if index.kinds[number] != _HARDLINK:
                continue
            if rootfs.seen.get(path) != layer * STRIDE + number:
                continue
            content = trace.content_place(Place(layer, number))
            if rootfs.layers[content.layer].kinds[content.number] == _FILE:
                names[content.layer * STRIDE + content.number].append(path)
    return {packed: tuple(sorted({*each, *_own(rootfs, packed)})) for packed, each in names.items()}


def _own(rootfs: Rootfs, packed: int) -> tuple[str, ...]:
    """Return the name of a file itself, if that is in sight."""
    path = rootfs.layers[packed // STRIDE].paths[packed % STRIDE]
    return (path,) if rootfs.seen.get(path) == packed else ()
