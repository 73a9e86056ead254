"""Handing out the contents of many files, each layer read once."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, BinaryIO, Final

from layertrace.archive.blob import PlainReader, Region, never
from layertrace.archive.compression import PIECE
from layertrace.errors import LayerError, StoppedError, StorageError
from layertrace.pipeline.contents import FileParts, by_layer
from layertrace.rootfs.places import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layertrace.archive.blob import LayerReader, StreamReader
    from layertrace.archive.daemon import EngineSource
    from layertrace.layers.index import LayerIndex
    from layertrace.model.image import Image

_STRIDE: Final = 4 << 20
"""Bytes that are unpacked, in some hundredths of a second, before it is asked whether to go on."""
Parts = Iterator[tuple[int, bytes]]
"""What a file stores, without its holes: offset in the file, and bytes."""
Take = Callable[[Place, FileParts], None]
"""Is given a file and its content, which it reads before it returns."""


def hand_out(  # noqa: PLR0913
    reader: LayerReader,
    index: LayerIndex,
    layer: int,
    numbers: Iterable[int],
    take: Take,
    *,
    stop: Callable[[], bool] = never,
) -> None:
    """Give ``take`` files of one layer, in the order they are stored.

    Raises:
        LayerError: a content cannot be had.
        StoppedError: ``stop``, asked while what lies between the files is read, said so.
    """
    # Where any place may be read at any time, nothing is read that nobody asks for.
    anywhere = reader.random_access
    source = reader if anywhere else _Ahead(reader, stop)
    for number in sorted(numbers, key=lambda number: index.offsets[number]):
        take(Place(layer, number), FileParts(source, index, number, random_access=anywhere))


def go_on_to(offset: int, reader: LayerReader, start: int, stop: Callable[[], bool]) -> None:
    """Unpack a layer up to an offset, from where it was read to; that may take a minute.

    Raises:
        LayerError: it is damaged before that.
        StoppedError: ``stop`` said so.
    """
    while start < offset:
        if stop():
            raise StoppedError
        start = min(start + _STRIDE, offset)
        reader.read_at(start, 0)


class _Ahead:
    """A layer's tar read forward in large pieces: many small files are cheaper that way."""

    def __init__(self, reader: LayerReader, stop: Callable[[], bool]) -> None:
        self._reader = reader
        self._stop = stop
        self._piece = b""
        self._start = 0

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes, none only where the tar ends; offsets must not go back."""
        local = offset - self._start
        if local >= len(self._piece):
            go_on_to(offset, self._reader, self._start + len(self._piece), self._stop)
            self._piece = self._reader.read_at(offset, PIECE)
            self._start, local = offset, 0
        return self._piece[local : local + size]


class PassingLayers:
    """Contents out of a stream of layers, each of which shows only at its end which it is."""

    def __init__(
        self,
        image: Image,
        indexes: Mapping[str, LayerIndex],
        places: Iterable[Place],
        take: Take,
        *,
        stop: Callable[[], bool] = never,
    ) -> None:
        """Prepare for files of an image whose indexes are known by diff_id."""
        self._stop = stop
        self._indexes = indexes
        self._take = take
        self._wanted: defaultdict[str, dict[int, Iterable[int]]] = defaultdict(dict)
        for layer, numbers in by_layer(dict.fromkeys(places, ())).items():
            self._wanted[image.layers[layer].diff_id][layer] = numbers

    def read(self, source: EngineSource) -> None:
        """Read the image once, one layer at a time on disk.

        Raises:
            LayertraceError: a content cannot be had.
        """
        if self._wanted:
            source.stream(self._see, stop=self._stop)
        if self._wanted:
            raise LayerError(f"the engine no longer has all layers of {source.name}")

    def _see(self, name: str, reader: StreamReader) -> bool:
        with _on_disk(reader, self._stop) as file:
            reader.verify()
            region = Region(fd=file.fileno(), offset=0, size=reader.length())
            tar = PlainReader(region, name=name, diff_id=None)
            diff_id = reader.diff_id()
            for layer, numbers in self._wanted.pop(diff_id, {}).items():
                hand_out(tar, self._indexes[diff_id], layer, numbers, self._take)
        return bool(self._wanted)


def _on_disk(reader: StreamReader, stop: Callable[[], bool]) -> BinaryIO:
    """Return a layer in a temporary file that vanishes when it is closed."""
    try:
        with ExitStack() as closing:
            file = closing.enter_context(tempfile.TemporaryFile(prefix="layertrace-"))
            position = 0
            while piece := reader.read_at(position, PIECE):
                if stop():
                    raise StoppedError
                position += file.write(piece)
            file.flush()
            closing.pop_all()
    except OSError as error:
        raise StorageError(
            "cannot put a layer of the engine on disk to read it",
            why=f"{tempfile.gettempdir()}: {error.strerror or error}",
            hint="set TMPDIR to a larger disk",
        ) from error
    return file
