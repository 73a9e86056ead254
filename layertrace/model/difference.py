"""What two file systems do not share, and why.

Source: CONTRACT.md, section 4, ``diff.data``.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from enum import Enum, IntEnum, IntFlag, StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from layertrace.model.packages import PackageChange


class DiffKind(IntEnum):
    """How a path differs; small numbers, so that a million fit in a byte column."""

    ADDED = 0
    REMOVED = 1
    MODIFIED = 2
    """Its content, or what a link or a device stands for."""
    METADATA = 3
    """Mode, owner, time, capability or what else shares its file."""
    TYPE = 4
    """One side has a file where the other has a directory, a link and so on."""

    @property
    def word(self) -> str:
        """``added``, ``removed``, ``modified``, ``metadata`` or ``type``."""
        return self.name.lower()


class Attribute(IntFlag):
    """What differs of an entry beside its content."""

    MODE = 1
    OWNER = 2
    TIME = 4
    CAPABILITY = 8
    LINKS = 16
    """Its bytes count at another of the names that its file has."""

    @property
    def words(self) -> tuple[str, ...]:
        """The names of those that are set."""
        return tuple(str(each.name).lower() for each in Attribute if each in self)


class CauseKind(StrEnum):
    """What brought a change about: the words that are pinned."""

    BASE = "base"
    STAGE = "stage"
    CONTEXT = "context"
    INSTRUCTION = "instruction"
    UNKNOWN = "unknown"


class Why(Enum):
    """The same, closer."""

    MOVED = "moved"
    """Another base image, or another build of it."""
    RESULT = "result"
    """The same instruction gave something else."""
    CONTEXT = "context"
    """The same COPY or ADD found other files."""
    ARGUMENT = "argument"
    """The same instruction with another value of a build argument."""
    TEXT = "text"
    """The instruction was changed."""
    ADDED = "added"
    """Only the new image has the instruction."""
    REMOVED = "removed"
    """Only the old image has it."""
    LEFT_BEHIND = "left-behind"
    """What it makes shipped as a layer, and is in a stage that is left behind now."""
    SHIPPED = "shipped"
    """The other way round."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Maker:
    """An instruction, a base image or a bare layer, as one of two images has it."""

    base: bool = False
    """It is a base image: of the image itself, or of the stage named."""
    stage: str | None = None
    stage_index: int | None = None
    line: int | None = None
    instruction: str | None = None
    """As written; of a base its FROM, where that is known."""
    layers: tuple[int, ...] = ()
    """Of the image that it made; none where it is of a stage that is left behind."""
    image: str | None = None
    """Of a base: its name."""
    digest: str | None = None
    """Of a base: its digest, where that is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Argument:
    """A build argument with another value; the values only where they can hold no secret."""

    name: str
    old: str | None = None
    new: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What some changes add up to."""

    bytes_delta: int = 0
    """Visible bytes, those of the new image minus those of the old."""
    added: int = 0
    removed: int = 0
    modified: int = 0
    metadata: int = 0
    retyped: int = 0

    @property
    def paths(self) -> int:
        """How many paths changed."""
        return self.added + self.removed + self.modified + self.metadata + self.retyped


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Changes of one cause that are of one sort."""

    sort: str
    """Such as ``build tools``."""
    name: str
    """What of that sort: a package, a folder; empty where that is all of it."""
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why some paths changed; every change has exactly one."""

    kind: CauseKind
    why: Why
    counts: Counts
    old: Maker | None = None
    new: Maker | None = None
    arguments: tuple[Argument, ...] = ()
    parts: tuple[Part, ...] = ()
    """They add up to ``counts``; the largest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Every path that differs, in columns; in preorder."""

    paths: Sequence[str]
    """Rootfs-relative."""
    old_rows: array[int] = field(default_factory=lambda: array("q"))
    """Into the old image's table; -1: it has no such path."""
    new_rows: array[int] = field(default_factory=lambda: array("q"))
    kinds: bytes = b""
    """:class:`DiffKind` values."""
    attributes: bytes = b""
    """:class:`Attribute` values, of what both images have."""
    bytes_deltas: array[int] = field(default_factory=lambda: array("q"))
    """Visible bytes; those of a file with several names count at the first of them."""
    causes: array[int] = field(default_factory=lambda: array("i"))
    """Into the difference's causes."""
    renames: Mapping[int, int] = field(default_factory=dict)
    """A removed path's number to the number of the added one that has its content."""

    def __len__(self) -> int:
        return len(self.paths)

    def counts(self, numbers: Iterable[int] | None = None) -> Counts:
        """Add up all changes, or some."""
        chosen = range(len(self)) if numbers is None else numbers
        kinds: Counter[int] = Counter()
        total = 0
        for number in chosen:
            kinds[self.kinds[number]] += 1
            total += self.bytes_deltas[number]
        return make_counts(total, kinds)


def make_counts(bytes_delta: int, kinds: Mapping[int, int]) -> Counts:
    """Return counts from a count of each :class:`DiffKind`."""
    return Counts(
        bytes_delta=bytes_delta,
        added=kinds.get(DiffKind.ADDED, 0),
        removed=kinds.get(DiffKind.REMOVED, 0),
        modified=kinds.get(DiffKind.MODIFIED, 0),
        metadata=kinds.get(DiffKind.METADATA, 0),
        retyped=kinds.get(DiffKind.TYPE, 0),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """What one image weighs."""

    visible: int
    """Bytes of the regular files that a container sees, hard links counted once."""
    stored: int
    """Those of all layers, each stored copy counted."""

    @property
    def wasted(self) -> int:
        """What layers store and nobody sees."""
        return self.stored - self.visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """All that two file systems do not share."""

    old: Weight
    new: Weight
    changes: Changes
    causes: tuple[Cause, ...]
    """The most bytes first. Their bytes are ``new.visible - old.visible``, all changes given."""
    counts: Counts
    """Of the changes given."""
    total: Counts
    """Of all changes: the same unless some were chosen."""
    packages: tuple[PackageChange, ...] = ()
    """What is installed in one image alone, or in another version, whatever changes are given."""

    @property
    def visible_delta(self) -> int:
        """Bytes that a container sees more of in the new image."""
        return self.new.visible - self.old.visible

    @property
    def stored_delta(self) -> int:
        """Bytes that the new image's layers store more."""
        return self.new.stored - self.old.stored

    @property
    def wasted_delta(self) -> int:
        """The part of it that nobody sees."""
        return self.stored_delta - self.visible_delta
