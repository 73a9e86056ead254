"""Members of one layer that others of the same path and layer replaced."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.layers.columns import Columns


def count_repeats(columns: Columns, last: Mapping[str, int]) -> dict[int, int]:
    """Return entry number to the content bytes of members with its path that it replaced.

    Args:
        columns: of all members.
        last: path to the number of the member that is its entry.
    """
    kept = set(last.values())
    # A hard link may have become the file that was replaced.
    alive = {columns.offsets[number] for number in kept}
    found: dict[int, int] = {}
    for number, size in enumerate(columns.sizes):
        if size and number not in kept and columns.offsets[number] not in alive:
            entry = last.get(columns.paths[number])
            if entry is not None:
                found[entry] = found.get(entry, 0) + size
    return found
