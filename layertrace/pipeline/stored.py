"""An image of an archive or layout: its layers' indexes and contents, through the cache or not."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, cast

from layertrace.archive.blob import never
from layertrace.errors import StoppedError
from layertrace.layers.cache import closed_cache
from layertrace.pipeline.bounds import ImageRoom, is_bomb, refuse_bomb
from layertrace.pipeline.contents import (
    by_layer,
    digest_of,
    file_content,
    layer_name,
    show_digest,
    sums_of,
)
from layertrace.pipeline.handing import go_on_to, hand_out
from layertrace.pipeline.kept_layers import KeptLayers
from layertrace.pipeline.stored_image import Stack
from layertrace.rootfs.places import Place

if TYPE_CHECKING:
    from collections.abc import (
        Callable,
        Collection,
        Generator,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )

    from layertrace.archive.blob import LayerReader
    from layertrace.layers.cache import IndexCache
    from layertrace.layers.index import LayerIndex
    from layertrace.model.image import Image, LayerRef
    from layertrace.pipeline.handing import Take
    from layertrace.pipeline.stored_image import LayerSource
    from layertrace.pipeline.watch import Watcher


class StoredArchive:
    """An image of an archive or layout; plain layers are read where they lie."""

    def __init__(self, source: LayerSource, image: Image, cache: IndexCache) -> None:
        """Keep the source, which may serve several images of one archive."""
        self.image = image
        self.cache = cache
        self._source = source
        self._kept = KeptLayers(source, image, cache)
        self._digests = self._kept.digests
        self._plain: dict[int, bool] = {}
        self._indexes: dict[int, LayerIndex] = {}
        """Of the layers that were read, which are not all where the reading was stopped."""

    def walk(self, watcher: Watcher, *, hashing: bool, verify: bool) -> tuple[LayerIndex, ...]:
        """Return every layer's index, walking only what the cache does not have."""
        readers = [self._source.open_layer(layer) for layer in self.image.layers]
        self._plain = {number: reader.random_access for number, reader in enumerate(readers)}
        sizes = [self._source.stored_size(layer) for layer in self.image.layers]
        watcher.expect(len(readers), sum(sizes))
        room = ImageRoom(self._source.limits)
        known = self._known(readers, verify=verify)
        with closing(self._read(readers, known, watcher, hashing=hashing, verify=verify)) as read:
            for layer, size, index in zip(self.image.layers, sizes, read, strict=True):
                room.take(index, layer_name(layer))
                watcher.finish_layer(size, len(index))
                self._indexes[layer.index] = index
        return tuple(self._indexes[layer.index] for layer in self.image.layers)

    def so_far(self) -> Mapping[int, LayerIndex]:
        """Return the indexes of the layers that were read by now."""
        # A layer may be added while they are copied one by one.
        return self._indexes.copy()

    def digest(self, place: Place) -> str:
        """Return a file's digest, hashing it now if nobody has."""
        layer, index = self.image.layers[place.layer], self._indexes[place.layer]
        digests = self._digests[place.layer]
        known = digests.of(layer.diff_id, index)
        found = known.get(place.number)
        if found is None:
            refuse_bomb(index, place.number, self._source.limits)
            if self._is_plain(place.layer):
                self._hash(place.layer, [place.number])
            else:
                with self._open(layer.index) as reader:
                    # One pass for all files of the layer: a packed tar cannot
                    # be entered in the middle.
                    from layertrace.layers.walk import walk_layer  # noqa: PLC0415 - not where all is kept

                    walked = walk_layer(
                        reader,
                        name=layer_name(layer),
                        hash_contents=True,
                        limits=self._source.limits,
                    )
                    digests.add(layer.diff_id, index, walked.digests)
            found = known.get(place.number) or self._sparse_digest(place)
        return f"sha256:{found.hex()}"

    def digests(self, places: Iterable[Place]) -> Mapping[Place, str]:
        """Return the digests of files; of a plain layer, those unknown are read in one go."""
        wanted = list(places)
        unknown = [place for place in wanted if self.known_digest(place) is None]
        for layer, numbers in by_layer(dict.fromkeys(unknown, ())).items():
            if self._is_plain(layer):
                self._hash(layer, numbers)
        return {place: self.digest(place) for place in wanted}

    def known_digest(self, place: Place) -> str | None:
        """Return a file's digest if it was computed before."""
        layer = self.image.layers[place.layer]
        known = self._digests[place.layer].of(layer.diff_id, self._indexes[place.layer])
        return show_digest(known.get(place.number))

    def known_digests(self) -> Sequence[Mapping[int, bytes]]:
        """Return the digests computed before, of each layer by entry number."""
        return [
            self._digests[layer.index].of(layer.diff_id, self._indexes[layer.index])
            if layer.index in self._indexes
            else {}
            for layer in self.image.layers
        ]

    def read(self, place: Place, *, stop: Callable[[], bool] = never) -> Iterator[bytes]:
        """Yield a file's content, sparse parts filled with zeros."""
        index = self._indexes[place.layer]
        refuse_bomb(index, place.number, self._source.limits)
        with self._open(place.layer) as reader:
            if not reader.random_access:
                go_on_to(index.offsets[place.number], reader, 0, stop)
            yield from file_content(reader, index, place.number)

    def cost(self, files: Iterable[Place]) -> int:
        """Return the size of the files, or of whole layers where those are packed."""
        sizes: dict[int, int] = defaultdict(int)
        for place in files:
            sizes[place.layer] += self._indexes[place.layer].sizes[place.number]
        return sum(
            size if self._is_plain(layer) else self._indexes[layer].length
            for layer, size in sizes.items()
        )

    def sums(self, headers: Mapping[Place, Sequence[bytes]]) -> Mapping[Place, Sequence[str]]:
        """Return the sums of the files, each layer opened once."""
        found: dict[Place, Sequence[str]] = {}
        for layer, each in by_layer(headers).items():
            index = self._indexes[layer]
            wanted = {n: h for n, h in each.items() if not is_bomb(index, n, self._source.limits)}
            with self._open(layer) as reader:
                sums = sums_of(reader, index, wanted)
            found |= {Place(layer, number): each for number, each in sums.items()}
        return found

    def hand_out(
        self, places: Iterable[Place], take: Take, *, stop: Callable[[], bool] = never
    ) -> None:
        """Give ``take`` the content of each file, each layer opened once."""
        for layer, numbers in by_layer(dict.fromkeys(places, ())).items():
            with self._open(layer) as reader:
                hand_out(reader, self._indexes[layer], layer, numbers, take, stop=stop)

    def stack(self, layers: int) -> Stack:
        """Return what stands for so many lower layers, as this archive has them."""
        told = [self._digests[n].witness(self._indexes[n]) for n in range(layers)]
        key = digest_of(layer.diff_id for layer in self.image.layers[:layers])
        return Stack(key, digest_of(told) if any(told) else "")

    def form(self) -> str:
        """Return which layers are plain: others cost what they have in all."""
        return "".join("-+"[plain] for _, plain in sorted(self._plain.items()))

    def recall_visible(self) -> Sequence[int] | None:
        """Return the bytes of each layer that a container sees, if that was kept."""
        count = len(self.image.layers)
        if not self._is_read(count):
            return None
        return self.cache.load_visible(*self.stack(count), count=count)

    def keep_visible(self, visible: Sequence[int]) -> None:
        """Keep the bytes of each layer that a container sees, unless a layer is damaged."""
        count = len(self.image.layers)
        if self._is_whole(count):
            self.cache.store_visible(*self.stack(count), visible)

    def recall_packages(self, layers: int) -> bytes | None:
        """Return what was kept of the packages of the layers, as this archive has them."""
        return self.cache.load_packages(*self.stack(layers)) if self._is_read(layers) else None

    def keep_packages(self, layers: int, data: bytes) -> None:
        """Keep what the layers say of their packages, unless some of it could not be read."""
        if self._is_whole(layers):
            self.cache.store_packages(*self.stack(layers), data)

    def recall_bloat(self, layers: int) -> bytes | None:
        """Return what was kept of the waste in the layers, as this archive has them."""
        return self.cache.load_bloat(*self.stack(layers)) if self._is_read(layers) else None

    def keep_bloat(self, layers: int, data: bytes) -> None:
        """Keep what the layers tell of waste, unless some of it could not be read."""
        if self._is_whole(layers):
            self.cache.store_bloat(*self.stack(layers), data)

    def _is_read(self, count: int) -> bool:
        """Say whether so many lower layers were read."""
        return all(number in self._indexes for number in range(count))

    def _is_whole(self, count: int) -> bool:
        """Say whether they were, and each to its end."""
        return self._is_read(count) and not any(self._indexes[n].damage for n in range(count))

    def close(self) -> None:
        """Keep the digests computed; close the archive."""
        for number, index in self._indexes.copy().items():
            if not index.damage:
                self._digests[number].keep({self.image.layers[number].diff_id: index})
        # Whoever asks on does without what is closed by then.
        self.cache = closed_cache()
        self._source.close()

    def _open(self, layer: int) -> LayerReader:
        """Open a layer for its contents; whether they are its own was looked at before."""
        reader = self._source.open_layer(self.image.layers[layer])
        reader.forgo_digests()
        return reader

    def _hash(self, layer: int, numbers: Collection[int]) -> None:
        """Learn the digests of files of a plain layer."""
        index = self._indexes[layer]
        for number in index.sparse.keys() & numbers:
            refuse_bomb(index, number, self._source.limits)
        # Most commands hash nothing.
        from layertrace.pipeline.hashing import hash_files  # noqa: PLC0415

        with self._source.open_layer(self.image.layers[layer]) as reader:
            found = hash_files(reader, index, numbers)
        self._digests[layer].add(self.image.layers[layer].diff_id, index, found)

    def _is_plain(self, layer: int) -> bool:
        if layer not in self._plain:
            with self._source.open_layer(self.image.layers[layer]) as reader:
                self._plain[layer] = reader.random_access
        return self._plain[layer]

    def _sparse_digest(self, place: Place) -> bytes:
        sha256 = hashlib.sha256()
        for piece in self.read(place):
            sha256.update(piece)
        layer = self.image.layers[place.layer]
        found = {place.number: sha256.digest()}
        self._digests[place.layer].add(layer.diff_id, self._indexes[place.layer], found)
        return found[place.number]

    def _read_before(self, layer: LayerRef, *, verify: bool) -> LayerIndex | None:
        """Return what a reading that was stopped had of a layer, where no cache keeps it."""
        index = self._indexes.get(layer.index)
        if index is None or index.damage or (verify and not index.verified):
            return None
        return index

    def _known(
        self, readers: Sequence[LayerReader], *, verify: bool
    ) -> Sequence[LayerIndex | None]:
        """Return the indexes that need no walk."""
        known: list[LayerIndex | None] = []
        for layer, reader in zip(self.image.layers, readers, strict=True):
            index = self._read_before(layer, verify=verify)
            if index is None:
                index = self._kept.find(layer, reader, verify=verify)
            known.append(index)
        return known

    def _read(
        self,
        readers: Sequence[LayerReader],
        known: Sequence[LayerIndex | None],
        watcher: Watcher,
        *,
        hashing: bool,
        verify: bool,
    ) -> Generator[LayerIndex]:
        """Yield every layer's index, base first."""
        if None not in known:
            yield from cast("Sequence[LayerIndex]", known)
            return
        # Most readings walk nothing.
        from layertrace.pipeline.walking import Walks  # noqa: PLC0415

        made = Walks(self._source, self.image, self._kept, watcher, hashing=hashing, verify=verify)
        with made as walks:
            walks.begin(readers, known)
            try:
                for layer, reader, index in zip(self.image.layers, readers, known, strict=True):
                    with reader:
                        read = walks.walk(layer, reader) if index is None else index
                    yield read
            except StoppedError:
                # Layers above one that was not read are worth as much another time.
                self._indexes.update(walks.finished())
                raise
