"""What changed between two images, a group a cause: the rows of ``diff``."""

from __future__ import annotations

from array import array
from functools import partial
from typing import TYPE_CHECKING, Final

from layertrace.model.difference import DiffKind
from layertrace.views.diff.words import cause_text, counts_text, delta_text, part_texts
from layertrace.views.lists.rows import Column, Field, Group, Listing, ListRow, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.model.difference import Cause, Difference

_COLUMNS: Final = (
    Column(title="Size", width=9, right=True),
    Column(title="", width=1),
    Column(title="Cause, path"),
)
_MARKS: Final = {
    DiffKind.ADDED: ("+", Role.ADDED),
    DiffKind.REMOVED: ("-", Role.GONE),
    DiffKind.MODIFIED: ("~", Role.MODIFIED),
    DiffKind.METADATA: ("m", Role.DIM),
    DiffKind.TYPE: ("t", Role.MODIFIED),
}


def list_difference(difference: Difference, old_name: str) -> Listing:
    """Return every cause with its parts and paths, those that weigh most first.

    Args:
        difference: of the image on view, against an older one.
        old_name: what the older one is called.
    """
    paths = _paths_by_cause(difference)
    return Listing(
        title="Diff",
        columns=_COLUMNS,
        groups=[
            _group(difference, cause, paths.get(number, array("I")))
            for number, cause in enumerate(difference.causes)
        ],
        summary=f"{delta_text(difference.visible_delta)}  {counts_text(difference.counts)}"
        f"  against {old_name.rpartition('/')[2] or old_name}",
        empty="nothing changed",
    )


def _paths_by_cause(difference: Difference) -> dict[int, array[int]]:
    changes = difference.changes
    found: dict[int, array[int]] = {}
    for number, cause in enumerate(changes.causes):
        found.setdefault(cause, array("I")).append(number)
    deltas = changes.bytes_deltas
    return {
        cause: array("I", sorted(numbers, key=lambda number: -abs(deltas[number])))
        for cause, numbers in found.items()
    }


def _group(difference: Difference, cause: Cause, numbers: Sequence[int]) -> Group:
    parts = part_texts(cause.parts)
    # What was broken into lines with an indent has their blanks still.
    text = f"{' '.join(cause_text(cause).split())}  {counts_text(cause.counts)}"
    head = ListRow(
        fields=(
            Field(text=delta_text(cause.counts.bytes_delta), role=Role.STRONG),
            Field(text=""),
            Field(text=text, role=Role.STRONG),
        ),
        line=cause.new.line if cause.new is not None else None,
        note=text,
    )
    item = partial(_item, difference, parts, numbers)
    path = partial(_path, difference, len(parts), numbers)
    return Group(head=head, count=len(parts) + len(numbers), item=item, path=path, name=text)


def _path(difference: Difference, parts: int, numbers: Sequence[int], place: int) -> str | None:
    return difference.changes.paths[numbers[place - parts]] if place >= parts else None


def _item(
    difference: Difference,
    parts: Sequence[tuple[int, str]],
    numbers: Sequence[int],
    place: int,
) -> ListRow:
    if place < len(parts):
        size, text = parts[place]
        words = (Field(text=""), Field(text=text, role=Role.DIM))
        return ListRow(fields=(Field(text=delta_text(size), role=Role.DIM), *words), note=text)
    number = numbers[place - len(parts)]
    changes = difference.changes
    mark, role = _MARKS[DiffKind(changes.kinds[number])]
    path = changes.paths[number]
    fields = (
        Field(text=delta_text(changes.bytes_deltas[number])),
        Field(text=mark, role=role),
        Field(text=f"/{path}"),
    )
    gone = changes.new_rows[number] < 0
    return ListRow(fields=fields, path=path, note="only the older image has it" if gone else "")
