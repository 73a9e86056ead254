"""One pass over all that an image stores, shared by every rule that reads contents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from layertrace.errors import LayerError
from layertrace.model.entry import EntryKind
from layertrace.rootfs.places import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.pipeline.answers import ImageTrace
    from layertrace.pipeline.handing import Parts

FIRST_PART: Final = 1 << 20
"""Bytes of a file that rules get to see: what is further in is not looked at."""

_FILE: Final = int(EntryKind.FILE)


class Content:
    """One stored file; as much of it is read as somebody asks for, and nothing twice."""

    __slots__ = ("_data", "_parts", "path", "place", "size", "unreadable")

    def __init__(self, place: Place, path: str, size: int, parts: Parts) -> None:
        """Read nothing yet."""
        self.place = place
        self.path = path
        """Rootfs-relative."""
        self.size = size
        self.unreadable = False
        """What was asked for could not be read to its end."""
        self._data = b""
        self._parts = parts

    def first(self, count: int) -> bytes:
        """Return up to ``count`` bytes of what the file stores, or all that it has.

        Holes of a sparse file are left out. Never more than ``FIRST_PART``.
        """
        count = min(count, FIRST_PART)
        if len(self._data) < count:
            self._read(count)
        return self._data if len(self._data) <= count else self._data[:count]

    def _read(self, count: int) -> None:
        pieces, length = [self._data], len(self._data)
        try:
            while length < count and (part := next(self._parts, None)) is not None:
                pieces.append(part[1][: FIRST_PART - length])
                length += len(pieces[-1])
        except LayerError:
            self.unreadable = True
        self._data = b"".join(pieces)


class Scanner(Protocol):
    """A rule that looks into contents."""

    def see(self, content: Content) -> None:
        """Look at one stored file; what it needs of it is read before this returns."""
        ...


def scan_contents(trace: ImageTrace, scanners: Sequence[Scanner]) -> None:
    """Show every stored regular file to all scanners, each layer read once.

    Files that a later layer removed or replaced are shown too: they ship.

    Raises:
        LayertraceError: a layer cannot be read.
    """
    layers = trace.rootfs.layers

    def take(place: Place, parts: Parts) -> None:
        index = layers[place.layer]
        content = Content(place, index.paths[place.number], index.sizes[place.number], parts)
        for scanner in scanners:
            scanner.see(content)

    trace.hand_out(stored_files(trace), take)


def stored_files(trace: ImageTrace) -> Iterator[Place]:
    """Yield every regular file with content of every layer, hidden ones too."""
    for layer, index in enumerate(trace.rootfs.layers):
        for number, kind in enumerate(index.kinds):
            if kind == _FILE and index.sizes[number]:
                yield Place(layer, number)
