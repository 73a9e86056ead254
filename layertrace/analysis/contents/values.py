"""How two contents, and what their entries say beside them, differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layertrace.analysis.contents.elf import Elf
    from layertrace.analysis.contents.kinds import Kind, Nature
    from layertrace.model.origin import Change
    from layertrace.provenance.trees import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one side has at the path."""

    item: Item
    nature: Nature | None
    """None for anything but a regular file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeChange:
    """Something that an entry says beside its content, with another value."""

    name: str
    """As in JSON: ``type``, ``size``, ``mode``, ``link_target``; of an ELF file ``build_id``."""
    old: int | str | None
    new: int | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a text, without what ends it."""

    mark: str
    """A blank, ``-`` or ``+``."""
    text: str
    ended: bool = True
    """False: it is the last, and no newline follows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """Changed lines that stand together, and those around them."""

    old_start: int
    """The first line, from 1; the one before where there is none."""
    old_count: int
    new_start: int
    new_count: int
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDifference:
    """Two texts, line by line."""

    old_lines: int
    new_lines: int
    added: int
    removed: int
    hunks: tuple[Hunk, ...]
    """None where the texts are too long: then the numbers count lines that only one has."""
    shown: bool
    """False: too long for hunks."""
    hidden: int
    """Values of secrets in the texts that an ellipsis stands for."""
    shortest: bool
    """False: parts count as replaced whole, for to find what they share would take too long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionChange:
    """A section that one file alone has, or that holds something else."""

    name: str
    old: int | None
    """Bytes in memory or in the file; None: it has no such section."""
    new: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ElfDifference:
    """Two ELF files, by what they say of themselves."""

    old: Elf | None
    new: Elf | None
    facts: tuple[AttributeChange, ...]
    """Of what they are: ``kind``, ``machine``, ``soname``, ``build_id``, ``stripped`` and so on."""
    needed_added: tuple[str, ...]
    needed_removed: tuple[str, ...]
    sections: tuple[SectionChange, ...]
    """As the old file has them in order, then those of the new one alone."""
    same_sections: int
    """How many hold the same on both sides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChange:
    """A member that differs."""

    path: str
    change: Change
    old: int | None
    """Its size; None: not in the old archive."""
    new: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListDifference:
    """Two archives, by what they list."""

    old_members: int
    new_members: int
    added: int
    removed: int
    modified: int
    metadata: int
    """With the same content, another mode."""
    changes: tuple[MemberChange, ...]
    """By path; not all of very many."""
    complete: bool
    """False: one of them is damaged, or has more members than are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HexRow:
    """Up to sixteen bytes of each side at one place; none past its end."""

    offset: int
    old: bytes
    new: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class BytesDifference:
    """Two contents, byte by byte at the same places."""

    first: int
    """Where they differ first."""
    differing: int
    """Bytes that differ, of as many as the shorter one has."""
    compared: int
    """As many as the shorter one has."""
    rows: tuple[HexRow, ...]
    """Around the first difference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Withheld:
    """A difference that is not shown."""

    reason: str


Body = TextDifference | ElfDifference | ListDifference | BytesDifference | Withheld


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentDifference:
    """All that differs of one path in two images."""

    old: Held | None
    """None: not in the old image."""
    new: Held | None
    attributes: tuple[AttributeChange, ...]
    """Of what both sides have."""
    same: bool
    """True: both are regular files with the same content, as far as it was compared."""
    compared: int | None
    """Only so many first bytes of each were compared; None: all."""
    unpacked: Kind | None
    """What ``body`` compares is unpacked, and this; None: it is the contents as they are."""
    same_unpacked: bool
    """True: packed otherwise, they hold the same."""
    body: Body | None
    """None where the contents are the same or one side is no regular file."""
