"""The changes as a table of files: what filters ask, and views list."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Final

from layertrace.model.difference import DiffKind
from layertrace.model.files import FileTable
from layertrace.model.origin import Change

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.model.difference import Changes

_CHANGES: Final[Mapping[int, Change]] = {
    DiffKind.ADDED: Change.ADDED,
    DiffKind.REMOVED: Change.REMOVED,
    DiffKind.MODIFIED: Change.MODIFIED,
    DiffKind.METADATA: Change.METADATA,
    DiffKind.TYPE: Change.MODIFIED,
}


def change_table(changes: Changes, old: FileTable, new: FileTable) -> FileTable:
    """Return a row a change: as the new image has the path, what was removed as it was.

    ``mark:+`` asks for what was added, ``mark:-`` for what was removed.
    """
    rows = [
        (old, a, 0) if kind == DiffKind.REMOVED else (new, b, len(old.labels))
        for kind, a, b in zip(changes.kinds, changes.old_rows, changes.new_rows, strict=True)
    ]
    return FileTable(
        paths=changes.paths,
        kinds=bytes(table.kinds[row] for table, row, _ in rows),
        sizes=array("q", (table.sizes[row] for table, row, _ in rows)),
        layers=array("i", (table.layers[row] for table, row, _ in rows)),
        changes=[_CHANGES[kind] for kind in changes.kinds],
        trusts=[table.trusts[row] for table, row, _ in rows],
        label_ids=array("i", (table.label_ids[row] + first for table, row, first in rows)),
        labels=(*old.labels, *new.labels),
        origins=(*old.origins, *new.origins),
    )
