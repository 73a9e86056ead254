"""Contents that an image ships more than once, a group each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from layertrace.views.lists.rows import Column, Field, Group, Listing, ListRow, Role
from layertrace.views.text import show_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.model.waste import Duplicate

_COLUMNS: Final = (
    Column(title="In vain", width=9, right=True),
    Column(title="Copies", width=6, right=True),
    Column(title="Each", width=9, right=True, need=1),
    Column(title="Path"),
)


def list_duplicates(duplicates: Sequence[Duplicate]) -> Listing:
    """Return each content with its paths, as they come: the largest first."""
    total = sum(each.bytes for each in duplicates)
    return Listing(
        title="Duplicates",
        columns=_COLUMNS,
        groups=[
            Group(
                head=_head(each),
                count=len(each.paths),
                item=partial(_item, each),
                path=each.paths.__getitem__,
            )
            for each in duplicates
        ],
        summary=f"{show_size(total)} in vain, by files of 4 KiB and more" if duplicates else "",
        empty="no content of 4 KiB and more ships more than once",
    )


def _head(each: Duplicate) -> ListRow:
    name = each.paths[0].rpartition("/")[2]
    return ListRow(
        fields=(
            Field(text=show_size(each.bytes), role=Role.STRONG),
            Field(text=f"{len(each.paths):,}"),
            Field(text=show_size(each.size), role=Role.DIM),
            Field(text=name, role=Role.STRONG),
        )
    )


def _item(each: Duplicate, number: int) -> ListRow:
    path = each.paths[number]
    blank = Field(text="")
    return ListRow(fields=(blank, blank, blank, Field(text=f"/{path}")), path=path)
