"""What a rule of the catalogue is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layertrace.model.audit import Level, Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.analysis.audit.policy import Setting
    from layertrace.analysis.audit.subject import Subject
    from layertrace.model.audit import Match


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a rule found, before exceptions."""

    value: int | float | None = None
    """In the rule's unit; None: as many as there are matches."""
    matches: tuple[Match, ...] = ()
    skipped: str = ""
    """Why it cannot be asked of this image, or not of all of it: then it never passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleKind:
    """One rule of the catalogue."""

    id: str
    asks: str
    fix: str
    level: Level = Level.WARNING
    enabled: bool = True
    """Whether the default policy asks it."""
    unit: Unit = Unit.MATCHES
    limit: str | int | float | None = 0
    """The default, as a policy would write it; None: the rule has none."""
    least: bool = False
    """The limit is the least that is allowed, not the most."""
    options: frozenset[str] = field(default=frozenset())
    """Of ``limit``, ``allow``, ``base`` and ``strict``, those that it takes."""
    base: bool = True
    """The default of that option."""
    origins: bool = False
    """It asks where files came from: every path is traced for it."""
    layers: bool = True
    """It asks what layers hold: it cannot pass where one of them could not be read."""
    names: tuple[str, ...] = ()
    """Other names it is known by."""
    judge: Callable[[Subject, Setting], Verdict]
