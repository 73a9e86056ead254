"""What both kinds of stored images share: file contents and their digests."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Protocol, Self

from layertrace.archive.compression import PIECE
from layertrace.errors import LayerError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from layertrace.archive.blob import LayerReader
    from layertrace.layers.cache import IndexCache
    from layertrace.layers.index import LayerIndex
    from layertrace.model.image import LayerRef
    from layertrace.rootfs.places import Place


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
        self.alone = False
        """What is learned is of this one archive, for nobody saw that it has the layer's bytes."""

    def witness(self, index: LayerIndex) -> str:
        """Return what stands for the archive where it may be another's word; else nothing."""
        return "" if index.verified and not self.alone else self._witness

    def of(self, diff_id: str, index: LayerIndex) -> dict[int, bytes]:
        """Return what is known of a layer, by entry number."""
        if diff_id not in self._known:
            self._known[diff_id] = self._cache.load_digests(diff_id, self.witness(index))
        return self._known[diff_id]

    def add(self, diff_id: str, index: LayerIndex, digests: Mapping[int, bytes]) -> None:
        """Learn more of a layer."""
        if digests:
            self.of(diff_id, index).update(digests)
            self._grown.add(diff_id)

    def keep(self, indexes: Mapping[str, LayerIndex]) -> None:
        """Write what was learned to the cache."""
        for diff_id in self._grown & indexes.keys():
            witness = self.witness(indexes[diff_id])
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


class FileParts:
    """What a regular file stores, out of its layer's tar, read no further than somebody asks.

    An iterator over what is left of it: offset in the file, and bytes, holes left out. What is
    skipped of a plain layer is never read.
    """

    __slots__ = ("_end", "_index", "_number", "_passed", "_reader", "_rest", "_start", "_stored",
                 "any_order")  # fmt: skip

    def __init__(
        self, reader: Reader, index: LayerIndex, number: int, *, random_access: bool = False
    ) -> None:
        """Read nothing yet.

        Args:
            reader: of the layer's tar.
            index: of the layer.
            number: of the file's entry.
            random_access: the reader may go back.
        """
        self._reader = reader
        self._index = index
        self._number = number
        # What is stored next: its start and end in the file, and where that start is in the tar.
        self._start = self._end = 0
        self._stored = index.offsets[number]
        self._rest = iter(index.sparse.get(number, ((0, index.sizes[number]),)))
        self._passed = 0
        self.any_order = random_access and number not in index.sparse
        """``read_at`` may go back."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[int, bytes]:
        """Return the next piece.

        Raises:
            LayerError: the tar ends before the file, or its sparse map makes no sense.
        """
        if not self._has_more():
            raise StopIteration
        start = self._start
        piece = self._take(PIECE)
        self._passed = self._start
        return start, piece

    def skip_to(self, offset: int) -> None:
        """Pass over what stands before an offset; never goes back.

        Raises:
            LayerError: the sparse map makes no sense.
        """
        while self._has_more() and self._start < offset:
            skipped = min(offset, self._end) - self._start
            self._start += skipped
            self._stored += skipped
        self._passed = max(self._passed, offset)

    def read_at(self, offset: int, size: int) -> bytes:
        """Return bytes from an offset on, holes as zeros; fewer only where the file ends.

        None of a place that has gone by, unless any order will do.

        Raises:
            LayerError: the tar ends before the file, or its sparse map makes no sense.
        """
        size = max(0, min(size, self._index.sizes[self._number] - offset))
        if self.any_order:
            data = self._reader.read_at(self._index.offsets[self._number] + offset, size)
            if len(data) < size:
                raise self._cut_short()
            return data
        if offset < self._passed:
            return b""
        self.skip_to(offset)
        found, end = bytearray(size), offset + size
        while self._has_more() and self._start < end:
            at = self._start - offset
            piece = self._take(end - self._start)
            found[at : at + len(piece)] = piece
        self._passed = end
        return bytes(found)

    def _has_more(self) -> bool:
        """Go on to the next stored part where one ended; say whether there is any."""
        while self._start >= self._end:
            part = next(self._rest, None)
            if part is None:
                return False
            start, length = part
            if start < self._end or start + length > self._index.sizes[self._number]:
                raise LayerError(f"the sparse map of {self._path!r} is damaged")
            self._start, self._end = start, start + length
        return True

    def _take(self, size: int) -> bytes:
        """Return up to ``size`` bytes of the part, and go past them."""
        piece = self._reader.read_at(self._stored, min(size, self._end - self._start))
        if not piece:
            raise self._cut_short()
        self._start += len(piece)
        self._stored += len(piece)
        return piece

    def _cut_short(self) -> LayerError:
        return LayerError(f"the layer is cut short inside {self._path!r}")

    @property
    def _path(self) -> str:
        return self._index.paths[self._number]


def file_content(reader: Reader, index: LayerIndex, number: int) -> Iterator[bytes]:
    """Yield a regular file's content, holes as zeros."""
    return with_holes(FileParts(reader, index, number), index.sizes[number])


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
