"""Rows of a list in groups: what a terminal draws, and what folds.

A list may have a million rows: groups say how many items they have, and a row
is made when it is asked for.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


class Role(Enum):
    """How a field differs from the text around it; never its meaning alone."""

    PLAIN = auto()
    DIM = auto()
    STRONG = auto()
    REMOVED = auto()
    WARNING = auto()
    GOOD = auto()
    ADDED = auto()
    MODIFIED = auto()
    GONE = auto()
    """Of a difference: only the older one has it."""
    BASE = auto()
    """Of a base image, as stages have colours of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column; the last of a list takes the room that is left."""

    title: str
    width: int = 0
    right: bool = False
    need: int = 0
    """The larger, the sooner it goes where there is no room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """What stands in one column; the text may hold names out of the image as they are."""

    text: str
    role: Role = Role.PLAIN
    stage: int | None = None
    """Draw it in the colour of this stage."""
    bar: float | None = None
    """Of the last column: a bar of this share of its room, and the text behind it at the end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRow:
    """One row, a field a column."""

    fields: tuple[Field, ...]
    path: str | None = None
    """What it is about: rootfs-relative."""
    layer: int | None = None
    line: int | None = None
    """Of the Dockerfile."""
    target: str | None = None
    """Key of the row among the stages that it leads to, where that is no layer."""
    note: str = ""
    """All there is to say of it, where its fields have no room for that."""
    span: bool = False
    """Its last field begins in the first column: words rather than figures."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A row, and the rows that it opens to."""

    head: ListRow
    count: int = 0
    item: Callable[[int], ListRow] | None = None
    """Makes row ``0 <= number < count``."""
    path: Callable[[int], str | None] | None = None
    """Tells what path such a row is about, without making it; None: the rows are few."""
    name: str = ""
    """What the group is called: words of a filter may ask for it as for a path."""

    def paths(self) -> Iterator[tuple[int, str]]:
        """Yield the numbers of the rows that are about a path, each with that."""
        if self.item is None:
            return
        for number in range(self.count):
            path = self.item(number).path if self.path is None else self.path(number)
            if path is not None:
                yield number, path


class Listing:
    """Groups with what is open of them; at first as much as fits a screen."""

    def __init__(  # noqa: PLR0913 - a value of its own would say no more
        self,
        *,
        title: str,
        columns: tuple[Column, ...],
        groups: Sequence[Group],
        summary: str = "",
        empty: str = "nothing here",
        opened: int = 40,
    ) -> None:
        """Open groups from the first on while their items are no more than ``opened``.

        Args:
            title: what the list is called.
            columns: of every row.
            groups: in their order.
            summary: a line about all of it.
            empty: what to say where there is no group.
            opened: how many items are on view at first.
        """
        self.title = title
        self.columns = columns
        self.summary = summary
        self.empty = empty
        self.groups = groups
        self.tally = ""
        """How much of the list a filter left, in words; nothing where there is none."""
        self._open = bytearray(len(groups))
        for number, group in enumerate(groups):
            opened -= group.count
            if opened < 0:
                break
            self._open[number] = 1
        self._starts = array("q")
        self._count()

    def __len__(self) -> int:
        return self._starts[-1]

    def row(self, line: int) -> ListRow:
        """Return the row at a line."""
        number, place = self._find(line)
        group = self.groups[number]
        if place < 0 or group.item is None:
            return group.head
        return group.item(place)

    def place_of(self, path: str | None) -> tuple[int, int] | None:
        """Return the first group that has a path, or any path if None, and the row in it."""
        for number, group in enumerate(self.groups):
            for row, found in group.paths():
                if path is None or found == path:
                    return number, row
        return None

    def open_at(self, group: int, row: int) -> int:
        """Open a group; return the line of a row of it."""
        self._open[group] = 1
        self._count()
        return self._starts[group] + 1 + row

    def fold_mark(self, line: int) -> bool | None:
        """Return whether the row at a line is open; None: it does not open."""
        number, place = self._find(line)
        if place >= 0 or not self.groups[number].count:
            return None
        return bool(self._open[number])

    def toggle(self, line: int) -> None:
        """Open or close the group at a line."""
        number, place = self._find(line)
        if place < 0 and self.groups[number].count:
            self._open[number] ^= 1
            self._count()

    def toggle_all(self) -> None:
        """Close every group; where all are closed, open them."""
        self._open = bytearray((0 if any(self._open) else 1,)) * len(self.groups)
        self._count()

    def open_all(self, line: int) -> int:
        """Open every group; return where the row at a line is then."""
        number, place = self._find(line)
        self._open = bytearray(b"\1") * len(self.groups)
        self._count()
        return self._starts[number] + 1 + place

    def head_line(self, line: int) -> int:
        """Return the line of the group that the row at a line belongs to."""
        return self._starts[self._find(line)[0]]

    def _find(self, line: int) -> tuple[int, int]:
        """Return the group at a line, and which of its items; -1: its head."""
        number = bisect_right(self._starts, line) - 1
        return number, line - self._starts[number] - 1

    def _count(self) -> None:
        total, starts = 0, array("q", [0])
        for number, group in enumerate(self.groups):
            total += 1 + (group.count if self._open[number] else 0)
            starts.append(total)
        self._starts = starts
