"""The packages of an image, the largest first, each with the files it owns."""

from __future__ import annotations

from array import array
from functools import partial
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change
from layertrace.views.lists.rows import Column, Field, Group, Listing, ListRow, Role
from layertrace.views.outline_row import layer_name
from layertrace.views.text import plural, show_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.model.files import FileTable
    from layertrace.model.packages import Package, PackageTable

_COLUMNS: Final = (
    Column(title="Size", width=9, right=True),
    Column(title="Files", width=7, right=True, need=1),
    Column(title="Kind", width=4, need=2),
    Column(title="Lyr", width=4),
    Column(title="Package"),
)
_NOBODY: Final = -1


def list_packages(table: FileTable, packages: PackageTable) -> Listing:
    """Return a group for each package, and one for the files that none owns."""
    rows = _rows_by_owner(table, packages)
    sizes = {owner: sum(table.sizes[row] for row in found) for owner, found in rows.items()}
    order = sorted(rows, key=lambda owner: (owner == _NOBODY, -sizes[owner], owner))
    count = len(packages.packages)
    return Listing(
        title="Packages",
        columns=_COLUMNS,
        groups=[
            Group(
                head=_head(
                    None if owner == _NOBODY else packages.packages[owner],
                    sizes[owner],
                    len(rows[owner]),
                ),
                count=len(rows[owner]),
                item=partial(_item, table, rows[owner]),
                path=partial(_path, table, rows[owner]),
                name="" if owner == _NOBODY else _name(packages.packages[owner]),
            )
            for owner in order
        ],
        summary=f"{plural(count, 'package')}" if count else "no package database found",
        opened=0,
    )


def _rows_by_owner(table: FileTable, packages: PackageTable) -> dict[int, array[int]]:
    """Return the files that ship of each package, the largest first."""
    found: dict[int, array[int]] = {}
    directory = int(EntryKind.DIR)
    for row, owner in enumerate(packages.rows(table.paths)):
        if table.kinds[row] != directory and table.changes[row] is not Change.REMOVED:
            found.setdefault(owner, array("I")).append(row)
    return {
        owner: array("I", sorted(rows, key=lambda row: -table.sizes[row]))
        for owner, rows in found.items()
    }


def _head(package: Package | None, size: int, files: int) -> ListRow:
    if package is None:
        words = (Field(text=""), Field(text=""), Field(text="of no package", role=Role.STRONG))
        layer = None
    else:
        layer = package.version_layer
        words = (
            Field(text=package.kind.value, role=Role.DIM),
            Field(text="" if layer is None else layer_name(layer), role=Role.DIM),
            Field(text=_name(package), role=Role.STRONG),
        )
    fields = (Field(text=show_size(size), role=Role.STRONG), Field(text=f"{files:,}"), *words)
    return ListRow(fields=fields, layer=layer)


def _name(package: Package) -> str:
    return f"{package.name} {package.version}".rstrip()


def _path(table: FileTable, rows: Sequence[int], number: int) -> str:
    return table.paths[rows[number]]


def _item(table: FileTable, rows: Sequence[int], number: int) -> ListRow:
    row = rows[number]
    path, layer = table.paths[row], table.layers[row]
    blank = Field(text="")
    fields = (
        Field(text=show_size(table.sizes[row])),
        blank,
        blank,
        Field(text=layer_name(layer), role=Role.DIM),
        Field(text=f"/{path}"),
    )
    return ListRow(fields=fields, path=path)
