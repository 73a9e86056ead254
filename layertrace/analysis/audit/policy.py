"""What an audit is to ask of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.model.audit import Level

if TYPE_CHECKING:
    from datetime import date

    from layertrace.filters.language import Filter

DEFAULT: Final = "default"
"""What the policy is called that comes with us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """How one rule of the catalogue is asked."""

    id: str
    level: Level
    limit: int | float | None = None
    """The most that is allowed, in the rule's unit."""
    allow: tuple[str, ...] = ()
    """Globs of paths that the rule does not mind."""
    base: bool = True
    """What the base image brought counts too."""
    strict: bool = False
    """What was copied out of a stage that is not at hand is of unknown origin too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Custom:
    """What the three kinds of a policy's own rules share."""

    id: str
    level: Level
    fix: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deny(Custom):
    """No more than so many paths may match a filter."""

    files: Filter
    limit: int = 0
    removed: bool = False
    """Paths that a later layer removed count too: they still ship."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget(Custom):
    """What matches a filter may weigh so much in all."""

    files: Filter
    max_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipsOnly(Custom):
    """Nothing but these paths may come from a stage."""

    stage: str
    paths: tuple[str, ...]


OwnRule = Deny | Budget | ShipsOnly


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Matches that are known and accepted for now."""

    reason: str
    rule: str | None = None
    """None: of every rule."""
    path: str | None = None
    """A glob; None: whatever the rule finds."""
    until: date | None = None
    """The last day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules to ask, in their order, and what is excepted."""

    name: str = DEFAULT
    """Its files."""
    fail_on: Level = Level.ERROR
    settings: tuple[Setting, ...]
    own: tuple[OwnRule, ...] = ()
    exemptions: tuple[Exemption, ...] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """Every rule that is asked, in order."""
        return tuple(rule.id for rule in (*self.settings, *self.own))
