"""The columns of a layer's index while its tar is walked."""

from __future__ import annotations

import struct
from array import array
from dataclasses import dataclass, field
from itertools import compress, count
from sys import getsizeof
from typing import TYPE_CHECKING, Any, Final, cast

from layertrace.model.entry import EntryKind, clean_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from layertrace.layers.headers import OddMember
    from layertrace.layers.plain import Owner, PlainRows


_PART: Final = 120
"""Bytes that one part of a sparse map takes in memory."""
_OF_FEW: Final = ("links", "devices", "capabilities", "sparse")
"""Fields that only few entries have."""
_SYMLINK: Final = int(EntryKind.SYMLINK)


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
    """Bytes that link targets, attributes and sparse maps take in memory."""

    def add_rows(self, rows: PlainRows, paths: Sequence[str | None]) -> Sequence[int | None]:
        """Add rows by the paths they claim, those without one left out.

        Returns:
            For each row the number of its entry, None where it has become none.
        """
        first = len(self.kinds)
        numbers: Sequence[int | None] = range(first, first + len(paths))
        kinds: Iterable[int] = rows.kinds
        columns: Sequence[Sequence[Any]] = (rows.sizes, rows.mtimes, rows.contents, rows.owners)
        if None in paths:
            stays = [path is not None for path in paths]
            counter = count(first)
            numbers = [next(counter) if each else None for each in stays]
            paths, *columns = (list(compress(column, stays)) for column in (paths, *columns))
            kinds = compress(kinds, stays)
        self.paths += cast("Sequence[str]", paths)
        self.kinds += bytes(kinds)
        sizes, mtimes, contents, owners = columns
        modes, uids, gids = zip(*owners, strict=True) if owners else ((), (), ())
        for name, values in (
            ("sizes", sizes), ("mtimes", mtimes), ("offsets", contents),
            ("modes", modes), ("uids", uids), ("gids", gids),
        ):  # fmt: skip
            column: array[int] = getattr(self, name)
            # A fifth of what it costs to extend an array by a list.
            column.frombytes(struct.pack(f"{len(values)}{column.typecode}", *values))
        for row, capability in rows.capabilities.items():
            if (number := numbers[row]) is not None:
                self.add_capability(number, capability)
        for row, link in rows.links.items():
            if link and (number := numbers[row]) is not None:
                self.add_link(number, link.decode("utf-8", "surrogateescape"))
        return numbers

    def add(  # noqa: PLR0913, PLR0917 - one argument a column
        self, path: str, kind: int, size: int, owner: Owner, mtime: int, offset: int
    ) -> int:
        """Add one entry; return its number."""
        self.paths.append(path)
        self.kinds.append(kind)
        self.sizes.append(size)
        self.modes.append(owner[0])
        self.uids.append(owner[1])
        self.gids.append(owner[2])
        self.mtimes.append(mtime)
        self.offsets.append(offset)
        return len(self.kinds) - 1

    def add_link(self, number: int, link: str) -> None:
        """Add the target of a link: of a symbolic one as it stands, else a path."""
        link = self.links[number] = link if self.kinds[number] == _SYMLINK else clean_path(link)
        self.extras += getsizeof(link)

    def add_extras(self, number: int, odd: OddMember) -> None:
        """Add what only few entries have."""
        if odd.device is not None:
            self.devices[number] = odd.device
        if odd.sparse is not None:
            self.sparse[number] = odd.sparse
            self.extras += _PART * len(odd.sparse)
        if odd.capability is not None:
            self.add_capability(number, odd.capability)

    def add_capability(self, number: int, capability: bytes) -> None:
        """Add the attribute of an entry."""
        self.capabilities[number] = capability
        self.extras += getsizeof(capability)

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
