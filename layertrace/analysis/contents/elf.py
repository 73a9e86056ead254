"""What an ELF file says of itself: sections, libraries needed, build id, symbols.

A reader of our own: an image has thousands of these files, and each is hostile input. pyelftools
0.33 took 11 ms a file (500 files of a Debian, one core), raised ``OverflowError`` and
``AttributeError`` on damaged ones and bounds nothing; this takes 0.3 ms. What is asked here are
two tables of fixed records and a few strings.

Whatever the bytes are, a few megabytes of them are read at most and nothing is raised: what has
no whole ELF header is no ELF file, and where a header points at what is not there, or at more
than is believed, the answer is not ``complete``.

Source: System V gABI 4.1, chapters 4 and 5; build ids and ``DF_1_PIE`` as GNU binutils writes
them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from layertrace.analysis.contents.elf_records import (
    ReadAt,
    read_bytes,
    read_header,
    read_sections,
    read_segments,
)
from layertrace.analysis.contents.elf_tables import (
    ALLOCATED,
    DEBUG_NAMES,
    KINDS,
    MACHINES,
    PIE,
    SECTION_TYPES,
    ElfKind,
    SectionType,
    SegmentType,
    Tag,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.analysis.contents.elf_records import Header, Section, Segment

_NAMES: Final = 4 << 20
_NAME: Final = 255
_STRING: Final = 4_096
_DYNAMIC: Final = 64 << 10
_NEEDED: Final = 1_024
_NOTE: Final = 64 << 10
_NOTES: Final = 16
_OWNER: Final = b"GNU\0"
_BUILD_ID: Final = 3
_BUILD_ID_SIZE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfSection:
    """One section."""

    name: str
    type: str
    """As readelf names it, or its number: ``PROGBITS``, ``0x6fff4c01``."""
    offset: int
    size: int
    """As its header says; a ``NOBITS`` section takes nothing in the file."""
    allocated: bool
    """True: it is in memory when the program runs."""

    @property
    def stored(self) -> int:
        """Bytes it takes in the file, if the file is as long as it says."""
        return 0 if self.type == "NOBITS" else self.size

    @property
    def debug(self) -> bool:
        """Whether it is for a debugger alone."""
        return not self.allocated and self.name.startswith(DEBUG_NAMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Elf:
    """What an ELF file says of itself."""

    kind: ElfKind
    machine: str
    """As platforms of images name it, or its number: ``amd64``, ``machine 250``."""
    bits: Literal[32, 64]
    endian: Literal["little", "big"]
    sections: tuple[ElfSection, ...]
    """In the order of their table, without the empty one at its start."""
    needed: tuple[str, ...]
    """Libraries that the loader has to find, in its order."""
    soname: str | None
    interpreter: str | None
    build_id: str | None
    """In hexadecimal."""
    stripped: bool
    """True: it has no symbol table but the one that the loader needs."""
    symbol_bytes: int
    """What that symbol table and its names take in the file."""
    debug_bytes: int
    """What the sections for a debugger take in the file."""
    complete: bool
    """False: the file ends before something its headers point at, or has too much of it."""


def read_elf(read_at: ReadAt, size: int) -> Elf | None:
    """Return what a file of ``size`` bytes says of itself, None if it is no ELF file.

    Raises only what ``read_at`` raises.
    """
    header = read_header(read_at)
    return None if header is None else _Reader(read_at, size, header).read()


def symbol_bytes(sections: Sequence[Section], size: int) -> int:
    """Return what symbol tables that no loader needs take in a file of ``size`` bytes.

    Their names count with them.
    """
    tables = [section for section in sections if section.type == SectionType.SYMTAB]
    names = {table.link for table in tables if 0 < table.link < len(sections)}
    parts = [*tables, *(sections[number] for number in sorted(names))]
    return min(size, sum(max(0, min(part.size, size - part.offset)) for part in parts))


class _Dynamic(NamedTuple):
    needed: tuple[str, ...] = ()
    soname: str | None = None
    pie: bool = False


class _Reader:
    """Reads one file, and remembers whether all was there."""

    def __init__(self, read_at: ReadAt, size: int, header: Header) -> None:
        self._read_at = read_at
        self._size = size
        self._header = header
        self._sections, whole = read_sections(read_at, header)
        self._segments, whole_too = read_segments(read_at, header)
        self._complete = whole and whole_too

    def read(self) -> Elf:
        header = self._header
        sections = tuple(self._named())
        dynamic = self._dynamic()
        interpreter = self._interpreter(sections)
        return Elf(
            kind=self._kind(dynamic, interpreter),
            machine=MACHINES.get(header.machine, f"machine {header.machine}"),
            bits=header.bits,
            endian=header.endian,
            sections=sections,
            needed=dynamic.needed,
            soname=dynamic.soname,
            interpreter=interpreter,
            build_id=self._build_id(),
            stripped=all(section.type != SectionType.SYMTAB for section in self._sections),
            symbol_bytes=symbol_bytes(self._sections, self._size),
            debug_bytes=min(self._size, sum(self._stored(s) for s in sections if s.debug)),
            complete=self._complete and all(s.stored == self._stored(s) for s in sections),
        )

    def _kind(self, dynamic: _Dynamic, interpreter: str | None) -> ElfKind:
        kind = KINDS.get(self._header.type, ElfKind.OTHER)
        # Before the flag existed, what told a program was that it wants an interpreter and has no
        # name to be linked by; libc itself has both.
        program = dynamic.pie or (interpreter is not None and dynamic.soname is None)
        return ElfKind.EXECUTABLE if kind is ElfKind.SHARED and program else kind

    def _named(self) -> Iterator[ElfSection]:
        names = self._names()
        for section in self._sections:
            if section.type == SectionType.NULL:
                continue
            yield ElfSection(
                name=_until_zero(names, section.name, _NAME),
                type=SECTION_TYPES.get(section.type, f"{section.type:#x}"),
                offset=section.offset,
                size=section.size,
                allocated=bool(section.flags & ALLOCATED),
            )

    def _names(self) -> bytes:
        if not 0 < self._header.names < len(self._sections):
            return b""
        section = self._sections[self._header.names]
        return self._content(section, _NAMES)

    def _content(self, part: Section | Segment, limit: int) -> bytes:
        """Return what a section or segment holds, at most ``limit`` bytes of it."""
        data = read_bytes(self._read_at, part.offset, min(part.size, limit))
        self._complete &= len(data) == part.size
        return data

    def _stored(self, section: ElfSection) -> int:
        return max(0, min(section.stored, self._size - section.offset))

    def _interpreter(self, sections: tuple[ElfSection, ...]) -> str | None:
        # A file of debug information alone has the program headers of the whole file, and they
        # point at what it does not have.
        if any(section.name == ".interp" and section.type == "NOBITS" for section in sections):
            return None
        for segment in self._segments:
            if segment.type == SegmentType.INTERP:
                return _until_zero(self._content(segment, _STRING), 0, _STRING) or None
        return None

    def _dynamic(self) -> _Dynamic:
        table, strings = (
            self._dynamic_by_section() if self._sections else (self._dynamic_by_segment())
        )
        if strings is None:
            return _Dynamic()
        needed: list[str] = []
        soname, pie = None, False
        for tag, value in table:
            if tag == Tag.NEEDED and len(needed) < _NEEDED:
                needed.append(self._string(strings + value))
            elif tag == Tag.SONAME:
                soname = self._string(strings + value)
            elif tag == Tag.FLAGS_1:
                pie = bool(value & PIE)
        return _Dynamic(tuple(needed), soname, pie)

    def _dynamic_by_section(self) -> tuple[list[tuple[int, int]], int | None]:
        for section in self._sections:
            if section.type == SectionType.DYNAMIC and section.link < len(self._sections):
                return self._tags(section), self._sections[section.link].offset
        return [], None

    def _dynamic_by_segment(self) -> tuple[list[tuple[int, int]], int | None]:
        found = (each for each in self._segments if each.type == SegmentType.DYNAMIC)
        segment = next(found, None)
        if segment is None:
            return [], None
        tags = self._tags(segment)
        address = next((value for tag, value in tags if tag == Tag.STRTAB), -1)
        for each in self._segments:
            if each.type == SegmentType.LOAD and 0 <= address - each.address < each.size:
                return tags, address - each.address + each.offset
        return tags, None

    def _tags(self, part: Section | Segment) -> list[tuple[int, int]]:
        form = self._header.layout.dynamic
        data = self._content(part, _DYNAMIC)
        tags: list[tuple[int, int]] = []
        for tag, value in form.iter_unpack(data[: len(data) - len(data) % form.size]):
            if tag == Tag.NULL:
                break
            tags.append((tag, value))
        return tags

    def _string(self, offset: int) -> str:
        data = read_bytes(self._read_at, offset, _STRING)
        self._complete &= bool(data)
        return _until_zero(data, 0, _STRING)

    def _build_id(self) -> str | None:
        notes: list[Section | Segment] = [
            section for section in self._sections if section.type == SectionType.NOTE
        ]
        notes += (segment for segment in self._segments if segment.type == SegmentType.NOTE)
        # A core's notes are the registers and files of a process.
        if KINDS.get(self._header.type) is ElfKind.CORE:
            return None
        found = (self._build_id_in(note) for note in notes[:_NOTES])
        return next((each for each in found if each is not None), None)

    def _build_id_in(self, note: Section | Segment) -> str | None:
        data = read_bytes(self._read_at, note.offset, min(note.size, _NOTE))
        form = self._header.layout.note
        at = 0
        while at + form.size <= len(data):
            owner_size, size, kind = form.unpack_from(data, at)
            at += form.size
            content = at + owner_size + -owner_size % 4
            if kind == _BUILD_ID and data[at : at + owner_size] == _OWNER:
                return data[content : content + min(size, _BUILD_ID_SIZE)].hex() or None
            at = content + size + -size % 4
        return None


def _until_zero(data: bytes, start: int, limit: int) -> str:
    end = data.find(b"\0", start, start + limit)
    piece = data[start : start + limit] if end < 0 else data[start:end]
    return piece.decode("utf-8", "surrogateescape")
