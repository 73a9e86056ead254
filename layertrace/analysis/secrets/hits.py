"""What a detector found: where and what, never the value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MADE_UP: Final = "looks like an example"

# Words that documentation puts where a secret would stand, and rows that a keyboard types.
_EXAMPLES: Final = re.compile(
    rb"example|sample|dummy|placeholder|redacted|changeme|change_me|insert|your[-_]?|x{5}|\*{3}"
    rb"|1234567|abcdefg|abcdef0|abcd1234|deadbeef|0{6}|a{6}|\.{3}|<|\$\{|\{\{",
    re.IGNORECASE,
)
_LONG: Final = 16
_FEW: Final = 7
"""So few different characters in a long value: nobody drew them at random."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One secret in a content; knows where the value lies, not what it is."""

    kind: str
    start: int
    """Of the value, in bytes."""
    end: int
    shape: str = ""
    """What of it may be shown: ``ghp_…, 40 characters``."""
    doubt: str = ""
    """Why it is likely no secret at all; ``""`` where nothing says so."""
    sure: bool = False
    """Its structure or checksum proves it: no other text looks so by chance."""


def shape_of(value: bytes, prefix: bytes = b"") -> str:
    """Return what may be shown of a value: a prefix that all of its kind share, and its length.

    >>> shape_of(b"tok_123456", b"tok_")
    'tok_…, 10 characters'
    """
    length = f"{len(value):,} characters"
    return f"{prefix.decode('ascii', 'replace')}…, {length}" if prefix else length


def doubt_of(value: bytes) -> str:
    """Return why a value is likely made up; ``""`` where it may well be drawn at random."""
    few = len(value) >= _LONG and len(set(value)) < _FEW
    return MADE_UP if few or _EXAMPLES.search(value) else ""
