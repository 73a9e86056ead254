"""What the layers of a stored image make together: out of the cache, or folded and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.rootfs.folded import LazyRootfs, dump_rootfs, load_rootfs
from layertrace.rootfs.squash import squash

if TYPE_CHECKING:
    from layertrace.layers.index import LayerIndex
    from layertrace.pipeline.stored_image import StoredImage
    from layertrace.rootfs.squash import Rootfs

KIND: Final = "squash"


def fold(stored: StoredImage, indexes: tuple[LayerIndex, ...]) -> Rootfs:
    """Return what lower layers of an image make together, once somebody looks at it."""
    return LazyRootfs(indexes, lambda: _fold(stored, indexes))


def _fold(stored: StoredImage, indexes: tuple[LayerIndex, ...]) -> Rootfs:
    if any(index.damage for index in indexes):
        return squash(indexes)
    key, witness = stored.stack(len(indexes))
    data = stored.cache.load_answer(KIND, key, witness)
    rootfs = None if data is None else load_rootfs(data, indexes)
    if rootfs is None:
        rootfs = squash(indexes)
        stored.cache.store_answer(KIND, key, witness, dump_rootfs(rootfs))
    return rootfs
