"""What both kinds of stored images share: file contents and their digests."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

from layertrace.archive.compression import PIECE
from layertrace.errors import LayerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from layertrace.archive.blob import LayerReader
    from layertrace.layers.cache import IndexCache
    from layertrace.layers.index import LayerIndex
    from layertrace.model.image import LayerRef
    from layertrace.rootfs.squash import Place


class Reader(Protocol):
    """A layer's tar, as far as contents need it."""

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes from ``offset``, none only where the tar ends."""
        ...


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


def digest_of(texts: Iterable[str]) -> str:
    """Return a digest that stands for several texts in their order."""
    return f"sha256:{hashlib.sha256(repr(list(texts)).encode()).hexdigest()}"


def layer_name(layer: LayerRef) -> str:
    """Return what messages call a layer."""
    short = f" ({layer.diff_id[:19]}…)" if layer.diff_id else ""
    return f"layer {layer.index}{short}"


def file_parts(reader: Reader, index: LayerIndex, number: int) -> Iterator[tuple[int, bytes]]:
    """Yield what a regular file stores, out of its layer's tar: offset in the file, and bytes.

    Raises:
        LayerError: the tar ends before the file, or its sparse map makes no sense.
    """
    size = index.sizes[number]
    parts = index.sparse.get(number, ((0, size),))
    stored, position = index.offsets[number], 0
    for start, length in parts:
        if start < position or start + length > size:
            raise LayerError(f"the sparse map of {index.paths[number]!r} is damaged")
        position, end = start, start + length
        while position < end:
            piece = reader.read_at(stored, min(PIECE, end - position))
            if not piece:
                raise LayerError(f"the layer is cut short inside {index.paths[number]!r}")
            yield position, piece
            stored += len(piece)
            position += len(piece)


def file_content(reader: Reader, index: LayerIndex, number: int) -> Iterator[bytes]:
    """Yield a regular file's content, holes as zeros."""
    return with_holes(file_parts(reader, index, number), index.sizes[number])


def with_holes(parts: Iterable[tuple[int, bytes]], size: int) -> Iterator[bytes]:
    """Yield the content of a file of ``size`` bytes from what it stores, holes as zeros."""
    end = 0
    for start, piece in parts:
        yield from _zeros(start - end)
        yield piece
        end = start + len(piece)
    yield from _zeros(size - end)


def _zeros(count: int) -> Iterator[bytes]:
    while count > 0:
        yield bytes(min(PIECE, count))
        count -= PIECE


def by_layer(
    headers: Mapping[Place, Sequence[bytes]],
) -> Mapping[int, Mapping[int, Sequence[bytes]]]:
    """Return the headers layer by layer, and there by entry number."""
    layers: defaultdict[int, dict[int, Sequence[bytes]]] = defaultdict(dict)
    for place, each in headers.items():
        layers[place.layer][place.number] = each
    return layers


def sums_of(
    reader: LayerReader, index: LayerIndex, headers: Mapping[int, Sequence[bytes]]
) -> dict[int, tuple[str, ...]]:
    """Return the sha256 of each header with the file's content after it, by entry number."""
    found: dict[int, tuple[str, ...]] = {}
    # In the order they are stored: a packed tar cannot be entered in the middle.
    for number in sorted(headers, key=lambda number: index.offsets[number]):
        hashes = [hashlib.sha256(header) for header in headers[number]]
        for piece in file_content(reader, index, number):
            for each in hashes:
                each.update(piece)
        found[number] = tuple(each.hexdigest() for each in hashes)
    return found


class PassingSums:
    """The same of a tar that goes by once, and that may be this layer's or another's."""

    def __init__(self, index: LayerIndex, headers: Mapping[int, Sequence[bytes]]) -> None:
        """Prepare for the files of one layer; sparse ones are left out."""
        numbers = [n for n in headers if n not in index.sparse]
        self._files = [
            (index.offsets[n], index.sizes[n], n, [hashlib.sha256(h) for h in headers[n]])
            for n in sorted(numbers, key=lambda n: index.offsets[n])
        ]
        self._next = 0

    def take(self, position: int, piece: bytes) -> None:
        """Hash what of a piece, the next of the tar, belongs to a file."""
        end = position + len(piece)
        while self._next < len(self._files):
            start, size, _, hashes = self._files[self._next]
            if start >= end:
                return
            part = memoryview(piece)[max(start - position, 0) : start + size - position]
            for each in hashes:
                each.update(part)
            if start + size > end:
                return
            self._next += 1

    def done(self) -> dict[int, tuple[str, ...]]:
        """Return the sums of the files whose content went by whole."""
        return {
            number: tuple(each.hexdigest() for each in hashes)
            for _, _, number, hashes in self._files[: self._next]
        }
