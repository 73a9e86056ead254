"""An image of the engine, walked while it streams."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from layertrace.archive.blob import never
from layertrace.archive.compression import PIECE
from layertrace.errors import DigestMismatchError, LayerError, StoppedError
from layertrace.layers.cache import closed_cache
from layertrace.model.entry import EntryKind
from layertrace.pipeline.contents import (
    Digests,
    PassingSums,
    by_layer,
    digest_of,
    file_content,
    layer_name,
    show_digest,
    with_holes,
)
from layertrace.pipeline.handing import PassingLayers, go_on_to
from layertrace.pipeline.stored_image import Stack
from layertrace.rootfs.places import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import BinaryIO

    from layertrace.archive.blob import StreamReader
    from layertrace.archive.daemon import EngineSource, Streamed
    from layertrace.layers.cache import IndexCache
    from layertrace.layers.index import LayerIndex
    from layertrace.model.image import Image, LayerRef
    from layertrace.pipeline.handing import Parts, Take
    from layertrace.pipeline.watch import Watcher

_BUILDKIT: Final = "buildkit."
_SPOOL: Final = 8 << 20
"""Bytes of a file's content held in memory before they go to a temporary file."""


def open_together(
    sources: Sequence[EngineSource], cache: IndexCache, watcher: Watcher
) -> tuple[StoredInEngine, ...]:
    """Open several images; those not read before in one stream, what they share only once.

    Raises:
        EngineError: the engine broke off.
        StoppedError: the watcher said so.
    """
    # A stream names its images in an order of the engine's own, and by their layers alone
    # are they told apart: of those with the same layers, each further one is opened by itself.
    unlike = {source.facts.diff_ids: source for source in reversed(sources)}
    missing = [source for source in unlike.values() if _cached(source, cache) is None]
    reading = _Reading(cache, watcher)
    streamed: tuple[Streamed, ...] = ()
    if missing:
        # What they share comes once: how much that is only the stream tells.
        watcher.expect(0, None)
        streamed = reading.read(missing)
    brought = {each.facts.id: found for each, found in zip(missing, streamed, strict=True)}
    return tuple(
        StoredInEngine(each, cache, watcher, brought=(brought[each.facts.id], reading))
        if each.facts.id in brought
        else StoredInEngine(each, cache, watcher)
        for each in sources
    )


def _cached(source: EngineSource, cache: IndexCache) -> tuple[Image, dict[str, LayerIndex]] | None:
    """Return an image by the cache alone; None where that does not hold all of it."""
    config = cache.load_config(source.facts.id)
    if config is None:
        return None
    image = source.cached_image(config)
    indexes = {each: cache.load_verified(each) for each in image.config.diff_ids}
    known = {diff_id: index for diff_id, index in indexes.items() if index is not None}
    return (image, known) if known.keys() == indexes.keys() else None


