"""What of an ELF file a running container does not need.

Contents come forward only. Where a file is long, its start and its end are kept: linkers put
the table of sections at one of them. What lies between is not there to be read, so a table in
the middle tells nothing, and nothing is said of that file.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.analysis.contents.elf import read_elf
from layertrace.analysis.contents.elf_records import read_bytes, read_header, read_sections
from layertrace.analysis.contents.elf_tables import (
    DEBUG_NAMES,
    KINDS,
    MACHINES,
    ElfKind,
    SectionType,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layertrace.analysis.contents.elf import Elf
    from layertrace.analysis.contents.elf_records import Header, ReadAt
    from layertrace.pipeline.handing import Parts

_MAGIC: Final = b"\x7fELF"
_HEAD: Final = 1 << 20
_TAIL: Final = 16 << 20
_SECTION_HEADER: Final = 64
_ROUNDING: Final = 64
_RUNS: Final[Mapping[str, frozenset[str]]] = {
    "amd64": frozenset({"amd64", "386"}),
    "386": frozenset({"386"}),
    "arm64": frozenset({"arm64", "arm"}),
    "arm": frozenset({"arm"}),
    "ppc64le": frozenset({"ppc64", "ppc"}),
    "s390x": frozenset({"s390x"}),
    "riscv64": frozenset({"riscv"}),
    "loong64": frozenset({"loong64"}),
}
"""Platform of an image to the machines whose programs its processor runs."""
_PROCESSORS: Final = frozenset().union(*_RUNS.values())
"""Of the machines of ELF files those that platforms have: others are graphics cards and such."""


class Program(NamedTuple):
    """What is known of a program or shared library."""

    machine: str
    strippable: int
    """Bytes of its symbol table and of what is in it for a debugger; 0 where removing them
    might break it."""

    def runs_on(self, architecture: str) -> bool:
        """Say whether an image's processor may run it; where that is not known, it may."""
        runs = _RUNS.get(architecture)
        return runs is None or self.machine not in _PROCESSORS or self.machine in runs


def read_program(parts: Parts, size: int) -> Program | None:
    """Return what is known of a file of ``size`` bytes, None if it is no program or library."""
    first = next(parts, (0, b""))
    if first[0] or not first[1].startswith(_MAGIC):
        return None
    read_at = _Ends(chain((first,), parts)).read_at
    header = read_header(read_at)
    if header is None or KINDS.get(header.type) not in {ElfKind.EXECUTABLE, ElfKind.SHARED}:
        return None
    machine = MACHINES.get(header.machine, f"machine {header.machine}")
    elf = None if _is_stripped(read_at, header) else read_elf(read_at, size)
    if elf is None or _has_payload(elf, size):
        return Program(machine, 0)
    return Program(machine, min(elf.symbol_bytes + elf.debug_bytes, size))


def _is_stripped(read_at: ReadAt, header: Header) -> bool:
    """Say whether a file surely has nothing to strip, as most have: a tenth of reading it all."""
    sections, _ = read_sections(read_at, header)
    if any(section.type == SectionType.SYMTAB for section in sections):
        return False
    if not 0 < header.names < len(sections):
        return True
    names = read_bytes(read_at, sections[header.names].offset, sections[header.names].size)
    return not any(name.encode() in names for name in DEBUG_NAMES)


def _has_payload(elf: Elf, size: int) -> bool:
    """Say whether something lies behind the ELF file, such as a script that it runs.

    Tools that strip drop it.
    """
    end = max((section.offset + section.stored for section in elf.sections), default=size)
    return size - end > (len(elf.sections) + 1) * _SECTION_HEADER + _ROUNDING


class _Ends:
    """The start and the end of a file that goes by once."""

    def __init__(self, parts: Iterable[tuple[int, bytes]]) -> None:
        head: list[tuple[int, bytes]] = []
        tail: deque[tuple[int, bytes]] = deque()
        in_tail = 0
        for start, piece in parts:
            if start < _HEAD:
                head.append((start, piece))
                continue
            tail.append((start, piece))
            in_tail += len(piece)
            while in_tail - len(tail[0][1]) >= _TAIL:
                in_tail -= len(tail.popleft()[1])
        self._parts = [*head, *tail]
        self._starts = [start for start, _ in self._parts]

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes; fewer, or none, where they were not kept."""
        found: list[bytes] = []
        number = max(bisect_right(self._starts, offset) - 1, 0)
        for start, piece in self._parts[number:]:
            if size <= 0 or not start <= offset < start + len(piece):
                break
            part = piece[offset - start : offset - start + size]
            found.append(part)
            offset += len(part)
            size -= len(part)
        return b"".join(found)
