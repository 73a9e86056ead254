"""One stored image: its layers' indexes and contents, through the cache or from the bytes."""

from __future__ import annotations

import hashlib
import tempfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol, cast

from layertrace.archive.blob import PIECE
from layertrace.errors import DigestMismatchError, LayerError, StoppedError
from layertrace.layers.walk import walk_layer
from layertrace.model.entry import EntryKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

    from layertrace.archive.blob import LayerReader, StreamReader
    from layertrace.archive.daemon import EngineSource
    from layertrace.archive.source import ArchiveSource
    from layertrace.layers.cache import IndexCache
    from layertrace.layers.index import LayerIndex
    from layertrace.model.image import Image, LayerRef
    from layertrace.rootfs.squash import Place

VERIFY_LIMIT: Final = 16 << 20
"""A plain layer up to this many bytes is always read whole and checked against
its diff_id: that costs some ten milliseconds. A larger one only when asked."""
_SPOOL: Final = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkProgress:
    """How far a walk is."""

    layer: int
    layers: int
    bytes_done: int
    """Of the layers' tars, passed over or read."""
    bytes_total: int | None
    entries: int


class Watcher:
    """Tells one listener of progress, and layers when to stop."""

    def __init__(self, progress: Callable[[WalkProgress], None], stop: Callable[[], bool]) -> None:
        """Keep both ends."""
        self._progress = progress
        self.stop = stop
        self._bytes = 0
        self._entries = 0
        self._layer = 0
        self._layers = 0
        self._total: int | None = None

    def expect(self, layers: int, total: int | None) -> None:
        """Add layers, and their bytes where known, to what is to come."""
        self._layers += layers
        self._total = None if total is None else (self._total or 0) + total

    def see(self, position: int, entries: int) -> bool:
        """Pass on how far the present layer is; return whether to stop."""
        self._progress(
            WalkProgress(
                layer=self._layer,
                layers=self._layers,
                bytes_done=self._bytes + position,
                bytes_total=self._total,
                entries=self._entries + entries,
            )
        )
        return self.stop()

    def finish_layer(self, length: int, entries: int) -> None:
        """Count a layer as done."""
        self._bytes += length
        self._entries += entries
        self._layer += 1


class StoredImage(Protocol):
    """An image whose layers can be walked and read."""

    image: Image

    def walk(self, watcher: Watcher, *, hashing: bool, verify: bool) -> tuple[LayerIndex, ...]:
        """Return every layer's index, base first.

        Args:
            watcher: told of progress, asked whether to stop.
            hashing: content digests will be asked for: whatever has to be
                read whole may compute them on the way.
            verify: read every layer whole and check its diff_id.
        """
        ...

    def digest(self, place: Place) -> str:
        """Return the digest of the regular file at ``place``."""
        ...

    def known_digest(self, place: Place) -> str | None:
        """Return the digest if somebody asked for it before; hashes nothing."""
        ...

    def read(self, place: Place) -> Iterator[bytes]:
        """Yield the content of the regular file at ``place``."""
        ...

    def close(self) -> None:
        """Keep what was learned; let go of files."""
        ...


class _Digests:
    """Content digests of an image's layers, kept in the cache between runs."""

    def __init__(self, cache: IndexCache, witness: str) -> None:
        self._cache = cache
        self._witness = witness
        self._known: dict[str, dict[int, bytes]] = {}
        self._grown: set[str] = set()

    def of(self, diff_id: str, index: LayerIndex) -> dict[int, bytes]:
        if diff_id not in self._known:
            witness = "" if index.verified else self._witness
            self._known[diff_id] = self._cache.load_digests(diff_id, witness)
        return self._known[diff_id]

    def add(self, diff_id: str, index: LayerIndex, digests: Mapping[int, bytes]) -> None:
        if digests:
            self.of(diff_id, index).update(digests)
            self._grown.add(diff_id)

    def keep(self, indexes: Mapping[str, LayerIndex]) -> None:
        for diff_id in self._grown & indexes.keys():
            witness = "" if indexes[diff_id].verified else self._witness
            self._cache.store_digests(diff_id, witness, self._known[diff_id])
        self._grown.clear()


