r"""Wildcards of COPY, as Go's ``path/filepath.Match`` has them, a path part at a time.

``*`` and ``?`` never match a ``/``, ``[`` starts a class, ``\`` quotes; dots in
front are nothing special. A malformed pattern matches nothing: a builder stops at it.

Source: Go, ``path/filepath/match.go``; Dockerfile reference, "COPY --parents" for ``**``.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_WILDCARDS: Final = re.compile(r"[*?\[]")
_QUOTED: Final = re.compile(r"\\.", re.DOTALL)


def has_wildcards(text: str) -> bool:
    r"""Say whether a source stands for whatever matches it.

    A quoted wildcard is none, and without another the source is taken as it is
    written, backslash and all. Source: moby and BuildKit, ``containsWildcards``.

    >>> has_wildcards("a?"), has_wildcards(r"a\b"), has_wildcards(r"a\?")
    (True, False, False)
    """
    return _WILDCARDS.search(_QUOTED.sub("", text)) is not None


def name_matches(pattern: str, name: str) -> bool:
    r"""Say whether one path part matches.

    >>> name_matches("*.js", "a.js"), name_matches("[^a-c]?", "dx"), name_matches(r"\*", "x")
    (True, True, False)
    """
    compiled = _compiled(pattern)
    return compiled is not None and compiled.fullmatch(name) is not None


def parts_match(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    """Say whether a path fits a pattern with ``**``, or lies above or below what does.

    >>> parts_match(["src", "**", "*.c"], ["src", "a", "b", "x.c"])
    True
    """
    if not pattern or not parts:
        return True
    if pattern[0] == "**":
        return parts_match(pattern[1:], parts) or parts_match(pattern, parts[1:])
    return name_matches(pattern[0], parts[0]) and parts_match(pattern[1:], parts[1:])


class _MalformedError(ValueError):
    """Go calls it ErrBadPattern."""


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Return the regular expression of a pattern; None for a malformed one."""
    out: list[str] = []
    position = 0
    try:
        while position < len(pattern):
            piece, position = _piece(pattern, position)
            out.append(piece)
    except _MalformedError:
        return None
    return re.compile("".join(out), re.DOTALL)


def _piece(pattern: str, position: int) -> tuple[str, int]:
    """Translate what stands at a position; return it and where the next begins."""
    char = pattern[position]
    if char == "*":
        return ".*", position + 1
    if char == "?":
        return ".", position + 1
    if char == "[":
        return _class(pattern, position + 1)
    if char == "\\":
        position += 1
        if position == len(pattern):
            raise _MalformedError
    return re.escape(pattern[position]), position + 1


def _class(pattern: str, position: int) -> tuple[str, int]:
    negated = pattern[position : position + 1] == "^"
    position += negated
    ranges: list[str] = []
    while not (ranges and pattern[position] == "]"):
        low, position = _bound(pattern, position)
        high = low
        if pattern[position] == "-":
            high, position = _bound(pattern, position + 1)
        # A range the wrong way round holds nothing, which re would refuse.
        ranges.append(f"{re.escape(low)}-{re.escape(high)}" if low <= high else "")
    inner = "".join(ranges)
    if not inner:
        return "." if negated else "(?!)", position + 1
    return f"[{'^' if negated else ''}{inner}]", position + 1


def _bound(pattern: str, position: int) -> tuple[str, int]:
    """Read one character of a class; something must follow it."""
    if pattern[position : position + 1] == "\\":
        position += 1
    elif pattern[position : position + 1] in {"-", "]"}:
        raise _MalformedError
    if position + 1 >= len(pattern):
        raise _MalformedError
    return pattern[position], position + 1
