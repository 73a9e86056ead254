"""Text tables: numbers whole, the last column takes what room is left.

On a terminal a long last column is cut, a path in its middle; in a pipe
nothing is ever cut.
"""

from __future__ import annotations

import shutil
import sys
import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_GAP: Final = "  "
_LEAST: Final = 20
"""Cells the last column keeps on the narrowest terminal."""


def format_table(
    rows: Iterable[Sequence[str]], *, align: str, head: Sequence[str] = (), width: int | None = None
) -> list[str]:
    """Return the lines of a table.

    Args:
        rows: cells, already safe to show.
        align: ``<`` or ``>`` a column; the last is never filled up.
        head: column titles.
        width: cells of a line; None: as many as it takes.
    """
    body = [list(row) for row in rows]
    lines = [list(head), *body] if head else body
    if not lines:
        return []
    widths = [max(_cells(line[i]) for line in lines) for i in range(len(align))]
    before = sum(widths[:-1]) + len(_GAP) * (len(widths) - 1)
    last = None if width is None else max(width - before, _LEAST)
    return [_format_line(line, widths, align, last) for line in lines]


def stdout_width() -> int | None:
    """Return the terminal's width; None where stdout is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def shorten_middle(text: str, width: int) -> str:
    """Return ``text`` in ``width`` cells, its middle left out.

    >>> shorten_middle("/usr/lib/python3/dist-packages/x.py", 20)
    '/usr/lib/…ages/x.py'
    """
    if _cells(text) <= width:
        return text
    half = max((width - 1) // 2, 1)
    head, tail = text[:half], text[-half:]
    while _cells(head) > half:
        head = head[:-1]
    while _cells(tail) > half:
        tail = tail[1:]
    return f"{head}…{tail}"


def _format_line(line: list[str], widths: list[int], align: str, last: int | None) -> str:
    cells = [
        _pad(cell, width, side)
        for cell, width, side in zip(line[:-1], widths[:-1], align[:-1], strict=True)
    ]
    final = line[-1] if last is None else shorten_middle(line[-1], last)
    return _GAP.join([*cells, final]).rstrip()


def _pad(cell: str, width: int, side: str) -> str:
    blanks = " " * (width - _cells(cell))
    return blanks + cell if side == ">" else cell + blanks


def _cells(text: str) -> int:
    """Return how many terminal cells ``text`` takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in {"W", "F"} for char in text)
    marks = sum(unicodedata.combining(char) != 0 for char in text)
    return len(text) + wide - marks
