"""The columns of a layer's index while its tar is walked."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from sys import getsizeof
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from layertrace.layers.headers import OddMember


_PART: Final = 120
"""Bytes that one part of a sparse map takes in memory."""
_OF_FEW: Final = ("links", "devices", "capabilities", "sparse")
"""Fields that only few entries have."""


@dataclass(slots=True)
class Columns:
    """The fields of all entries so far, one item an entry."""

    paths: list[str] = field(default_factory=list)
    kinds: bytearray = field(default_factory=bytearray)
    sizes: array[int] = field(default_factory=lambda: array("q"))
    modes: array[int] = field(default_factory=lambda: array("H"))
    uids: array[int] = field(default_factory=lambda: array("q"))
    gids: array[int] = field(default_factory=lambda: array("q"))
    mtimes: array[int] = field(default_factory=lambda: array("q"))
    offsets: array[int] = field(default_factory=lambda: array("q"))
    links: dict[int, str] = field(default_factory=dict)
    devices: dict[int, tuple[int, int]] = field(default_factory=dict)
    capabilities: dict[int, bytes] = field(default_factory=dict)
    sparse: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    extras: int = 0
    """Bytes that attributes and sparse maps take in memory."""

    def add_extras(self, number: int, odd: OddMember) -> None:
        """Add what only few entries have."""
        if odd.device is not None:
            self.devices[number] = odd.device
        if odd.sparse is not None:
            self.sparse[number] = odd.sparse
            self.extras += _PART * len(odd.sparse)
        if odd.capability is not None:
            self.capabilities[number] = odd.capability
            self.extras += getsizeof(odd.capability)

    def copy(self, source: int, target: int) -> None:
        """Give one row all that another one has but its path."""
        for name in ("kinds", "sizes", "modes", "uids", "gids", "mtimes", "offsets"):
            column = getattr(self, name)
            column[target] = column[source]
        for name in _OF_FEW:
            rows = getattr(self, name)
            rows.pop(target, None)
            if source in rows:
                rows[target] = rows[source]

    def keep(self, numbers: list[int]) -> dict[int, int]:
        """Drop all rows but ``numbers``; return old number to new."""
        self.paths = [self.paths[i] for i in numbers]
        self.kinds = bytearray(self.kinds[i] for i in numbers)
        for name in ("sizes", "modes", "uids", "gids", "mtimes", "offsets"):
            column = getattr(self, name)
            setattr(self, name, array(column.typecode, (column[i] for i in numbers)))
        moved = {old: new for new, old in enumerate(numbers)}
        for name in _OF_FEW:
            rows = getattr(self, name)
            setattr(self, name, {moved[k]: v for k, v in rows.items() if k in moved})
        return moved
