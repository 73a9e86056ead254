"""What of an ELF file a running container does not need.

Read are its header, its table of sections and the names of those, a few hundred bytes of most
files. Contents of packed layers come forward only, and the names mostly stand right before the
table that tells where they are: so what stands shortly before it is kept. Names further before
it, which no linker writes, are taken for none, however the layer is stored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.analysis.contents.elf import symbol_bytes
from layertrace.analysis.contents.elf_records import read_bytes, read_header, read_sections
from layertrace.analysis.contents.elf_tables import (
    ALLOCATED,
    DEBUG_NAMES,
    KINDS,
    MACHINES,
    ElfKind,
    SectionType,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layertrace.analysis.contents.elf_records import Header, ReadAt, Section
    from layertrace.pipeline.contents import FileParts

_LINKED: Final = frozenset({ElfKind.EXECUTABLE, ElfKind.SHARED})
_MAGIC: Final = b"\x7fELF"
_HEAD: Final = 4 << 10
_BEFORE: Final = 1 << 20
_TABLE: Final = 16 << 20
_NAMES: Final = 4 << 20
_MANY: Final = 65_536
_DEBUG_NAMES: Final = tuple(name.encode() for name in DEBUG_NAMES)
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


def read_program(parts: FileParts, size: int) -> Program | None:
    """Return what is known of a file of ``size`` bytes, None if it is no program or library.

    Raises:
        LayerError: its content cannot be had.
    """
    head = parts.read_at(0, _HEAD)
    if not head.startswith(_MAGIC):
        return None
    around = _Around(parts, head)
    header = read_header(around.read_at)
    if header is None or KINDS.get(header.type) not in _LINKED:
        return None
    around.reach(header)
    if header.names >= header.sections:
        # Where there are too many sections for the header, the table says how many.
        header = read_header(around.read_at) or header
    machine = MACHINES.get(header.machine, f"machine {header.machine}")
    return Program(machine, _strippable(around.read_at, header, size))


def _strippable(read_at: ReadAt, header: Header, size: int) -> int:
    sections, _ = read_sections(read_at, header)
    names = b""
    if 0 < header.names < len(sections):
        section = sections[header.names]
        names = read_bytes(read_at, section.offset, min(section.size, _NAMES))
    # Most files have nothing to strip.
    has_symbols = any(section.type == SectionType.SYMTAB for section in sections)
    if not has_symbols and not any(name in names for name in _DEBUG_NAMES):
        return 0
    real = [section for section in sections if section.type != SectionType.NULL]
    if _has_payload(real, size):
        return 0
    debug = (section for section in real if _is_for_debuggers(section, names))
    debug_bytes = sum(max(0, min(_stored(each), size - each.offset)) for each in debug)
    return min(symbol_bytes(sections, size) + min(size, debug_bytes), size)


def _is_for_debuggers(section: Section, names: bytes) -> bool:
    return not section.flags & ALLOCATED and names.startswith(_DEBUG_NAMES, section.name)


def _has_payload(sections: Sequence[Section], size: int) -> bool:
    """Say whether something lies behind the ELF file, such as a script that it runs.

    Tools that strip drop it.
    """
    end = max((section.offset + _stored(section) for section in sections), default=size)
    return size - end > (len(sections) + 1) * _SECTION_HEADER + _ROUNDING


def _stored(section: Section) -> int:
    return 0 if section.type == SectionType.NOBITS else section.size


class _Around:
    """The start of a file, and what stands around its table of sections."""

    def __init__(self, parts: FileParts, head: bytes) -> None:
        """Have no more than the start, until told where the table is."""
        self._parts = parts
        self._head = head
        self._start = -1
        self._held = b""

    def reach(self, header: Header) -> None:
        """Let the table be read, and what stands shortly before it or anywhere behind it."""
        count = header.sections or _MANY
        self._start = max(len(self._head), header.sections_at - _BEFORE)
        if not self._parts.any_order:
            end = header.sections_at + min(count * header.section_size, _TABLE)
            self._held = self._parts.read_at(self._start, end - self._start)

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes; fewer, or none, where they are out of reach."""
        found = self._head[offset : offset + size]
        offset, size = offset + len(found), size - len(found)
        if not size or self._start < 0 or offset < self._start:
            return found
        if not self._parts.any_order:
            local = offset - self._start
            held = self._held[local : local + size]
            found += held
            offset, size = offset + len(held), size - len(held)
        return found + self._parts.read_at(offset, size)
