"""Contents that an image has at several places in sight."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from layertrace.analysis.leftovers.visible import list_visible
from layertrace.model.waste import Duplicate
from layertrace.rootfs.places import STRIDE

if TYPE_CHECKING:
    from layertrace.analysis.leftovers.visible import VisibleFiles
    from layertrace.pipeline.answers import ImageTrace

SMALLEST: Final = 4096
"""Bytes of a content that is looked for. Licences and empty modules stand in an image by the
thousand; to read them all would cost as much as they take."""


def find_duplicates(trace: ImageTrace, files: VisibleFiles | None = None) -> tuple[Duplicate, ...]:
    """Return contents of at least :data:`SMALLEST` bytes with several paths, most bytes first.

    Only files whose size another has are read. Sparse files and those of damaged layers are
    left out.

    Args:
        trace: the image.
        files: those in sight, where they are listed already.

    Raises:
        LayertraceError: a content cannot be had.
    """
    layers = [(index.sparse, bool(index.damage)) for index in trace.rootfs.layers]
    files = list_visible(trace) if files is None else files
    sizes: defaultdict[int, list[int]] = defaultdict(list)
    for row, (size, packed) in enumerate(zip(files.sizes, files.places, strict=True)):
        if size >= SMALLEST:
            sparse, damaged = layers[packed // STRIDE]
            if not damaged and packed % STRIDE not in sparse:
                sizes[size].append(row)
    alike = [row for each in sizes.values() if len(each) > 1 for row in each]
    places = [files.place(row) for row in alike]
    digests = trace.digests(places)
    copies: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
    for row, place in zip(alike, places, strict=True):
        copies[digests[place], files.sizes[row]].append(files.paths[row])
    found = (
        Duplicate(digest=digest, size=size, paths=tuple(sorted(paths)))
        for (digest, size), paths in copies.items()
        if len(paths) > 1
    )
    return tuple(sorted(found, key=lambda each: (-each.bytes, each.paths)))
