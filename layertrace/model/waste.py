"""What an image ships for nothing.

Source: CONTRACT.md, section 4, ``bloat.data``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """Why nobody sees bytes that a layer stores."""

    OVERWRITTEN = "overwritten"
    """Other content stands at the path since."""
    REMOVED = "removed"
    """A whiteout names the path, or a directory above it."""
    HIDDEN = "hidden"
    """The directory it lay in became opaque or something that is no directory."""
    METADATA = "metadata"
    """The same content stands at the path since, with another mode, owner or time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A layer and the instruction that made it, as far as that is known."""

    layer: int
    stage: str | None
    line: int | None
    instruction: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WastedPath:
    """A path and the bytes that are stored for it in vain."""

    path: str
    """Rootfs-relative."""
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WasteGroup:
    """What one instruction wrote and one later instruction undid, for one cause."""

    cause: Cause
    bytes: int
    written_by: Step
    undone_by: Step
    paths: tuple[WastedPath, ...]
    """The largest first."""
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBytes:
    """What one step brought of something."""

    step: Step
    base: bool
    """It is one of the base image: no line of the Dockerfile can do otherwise."""
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Leftover:
    """Visible files of one kind that an image can mostly do without."""

    rule: str
    """Its name, such as ``apt-lists``."""
    bytes: int
    paths: tuple[WastedPath, ...]
    """The largest first; a folder stands for all that it holds, but for what a more specific
    rule counts."""
    advice: str
    written_by: tuple[StepBytes, ...] = ()
    """Whose layers hold these bytes, the largest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """One content at several visible paths; hard links to one file are one path."""

    digest: str
    size: int
    """Of one copy."""
    paths: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """What all copies but one take."""
        return self.size * (len(self.paths) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bloat:
    """All that an image ships for nothing, or for little."""

    stored_bytes: int
    """Content bytes of the regular files of all layers, each stored copy counted."""
    visible_bytes: int
    """Those that a container sees, hard links counted once."""
    groups: tuple[WasteGroup, ...]
    """The largest first; their bytes are ``stored_bytes - visible_bytes``."""
    maybe: tuple[Leftover, ...]
    duplicates: tuple[Duplicate, ...]
    dive_efficiency: float
    """As dive 0.13 scores an image, 0 to 1."""

    @property
    def wasted_bytes(self) -> int:
        """What layers store and nobody sees."""
        return self.stored_bytes - self.visible_bytes
