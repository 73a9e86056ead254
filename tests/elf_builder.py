"""ELF files of either width and byte order, small enough to be worked out by hand."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

_HEAD: Final = {32: 52, 64: 64}
_SECTION: Final = {32: "10I", 64: "IIQQQQIIQQ"}
_SEGMENT: Final = {32: "8I", 64: "IIQQQQQQ"}
_FORM: Final = {32: "HHIIIIIHHHHHH", 64: "HHIQQQIHHHHHH"}
_DYNAMIC: Final = {32: "iI", 64: "qQ"}
BASE: Final = 0x40_0000
"""Where the file's first byte is loaded to."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A section, and the segment that points at it."""

    name: str
    type: int
    data: bytes
    flags: int = 0
    link: str = ""
    segment: int = 0
    size: int | None = None
    """What its header says, where that is not what it has."""


def string(*names: str) -> bytes:
    """Return a table of strings, an empty one first."""
    return b"\0" + b"".join(name.encode() + b"\0" for name in names)


def dynamic(strings: bytes, *, bits: int = 64, order: str = "<", **tags: tuple[str, ...]) -> bytes:
    """Return a dynamic section's tags: ``needed`` and ``soname`` by name."""
    numbers = {"needed": 1, "soname": 14}
    found = [
        (numbers[tag], strings.index(b"\0" + name.encode() + b"\0") + 1)
        for tag, names in tags.items()
        for name in names
    ]
    return b"".join(struct.pack(order + _DYNAMIC[bits], *pair) for pair in [*found, (0, 0)])


def pie_tag(*, bits: int = 64, order: str = "<") -> bytes:
    """Return the tag that tells a program."""
    return struct.pack(order + _DYNAMIC[bits], 0x6FFFFFFB, 0x08000000)


def strings_tag(offset: int, *, bits: int = 64, order: str = "<") -> bytes:
    """Return the tag that says where the strings are loaded to."""
    return struct.pack(order + _DYNAMIC[bits], 5, BASE + offset)


def note(build_id: bytes, *, order: str = "<") -> bytes:
    """Return a note with a build id, after one of another kind."""
    # Five bytes, filled up to a multiple of four.
    other = struct.pack(order + "III", 4, 5, 1) + b"GNU\0" + b"abide\0\0\0"
    return other + struct.pack(order + "III", 4, len(build_id), 3) + b"GNU\0" + build_id


def make_elf(  # noqa: PLR0913 - what a header has
    *parts: Part,
    bits: int = 64,
    order: str = "<",
    kind: int = 3,
    machine: int = 62,
    sections: bool = True,
    far_counts: bool = False,
) -> bytes:
    """Return a file: its header, program headers, contents, section headers."""
    names = string(*(part.name for part in parts), ".shstrtab")
    everything = [*parts, Part(name=".shstrtab", type=3, data=names)]
    segments = [part for part in parts if part.segment]
    step = struct.calcsize(order + _SEGMENT[bits])
    at = _HEAD[bits] + step * (len(segments) + 1)
    places: dict[str, int] = {}
    body = b""
    for part in everything:
        places[part.name] = at + len(body)
        body += part.data
    table_at = at + len(body)
    numbers = {part.name: number for number, part in enumerate(everything, 1)}
    head_rows = [_segment(bits, order, 1, 0, table_at)]
    head_rows += (
        _segment(bits, order, part.segment, places[part.name], len(part.data)) for part in segments
    )
    count = len(everything) + 1
    empty = (0, 0, 0, 0, 0, count if far_counts else 0, count - 1 if far_counts else 0, 0, 0, 0)
    rows = [struct.pack(order + _SECTION[bits], *empty)]
    for part in everything:
        size = len(part.data) if part.size is None else part.size
        name = names.index(b"\0" + part.name.encode() + b"\0") + 1
        link = numbers.get(part.link, 0)
        fields = (name, part.type, part.flags, 0, places[part.name], size, link, 0, 1, 0)
        rows.append(struct.pack(order + _SECTION[bits], *fields))
    ident = b"\x7fELF" + bytes((1 if bits == 32 else 2, 1 if order == "<" else 2, 1)) + b"\0" * 9
    header = struct.pack(
        order + _FORM[bits],
        kind, machine, 1, 0, _HEAD[bits], table_at if sections else 0, 0, _HEAD[bits],
        step, len(head_rows), struct.calcsize(order + _SECTION[bits]),
        0 if far_counts or not sections else count,
        0xFFFF if far_counts else count - 1 if sections else 0,
    )  # fmt: skip
    return ident + header + b"".join(head_rows) + body + b"".join(rows if sections else ())


def _segment(bits: int, order: str, kind: int, offset: int, size: int) -> bytes:
    if bits == 32:
        fields = (kind, offset, BASE + offset, 0, size, size, 4, 1)
    else:
        fields = (kind, 4, offset, BASE + offset, 0, size, size, 1)
    return struct.pack(order + _SEGMENT[bits], *fields)
