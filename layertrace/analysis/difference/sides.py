"""One of two images, as the comparison of file systems needs it."""

from __future__ import annotations

from array import array
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change
from layertrace.rootfs.places import STRIDE, Place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.layers.index import LayerIndex
    from layertrace.model.files import FileTable
    from layertrace.pipeline.answers import ImageTrace

IMPLICIT: Final = -1
"""In the place of a place: no entry made the directory."""
_HARDLINK: Final = int(EntryKind.HARDLINK)


class Side:
    """The paths a container of an image sees, and what each adds to its size."""

    def __init__(self, trace: ImageTrace) -> None:
        """Look up every path; nothing is hashed but what tracing asks for."""
        self.trace = trace
        self.table: FileTable = trace.table
        self.layers: tuple[LayerIndex, ...] = trace.rootfs.layers
        refs = trace.sized_head.image.layers
        self.diff_ids = tuple(
            index.diff_id or ref.diff_id for index, ref in zip(self.layers, refs, strict=True)
        )
        """What the layers really are, where that is known, else what the image says."""
        removed = Change.REMOVED
        self.rows = array("q", (r for r, c in enumerate(self.table.changes) if c is not removed))
        seen, paths = trace.rootfs.seen, self.table.paths
        self.places = array("q", (seen.get(paths[row], IMPLICIT) for row in self.rows))
        self.sizes = array("q", (self.table.sizes[row] for row in self.rows))
        self._share_out()

    @cached_property
    def removers(self) -> Mapping[str, int]:
        """Path that some layer holds and the image does not, to the layer that removed it.

        A directory no entry made went with the last of what lay in it.
        """
        table = self.table
        found: dict[str, int] = {}
        last: dict[str, int] = {}
        for row in range(len(table.paths) - 1, -1, -1):
            # In preorder backwards a directory follows what is in it.
            if table.changes[row] is Change.REMOVED:
                path, layer = table.paths[row], table.layers[row]
                found[path] = layer = layer if layer >= 0 else last.get(path, IMPLICIT)
                folder = path.rpartition("/")[0]
                last[folder] = max(layer, last.get(folder, IMPLICIT))
        return found

    @property
    def visible(self) -> int:
        """Bytes of the regular files that a container sees."""
        return sum(self.sizes)

    @property
    def stored(self) -> int:
        """Those of all layers."""
        return sum(index.stored_bytes for index in self.layers)

    def content(self, packed: int) -> Place:
        """Return the entry that holds the content of the entry at a packed place."""
        return self.trace.content_place(Place(packed // STRIDE, packed % STRIDE))

    def _share_out(self) -> None:
        """Count the bytes of a file with several names at the first of them.

        A tar counts them at whichever it holds first: of two images with the same file
        system the one may hold ``perl`` and the other ``perl5.32``.
        """
        kinds = [index.kinds for index in self.layers]
        groups: defaultdict[Place, list[int]] = defaultdict(list)
        for number, packed in enumerate(self.places):
            if packed >= 0 and kinds[packed // STRIDE][packed % STRIDE] == _HARDLINK:
                groups[self.content(packed)].append(number)
        if not groups:
            return
        wanted = {place.layer * STRIDE + place.number: place for place in groups}
        for number, packed in enumerate(self.places):
            place = wanted.get(packed)
            if place is not None and number not in groups[place]:
                groups[place].append(number)
        for names in groups.values():
            size = sum(self.sizes[number] for number in names)
            for number in names:
                self.sizes[number] = 0
            self.sizes[min(names)] = size
