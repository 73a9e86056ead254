"""The terms of the filter language that ask for a path: words, globs, ``re:``.

A term is a function from the rows still in question to those that match, in
order.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from layertrace.model.files import FileTable

Narrow: TypeAlias = "Callable[[FileTable, Sequence[int]], Sequence[int]]"

_SPARSE: Final = 16
"""Rows for one hit at least, for hits to be looked up one by one."""


class TermError(ValueError):
    """A term that cannot be read."""

    def __init__(self, message: str, offset: int | None = 0) -> None:
        """Keep the place in the value; None: it is the key that is wrong."""
        super().__init__(message)
        self.offset = offset


def choose(value: str, choices: Collection[str], key: str) -> str:
    """Return ``value`` in lower case.

    Raises:
        TermError: it is none of the choices of its key.
    """
    if value.lower() not in choices:
        raise TermError(f"{key}: takes {', '.join(choices)}, not {value}")
    return value.lower()


def make_text_term(text: str, *, literal: bool) -> Narrow:
    """Return the term of a word or glob, of a word alone if ``literal``."""
    if literal or not any(mark in text for mark in "*?["):
        return _word(text)
    ending = text.lstrip("*")
    if len(ending) + 1 == len(text) and not any(mark in ending for mark in "*?[/"):
        return _ending(ending)
    try:
        return _matching(glob_pattern(text), fold=text == text.lower())
    except TermError as error:
        raise TermError(f"not a glob: {text}") from error


def make_regex_term(value: str) -> Narrow:
    """Return the term of a regular expression.

    Raises:
        TermError: it is none.
    """
    return _matching(value, fold=False)


def _word(text: str) -> Narrow:
    fold = text == text.lower()

    def narrow(table: FileTable, rows: Sequence[int]) -> Sequence[int]:
        paths = _chosen(table, rows)
        joined = _joined(paths, fold=fold)
        if "\0" in text or joined.count("\0") >= len(paths):
            found = [row for row, path in enumerate(_each(paths, fold=fold)) if text in path]
        elif joined.count(text) * _SPARSE > len(paths):
            found = [row for row, path in enumerate(joined.split("\0")) if text in path]
        else:
            found = _rows_with(text, joined)
        if isinstance(rows, range):
            return [rows.start + row for row in found] if rows.start else found
        return [rows[row] for row in found]

    return narrow


def _rows_with(text: str, joined: str) -> list[int]:
    """Return which of the joined paths hold ``text``, where few do.

    All are searched as one text; the row of a hit is how many ends of paths lie before it.
    """
    rows: list[int] = []
    row = start = 0
    while (hit := joined.find(text, start)) >= 0:
        row += joined.count("\0", start, hit)
        rows.append(row)
        start = joined.find("\0", hit)
        if start < 0:
            break
    return rows


def _ending(text: str) -> Narrow:
    fold = text == text.lower()

    def narrow(table: FileTable, rows: Sequence[int]) -> Sequence[int]:
        paths = _paths(table, rows, fold=fold)
        return [row for row, path in zip(rows, paths, strict=True) if path.endswith(text)]

    return narrow


def _matching(pattern: str, *, fold: bool) -> Narrow:
    try:
        with warnings.catch_warnings():
            # Python thinks aloud about sets it may read otherwise one day.
            warnings.simplefilter("ignore")
            search = re.compile(pattern, re.DOTALL).search
    except (re.error, OverflowError, RecursionError) as error:
        place = getattr(error, "pos", None) or 0
        raise TermError(f"not a regular expression: {error}", place) from error

    def narrow(table: FileTable, rows: Sequence[int]) -> Sequence[int]:
        paths = _paths(table, rows, fold=fold)
        return [row for row, path in zip(rows, paths, strict=True) if search(path)]

    return narrow


def _paths(table: FileTable, rows: Sequence[int], *, fold: bool) -> Sequence[str]:
    """Return the absolute paths of ``rows``, in lower case if ``fold``.

    One text made and cut again costs a fifth of as many small ones.
    """
    chosen = _chosen(table, rows)
    paths = _joined(chosen, fold=fold).split("\0") if chosen else []
    return paths if len(paths) == len(chosen) else _each(chosen, fold=fold)


def _chosen(table: FileTable, rows: Sequence[int]) -> Sequence[str]:
    if isinstance(rows, range):
        return table.paths[rows.start : rows.stop]
    return [table.paths[row] for row in rows]


def _joined(paths: Sequence[str], *, fold: bool) -> str:
    joined = "/" + "\0/".join(paths)
    return joined.lower() if fold else joined


def _each(paths: Sequence[str], *, fold: bool) -> list[str]:
    """Return the same one by one: a name may hold a NUL in a tar, if in no file system."""
    return [f"/{path.lower() if fold else path}" for path in paths]


def glob_pattern(glob: str) -> str:
    """Return the regular expression of a glob on an absolute path.

    Without a slash it is the name's, at any depth; with one but not at the
    start, it may begin below any folder.
    """
    parts = glob.split("/")
    prefix = "^" if glob.startswith("/") else "/"
    last = len(parts) - 1
    pattern = ""
    for index, part in enumerate(parts):
        if part == "**":
            pattern += "(?:[^/]+/)*" if index < last else ".+"
        else:
            pattern += _glob_part(part) + ("/" if index < last else "")
    return f"{prefix}{pattern}\\Z"


def _glob_part(part: str) -> str:
    pattern = ""
    index = 0
    while index < len(part):
        letter = part[index]
        index += 1
        end = part.find("]", index + 1) if letter == "[" else -1
        if letter == "*":
            # Two stars in a name mean what one does.
            pattern += "" if pattern.endswith("[^/]*") else "[^/]*"
        elif letter == "?":
            pattern += "[^/]"
        elif end > 0:
            inverse = part[index] in "!^"
            members = re.escape(part[index + inverse : end]).replace("\\-", "-")
            pattern += f"(?!/)[{'^' * inverse}{members}]"
            index = end + 1
        else:
            pattern += re.escape(letter)
    return pattern
