"""What of each stage, base image and context reaches the image, and what stays behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.model.origin import OriginKind
from layertrace.views.lists.rows import Column, Field, Group, Listing, ListRow, Role
from layertrace.views.outline_row import OutlineKind, layer_name
from layertrace.views.text import plural, show_size
from layertrace.views.unread import layer_runs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.model.files import ShareRow

_COLUMNS: Final = (
    Column(title="From", width=14),
    Column(title="Base", width=16, need=2),
    Column(title="Weighs", width=9, right=True, need=1),
    Column(title="Ships", width=9, right=True),
    Column(title=""),
)
_SOURCES: Final = frozenset({"context", "url", "inline", "unknown"})
"""Kinds that have a row of their own beside the stages."""


def list_flow(shares: Sequence[ShareRow], context_files: int | None = None) -> Listing:
    """Return a row for each source, its bar as long as its part of what ships.

    Args:
        shares: of an image.
        context_files: how many files its build context has; None where nobody knows.
    """
    flowing = [row for row in shares if row.shipped_files]
    total = sum(row.shipped_bytes for row in flowing)
    return Listing(
        title="Flow",
        columns=_COLUMNS,
        groups=[
            *(_source(row, total, number, len(flowing)) for number, row in enumerate(flowing)),
            *_notes(shares, context_files),
        ],
        summary=f"{show_size(total)} ship",
        empty="nothing ships",
    )


def _source(row: ShareRow, total: int, number: int, count: int) -> Group:
    name = Field(text=row.name, stage=row.stage_index, role=Role.BASE)
    weight = "" if row.size is None else show_size(row.size)
    fields = (
        name,
        Field(text=row.base or "", role=Role.DIM),
        Field(text=weight, role=Role.DIM),
        Field(text=show_size(row.shipped_bytes)),
        Field(
            text=_joint(number, count, total),
            stage=row.stage_index,
            role=Role.BASE,
            bar=row.shipped_bytes / total if total else 0,
        ),
    )
    layer = row.carried_by[0].layer if row.carried_by else None
    target = f"stage:{row.stage_index}" if row.in_image else None
    if row.kind in _SOURCES:
        target = f"source:{row.kind}"
    if row.kind == OutlineKind.BASE.value and layer is not None:
        layer, target = None, row.kind
    line = row.carried_by[0].line if row.carried_by else None
    return Group(
        head=ListRow(fields=fields, layer=layer, line=line, target=target, note=_words(row))
    )


def _words(row: ShareRow) -> str:
    """Return all there is to say of a source."""
    ships = f"{show_size(row.shipped_bytes)} in {plural(row.shipped_files, 'file')}"
    words = f"{ships} of the image are from {row.name}"
    if row.base:
        words = f"{words}, which is built on {row.base}"
    layers = [carrier.layer for carrier in row.carried_by]
    if layers:
        words = f"{words}. {layer_runs(layers)} carried them"
    if row.in_image or row.kind in {OutlineKind.BASE.value, *_SOURCES}:
        return f"{words}. Enter shows them"
    return f"{words}: Enter goes to {layer_name(layers[0])}" if layers else words


def _joint(number: int, count: int, total: int) -> str:
    """Return how a line meets the others: they join in the middle, and lead to the image."""
    if number == (count - 1) // 2:
        corner = "─" if count == 1 else "┬" if number == 0 else "┼"
        return f"{corner}──► {show_size(total)}"
    corner = "┐" if number == 0 else "┘" if number == count - 1 else "┤"
    return corner + " " * len(f"──► {show_size(total)}")


def _notes(shares: Sequence[ShareRow], context_files: int | None) -> Iterator[Group]:
    for row in shares:
        if row.kind == OriginKind.CONTEXT and row.shipped_files:
            of = "" if context_files is None else f", of {context_files:,} that it has"
            ships = "ships" if row.shipped_files == 1 else "ship"
            yield _note(f"{plural(row.shipped_files, 'file')} of the build context {ships}{of}")
        behind = row.stays_behind
        if row.kind == "stage" and not row.shipped_files:
            weight = f" ({show_size(row.size)})" if row.size is not None else ""
            yield _note(f"nothing of {row.name}{weight} ships")
        elif behind and row.size:
            # What is nearly all is not all.
            part = min(100 * behind / row.size, 100 if behind == row.size else 99.9)
            yield _note(f"{show_size(behind)} of {row.name} stay behind ({part:.1f}%)")


def _note(text: str) -> Group:
    return Group(head=ListRow(fields=(Field(text=text, role=Role.DIM),), span=True))
