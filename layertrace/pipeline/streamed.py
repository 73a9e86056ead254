"""An image of the engine, walked while it streams."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from layertrace.archive.compression import PIECE
from layertrace.errors import DigestMismatchError, LayerError, StoppedError
from layertrace.layers.walk import walk_layer
from layertrace.model.entry import EntryKind
from layertrace.pipeline.contents import (
    Digests,
    PassingSums,
    by_layer,
    file_content,
    layer_name,
    show_digest,
)
from layertrace.rootfs.squash import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import BinaryIO

    from layertrace.archive.blob import StreamReader
    from layertrace.archive.daemon import EngineSource
    from layertrace.layers.cache import IndexCache
    from layertrace.layers.index import LayerIndex
    from layertrace.model.image import Image, LayerRef
    from layertrace.pipeline.watch import Watcher

_BUILDKIT: Final = "buildkit."
_SPOOL: Final = 8 << 20
"""Bytes of a file's content held in memory before they go to a temporary file."""


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
        self._digests = Digests(cache, "")
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
        return show_digest(known.get(place.number))

    def read(self, place: Place) -> Iterator[bytes]:
        """Yield a file's content, streaming the image once more up to its layer."""
        layer = self.image.layers[place.layer]
        index = self._indexes[layer.diff_id]
        found: list[BinaryIO] = []

        def take(_: str, reader: StreamReader) -> bool:
            # Which layer this is shows only at its end, so the content that
            # would be the file's is set aside until then.
            spool = tempfile.SpooledTemporaryFile(max_size=_SPOOL)  # noqa: SIM115
            with suppress(LayerError):
                # A shorter layer is another one.
                for piece in file_content(reader, index, place.number):
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
            raise LayerError(f"the engine no longer has {layer_name(layer)} of {self._source.name}")
        with found[0] as content:
            while piece := content.read(PIECE):
                yield piece

    def attestation(self) -> bytes | None:
        """Return what the engine's builder recorded of the image's build.

        Asking takes a second, so only where BuildKit built it.
        """
        comments = (entry.comment for entry in self.image.config.history)
        if not any(comment.startswith(_BUILDKIT) for comment in comments):
            return None
        image_id = self._source.facts.id
        found = self._cache.load_provenance(image_id)
        if found is None:
            found = self._source.build_record()
            if found is not None:
                self._cache.store_provenance(image_id, found)
        return found

    def cost(self, files: Iterable[Place]) -> int:  # noqa: ARG002
        """Return the size of the image: the engine sends nothing less."""
        return sum(index.length for index in self._indexes.values())

    def sums(self, headers: Mapping[Place, Sequence[bytes]]) -> Mapping[Place, Sequence[str]]:
        """Return the sums of the files, streaming the image once more."""
        wanted = {self.image.layers[n]: each for n, each in by_layer(headers).items()}
        found: dict[Place, Sequence[str]] = {}

        def take(_: str, reader: StreamReader) -> bool:
            # Which layer this is shows only at its end.
            sums = {n: PassingSums(self._indexes[n.diff_id], each) for n, each in wanted.items()}
            position = 0
            while piece := reader.read_at(position, PIECE):
                for each in sums.values():
                    each.take(position, piece)
                position += len(piece)
            for layer, each in sums.items():
                if layer.diff_id == reader.diff_id():
                    done = each.done().items()
                    found.update({Place(layer.index, number): sum_ for number, sum_ in done})
                    del wanted[layer]
            return bool(wanted)

        self._source.stream(take, stop=_never)
        return found

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
            if walked.index.damage:
                # The engine has the layer whole: this is the stream's doing.
                raise LayerError(walked.index.damage, hint="ask the engine again")
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
                    subject=f"{layer_name(layer)} as the engine sent it",
                    expected=layer.diff_id,
                    actual=diff_ids.get(layer.blob, "nothing"),
                )
        self._cache.store_config(self._source.facts.id, streamed.config)
        self._digests.keep(self._indexes)
        return streamed.image


def _never() -> bool:
    return False
