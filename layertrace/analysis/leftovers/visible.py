"""The regular files a container sees, each content once."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.model.entry import EntryKind
from layertrace.rootfs.squash import STRIDE, Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from layertrace.pipeline.answers import ImageTrace

_FILE: Final = int(EntryKind.FILE)
_HARDLINK: Final = int(EntryKind.HARDLINK)


class Visible(NamedTuple):
    """A content and the name it goes by."""

    path: str
    """Of several hard links the first by name."""
    place: Place
    """Of the entry that holds the content."""
    size: int


class VisibleFiles:
    """Every regular file in sight; hard links to one file are one."""

    def __init__(self, trace: ImageTrace) -> None:
        """Find out which contents have several names; the rest is asked for when listed."""
        self._rootfs = trace.rootfs
        self.links: Mapping[int, tuple[str, ...]] = _links(trace)
        """Packed place of a content that a visible hard link has: all its names in sight."""

    def __iter__(self) -> Iterator[Visible]:
        """Yield them, those with hard links last."""
        layers = [(index.kinds, index.sizes) for index in self._rootfs.layers]
        links = self.links
        for path, packed in self._rootfs.seen.items():
            layer, number = divmod(packed, STRIDE)
            kinds, sizes = layers[layer]
            if kinds[number] == _FILE and packed not in links:
                yield Visible(path, Place(layer, number), sizes[number])
        for packed, names in links.items():
            layer, number = divmod(packed, STRIDE)
            yield Visible(names[0], Place(layer, number), layers[layer][1][number])

    def names(self, file: Visible) -> tuple[str, ...]:
        """Return every name in sight of a file."""
        packed = file.place.layer * STRIDE + file.place.number
        return self.links.get(packed, (file.path,))


def _links(trace: ImageTrace) -> dict[int, tuple[str, ...]]:
    rootfs = trace.rootfs
    names: defaultdict[int, list[str]] = defaultdict(list)
    for layer, index in enumerate(rootfs.layers):
        for number in index.links:
            path = index.paths[number]
            packed = layer * STRIDE + number
            if index.kinds[number] != _HARDLINK or rootfs.seen.get(path) != packed:
                continue
            content = trace.content_place(Place(layer, number))
            target = rootfs.layers[content.layer]
            if target.kinds[content.number] == _FILE:
                names[content.layer * STRIDE + content.number].append(path)
    for packed, each in names.items():
        layer, number = divmod(packed, STRIDE)
        own = rootfs.layers[layer].paths[number]
        if rootfs.seen.get(own) == packed:
            each.append(own)
    return {packed: tuple(sorted(each)) for packed, each in names.items()}
