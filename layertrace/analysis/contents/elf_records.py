"""The fixed records of an ELF file: its header, section headers and program headers.

Source: System V gABI 4.1, chapter 4, "ELF Header" and "Sections"; chapter 5, "Program Header".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from struct import Struct
from typing import Final, Literal, NamedTuple

ReadAt = Callable[[int, int], bytes]
"""Returns, from an offset, up to so many bytes; fewer only where the file ends."""

_MAGIC: Final = b"\x7fELF"
_IDENT: Final = 16
_WIDE: Final = 2
_SECTIONS: Final = 65_536
_SEGMENTS: Final = 4_096
_FAR: Final = 1 << 63
_ELSEWHERE: Final = 0xFFFF
"""In a count or an index of 16 bits: the first section header has the real one."""


class Layout(NamedTuple):
    """How records are packed: for 32 or 64 bits, in either byte order."""

    header: Struct
    section: Struct
    segment: Struct
    dynamic: Struct
    note: Struct


class Section(NamedTuple):
    """A section header."""

    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry: int


class Segment(NamedTuple):
    """A program header."""

    type: int
    offset: int
    address: int
    size: int
    """Bytes in the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The header of a file."""

    layout: Layout
    bits: Literal[32, 64]
    endian: Literal["little", "big"]
    type: int
    machine: int
    segments_at: int
    sections_at: int
    segment_size: int
    segments: int
    section_size: int
    sections: int
    names: int
    """The section that holds the names of sections, 0 for none."""


def _layout(order: str, *, wide: bool) -> Layout:
    wide_forms = ("HHIQQQIHHHHHH", "IIQQQQIIQQ", "IIQQQQQQ", "qQ", "III")
    narrow_forms = ("HHIIIIIHHHHHH", "10I", "8I", "iI", "III")
    forms = wide_forms if wide else narrow_forms
    return Layout(*(Struct(order + form) for form in forms))


_LAYOUTS: Final = {
    (bits, data): _layout(order, wide=bits == _WIDE)
    for bits in (1, _WIDE)
    for data, order in ((1, "<"), (2, ">"))
}


def read_bytes(read_at: ReadAt, offset: int, size: int) -> bytes:
    """Return what is there; an offset that no file reaches is past the end of any."""
    return read_at(offset, size) if 0 <= offset < _FAR and size > 0 else b""


def read_header(read_at: ReadAt) -> Header | None:
    """Return the header, None if there is no whole one."""
    ident = read_at(0, _IDENT)
    if len(ident) < _IDENT or ident[:4] != _MAGIC:
        return None
    layout = _LAYOUTS.get((ident[4], ident[5]))
    if layout is None:
        return None
    rest = read_at(_IDENT, layout.header.size)
    if len(rest) < layout.header.size:
        return None
    values = layout.header.unpack(rest)
    header = Header(
        layout=layout,
        bits=64 if ident[4] == _WIDE else 32,
        endian="little" if ident[5] == 1 else "big",
        type=values[0],
        machine=values[1],
        segments_at=values[4],
        sections_at=values[5],
        segment_size=values[8],
        segments=values[9],
        section_size=values[10],
        sections=values[11],
        names=values[12],
    )
    return _with_real_counts(read_at, header)


def _with_real_counts(read_at: ReadAt, header: Header) -> Header:
    far = header.sections == 0 and header.sections_at != 0
    if not far and _ELSEWHERE not in (header.segments, header.names):
        return header
    first = _sections(read_at, replace(header, sections=1))
    if not first:
        return header
    return replace(
        header,
        sections=first[0].size if far else header.sections,
        segments=first[0].info if header.segments == _ELSEWHERE else header.segments,
        names=first[0].link if header.names == _ELSEWHERE else header.names,
    )


def read_sections(read_at: ReadAt, header: Header) -> tuple[tuple[Section, ...], bool]:
    """Return the section headers that are there, and whether those are all."""
    if not header.sections_at:
        return (), True
    found = _sections(read_at, header)
    return found, len(found) == header.sections


def _sections(read_at: ReadAt, header: Header) -> tuple[Section, ...]:
    form = header.layout.section
    table = _table(
        read_at, header.sections_at, min(header.sections, _SECTIONS), header.section_size, form
    )
    return tuple(map(Section._make, table))


def read_segments(read_at: ReadAt, header: Header) -> tuple[tuple[Segment, ...], bool]:
    """Return the program headers that are there, and whether those are all."""
    if not header.segments_at:
        return (), True
    form = header.layout.segment
    table = _table(
        read_at, header.segments_at, min(header.segments, _SEGMENTS), header.segment_size, form
    )
    # The flags stand at another place in records of 32 bits.
    shift = 0 if header.bits == 32 else 1  # noqa: PLR2004 - bits
    found = tuple(Segment(row[0], row[1 + shift], row[2 + shift], row[4 + shift]) for row in table)
    return found, len(found) == header.segments


def _table(
    read_at: ReadAt, offset: int, count: int, step: int, form: Struct
) -> list[tuple[int, ...]]:
    """Return up to ``count`` records that are ``step`` bytes apart, which may be more than one."""
    if step < form.size:
        return []
    data = (
        read_bytes(read_at, offset, count * form.size)
        if step == form.size
        else b"".join(_spread(read_at, offset, count, step, form.size))
    )
    whole = len(data) - len(data) % form.size
    return list(form.iter_unpack(data[:whole]))


def _spread(read_at: ReadAt, offset: int, count: int, step: int, size: int) -> list[bytes]:
    pieces: list[bytes] = []
    for number in range(count):
        piece = read_bytes(read_at, offset + number * step, size)
        if len(piece) < size:
            break
        pieces.append(piece)
    return pieces
