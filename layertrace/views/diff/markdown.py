"""A difference as Markdown, for a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.model.difference import DiffKind
from layertrace.views.diff.text import MARKS
from layertrace.views.diff.words import (
    cause_text,
    counts_text,
    delta_text,
    package_texts,
    part_texts,
)
from layertrace.views.markup import escape_markdown
from layertrace.views.text import show_name, show_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.difference import Difference
    from layertrace.pipeline.answers import ImageTrace

_LARGEST: Final = 10
_SORTS: Final = 4


def markdown_lines(
    old: ImageTrace, new: ImageTrace, difference: Difference, *, listed: bool
) -> list[str]:
    """Return the sums, a table of the causes, and the largest changes or all of them."""
    names = (show_name(each.sized_head.image.reference) for each in (old, new))
    before, after = map(escape_markdown, names)
    lines = [f"### {before} → {after}", ""]
    delta = difference.visible_delta
    sums = (
        f"**{show_size(difference.new.visible)}** ({delta_text(delta)}), "
        f"{_code(counts_text(difference.total))}. "
        f"Visible: {difference.old.visible:,} {delta:+,} = {difference.new.visible:,} bytes; "
        f"stored: {difference.old.stored:,} {difference.stored_delta:+,} = "
        f"{difference.new.stored:,} bytes."
    )
    lines += [sums, ""]
    packages = [
        f"- packages {escape_markdown(text)}" for text in package_texts(difference.packages)
    ]
    lines += [*packages, ""] if packages else []
    if difference.counts != difference.total:
        lines += [f"Chosen: {difference.counts.paths:,} of {difference.total.paths:,} changes.", ""]
    if difference.causes:
        lines += ["| Size | Bytes | Paths | Cause |", "| ---: | ---: | --- | --- |"]
        lines += _cause_rows(difference)
        lines += ["", *_file_table(difference, listed=listed)]
    return lines


def _code(text: str) -> str:
    return f"`{text}`"


def _cause_rows(difference: Difference) -> Iterator[str]:
    for cause in difference.causes:
        delta = cause.counts.bytes_delta
        parts = [
            f"{escape_markdown(text)} {delta_text(total)}"
            for total, text in part_texts(cause.parts)[:_SORTS]
            if total
        ]
        told = "".join(f"<br>{part}" for part in parts)
        yield (
            f"| {delta_text(delta)} | {delta:+,} | {_code(counts_text(cause.counts))} "
            f"| {escape_markdown(cause_text(cause))}{told} |"
        )


def _file_table(difference: Difference, *, listed: bool) -> Iterator[str]:
    changes = difference.changes
    numbers: range | list[int] = range(len(changes))
    if not listed:
        numbers = sorted(numbers, key=lambda n: (-abs(changes.bytes_deltas[n]), n))[:_LARGEST]
    yield "| | Bytes | Path |"
    yield "| --- | ---: | --- |"
    for number in numbers:
        mark = MARKS[DiffKind(changes.kinds[number])]
        path = escape_markdown(f"/{show_name(changes.paths[number])}")
        yield f"| `{mark}` | {changes.bytes_deltas[number]:+,} | {path} |"
    left = len(changes) - len(numbers)
    if left:
        yield ""
        yield f"and {left:,} more"