class StoredInEngine:
    """An image of the engine, walked while it streams."""

    def __init__(
        self,
        source: EngineSource,
        cache: IndexCache,
        watcher: Watcher,
        *,
        brought: tuple[Streamed, _Reading] | None = None,
        announce: Callable[[EngineSource], Image | None] | None = None,
    ) -> None:
        """Open the image: by the cache alone where it was read before.

        Args:
            source: the image.
            cache: of what was read before.
            watcher: told of progress, asked whether to stop.
            brought: what a stream of several images brought of this one.
            announce: tells what the image is before it is read, which walking it does then;
                None: that it cannot.

        Raises:
            EngineError: the engine broke off.
            StoppedError: the watcher said so.
        """
        self.cache = cache
        self._source = source
        self._digests = Digests(cache, "")
        self._indexes: dict[str, LayerIndex] = {}
        self._came = True
        """The image is that of the engine, and not what is told of it."""
        known = _cached(source, cache) if brought is None else None
        if known is not None:
            self.image, self._indexes = known
        elif brought is not None:
            self.image = self._adopt(*brought)
        elif announce is not None and (announced := announce(source)) is not None:
            self.image, self._came = announced, False
        else:
            self.image = self._stream(watcher)

    def walk(
        self,
        watcher: Watcher,
        *,
        hashing: bool,
        verify: bool,  # noqa: ARG002 - what streams is always verified
    ) -> tuple[LayerIndex, ...]:
        """Return every layer's index; all of them were verified when they streamed."""
        hashed = not hashing or all(self._hashed(layer) for layer in self.image.layers)
        if not (hashed and self._came):
            self.image = self._stream(watcher)
        return tuple(self._indexes[diff_id] for diff_id in self.image.config.diff_ids)

    def so_far(self) -> Mapping[int, LayerIndex]:
        """Return the indexes of the layers that came by now."""
        read = self._indexes.copy()
        diff_ids = enumerate(self.image.config.diff_ids)
        return {number: read[each] for number, each in diff_ids if each in read}

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

    def digests(self, places: Iterable[Place]) -> Mapping[Place, str]:
        """Return the digests of files; those unknown in one stream of the engine."""
        wanted = list(places)

        def take(place: Place, parts: Parts) -> None:
            layer = self.image.layers[place.layer]
            index = self._indexes[layer.diff_id]
            sha256 = hashlib.sha256()
            for piece in with_holes(parts, index.sizes[place.number]):
                sha256.update(piece)
            self._digests.add(layer.diff_id, index, {place.number: sha256.digest()})

        self.hand_out([place for place in wanted if self.known_digest(place) is None], take)
        return {place: self.digest(place) for place in wanted}

    def known_digest(self, place: Place) -> str | None:
        """Return a file's digest if it was computed before."""
        layer = self.image.layers[place.layer]
        known = self._digests.of(layer.diff_id, self._indexes[layer.diff_id])
        return show_digest(known.get(place.number))

    def known_digests(self) -> Sequence[Mapping[int, bytes]]:
        """Return the digests computed before, of each layer by entry number."""
        return [
            self._digests.of(each, self._indexes[each]) if each in self._indexes else {}
            for each in self.image.config.diff_ids
        ]

    def read(self, place: Place, *, stop: Callable[[], bool] = never) -> Iterator[bytes]:
        """Yield a file's content, streaming the image once more up to its layer."""
        layer = self.image.layers[place.layer]
        index = self._indexes[layer.diff_id]
        found: list[BinaryIO] = []

        def take(_: str, reader: StreamReader) -> bool:
            with suppress(LayerError):
                go_on_to(index.offsets[place.number], reader, 0, stop)
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

        self._source.stream(take, stop=stop)
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
        found = self.cache.load_provenance(image_id)
        if found is not None or self.cache.lacks_provenance(image_id):
            return found
        found = self._source.build_record()
        if found is None:
            self.cache.store_no_provenance(image_id)
        else:
            self.cache.store_provenance(image_id, found)
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

    def hand_out(
        self, places: Iterable[Place], take: Take, *, stop: Callable[[], bool] = never
    ) -> None:
        """Give ``take`` the content of each file, streaming the image once more."""
        PassingLayers(self.image, self._indexes, places, take, stop=stop).read(self._source)

    def stack(self, layers: int) -> Stack:
        """Return what stands for so many lower layers; all were seen to have their diff_ids."""
        return Stack(digest_of(self.image.config.diff_ids[:layers]), "")

    def form(self) -> str:
        """Return that the engine sends all or nothing."""
        return "engine"

    def recall_visible(self) -> Sequence[int] | None:
        """Return the bytes of each layer that a container sees, if that was kept."""
        diff_ids = self.image.config.diff_ids
        return self.cache.load_visible(digest_of(diff_ids), "", count=len(diff_ids))

    def keep_visible(self, visible: Sequence[int]) -> None:
        """Keep the bytes of each layer that a container sees."""
        if self._is_whole(len(self.image.layers)):
            self.cache.store_visible(digest_of(self.image.config.diff_ids), "", visible)

    def recall_packages(self, layers: int) -> bytes | None:
        """Return what was kept of the packages of the layers."""
        return self.cache.load_packages(digest_of(self.image.config.diff_ids[:layers]), "")

    def keep_packages(self, layers: int, data: bytes) -> None:
        """Keep what the layers say of their packages."""
        if self._is_whole(layers):
            self.cache.store_packages(digest_of(self.image.config.diff_ids[:layers]), "", data)

    def recall_bloat(self, layers: int) -> bytes | None:
        """Return what was kept of the waste in the layers."""
        return self.cache.load_bloat(digest_of(self.image.config.diff_ids[:layers]), "")

    def keep_bloat(self, layers: int, data: bytes) -> None:
        """Keep what the layers tell of waste."""
        if self._is_whole(layers):
            self.cache.store_bloat(digest_of(self.image.config.diff_ids[:layers]), "", data)

    def close(self) -> None:
        """Keep the digests computed; close the connection."""
        # Another thread may be at the stream yet.
        self._digests.keep(self._indexes.copy())
        # Whoever asks on does without what is closed by then.
        self.cache = closed_cache()
        self._source.close()

    def _is_whole(self, layers: int) -> bool:
        """Say whether so many lower layers came; none of them is damaged."""
        return all(each in self._indexes for each in self.image.config.diff_ids[:layers])

    def _hashed(self, layer: LayerRef) -> bool:
        index = self._indexes.get(layer.diff_id)
        if index is None:
            return False
        known = self._digests.of(layer.diff_id, index)
        files = index.kinds.count(int(EntryKind.FILE)) - len(index.sparse)
        return len(known) >= files

    def _stream(self, watcher: Watcher) -> Image:
        reading = _Reading(self.cache, watcher, self._learn)
        facts = self._source.facts
        watcher.expect_about(len(facts.diff_ids), facts.size)
        (streamed,) = reading.read([self._source])
        return self._adopt(streamed, reading)

    def _learn(self, diff_id: str, index: LayerIndex, digests: Mapping[int, bytes]) -> None:
        """Take over a layer that came: another thread may look at it while others come."""
        # First, for whoever finds the index asks for them.
        self._digests.add(diff_id, index, digests)
        self._indexes[diff_id] = index

    def _adopt(self, streamed: Streamed, reading: _Reading) -> Image:
        """Take over what a stream brought of this image."""
        for diff_id in streamed.image.config.diff_ids:
            self._learn(diff_id, reading.indexes[diff_id], reading.digests[diff_id])
        self._came = True
        self.cache.store_config(self._source.facts.id, streamed.config)
        self._digests.keep(self._indexes)
        return streamed.image


