"""Reading the files of databases: each once, none beyond its limit, all in one pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.analysis.packages.records import UnreadableError
from layertrace.errors import LayerError
from layertrace.model.entry import EntryKind
from layertrace.model.origin import Finding
from layertrace.pipeline.contents import with_holes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from layertrace.pipeline.answers import ImageTrace
    from layertrace.pipeline.handing import Parts
    from layertrace.rootfs.places import Place

MAX_DATABASE: Final = 32 << 20
"""Bytes of the ``status`` of dpkg or the ``installed`` of apk."""
MAX_LIST: Final = 16 << 20
"""Bytes of one package's list of files."""
MAX_MANIFEST: Final = 1 << 20
"""Bytes of one ``package.json``."""
MAX_HEAD: Final = 64 << 10
"""Bytes of a Python package's metadata: what follows describes it at length."""
MAX_RPM: Final = 128 << 20
"""Bytes of a database of rpm."""
MAX_HELD: Final = 128 << 20
"""Bytes of all that is kept until everything was read."""

CODE: Final = "packages-unread"


class Request(NamedTuple):
    """One file to be read, and what is made of it."""

    path: str
    place: Place
    limit: int
    parse: Callable[[bytes], object]
    """May raise :class:`UnreadableError`; bytes that it returns are held."""
    head: bool = False
    """What is beyond the limit is not needed."""


class Reader:
    """Reads what was asked for, and remembers what could not be read."""

    def __init__(self, trace: ImageTrace) -> None:
        """Keep the image."""
        self._trace = trace
        self._requests: dict[Place, Request] = {}
        self._found: dict[Place, object] = {}
        self._held = 0
        self._unread: dict[str, list[tuple[str, int]]] = {}
        """Why something was not read, to paths and layers."""

    def is_file(self, place: Place) -> bool:
        """Say whether a place holds the content of a regular file."""
        layer, number = self._trace.content_place(place)
        return self._trace.rootfs.layers[layer].kinds[number] == EntryKind.FILE

    def ask(self, request: Request) -> None:
        """Have a regular file read."""
        place = self._trace.content_place(request.place)
        index = self._trace.rootfs.layers[place.layer]
        if index.sizes[place.number] > request.limit and not request.head:
            self.tell(request.path, f"it has more than {request.limit:,} bytes", place.layer)
        else:
            self._requests[place] = request

    def read(self) -> None:
        """Read all that was asked for."""
        try:
            self._trace.hand_out(self._requests, self._take)
        except LayerError as error:
            self._unread[error.what] = []

    def found(self, place: Place) -> object:
        """Return what was made of a file; None where it could not be read."""
        return self._found.get(self._trace.content_place(place))

    def lines(self, place: Place) -> bytes:
        """Return a file that was kept as it is; empty where it could not be read."""
        found = self.found(place)
        return found if isinstance(found, bytes) else b""

    def tell(self, path: str, why: str, layer: int) -> None:
        """Remember that a file was not read."""
        self._unread.setdefault(why, []).append((path, layer))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What could not be read, one for all that is so for the same reason."""
        return tuple(_finding(why, files) for why, files in self._unread.items())

    def _take(self, place: Place, parts: Parts) -> None:
        request = self._requests[place]
        size = self._trace.rootfs.layers[place.layer].sizes[place.number]
        data = _bounded(with_holes(parts, size), request.limit)
        try:
            found = request.parse(data)
        except UnreadableError as error:
            self.tell(request.path, str(error), place.layer)
            return
        if isinstance(found, bytes):
            self._held += len(found)
            if self._held > MAX_HELD:
                self.tell(request.path, f"all lists have more than {MAX_HELD:,} bytes", place.layer)
                return
        self._found[place] = found


def _finding(why: str, files: Sequence[tuple[str, int]]) -> Finding:
    message = "not all packages are known: "
    if not files:
        return Finding(code=CODE, message=f"{message}{why}")
    path, layer = files[0]
    more = f" and {len(files) - 1:,} more" if len(files) > 1 else ""
    facts: dict[str, object] = {"path": f"/{path}", "layer": layer, "count": len(files)}
    message += f"not read: /{path} of L{layer + 1}{more}: {why}"
    return Finding(code=CODE, message=message, facts=facts)


def _bounded(pieces: Iterable[bytes], limit: int) -> bytes:
    taken, room = [], limit
    for piece in pieces:
        taken.append(piece[:room])
        room -= len(taken[-1])
        if not room:
            break
    return b"".join(taken)
