"""The page of what differs between two versions of a path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.views.contents.text import content_lines
from layertrace.views.lists.rows import Role
from layertrace.views.preview.pages import Page, expanded, fixed

if TYPE_CHECKING:
    from layertrace.analysis.contents.values import ContentDifference

_ROLES: Final = (("+", Role.ADDED), ("-", Role.GONE), ("@@", Role.STRONG), ("\\", Role.DIM))


def difference_page(path: str, difference: ContentDifference, words: str) -> Page:
    """Return the page; what it says of the path is the same as ``diff`` says of two images."""
    # A line that is longer than the page is wide is shifted, not cut.
    title, *lines = content_lines(path, difference, width=_WIDE)
    first = next((n for n, line in enumerate(lines) if line.startswith("@@ ")), 0)
    # Above the first hunk stand the names of both files, which the frame has too.
    lines = [*lines[: max(0, first - 2)], *lines[first:]]
    rows = [[(title, Role.STRONG)]]
    rows += [[(expanded(line), _role(line))] for line in lines]
    return Page(words=words, body=fixed(rows), ours=True)


_WIDE: Final = 2_000
"""Cells of a table: as wide as any line is shown."""


def _role(line: str) -> Role:
    return next((role for sign, role in _ROLES if line.startswith(sign)), Role.PLAIN)
