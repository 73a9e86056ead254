"""Who brought a file's bytes, and how we know.

Source: CONTRACT.md, section 4; the words are pinned there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum


class Trust(StrEnum):
    """How far an answer may be relied on, best first."""

    VERIFIED = "verified"
    INFERRED = "inferred"
    UNKNOWN = "unknown"
    CONTRADICTED = "contradicted"

    @property
    def rank(self) -> int:
        """0 is the best; the weakest of several is the largest."""
        return _RANKS[self]


_RANKS = {trust: rank for rank, trust in enumerate(Trust)}


def weakest(*trusts: Trust) -> Trust:
    """Return the worst of ``trusts``; a chain is as good as that.

    >>> weakest(Trust.VERIFIED, Trust.INFERRED)
    <Trust.INFERRED: 'inferred'>
    """
    return max(trusts, key=lambda trust: trust.rank, default=Trust.UNKNOWN)


class Evidence(StrEnum):
    """What a hop rests on."""

    MATCHED = "matched"
    ATTESTED = "attested"
    HASHED = "hashed"
    DECLARED = "declared"
    RECORDED = "recorded"
    UNKNOWN = "unknown"


class Action(StrEnum):
    """What happened to the file in a hop."""

    WRITE = "write"
    METADATA = "metadata"
    COPY = "copy"
    MOUNT = "mount"
    INHERIT = "inherit"


class OriginKind(StrEnum):
    """What first brought the bytes into a stage."""

    RUN = "run"
    CONTEXT = "context"
    URL = "url"
    INLINE = "inline"
    BASE = "base"
    IMAGE = "image"
    WORKDIR = "workdir"
    UNKNOWN = "unknown"


class Change(Enum):
    """What a layer did to a path, against the layers below it."""

    ADDED = "added"
    MODIFIED = "modified"
    METADATA = "metadata"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The instruction that first brought the bytes into a stage."""

    kind: OriginKind
    stage: str | None = None
    stage_index: int | None = None
    line: int | None = None
    instruction: str | None = None
    path: str | None = None
    """There: relative to the context, absolute in a stage or image."""
    image: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One move in a file's chain."""

    place: str
    """``final`` or the stage whose image it happened in."""
    layer: int | None
    """In that place's image; None when its image is not at hand."""
    action: Action
    path: str
    """Absolute, in that place."""
    trust: Trust
    evidence: Evidence
    detail: str
    stage: str | None = None
    stage_index: int | None = None
    line: int | None = None
    instruction: str | None = None
    candidates: tuple[str, ...] = ()
    """Where several sources are equally good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Every hop of one path of one image, newest first, and where it ends."""

    hops: tuple[Hop, ...]
    origin: Origin
    trust: Trust
    carried_from: str | None = None
    """The stage the newest copy named; known even where the maker is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something strange that every view shows."""

    code: str
    """Kebab case, stable: ``history-mismatch``."""
    message: str
    facts: dict[str, object] = field(default_factory=dict)
