"""The layers of an archive that no cache has, walked: here, by another process, by threads."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Self

from layertrace.archive.blob import StreamReader
from layertrace.errors import LayerError, LimitError
from layertrace.layers import walk
from layertrace.layers.index import load_index
from layertrace.pipeline.beside import walk_beside
from layertrace.pipeline.bounds import ImageRoom
from layertrace.pipeline.contents import layer_name
from layertrace.pipeline.kept_layers import is_small

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import TracebackType

    from layertrace.archive.blob import LayerReader
    from layertrace.layers.index import LayerIndex
    from layertrace.layers.walk import Walked
    from layertrace.model.image import Image, LayerRef
    from layertrace.pipeline.abreast import Abreast
    from layertrace.pipeline.beside import Beside, See
    from layertrace.pipeline.kept_layers import KeptLayers
    from layertrace.pipeline.stored_image import LayerSource
    from layertrace.pipeline.watch import Watcher


class Walks:
    """The walks of one reading: what can be is done ahead, while it is asked for layer by layer."""

    def __init__(  # noqa: PLR0913 - all that a walk needs
        self,
        source: LayerSource,
        image: Image,
        kept: KeptLayers,
        watcher: Watcher,
        *,
        hashing: bool,
        verify: bool,
    ) -> None:
        """Begin nothing yet."""
        self._source = source
        self._image = image
        self._kept = kept
        self._watcher = watcher
        self._hashing = hashing
        self._verify = verify
        self._ends = ExitStack()
        self._beside: Beside | None = None
        self._abreast: Abreast[Walked] | None = None
        self._walked: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what works ahead."""
        self._ends.__exit__(kind, error, trace)

    def begin(self, readers: Sequence[LayerReader], known: Sequence[LayerIndex | None]) -> None:
        """Let others begin.

        Args:
            readers: of all layers.
            known: the indexes of those that need no walk.
        """
        # A process can be had only before there are threads.
        self._beside = self._ends.enter_context(self._begin_beside(readers, known))
        self._abreast = self._begin_abreast(readers, known)
        if self._abreast is not None:
            self._ends.enter_context(self._abreast)

    def walk(self, layer: LayerRef, reader: LayerReader) -> LayerIndex:
        """Return the index of a layer; they are asked for base first.

        Raises:
            LayertraceError: it cannot be walked, or somebody stopped it.
        """
        index = None
        if layer.blob in self._walked:
            # It stands in the image twice.
            index = self._kept.find(layer, reader, verify=self._verify)
        self._walked.add(layer.blob)
        if index is None and self._beside is not None:
            index = self._take_beside(layer, self._beside)
        if index is not None:
            return index
        if self._abreast is not None and layer.index in self._abreast:
            walked = self._abreast.take(layer.index, self._watcher.see)
        else:
            walked = self._make(layer, reader, self._watcher.see)
        self._kept.keep(layer, walked.index, walked.digests)
        return walked.index

    def finished(self) -> Mapping[int, LayerIndex]:
        """Return the indexes of layers that are walked and were not asked for, and keep them."""
        finished = {} if self._abreast is None else self._abreast.finished()
        for number, walked in finished.items():
            self._kept.keep(self._image.layers[number], walked.index, walked.digests)
        return {number: walked.index for number, walked in finished.items()}

    @contextmanager
    def _begin_beside(
        self, readers: Sequence[LayerReader], known: Sequence[LayerIndex | None]
    ) -> Iterator[Beside | None]:
        """Have plain layers walked by a second process meanwhile, where that pays."""

        def make(number: int, see: See) -> LayerIndex:
            return self._make(self._image.layers[number], readers[number], see).index

        sizes = {
            number: reader.length()
            for number, (reader, index) in enumerate(zip(readers, known, strict=True))
            if index is None and reader.random_access
        }
        beside = walk_beside(sizes, make)
        try:
            yield beside
        finally:
            if beside is not None:
                beside.close()

    def _take_beside(self, layer: LayerRef, beside: Beside) -> LayerIndex | None:
        """Return the index that the second process made of a layer, None where it did not."""
        data = beside.take(layer.index, partial(self._watcher.see, 0, 0))
        if data is None:
            return None
        index = load_index(data)
        self._kept.keep(layer, index, {}, data)
        return index

    def _begin_abreast(
        self, readers: Sequence[LayerReader], known: Sequence[LayerIndex | None]
    ) -> Abreast[Walked] | None:
        """Have packed layers walked by threads, where that pays: unpacking needs no Python."""
        packed = [
            layer
            # What stands in the image twice is in the cache the second time.
            for layer in {each.blob: each for each in reversed(self._image.layers)}.values()
            if known[layer.index] is None and not readers[layer.index].random_access
        ]
        if not packed:
            return None
        from layertrace.pipeline.abreast import Task, work_abreast  # noqa: PLC0415

        tasks = {
            layer.index: Task(
                size=self._source.stored_size(layer), run=partial(self._make_apart, layer)
            )
            for layer in packed
        }
        room = ImageRoom(self._source.limits)
        fits = all(index is None or room.has(index) for index in known)
        return work_abreast(tasks if fits else {}, lambda walked: room.has(walked.index))

    def _make_apart(self, layer: LayerRef, see: See) -> Walked:
        """Walk a packed layer by a reader of its own."""
        with self._source.open_layer(layer) as reader:
            return self._make(layer, reader, see)

    def _make(self, layer: LayerRef, reader: LayerReader, see: See) -> Walked:
        """Walk a layer, and check it where that is cheap or wanted."""
        watch = partial(_see, see, reader)
        walked = walk.walk_layer(
            reader,
            name=layer_name(layer),
            hash_contents=self._hashing and not reader.random_access,
            watch=watch,
            limits=self._source.limits,
        )
        index = walked.index
        if index.damage and self._verify:
            raise LayerError(index.damage, hint="save or copy the image again")
        whole = not reader.random_access or is_small(index.length) or not layer.diff_id
        if not index.damage and (self._verify or whole):
            stop = partial(watch, index.length, len(index))
            index = _checked(reader, layer, index, stop, verify=self._verify)
        return replace(walked, index=index)


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
