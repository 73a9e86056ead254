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

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from layertrace.analysis.leftovers.node_modules import Lock
    from layertrace.analysis.leftovers.programs import Program
    from layertrace.analysis.leftovers.visible import Visible, VisibleFiles
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.pipeline.handing import Parts
    from layertrace.rootfs.squash import Place

    Read = Callable[[Visible, Parts], None]

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


@dataclass(slots=True)
class Facts:
    """What was found; a file that could not be read, or is something else, is in none of it."""

    locks: dict[str, Lock] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    """Path of an installed package's ``package.json`` to its version."""
    genuine: set[Place] = field(default_factory=set)
    """Files that hold what a rule asks for."""
    programs: dict[Place, Program] = field(default_factory=dict)


def find_facts(trace: ImageTrace, files: VisibleFiles) -> Facts:
    """Read what rules ask for; layers that are damaged tell nothing.

    Raises:
        LayertraceError: a content cannot be had.
    """
    facts = Facts()
    wanted: dict[Place, tuple[Visible, Read]] = {}
    packages: list[Visible] = []
    readers = _Readers(facts)
    for file, mode in _readable(trace, files):
        if is_package(file.path):
            packages.append(file)
        elif (read := readers.choose(file.path, mode)) is not None:
            wanted[file.place] = file, read
    if any(read == readers.lock for _, read in wanted.values()):
        wanted |= {file.place: (file, readers.version) for file in packages}

    def take(place: Place, parts: Parts) -> None:
        file, read = wanted[place]
        read(file, parts)

    trace.hand_out(wanted, take)
    return facts


def _readable(trace: ImageTrace, files: VisibleFiles) -> Iterable[tuple[Visible, int]]:
    layers = [(index.modes, bool(index.damage)) for index in trace.rootfs.layers]
    for file in files:
        modes, damaged = layers[file.place.layer]
        if file.size and not damaged:
            yield file, modes[file.place.number]


class _Readers:
    """What is asked of one file each."""

    def __init__(self, facts: Facts) -> None:
        self._facts = facts

    def choose(self, path: str, mode: int) -> Read | None:
        """Return what is asked of a file that is no installed package's, None for nothing."""
        name = path.rpartition("/")[2]
        if name.endswith(".json"):
            return self.lock if is_lock(path) else None
        if name.endswith(_ENDINGS):
            return self.magic
        if mode & _EXECUTABLE or ".so" in name or name.endswith(".node"):
            return self.program
        return None

    def lock(self, file: Visible, parts: Parts) -> None:
        data = _whole(file, parts)
        lock = None if data is None else read_lock(data)
        if lock is not None:
            self._facts.locks[file.path] = lock

    def version(self, file: Visible, parts: Parts) -> None:
        data = _whole(file, parts)
        version = None if data is None else read_version(data)
        if version is not None:
            self._facts.versions[file.path] = version

    def magic(self, file: Visible, parts: Parts) -> None:
        _, piece = next(parts, (0, b""))
        ending = next(ending for ending in _ENDINGS if file.path.endswith(ending))
        if _MAGICS[ending] in piece[:_START]:
            self._facts.genuine.add(file.place)

    def program(self, file: Visible, parts: Parts) -> None:
        program = read_program(parts, file.size)
        if program is not None:
            self._facts.programs[file.place] = program


def _whole(file: Visible, parts: Parts) -> bytes | None:
    """Return a content, None of one that is too large to be what it is called."""
    if file.size > LIMITS.json:
        return None
    return b"".join(piece for _, piece in parts)
