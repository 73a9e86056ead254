"""What an image ships for nothing, by cause and by the instructions that wrote and undid it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from layertrace.model.waste import Cause
from layertrace.views.lists.rows import Column, Field, Group, Listing, ListRow, Role
from layertrace.views.outline_row import layer_name
from layertrace.views.text import show_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.model.trace import LayerInfo
    from layertrace.model.waste import Bloat, Leftover, Step, WastedPath, WasteGroup

_COLUMNS: Final = (Column(title="Size", width=9, right=True), Column(title="Path"))
_WORDS: Final = {
    Cause.OVERWRITTEN: ("overwritten later", "written", "overwritten"),
    Cause.REMOVED: ("removed later", "written", "removed"),
    Cause.HIDDEN: ("hidden later", "written", "hidden"),
    Cause.METADATA: ("stored again for its mode, owner or time", "written", "again"),
}


def list_waste(bloat: Bloat, layers: Sequence[LayerInfo] = ()) -> Listing:
    """Return the groups of waste, the largest first, and then what could be left out besides.

    Args:
        bloat: of an image.
        layers: of that image; what those above its base waste is said apart.
    """
    wasted, stored = bloat.wasted_bytes, bloat.stored_bytes
    return Listing(
        title="Waste",
        columns=_COLUMNS,
        groups=list(_groups(bloat)),
        summary=f"{_part(wasted, stored)}{_yours(bloat, layers)}",
        empty="nothing is wasted: every byte of every layer is seen",
    )


def _part(wasted: int, stored: int) -> str:
    share = 100 * wasted / stored if stored else 0
    return f"{show_size(wasted)} of {show_size(stored)} could go ({share:.1f}%)"


def _yours(bloat: Bloat, layers: Sequence[LayerInfo]) -> str:
    """Return how much of it layers above the base image store, where there are both."""
    yours = {layer.index for layer in layers if not layer.base}
    stored = sum(layer.size or 0 for layer in layers if layer.index in yours)
    if not stored or len(yours) == len(layers):
        return ""
    wasted = sum(group.bytes for group in bloat.groups if group.written_by.layer in yours)
    return f"; your layers: {show_size(wasted)} ({100 * wasted / stored:.1f}%)"


def _groups(bloat: Bloat) -> Iterator[Group]:
    for group in bloat.groups:
        yield _group(_waste_head(group), group)
    if bloat.maybe:
        total = sum(each.bytes for each in bloat.maybe)
        words = f"{show_size(total)} are seen, and could mostly be left out:"
        yield Group(head=ListRow(fields=(Field(text=words, role=Role.STRONG),), span=True))
    for leftover in bloat.maybe:
        row = _sized(leftover.bytes, leftover.rule, Role.STRONG)
        yield _group(ListRow(fields=row.fields, note=leftover.advice), leftover)


def _group(head: ListRow, of: WasteGroup | Leftover) -> Group:
    return Group(
        head=head, count=len(of.paths) + 1, item=partial(_item, of), path=partial(_path, of)
    )


def _path(of: WasteGroup | Leftover, number: int) -> str | None:
    return of.paths[number - 1].path if number else None


def _item(of: WasteGroup | Leftover, number: int) -> ListRow:
    if number == 0:
        fields = (Field(text=""), Field(text=f"→ {of.advice}", role=Role.DIM))
        return ListRow(fields=fields, note=of.advice)
    path: WastedPath = of.paths[number - 1]
    row = _sized(path.bytes, f"/{path.path}")
    return ListRow(fields=row.fields, path=path.path)


def _waste_head(group: WasteGroup) -> ListRow:
    words, wrote, undid = _WORDS[group.cause]
    text = f"{words}: {wrote} {_place(group.written_by)}, {undid} {_place(group.undone_by)}"
    row = _sized(group.bytes, text, Role.STRONG)
    undone = group.undone_by
    note = f"{text} → {group.advice}"
    return ListRow(fields=row.fields, layer=undone.layer, line=undone.line, note=note)


def _place(step: Step) -> str:
    """Return where a step stands: ``L5 :21``."""
    return f"{layer_name(step.layer)} :{step.line}" if step.line else layer_name(step.layer)


def _sized(size: int, text: str, role: Role = Role.PLAIN) -> ListRow:
    return ListRow(fields=(Field(text=show_size(size), role=role), Field(text=text, role=role)))
