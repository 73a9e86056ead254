"""What the contents of a few files tell, each layer read once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from layertrace.analysis.leftovers.node_modules import (
    LIMITS,
    is_lock,
    is_package,
    read_lock,
    read_version,
)
from layertrace.analysis.leftovers.programs import read_program
from layertrace.analysis.leftovers.rules import RULES
from layertrace.rootfs.places import STRIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from layertrace.analysis.leftovers.node_modules import Lock
    from layertrace.analysis.leftovers.programs import Program
    from layertrace.analysis.leftovers.visible import VisibleFiles
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.pipeline.contents import FileParts
    from layertrace.rootfs.places import Place

    Read = Callable[[int, FileParts], None]
    """Takes a row and the content of its file."""

_START: Final = 512
_EXECUTABLE: Final = 0o111
_MAGICS: Final = {
    pattern.rpartition("*")[2]: rule.magic
    for rule in RULES
    if rule.magic
    for pattern in rule.patterns
}
"""How names end to what such a file must hold."""
_ENDINGS: Final = tuple(_MAGICS)
_NAMED: Final = (*_ENDINGS, ".json", ".node")


@dataclass(slots=True)
class Facts:
    """What was found; a file that could not be read, or is something else, is in none of it."""

    locks: dict[str, Lock] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    """Path of an installed package's ``package.json`` to its version."""
    genuine: set[int] = field(default_factory=set)
    """Rows of files that hold what a rule asks for."""
    programs: dict[int, Program] = field(default_factory=dict)
    """By row."""


def find_facts(trace: ImageTrace, files: VisibleFiles) -> Facts:
    """Read what rules ask for; layers that are damaged tell nothing.

    Raises:
        LayertraceError: a content cannot be had.
    """
    readers = _Readers(files)
    wanted: dict[Place, tuple[int, Read]] = {}
    packages: list[int] = []
    for row in _candidates(trace, files):
        path = files.paths[row]
        if is_package(path):
            packages.append(row)
        elif (read := readers.choose(path)) is not None:
            wanted[files.place(row)] = row, read
    if any(read == readers.lock for _, read in wanted.values()):
        wanted |= {files.place(row): (row, readers.version) for row in packages}

    def take(place: Place, parts: FileParts) -> None:
        row, read = wanted[place]
        read(row, parts)

    trace.hand_out(wanted, take)
    return readers.facts


def _candidates(trace: ImageTrace, files: VisibleFiles) -> Iterator[int]:
    """Yield the rows whose name or mode some rule may ask about, one loop for all of them."""
    layers = [(index.modes, bool(index.damage)) for index in trace.rootfs.layers]
    for row, (path, packed) in enumerate(zip(files.paths, files.places, strict=True)):
        modes, damaged = layers[packed // STRIDE]
        if damaged:
            continue
        if path.endswith(_NAMED) or modes[packed % STRIDE] & _EXECUTABLE or ".so" in path:
            yield row


class _Readers:
    """What is asked of one file each."""

    def __init__(self, files: VisibleFiles) -> None:
        self._files = files
        self.facts = Facts()

    def choose(self, path: str) -> Read | None:
        """Return what is asked of a file that is no installed package's, None for nothing."""
        name = path.rpartition("/")[2]
        if name.endswith(".json"):
            return self.lock if is_lock(path) else None
        return self.magic if name.endswith(_ENDINGS) else self.program

    def lock(self, row: int, parts: FileParts) -> None:
        data = self._whole(row, parts)
        lock = None if data is None else read_lock(data)
        if lock is not None:
            self.facts.locks[self._files.paths[row]] = lock

    def version(self, row: int, parts: FileParts) -> None:
        data = self._whole(row, parts)
        version = None if data is None else read_version(data)
        if version is not None:
            self.facts.versions[self._files.paths[row]] = version

    def magic(self, row: int, parts: FileParts) -> None:
        path = self._files.paths[row]
        ending = next(ending for ending in _ENDINGS if path.endswith(ending))
        if _MAGICS[ending] in parts.read_at(0, _START):
            self.facts.genuine.add(row)

    def program(self, row: int, parts: FileParts) -> None:
        program = read_program(parts, self._files.sizes[row])
        if program is not None:
            self.facts.programs[row] = program

    def _whole(self, row: int, parts: FileParts) -> bytes | None:
        """Return a content, None of one that is too large to be what it is called."""
        if self._files.sizes[row] > LIMITS.json:
            return None
        return b"".join(piece for _, piece in parts)
