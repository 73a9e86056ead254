"""What the cache has of an archive's layers, and what is put there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.pipeline.contents import Digests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.archive.blob import LayerReader
    from layertrace.layers.cache import IndexCache
    from layertrace.layers.index import LayerIndex
    from layertrace.model.image import Image, LayerRef
    from layertrace.pipeline.stored_image import LayerSource

VERIFY_LIMIT: Final = 16 << 20
"""A plain layer up to this many bytes is always read whole and checked against
its diff_id: that costs some ten milliseconds. A larger one only when asked."""


def is_small(length: int) -> bool:
    """Say whether a plain layer of so many bytes is always checked."""
    return length <= VERIFY_LIMIT


class KeptLayers:
    """The layers of one image of an archive, as the cache knows them."""

    def __init__(self, source: LayerSource, image: Image, cache: IndexCache) -> None:
        """Ask nothing yet."""
        self._source = source
        self._cache = cache
        self.digests = [Digests(cache, self._witness(layer)) for layer in image.layers]
        """Of the contents of each layer."""

    def find(self, layer: LayerRef, reader: LayerReader, *, verify: bool) -> LayerIndex | None:
        """Return the index of a layer, if it may answer for this archive's copy."""
        witness = self._witness(layer)
        index, own = self._cache.load_layer(layer.diff_id, witness)
        if index is None or (verify and not (own and index.verified)):
            return None
        if own or not reader.random_access:
            return index if own else None
        # Another archive told of this layer. Here it must at least have the
        # same length, and a small one the same bytes.
        length = reader.length()
        if length != index.length:
            return None
        if is_small(length):
            if reader.mismatches():
                return None
            self._cache.confirm_layer(layer.diff_id, witness)
        else:
            # It may have other contents all the same: they answer for no other archive.
            self.digests[layer.index].alone = True
        return index

    def keep(
        self, layer: LayerRef, index: LayerIndex, digests: Mapping[int, bytes], data: bytes = b""
    ) -> None:
        """Keep what the walk of a layer told; ``data`` is the index dumped, where that was done."""
        if not index.damage:
            # Half an index is kept nowhere: it is no answer for another day.
            self._cache.store_layer(layer.diff_id, self._witness(layer), index, data)
        self.digests[layer.index].add(layer.diff_id, index, digests)

    def _witness(self, layer: LayerRef) -> str:
        """Return what stands for this very copy of a layer: an archive may lie about its own."""
        return f"{self._source.witness}:{layer.blob}"
