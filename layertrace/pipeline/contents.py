"""What both kinds of stored images share: file contents and their digests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.archive.blob import PIECE
from layertrace.errors import LayerError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from layertrace.archive.blob import LayerReader
    from layertrace.layers.cache import IndexCache
    from layertrace.layers.index import LayerIndex
    from layertrace.model.image import LayerRef


class Digests:
    """Content digests of an image's layers, kept in the cache between runs."""

    def __init__(self, cache: IndexCache, witness: str) -> None:
        """Keep the cache and what stands for the archive in it."""
        self._cache = cache
        self._witness = witness
        self._known: dict[str, dict[int, bytes]] = {}
        self._grown: set[str] = set()

    def of(self, diff_id: str, index: LayerIndex) -> dict[int, bytes]:
        """Return what is known of a layer, by entry number."""
        if diff_id not in self._known:
            witness = "" if index.verified else self._witness
            self._known[diff_id] = self._cache.load_digests(diff_id, witness)
        return self._known[diff_id]

    def add(self, diff_id: str, index: LayerIndex, digests: Mapping[int, bytes]) -> None:
        """Learn more of a layer."""
        if digests:
            self.of(diff_id, index).update(digests)
            self._grown.add(diff_id)

    def keep(self, indexes: Mapping[str, LayerIndex]) -> None:
        """Write what was learned to the cache."""
        for diff_id in self._grown & indexes.keys():
            witness = "" if indexes[diff_id].verified else self._witness
            self._cache.store_digests(diff_id, witness, self._known[diff_id])
        self._grown.clear()


def show_digest(digest: bytes | None) -> str | None:
    """Return a raw sha256 as ``sha256:<hex>``."""
    return None if digest is None else f"sha256:{digest.hex()}"


def layer_name(layer: LayerRef) -> str:
    """Return what messages call a layer."""
    return f"layer {layer.index} ({layer.diff_id[:19]}…)"


def file_content(reader: LayerReader, index: LayerIndex, number: int) -> Iterator[bytes]:
    """Yield a regular file's content out of its layer's tar, holes as zeros."""
    parts = index.sparse.get(number, ((0, index.sizes[number]),))
    stored, position = index.offsets[number], 0
    for start, length in parts:
        yield from _zeros(start - position)
        end = stored + length
        while stored < end:
            piece = reader.read_at(stored, min(PIECE, end - stored))
            if not piece:
                raise LayerError(f"the layer is cut short inside {index.paths[number]!r}")
            yield piece
            stored += len(piece)
        position = start + length
    yield from _zeros(index.sizes[number] - position)


def _zeros(count: int) -> Iterator[bytes]:
    while count > 0:
        yield bytes(min(PIECE, count))
        count -= PIECE
