"""Hard links to what stood at their target's path until the same layer replaced it.

Engines take a layer member by member: such a link keeps the file it was made to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.layers.columns import Columns

_DIR: Final = int(EntryKind.DIR)
_HARDLINK: Final = int(EntryKind.HARDLINK)


def keep_linked(columns: Columns, last: Mapping[str, int]) -> dict[int, int]:
    """Make of the first link to each file that was replaced that file, and link others to it.

    Args:
        columns: of a layer in which paths stand more than once; changed in place.
        last: path to the number of the last entry that has it.

    Returns:
        The number of each link that became a file, to the number of the file.
    """
    files = _files(columns)
    holders: dict[int, int] = {}
    for number, held in files.items():
        if last[columns.paths[number]] != number or columns.kinds[held] == _DIR:
            continue
        target = last.get(columns.links.get(number, ""), number)
        if target < number and files.get(target, target) == held:
            continue
        kept = last[columns.paths[held]] == held
        holder = held if kept else holders.setdefault(held, number)
        if holder != number:
            columns.links[number] = columns.paths[holder]
    for held, number in holders.items():
        columns.copy(held, number)
    return {number: held for held, number in holders.items()}


def _files(columns: Columns) -> dict[int, int]:
    """Return hard link to the entry it was made to, as far as that stands before it."""
    files: dict[int, int] = {}
    current: dict[str, int] = {}
    for number, path in enumerate(columns.paths):
        if columns.kinds[number] == _HARDLINK:
            held = current.get(columns.links.get(number, ""))
            if held is not None:
                files[number] = files.get(held, held)
        current[path] = number
    return files
