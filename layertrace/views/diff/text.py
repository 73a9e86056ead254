"""A difference as text for people: the causes first, then what weighs most."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from layertrace.model.difference import Attribute, DiffKind
from layertrace.views.diff.words import (
    cause_text,
    counts_text,
    delta_text,
    package_texts,
    part_texts,
)
from layertrace.views.tables import format_table
from layertrace.views.text import show_name, show_size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.difference import Cause, Changes, Difference
    from layertrace.pipeline.answers import ImageTrace

MARKS: Final = {
    DiffKind.ADDED: "+",
    DiffKind.REMOVED: "-",
    DiffKind.MODIFIED: "~",
    DiffKind.METADATA: "m",
    DiffKind.TYPE: "t",
}
_CAUSES: Final = 20
_SORTS: Final = 6
"""Sorts of what changed for one cause that are shown."""
_LARGEST: Final = 10
_FOLDERS: Final = 20
_DEPTH: Final = 2
_SMALL: Final = 200
"""One part in so many of a cause is not worth a line."""


def difference_lines(
    old: ImageTrace, new: ImageTrace, difference: Difference, *, width: int | None, listed: bool
) -> list[str]:
    """Return the sums, the causes and the largest changes."""
    lines = _head_lines(difference)
    rows = [row for cause in difference.causes[:_CAUSES] for row in _cause_rows(cause)]
    if rows:
        head = ["SIZE", "BYTES", "PATHS", "CAUSE"]
        lines += format_table(rows, align=">><<", head=head, width=width)
    rest = difference.causes[_CAUSES:]
    if rest:
        total = sum(cause.counts.bytes_delta for cause in rest)
        lines.append(f"and {len(rest)} more causes, {delta_text(total)}: --json has all")
    lines += [f"packages: {text}" for text in package_texts(difference.packages)]
    if not listed:
        lines += _largest_lines(old, new, difference, width=width)
    return lines


def _head_lines(difference: Difference) -> list[str]:
    old, new = difference.old, difference.new
    delta = difference.visible_delta
    share = f", {100 * delta / old.visible:+.1f}%" if old.visible else ""
    if not difference.total.paths:
        return ["no difference in what a container sees", *_stored_lines(difference)]
    lines = [
        f"{show_size(new.visible)}  ({delta_text(delta)}{share})  {counts_text(difference.total)}",
        f"{old.visible:,} bytes visible {delta:+,} = {new.visible:,}",
        *_stored_lines(difference),
    ]
    if difference.counts != difference.total:
        paths, total = difference.counts.paths, difference.total.paths
        bytes_delta = difference.counts.bytes_delta
        lines.append(f"chosen: {paths:,} of {total:,} changes, {bytes_delta:+,} bytes")
    renames = len(difference.changes.renames)
    if renames:
        lines.append(f"renamed: {renames:,} of the files removed are among those added")
    return lines


def _stored_lines(difference: Difference) -> list[str]:
    old, new = difference.old, difference.new
    if (old.stored, new.stored) == (old.visible, new.visible):
        return []
    line = (
        f"{old.stored:,} bytes stored {difference.stored_delta:+,} = {new.stored:,}, "
        f"of which hidden by later layers {old.wasted:,} {difference.wasted_delta:+,} "
        f"= {new.wasted:,}"
    )
    return [line]


def _cause_rows(cause: Cause) -> Iterator[list[str]]:
    delta = cause.counts.bytes_delta
    yield [delta_text(delta), f"{delta:+,}", counts_text(cause.counts), cause_text(cause)]
    shown = [row for row in part_texts(cause.parts) if abs(row[0]) * _SMALL >= abs(delta) > 0]
    for total, text in shown[:_SORTS]:
        yield [delta_text(total), f"{total:+,}", "", f"  {text}"]
    rest = delta - sum(total for total, _ in shown[:_SORTS])
    if rest and shown:
        yield [delta_text(rest), f"{rest:+,}", "", "  the rest"]


def _largest_lines(
    old: ImageTrace, new: ImageTrace, difference: Difference, *, width: int | None
) -> list[str]:
    changes = difference.changes
    numbers = sorted(range(len(changes)), key=lambda n: (-abs(changes.bytes_deltas[n]), n))
    numbers = [n for n in numbers[:_LARGEST] if changes.bytes_deltas[n]]
    if not numbers:
        return []
    back = {come: gone for gone, come in changes.renames.items()}
    rows = [_file_row(old, new, changes, number, back) for number in numbers]
    left = len(changes) - len(numbers)
    more = f", {left:,} more with --files" if left else ""
    return ["", f"largest{more}:", *format_table(rows, align="<><<", width=width)]


def file_lines(
    old: ImageTrace, new: ImageTrace, difference: Difference, *, width: int | None
) -> list[str]:
    """Return one line a change: mark, bytes, layers, path and what else is to be said."""
    changes = difference.changes
    back = {come: gone for gone, come in changes.renames.items()}
    rows = (_file_row(old, new, changes, number, back) for number in range(len(changes)))
    return ["", *format_table(rows, align="<><<", width=width)] if len(changes) else []


def _file_row(
    old: ImageTrace, new: ImageTrace, changes: Changes, number: int, back: dict[int, int]
) -> list[str]:
    kind = DiffKind(changes.kinds[number])
    layers = [
        f"L{trace.table.layers[row] + 1}" if trace.table.layers[row] >= 0 else "-"
        for trace, row in ((old, changes.old_rows[number]), (new, changes.new_rows[number]))
        if row >= 0
    ]
    path = f"/{show_name(changes.paths[number])}"
    notes = []
    if number in changes.renames:
        notes.append(f"renamed to /{show_name(changes.paths[changes.renames[number]])}")
    elif number in back:
        notes.append(f"renamed from /{show_name(changes.paths[back[number]])}")
    if kind is DiffKind.METADATA:
        notes.append(", ".join(Attribute(changes.attributes[number]).words))
    note = f"  ({'; '.join(notes)})" if notes else ""
    return [MARKS[kind], delta_text(changes.bytes_deltas[number]), "→".join(layers), path + note]


def stat_lines(difference: Difference, *, width: int | None) -> list[str]:
    """Return the folders that changed most, and by how much."""
    changes = difference.changes
    grown: Counter[str] = Counter()
    shrunk: Counter[str] = Counter()
    paths: Counter[str] = Counter()
    for path, delta in zip(changes.paths, changes.bytes_deltas, strict=True):
        names = path.split("/")
        folder = "/" + "/".join(names[: min(_DEPTH, max(len(names) - 1, 0))])
        paths[folder] += 1
        (grown if delta > 0 else shrunk)[folder] += delta
    ranked = sorted(paths, key=lambda folder: (shrunk[folder] - grown[folder], folder))
    rows = [
        [
            delta_text(grown[folder] + shrunk[folder]),
            f"+{show_size(grown[folder])}",
            f"-{show_size(-shrunk[folder])}",
            f"{paths[folder]:,}",
            show_name(folder),
        ]
        for folder in ranked[:_FOLDERS]
    ]
    head = ["SIZE", "MORE", "LESS", "PATHS", "FOLDER"]
    left = len(ranked) - len(rows)
    more = [f"and {left:,} more folders"] if left else []
    return ["", *format_table(rows, align=">>>><", head=head, width=width), *more] if rows else []
