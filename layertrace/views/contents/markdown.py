"""Two versions of a file as Markdown: the text in a fence that nothing in it can close."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from layertrace.analysis.contents.values import TextDifference
from layertrace.views.contents.text import content_lines, unified_lines
from layertrace.views.contents.words import attribute_rows, remarks, summary, title
from layertrace.views.markup import escape_markdown

if TYPE_CHECKING:
    from layertrace.analysis.contents.values import ContentDifference

_TICKS: Final = re.compile("`+")


def content_markdown(path: str, difference: ContentDifference) -> list[str]:
    """Return a heading, what the entries say, and the difference of the contents."""
    lines = [f"### {escape_markdown(title(path, difference))}", ""]
    rows = attribute_rows(tuple(each for each in difference.attributes if each.name != "size"))
    if rows:
        lines += ["| | Old | New |", "| --- | --- | --- |"]
        lines += (f"| {' | '.join(map(escape_markdown, row))} |" for row in rows)
        lines.append("")
    body = difference.body
    if not isinstance(body, TextDifference):
        # All of it is aligned text, and the lines about entries stand above.
        shown = content_lines(path, difference, width=None)[1 + len(rows) :]
        return [*lines, *_fenced(shown, "")] if shown else lines
    told = [summary(body), *remarks(difference)]
    lines += [f"{escape_markdown(line)}  " for line in told if line]
    if body.hunks:
        sides = (difference.old is not None, difference.new is not None)
        lines += ["", *_fenced(list(unified_lines(path, body, sides=sides, cut=True)), "diff")]
    return lines


def _fenced(lines: list[str], language: str) -> list[str]:
    longest = max((len(run) for line in lines for run in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", *lines, fence]
