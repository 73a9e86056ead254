"""``--max NAME=NUMBER``: the limits of a reading as words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from layertrace.errors import UsageError
from layertrace.model.limits import DEFAULTS, Limits, describe_limits

_NUMBER: Final = re.compile(r"([0-9]{1,18})(?:([kmgt])(i?)b?)?", re.IGNORECASE)
_POWERS: Final = "kmgt"
_SHORT: Final = 10_000
"""Smaller numbers are shown as they are."""


def parse_limits(values: tuple[str, ...]) -> Limits:
    """Return the usual limits with those of ``--max`` in their place.

    Raises:
        UsageError: there is no such limit, or a value that is no number.

    >>> parse_limits(("entries=5M", "json-depth=300")).entries
    5000000
    """
    names = [each.name for each in describe_limits()]
    given: dict[str, int] = {}
    for value in values:
        name, _, number = value.partition("=")
        if name not in names:
            raise UsageError(
                f"--max {value}: there is no limit {name}", hint=f"limits: {', '.join(names)}"
            )
        given[name.replace("-", "_")] = _number(value, number)
    return replace(DEFAULTS, **given)


def _number(value: str, text: str) -> int:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise UsageError(
            f"--max {value}: not a number", hint="write NAME=NUMBER, as entries=5M or json=64MiB"
        )
    digits, letter, binary = found.groups()
    power = 0 if letter is None else _POWERS.index(letter.lower()) + 1
    base: int = 1024 if binary else 1000
    return int(digits) * int(base**power)


def limit_rows() -> list[tuple[str, str]]:
    """Return the lines of ``--help``: what ``--max`` takes, the usual value and what it bounds."""
    return [
        (f"{each.name}={_shown(each.default)}", f"{each.bounds[0].upper()}{each.bounds[1:]}.")
        for each in describe_limits()
    ]


def _shown(number: int) -> str:
    """Return a number as ``--max`` takes it, in its largest whole unit.

    >>> _shown(256_000_000_000), _shown(1 << 20), _shown(40)
    ('256G', '1MiB', '40')
    """
    if number < _SHORT:
        return str(number)
    for power in range(len(_POWERS), 0, -1):
        letter = _POWERS[power - 1].replace("k", "K")
        if number % 1024**power == 0:
            return f"{number // 1024**power}{letter.upper()}iB"
        if number % 1000**power == 0:
            return f"{number // 1000**power}{letter.upper().replace('K', 'k')}"
    return str(number)