class StoredArchive:
    """An image of an archive or layout; plain layers are read where they lie."""

    def __init__(self, source: ArchiveSource, image: Image, cache: IndexCache) -> None:
        """Keep the source, which may serve several images of one archive."""
        self.image = image
        self._source = source
        self._cache = cache
        self._digests = _Digests(cache, source.witness)
        self._indexes: tuple[LayerIndex, ...] = ()

    def walk(self, watcher: Watcher, *, hashing: bool, verify: bool) -> tuple[LayerIndex, ...]:
        """Return every layer's index, walking only what the cache does not have."""
        readers = [self._source.open_layer(layer) for layer in self.image.layers]
        lengths = [r.length() if r.random_access else None for r in readers]
        known = [length for length in lengths if length is not None]
        watcher.expect(len(readers), sum(known) if len(known) == len(readers) else None)
        indexes = []
        for layer, reader in zip(self.image.layers, readers, strict=True):
            with reader:
                index = self._cached(layer, reader, verify=verify)
                if index is None:
                    index = self._walk(layer, reader, watcher, hashing=hashing, verify=verify)
            watcher.finish_layer(index.length, len(index))
            indexes.append(index)
        self._indexes = tuple(indexes)
        return self._indexes

    def digest(self, place: Place) -> str:
        """Return a file's digest, hashing it now if nobody has."""
        layer, index = self.image.layers[place.layer], self._indexes[place.layer]
        known = self._digests.of(layer.diff_id, index)
        found = known.get(place.number)
        if found is None:
            with self._source.open_layer(layer) as reader:
                if reader.random_access:
                    sha256 = hashlib.sha256()
                    for piece in _content(reader, index, place.number):
                        sha256.update(piece)
                    self._digests.add(layer.diff_id, index, {place.number: sha256.digest()})
                else:
                    # One pass for all files of the layer: a packed tar cannot
                    # be entered in the middle.
                    walked = walk_layer(reader, name=_name(layer), hash_contents=True)
                    self._digests.add(layer.diff_id, index, walked.digests)
            found = known.get(place.number) or self._sparse_digest(place)
        return f"sha256:{found.hex()}"

    def known_digest(self, place: Place) -> str | None:
        """Return a file's digest if it was computed before."""
        layer = self.image.layers[place.layer]
        known = self._digests.of(layer.diff_id, self._indexes[place.layer])
        return _shown(known.get(place.number))

    def read(self, place: Place) -> Iterator[bytes]:
        """Yield a file's content, sparse parts filled with zeros."""
        with self._source.open_layer(self.image.layers[place.layer]) as reader:
            yield from _content(reader, self._indexes[place.layer], place.number)

    def close(self) -> None:
        """Keep the digests computed; close the archive."""
        diff_ids = self.image.config.diff_ids
        self._digests.keep(dict(zip(diff_ids, self._indexes, strict=False)))
        self._source.close()

    def _sparse_digest(self, place: Place) -> bytes:
        sha256 = hashlib.sha256()
        for piece in self.read(place):
            sha256.update(piece)
        layer = self.image.layers[place.layer]
        found = {place.number: sha256.digest()}
        self._digests.add(layer.diff_id, self._indexes[place.layer], found)
        return found[place.number]

    def _cached(self, layer: LayerRef, reader: LayerReader, *, verify: bool) -> LayerIndex | None:
        witness = self._source.witness
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
        if length <= VERIFY_LIMIT:
            reader.verify()
            self._cache.confirm_layer(layer.diff_id, witness)
        return index

    def _walk(
        self, layer: LayerRef, reader: LayerReader, watcher: Watcher, *, hashing: bool, verify: bool
    ) -> LayerIndex:
        hash_contents = hashing and not reader.random_access
        walked = walk_layer(
            reader, name=_name(layer), hash_contents=hash_contents, watch=watcher.see
        )
        index = walked.index
        if verify or not reader.random_access or reader.length() <= VERIFY_LIMIT:
            reader.verify()
            index = replace(index, verified=True)
        index = replace(index, length=reader.length())
        self._cache.store_layer(layer.diff_id, self._source.witness, index)
        self._digests.add(layer.diff_id, index, walked.digests)
        return index


