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
from layertrace.errors import UsageError
from layertrace.pipeline.opening.evidence import read_small

if TYPE_CHECKING:
    from layertrace.analysis.audit.policy import Policy

POLICY: Final = "layertrace.toml"
_CLOCK: Final = "SOURCE_DATE_EPOCH"


def find_policy(
    given: Path | None = None, dive_ci: Path | None = None, rules: tuple[str, ...] = ()
) -> Policy:
    """Return what is to be asked, by the files given or those that are here.

    Raises:
        LayertraceError: a file cannot be read, or holds what it may not.
    """
    file = given or _if_there(POLICY)
    policy = default_policy() if file is None else read_policy(read_small(file), str(file))
    dive = dive_ci or _if_there(FILE)
    if dive is not None:
        policy = with_dive_rules(policy, read_dive_rules(read_small(dive), str(dive)), str(dive))
    return only_rules(policy, rules) if rules else policy


def _if_there(name: str) -> Path | None:
    path = Path(name)
    return path if path.is_file() else None


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
