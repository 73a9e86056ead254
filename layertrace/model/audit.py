"""What an audit asks of an image, and what it found.

Source: CONTRACT.md, section 4, ``audit.data``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a rule matters; a rule of level ``error`` that fails fails the audit."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Status(StrEnum):
    """What came of a rule."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    SKIPPED = "skipped"
    """What it asks cannot be known of this image; never a pass."""


class Unit(StrEnum):
    """What a rule's limit and value count."""

    BYTES = "bytes"
    PERCENT = "percent"
    RATIO = "ratio"
    """From 0 to 1, as dive has it."""
    MATCHES = "matches"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One thing that a rule does not want; never holds a secret's value."""

    path: str | None
    """Rootfs-relative; None where it is about the image or a layer as a whole."""
    layer: int | None
    stage: str | None
    line: int | None
    """Of the Dockerfile instruction to change."""
    instruction: str | None
    visible: bool
    """False: a later layer removed it, and it ships all the same."""
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Excepted:
    """A match that the policy excepts."""

    match: Match
    reason: str
    until: str | None
    """The last day of the exception, ``2027-01-31``; None: it does not end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleResult:
    """What came of one rule."""

    id: str
    level: Level
    status: Status
    asks: str
    """What the rule asks, in one line."""
    fix: str
    """What to do where it fails, in one line."""
    limit: str | int | float | None
    value: str | int | float | None
    matches: tuple[Match, ...] = ()
    excepted: tuple[Excepted, ...] = ()
    reason: str = ""
    """Why it was skipped."""
    unit: Unit = Unit.MATCHES
    more: int = 0
    """Matches beyond those listed: a hostile image may hold any number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What came of all rules of a policy, in the policy's order."""

    policy: str
    """Its file, or ``default``."""
    dockerfile: str | None
    """Name of the Dockerfile that the lines are of."""
    rules: tuple[RuleResult, ...]
    notes: tuple[str, ...] = ()
    """What is strange about the policy: an exception that nothing needs."""

    @property
    def failed(self) -> bool:
        """Whether the image may not ship."""
        return self.fails_at(Level.ERROR)

    def fails_at(self, level: Level) -> bool:
        """Whether a rule that matters as much as ``level``, or more, failed."""
        levels = list(Level)
        grave = levels[: levels.index(level) + 1]
        return any(rule.status is Status.FAIL and rule.level in grave for rule in self.rules)