class _Reading:
    """The layers of one stream, walked as they pass."""

    def __init__(
        self,
        cache: IndexCache,
        watcher: Watcher,
        learn: Callable[[str, LayerIndex, Mapping[int, bytes]], None] | None = None,
    ) -> None:
        self._cache = cache
        self._watcher = watcher
        self._learn = learn
        """Is given each layer as soon as it is read."""
        self._at = (0, 0)
        """Position and entries of the layer that passes."""
        self._diff_ids: dict[str, str] = {}
        """By the name in the stream."""
        self.indexes: dict[str, LayerIndex] = {}
        self.digests: dict[str, Mapping[int, bytes]] = {}

    def read(self, sources: Sequence[EngineSource]) -> tuple[Streamed, ...]:
        """Read these images, and check that each has the layers its configuration names."""
        first, *others = sources
        streamed = first.stream(self._take, stop=self._wait, others=others)
        if streamed is None:
            raise StoppedError
        for layer in (layer for each in streamed for layer in each.image.layers):
            if self._diff_ids.get(layer.blob) != layer.diff_id:
                raise DigestMismatchError(
                    subject=f"{layer_name(layer)} as the engine sent it",
                    expected=layer.diff_id,
                    actual=self._diff_ids.get(layer.blob, "nothing"),
                )
        return streamed

    def _see(self, position: int, entries: int) -> bool:
        self._at = (position, entries)
        return self._watcher.see(position, entries)

    def _wait(self) -> bool:
        """Tell that it still goes on, though the engine may be silent; return whether to stop."""
        return self._watcher.see(*self._at)

    def _take(self, name: str, reader: StreamReader) -> bool:
        watcher = self._watcher
        from layertrace.layers.walk import walk_layer  # noqa: PLC0415 - not where all is kept

        walked = walk_layer(
            reader, name=name, hash_contents=True, watch=self._see, limits=reader.limits
        )
        if walked.index.damage:
            # The engine has the layer whole: this is the stream's doing.
            raise LayerError(walked.index.damage, hint="ask the engine again")
        reader.verify()
        self._diff_ids[name] = diff_id = reader.diff_id()
        index = replace(walked.index, verified=True, length=reader.length())
        self.indexes[diff_id] = index
        self._cache.store_layer(diff_id, "", index)
        self.digests[diff_id] = walked.digests
        if self._learn is not None:
            self._learn(diff_id, index, walked.digests)
        watcher.finish_layer(reader.length(), len(index))
        self._at = (0, 0)
        return True


def _never() -> bool:
    return False
