"""Which rules are asked, and on which day."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layertrace.analysis.audit.dive_ci import FILE, read_dive_rules
from layertrace.analysis.audit.reading import (
    default_policy,
    only_rules,
    read_policy,
    with_dive_rules,
)
from layertrace.errors import PolicyError, SourceError, UsageError

if TYPE_CHECKING:
    from layertrace.analysis.audit.policy import Policy

POLICY: Final = "layertrace.toml"
_CLOCK: Final = "SOURCE_DATE_EPOCH"
_LONGEST: Final = 1 << 20
"""Bytes of a policy: what is longer is some other file."""


def find_policy(
    given: Path | None = None, dive_ci: Path | None = None, rules: tuple[str, ...] = ()
) -> Policy:
    """Return what is to be asked, by the files given or those that are here.

    Raises:
        LayertraceError: a file cannot be read, or holds what it may not.
    """
    file = given or _if_there(POLICY)
    policy = default_policy() if file is None else read_policy(_read(file), str(file))
    dive = dive_ci or _if_there(FILE)
    if dive is not None:
        policy = with_dive_rules(policy, read_dive_rules(_read(dive), str(dive)), str(dive))
    return only_rules(policy, rules) if rules else policy


def _if_there(name: str) -> Path | None:
    # A folder or a link to nowhere counts too: to pass over what somebody put there for a
    # policy would let an image ship that it keeps back.
    return Path(name) if os.path.lexists(name) else None


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST + 1)
    except OSError as error:
        raise SourceError(f"cannot read {path}", why=error.strerror or str(error)) from error
    if len(data) > _LONGEST:
        message = f"more than {_LONGEST:,} bytes, no policy is that long"
        raise PolicyError(message, document=str(path))
    return data


def today() -> date:
    """Return the day by which exceptions end, in UTC.

    Source: reproducible-builds.org, ``SOURCE_DATE_EPOCH``.

    Raises:
        UsageError: that variable is no time.
    """
    text = os.environ.get(_CLOCK)
    if not text:
        return datetime.now(UTC).date()
    try:
        return datetime.fromtimestamp(int(text), UTC).date()
    except (ValueError, OverflowError, OSError) as error:
        raise UsageError(f"{_CLOCK} is no time: {text}", hint="seconds since 1970") from error
