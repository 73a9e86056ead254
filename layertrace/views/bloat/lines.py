"""What an image ships for nothing, as text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from layertrace.views.bloat.words import (
    CAUSES,
    count_causes,
    own_share,
    pair_text,
    percent,
    place_text,
    score_text,
    show_exactly,
)
from layertrace.views.tables import format_table, shorten_middle
from layertrace.views.text import plural, show_name, show_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from layertrace.model.trace import ImageHead
    from layertrace.model.waste import (
        Bloat,
        Duplicate,
        Leftover,
        StepBytes,
        WastedPath,
        WasteGroup,
    )
    from layertrace.views.bloat.words import Bounds

_INDENT: Final = "    "
_LEAST: Final = 20
"""Cells that a line keeps on the narrowest terminal."""


def bloat_lines(
    head: ImageHead, bloat: Bloat, bounds: Bounds, *, width: int | None = None
) -> list[str]:
    """Return what is wasted, by groups; then what is seen and could be left out."""
    lines = _head_lines(head, bloat)
    for group in bloat.groups[: bounds.rows]:
        lines += ["", *_group_lines(group, bounds, width)]
    lines += _more(bloat.groups[len(bloat.groups[: bounds.rows]) :], "group")
    if bloat.maybe:
        total = sum(each.bytes for each in bloat.maybe)
        lines += ["", f"LOOK AT  {show_size(total)} that a container sees and may not need"]
        for leftover in bloat.maybe[: bounds.rows]:
            lines += ["", *_leftover_lines(leftover, bounds, width)]
        lines += _more(bloat.maybe[len(bloat.maybe[: bounds.rows]) :], "rule")
    if bloat.duplicates:
        lines += ["", *_duplicate_lines(bloat.duplicates, bounds, width)]
    return lines


def _head_lines(head: ImageHead, bloat: Bloat) -> list[str]:
    wasted, stored = bloat.wasted_bytes, bloat.stored_bytes
    parts = [f"{CAUSES[cause]} {show_size(size)}" for cause, size in count_causes(bloat).items()]
    first = f"WASTED  {show_exactly(wasted)} of {show_size(stored)}, {percent(wasted, stored)}"
    own = own_share(head)
    return [
        first,
        f"{_INDENT}{' · '.join(parts)}",
        *([f"{_INDENT}{own}"] if own is not None else []),
        f"{_INDENT}{score_text(bloat)}",
    ]


def _group_lines(group: WasteGroup, bounds: Bounds, width: int | None) -> list[str]:
    rows = [
        [place_text(step), show_name(step.instruction or "(not recorded)")]
        for step in dict.fromkeys((group.written_by, group.undone_by))
    ]
    if len({text for _, text in rows}) == 1:
        # One instruction made both layers: the base image's.
        rows = [[pair_text(group), rows[0][1]]]
    steps = format_table(rows, align="<<", width=None if width is None else width - len(_INDENT))
    return [
        f"{show_size(group.bytes)}  {CAUSES[group.cause]}  {pair_text(group)}",
        *(f"{_INDENT}{line}" for line in steps),
        f"{_INDENT}change: {show_name(group.advice)}",
        *_path_lines(group.paths, bounds, width),
    ]


def _leftover_lines(leftover: Leftover, bounds: Bounds, width: int | None) -> list[str]:
    written = ", ".join(_share_texts(leftover.written_by)[: bounds.paths])
    return [
        f"{show_size(leftover.bytes)}  {show_name(leftover.rule)}  {written}".rstrip(),
        f"{_INDENT}change: {show_name(leftover.advice)}",
        *_path_lines(leftover.paths, bounds, width),
    ]


def _share_texts(shares: Iterable[StepBytes]) -> list[str]:
    """Return what each step brought, all layers of the base together, the largest first."""
    sums: Counter[str] = Counter()
    for share in shares:
        sums["base" if share.base else place_text(share.step)] += share.bytes
    return [f"{place} {show_size(size)}" for place, size in sums.most_common()]


def _path_lines(paths: Sequence[WastedPath], bounds: Bounds, width: int | None) -> list[str]:
    shown = paths[: bounds.paths]
    room = None if width is None else width - len(_INDENT)
    rows = [[show_size(each.bytes), f"/{show_name(each.path)}"] for each in shown]
    lines = [f"{_INDENT}{line}" for line in format_table(rows, align="><", width=room)]
    rest = paths[len(shown) :]
    if rest:
        size = show_size(sum(each.bytes for each in rest))
        lines.append(f"{_INDENT}and {plural(len(rest), 'path')} more, {size}")
    return lines


def _duplicate_lines(
    duplicates: Sequence[Duplicate], bounds: Bounds, width: int | None
) -> list[str]:
    total = sum(each.bytes for each in duplicates)
    shown = duplicates[: bounds.rows]
    head = f"DUPLICATES  {show_size(total)}: {plural(len(duplicates), 'content')} more than once"
    lines = [head]
    for each in shown:
        copies = f"{len(each.paths):,} of {show_size(each.size)}"
        lines.append(f"{_INDENT}{show_size(each.bytes)}  {copies}")
        paths = each.paths[: bounds.paths]
        room = None if width is None else max(width - 2 * len(_INDENT), _LEAST)
        names = [f"/{show_name(path)}" for path in paths]
        lines += [
            2 * _INDENT + (name if room is None else shorten_middle(name, room)) for name in names
        ]
        rest = len(each.paths) - len(paths)
        if rest:
            lines.append(f"{2 * _INDENT}and {plural(rest, 'path')} more")
    return lines + _more(duplicates[len(shown) :], "content")


def _more(rest: Iterable[WasteGroup | Leftover | Duplicate], noun: str) -> list[str]:
    """Return the line that stands for what is not listed."""
    sizes = [each.bytes for each in rest]
    if not sizes:
        return []
    return ["", f"and {plural(len(sizes), noun)} more, {show_size(sum(sizes))} (--all lists them)"]
