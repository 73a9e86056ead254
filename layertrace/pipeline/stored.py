"""One stored image: its layers' indexes and contents, through the cache or from the bytes."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from layertrace.archive.blob import StreamReader
from layertrace.errors import LayerError, LimitError, StoppedError
from layertrace.layers.cache import closed_cache
from layertrace.layers.index import load_index
from layertrace.pipeline.abreast import Task, work_abreast
from layertrace.pipeline.beside import walk_beside
from layertrace.pipeline.bounds import ImageRoom, is_bomb, refuse_bomb
from layertrace.pipeline.contents import (
    Digests,
    by_layer,
    digest_of,
    file_content,
    layer_name,
    show_digest,
    sums_of,
)
from layertrace.pipeline.handing import hand_out
from layertrace.rootfs.places import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from layertrace.archive.blob import LayerReader
    from layertrace.layers.cache import IndexCache
    from layertrace.layers.index import LayerIndex
    from layertrace.layers.walk import Walked
    from layertrace.model.image import Image, LayerRef
    from layertrace.model.limits import Limits
    from layertrace.pipeline.abreast import Abreast
    from layertrace.pipeline.beside import Beside, See
    from layertrace.pipeline.handing import Take
    from layertrace.pipeline.watch import Watcher

VERIFY_LIMIT: Final = 16 << 20
"""A plain layer up to this many bytes is always read whole and checked against
its diff_id: that costs some ten milliseconds. A larger one only when asked."""


class Stack(NamedTuple):
    """What stands for some lower layers of a stored image, together, in the cache."""

    key: str
    witness: str
    """What stands for an archive that is taken at its word; ``""`` where none has to be."""


class StoredImage(Protocol):
    """An image whose layers can be walked and read."""

    image: Image
    cache: IndexCache
    """Where answers about it are kept, as long as it is open."""

    def walk(self, watcher: Watcher, *, hashing: bool, verify: bool) -> tuple[LayerIndex, ...]:
        """Return every layer's index, base first.

        Args:
            watcher: told of progress, asked whether to stop.
            hashing: content digests will be asked for: whatever has to be
                read whole may compute them on the way.
            verify: read every layer whole and check its diff_id.
        """
        ...

    def so_far(self) -> Mapping[int, LayerIndex]:
        """Return the indexes of the layers that were read by now, by layer.

        Another thread may be reading; what they hold can be asked for at once.
        """
        ...

    def digest(self, place: Place) -> str:
        """Return the digest of the regular file at ``place``."""
        ...

    def digests(self, places: Iterable[Place]) -> Mapping[Place, str]:
        """Return the digests of regular files, each layer opened once."""
        ...

    def known_digest(self, place: Place) -> str | None:
        """Return the digest if somebody asked for it before; hashes nothing."""
        ...

    def known_digests(self) -> Sequence[Mapping[int, bytes]]:
        """Return those of each layer by entry number, as bytes."""
        ...

    def read(self, place: Place) -> Iterator[bytes]:
        """Yield the content of the regular file at ``place``."""
        ...

    def cost(self, files: Iterable[Place]) -> int:
        """Return how many bytes must be read to get at the contents of these files."""
        ...

    def sums(self, headers: Mapping[Place, Sequence[bytes]]) -> Mapping[Place, Sequence[str]]:
        """Return the sha256 of each header with the file's content after it, in hex.

        What cannot be read any more is left out.
        """
        ...

    def hand_out(self, places: Iterable[Place], take: Take) -> None:
        """Give ``take`` the content of each regular file, layer by layer, each read once.

        Raises:
            LayertraceError: a content cannot be had; of those before it, ``take`` has all.
        """
        ...

    def stack(self, layers: int) -> Stack:
        """Return what stands for so many lower layers, all of them read, in the cache."""
        ...

    def form(self) -> str:
        """Return what tells by which layers reading costs as much as ever :meth:`cost` says."""
        ...

    def recall_visible(self) -> Sequence[int] | None:
        """Return the bytes of each layer that a container sees, if that was kept."""
        ...

    def keep_visible(self, visible: Sequence[int]) -> None:
        """Keep the bytes of each layer that a container sees."""
        ...

    def recall_packages(self, layers: int) -> bytes | None:
        """Return what was kept of the packages of so many lower layers; None: nothing."""
        ...

    def keep_packages(self, layers: int, data: bytes) -> None:
        """Keep what so many lower layers say of their packages, which is long to find out."""
        ...

    def recall_bloat(self, layers: int) -> bytes | None:
        """Return what was kept of the waste in so many lower layers; None: nothing."""
        ...

    def keep_bloat(self, layers: int, data: bytes) -> None:
        """Keep what so many lower layers tell of waste."""
        ...

    def close(self) -> None:
        """Keep what was learned; let go of files."""
        ...


class LayerSource(Protocol):
    """Where layers are stored."""

    @property
    def witness(self) -> str:
        """Changes whenever the stored bytes may have changed."""
        ...

    @property
    def limits(self) -> Limits:
        """How much its layers may hold."""
        ...

    def open_layer(self, layer: LayerRef) -> LayerReader:
        """Open one layer's uncompressed tar."""
        ...

    def stored_size(self, layer: LayerRef) -> int:
        """Return the bytes of a layer as it is stored; 0 where it is not there."""
        ...

    def close(self) -> None:
        """Let go of files."""
        ...