class StoredInEngine:
    """An image of the engine, walked while it streams."""

    def __init__(self, source: EngineSource, cache: IndexCache, watcher: Watcher) -> None:
        """Open the image: by the cache alone where it was read before.

        Raises:
            EngineError: the engine broke off.
            StoppedError: the watcher said so.
        """
        self._source = source
        self._cache = cache
        self._digests = _Digests(cache, "")
        self._indexes: dict[str, LayerIndex] = {}
        config = cache.load_config(source.facts.id)
        image = source.cached_image(config) if config is not None else None
        for diff_id in image.config.diff_ids if image is not None else ():
            index = cache.load_verified(diff_id)
            if index is not None:
                self._indexes[diff_id] = index
        if image is None or self._indexes.keys() != set(image.config.diff_ids):
            image = self._stream(watcher)
        self.image = image

    def walk(
        self,
        watcher: Watcher,
        *,
        hashing: bool,
        verify: bool,  # noqa: ARG002 - what streams is always verified
    ) -> tuple[LayerIndex, ...]:
        """Return every layer's index; all of them were verified when they streamed."""
        indexes = tuple(self._indexes[diff_id] for diff_id in self.image.config.diff_ids)
        if hashing and not all(self._hashed(layer) for layer in self.image.layers):
            self._stream(watcher)
        return indexes

    def digest(self, place: Place) -> str:
        """Return a file's digest; the engine is asked again if it was never hashed."""
        layer = self.image.layers[place.layer]
        known = self._digests.of(layer.diff_id, self._indexes[layer.diff_id])
        if place.number not in known:
            sha256 = hashlib.sha256()
            for piece in self.read(place):
                sha256.update(piece)
            known[place.number] = sha256.digest()
        return f"sha256:{known[place.number].hex()}"

    def known_digest(self, place: Place) -> str | None:
        """Return a file's digest if it was computed before."""
        layer = self.image.layers[place.layer]
        known = self._digests.of(layer.diff_id, self._indexes[layer.diff_id])
        return _shown(known.get(place.number))

    def read(self, place: Place) -> Iterator[bytes]:
        """Yield a file's content, streaming the image once more up to its layer."""
        layer = self.image.layers[place.layer]
        index = self._indexes[layer.diff_id]
        found: list[BinaryIO] = []

        def take(_: str, reader: StreamReader) -> bool:
            # Which layer this is shows only at its end, so the content that
            # would be the file's is set aside until then.
            spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115
            for piece in _content(reader, index, place.number):
                spool.write(piece)
            reader.verify()
            if reader.diff_id() != layer.diff_id:
                spool.close()
                return True
            spool.seek(0)
            found.append(cast("BinaryIO", spool))
            return False

        self._source.stream(take, stop=_never)
        if not found:
            raise LayerError(f"the engine no longer has {_name(layer)} of {self._source.name}")
        with found[0] as content:
            while piece := content.read(PIECE):
                yield piece

    def close(self) -> None:
        """Keep the digests computed; close the connection."""
        self._digests.keep(self._indexes)
        self._source.close()

    def _hashed(self, layer: LayerRef) -> bool:
        index = self._indexes[layer.diff_id]
        known = self._digests.of(layer.diff_id, index)
        files = index.kinds.count(int(EntryKind.FILE)) - len(index.sparse)
        return len(known) >= files

    def _stream(self, watcher: Watcher) -> Image:
        diff_ids: dict[str, str] = {}
        watcher.expect(0, None)

        def take(name: str, reader: StreamReader) -> bool:
            walked = walk_layer(reader, name=name, hash_contents=True, watch=watcher.see)
            reader.verify()
            diff_ids[name] = diff_id = reader.diff_id()
            index = replace(walked.index, verified=True, length=reader.length())
            self._indexes[diff_id] = index
            self._cache.store_layer(diff_id, "", index)
            self._digests.add(diff_id, index, walked.digests)
            watcher.finish_layer(reader.length(), len(index))
            return True

        streamed = self._source.stream(take, stop=watcher.stop)
        if streamed is None:
            raise StoppedError
        for layer in streamed.image.layers:
            if diff_ids.get(layer.blob) != layer.diff_id:
                raise DigestMismatchError(
                    subject=f"{_name(layer)} as the engine sent it",
                    expected=layer.diff_id,
                    actual=diff_ids.get(layer.blob, "nothing"),
                )
        self._cache.store_config(self._source.facts.id, streamed.config)
        self._digests.keep(self._indexes)
        return streamed.image


def _shown(digest: bytes | None) -> str | None:
    return None if digest is None else f"sha256:{digest.hex()}"


def _never() -> bool:
    return False


def _name(layer: LayerRef) -> str:
    return f"layer {layer.index} ({layer.diff_id[:19]}…)"


def _content(reader: LayerReader, index: LayerIndex, number: int) -> Iterator[bytes]:
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
