"""What an image ships for nothing, as Markdown for a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.views.bloat.words import (
    CAUSES,
    count_causes,
    own_share,
    pair_text,
    percent,
    score_text,
    show_exactly,
)
from layertrace.views.markup import escape_markdown
from layertrace.views.text import plural, show_name, show_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.model.trace import ImageHead
    from layertrace.model.waste import Bloat, Duplicate, Leftover, WastedPath, WasteGroup
    from layertrace.views.bloat.words import Bounds


def markdown_lines(head: ImageHead, bloat: Bloat, bounds: Bounds) -> list[str]:
    """Return the sums and a table of the groups; then what could be left out besides."""
    wasted, stored = bloat.wasted_bytes, bloat.stored_bytes
    causes = count_causes(bloat).items()
    lines = [
        f"### Wasted in {_name(head.image.reference)}",
        "",
        f"**{show_exactly(wasted)}** of {show_size(stored)}, {percent(wasted, stored)}: "
        + ", ".join(f"{CAUSES[cause]} {show_size(size)}" for cause, size in causes),
        "",
        ". ".join(filter(None, (own_share(head), score_text(bloat)))),
    ]
    if bloat.groups:
        lines += [
            "",
            "| Size | Why | Layers | Paths | Change |",
            "| ---: | --- | --- | --- | --- |",
        ]
        lines += [_group_row(group, bounds) for group in bloat.groups[: bounds.rows]]
        lines += _more(bloat.groups, bounds, "group")
    if bloat.maybe:
        lines += ["", "### Seen, and perhaps not needed", ""]
        lines += ["| Size | Rule | Paths | Change |", "| ---: | --- | --- | --- |"]
        lines += [_leftover_row(each, bounds) for each in bloat.maybe[: bounds.rows]]
        lines += _more(bloat.maybe, bounds, "rule")
    if bloat.duplicates:
        lines += ["", "### The same content more than once", ""]
        lines += ["| Size | Copies | Each | Paths |", "| ---: | ---: | ---: | --- |"]
        lines += [_duplicate_row(each, bounds) for each in bloat.duplicates[: bounds.rows]]
        lines += _more(bloat.duplicates, bounds, "content")
    return lines


def _group_row(group: WasteGroup, bounds: Bounds) -> str:
    return (
        f"| {show_size(group.bytes)} | {CAUSES[group.cause]} | {pair_text(group)} "
        f"| {_paths(group.paths, bounds)} | {_name(group.advice)} |"
    )


def _leftover_row(leftover: Leftover, bounds: Bounds) -> str:
    return (
        f"| {show_size(leftover.bytes)} | {_name(leftover.rule)} "
        f"| {_paths(leftover.paths, bounds)} | {_name(leftover.advice)} |"
    )


def _duplicate_row(each: Duplicate, bounds: Bounds) -> str:
    shown = each.paths[: bounds.paths]
    names = [_name(f"/{path}") for path in shown]
    cell = "<br>".join([*names, *_rest(len(each.paths) - len(shown))])
    return f"| {show_size(each.bytes)} | {len(each.paths):,} | {show_size(each.size)} | {cell} |"


def _paths(paths: Sequence[WastedPath], bounds: Bounds) -> str:
    shown = paths[: bounds.paths]
    cells = [f"{show_size(each.bytes)} {_name(f'/{each.path}')}" for each in shown]
    return "<br>".join([*cells, *_rest(len(paths) - len(shown))])


def _rest(count: int) -> Iterator[str]:
    if count:
        yield f"and {plural(count, 'path')} more"


def _more(
    rows: Sequence[WasteGroup] | Sequence[Leftover] | Sequence[Duplicate],
    bounds: Bounds,
    noun: str,
) -> list[str]:
    rest = rows[len(rows[: bounds.rows]) :]
    if not rest:
        return []
    size = show_size(sum(each.bytes for each in rest))
    return ["", f"and {plural(len(rest), noun)} more, {size}"]


def _name(text: str) -> str:
    return escape_markdown(show_name(text))