class StoredArchive:
    """An image of an archive or layout; plain layers are read where they lie."""

    def __init__(self, source: LayerSource, image: Image, cache: IndexCache) -> None:
        """Keep the source, which may serve several images of one archive."""
        self.image = image
        self.cache = cache
        self._source = source
        self._digests = [Digests(cache, self._witness(layer)) for layer in image.layers]
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
        walked: set[str] = set()
        with (
            # A process can be had only before there are threads.
            self._begin_beside(readers, known, verify=verify) as beside,
            self._begin_abreast(known, hashing=hashing, verify=verify) as abreast,
        ):
            for layer, reader, size in zip(self.image.layers, readers, sizes, strict=True):
                with reader:
                    index = known[layer.index]
                    if index is None and layer.blob in walked:
                        # It stands in the image twice.
                        index = self._cached(layer, reader, verify=verify)
                    if index is None and beside is not None:
                        index = self._walked_beside(layer, beside, watcher)
                    if index is None and abreast is not None and layer.index in abreast:
                        index = self._keep(layer, abreast.take(layer.index, watcher.see))
                    if index is None:
                        index = self._walk(layer, reader, watcher, hashing=hashing, verify=verify)
                room.take(index, layer_name(layer))
                watcher.finish_layer(size, len(index))
                self._indexes[layer.index] = index
                walked.add(layer.blob)
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

    def read(self, place: Place) -> Iterator[bytes]:
        """Yield a file's content, sparse parts filled with zeros."""
        index = self._indexes[place.layer]
        refuse_bomb(index, place.number, self._source.limits)
        with self._open(place.layer) as reader:
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

    def hand_out(self, places: Iterable[Place], take: Take) -> None:
        """Give ``take`` the content of each file, each layer opened once."""
        for layer, numbers in by_layer(dict.fromkeys(places, ())).items():
            with self._open(layer) as reader:
                hand_out(reader, self._indexes[layer], layer, numbers, take)

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

    def _cached(self, layer: LayerRef, reader: LayerReader, *, verify: bool) -> LayerIndex | None:
        witness = self._witness(layer)
        index, own = self.cache.load_layer(layer.diff_id, witness)
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
            if reader.mismatches():
                return None
            self.cache.confirm_layer(layer.diff_id, witness)
        else:
            # It may have other contents all the same: they answer for no other archive.
            self._digests[layer.index].alone = True
        return index

    def _known(
        self, readers: Sequence[LayerReader], *, verify: bool
    ) -> Sequence[LayerIndex | None]:
        """Return the indexes that need no walk."""
        known: list[LayerIndex | None] = []
        for layer, reader in zip(self.image.layers, readers, strict=True):
            index = self._read_before(layer, verify=verify)
            if index is None:
                index = self._cached(layer, reader, verify=verify)
            known.append(index)
        return known

    @contextmanager
    def _begin_beside(
        self, readers: Sequence[LayerReader], known: Sequence[LayerIndex | None], *, verify: bool
    ) -> Iterator[Beside | None]:
        """Have plain layers walked by a second process meanwhile, where that pays."""

        def walk(number: int, see: See) -> LayerIndex:
            layer, reader = self.image.layers[number], readers[number]
            return self._make(layer, reader, see, hash_contents=False, verify=verify).index

        sizes = {
            number: reader.length()
            for number, (reader, index) in enumerate(zip(readers, known, strict=True))
            if index is None and reader.random_access
        }
        beside = walk_beside(sizes, walk)
        try:
            yield beside
        finally:
            if beside is not None:
                beside.close()

    def _walked_beside(
        self, layer: LayerRef, beside: Beside, watcher: Watcher
    ) -> LayerIndex | None:
        """Return the index that the second process made of a layer, None where it did not."""
        data = beside.take(layer.index, partial(watcher.see, 0, 0))
        if data is None:
            return None
        index = load_index(data)
        witness = self._witness(layer)
        self.cache.store_layer(layer.diff_id, witness, index, data)
        return index

    @contextmanager
    def _begin_abreast(
        self, known: Sequence[LayerIndex | None], *, hashing: bool, verify: bool
    ) -> Iterator[Abreast[Walked] | None]:
        """Have packed layers walked by threads, where that pays: unpacking needs no Python."""
        tasks = {
            layer.index: Task(
                size=self._source.stored_size(layer),
                run=partial(self._walk_apart, layer, hashing=hashing, verify=verify),
            )
            # What stands in the image twice is in the cache the second time.
            for layer in {each.blob: each for each in reversed(self.image.layers)}.values()
            if known[layer.index] is None and not self._is_plain(layer.index)
        }
        room = ImageRoom(self._source.limits)
        fits = all(index is None or room.has(index) for index in known)
        abreast = work_abreast(tasks if fits else {}, lambda walked: room.has(walked.index))
        if abreast is None:
            yield None
            return
        with abreast:
            try:
                yield abreast
            except StoppedError:
                # Layers above one that was not read are worth as much another time.
                for number, walked in abreast.finished().items():
                    self._indexes[number] = self._keep(self.image.layers[number], walked)
                raise

    def _walk_apart(self, layer: LayerRef, see: See, *, hashing: bool, verify: bool) -> Walked:
        """Walk a packed layer by a reader of its own."""
        with self._source.open_layer(layer) as reader:
            watch = partial(_see, see, reader)
            return self._make(layer, reader, watch, hash_contents=hashing, verify=verify)

    def _walk(
        self, layer: LayerRef, reader: LayerReader, watcher: Watcher, *, hashing: bool, verify: bool
    ) -> LayerIndex:
        hash_contents = hashing and not reader.random_access
        watch = partial(_see, watcher.see, reader)
        walked = self._make(layer, reader, watch, hash_contents=hash_contents, verify=verify)
        return self._keep(layer, walked)

    def _keep(self, layer: LayerRef, walked: Walked) -> LayerIndex:
        """Keep what the walk of a layer told."""
        index = walked.index
        if not index.damage:
            # Half an index is kept nowhere: it is no answer for another day.
            self.cache.store_layer(layer.diff_id, self._witness(layer), index)
        self._digests[layer.index].add(layer.diff_id, index, walked.digests)
        return index

    def _make(
        self,
        layer: LayerRef,
        reader: LayerReader,
        watch: See,
        *,
        hash_contents: bool,
        verify: bool,
    ) -> Walked:
        """Walk a layer, and check it where that is cheap or wanted."""
        from layertrace.layers.walk import walk_layer  # noqa: PLC0415 - not where all is kept

        walked = walk_layer(
            reader,
            name=layer_name(layer),
            hash_contents=hash_contents,
            watch=watch,
            limits=self._source.limits,
        )
        index = walked.index
        if index.damage and verify:
            raise LayerError(index.damage, hint="save or copy the image again")
        whole = not reader.random_access or index.length <= VERIFY_LIMIT or not layer.diff_id
        if not index.damage and (verify or whole):
            stop = partial(watch, index.length, len(index))
            index = _checked(reader, layer, index, stop, verify=verify)
        return replace(walked, index=index)

    def _witness(self, layer: LayerRef) -> str:
        """Return what stands for this very copy of a layer: an archive may lie about its own."""
        return f"{self._source.witness}:{layer.blob}"


def _see(see: See, reader: LayerReader, position: int, entries: int) -> bool:
    """Tell how far a layer is, by its bytes as they are stored."""
    if isinstance(reader, StreamReader):
        position = reader.stored_size
    return see(position, entries)


def _checked(
    reader: LayerReader,
    layer: LayerRef,
    index: LayerIndex,
    stop: Callable[[], bool],
    *,
    verify: bool,
) -> LayerIndex:
    """Return the index with what reading the rest and the digests of the layer tell."""
    try:
        found = reader.mismatches(stop)
    except LayerError as error:
        if verify or isinstance(error, LimitError):
            raise
        note = ("damaged-tail", f"what follows its tar cannot be read: {error.what}")
        return index.amended(notes=(*index.notes, note))
    if verify and found:
        raise found[0]
    notes = (("digest-mismatch", f"{each.what}: {each.why}") for each in found)
    return index.amended(
        length=reader.length(),
        diff_id=reader.diff_id(),
        verified=bool(layer.diff_id) and not found,
        notes=(*index.notes, *notes),
    )
