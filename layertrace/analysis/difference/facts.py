"""What filters ask of the changes between two images: of the image that each row is of."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from layertrace.analysis.facts import ImageFacts
from layertrace.model.difference import DiffKind
from layertrace.model.packages import PackageTable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from layertrace.filters.facts import Rows
    from layertrace.model.difference import Changes
    from layertrace.pipeline.answers import ImageTrace

T = TypeVar("T")


class ChangeFacts:
    """Answers about the rows of a table of changes; what was removed is asked as it was."""

    def __init__(self, changes: Changes, old: ImageTrace, new: ImageTrace) -> None:
        """Keep the changes and both images; nothing is read yet."""
        self._changes = changes
        self._sides = (ImageFacts(old), ImageFacts(new))

    def modes(self, rows: Rows) -> Sequence[int]:
        """Return each row's mode bits."""
        return self._each(rows, ImageFacts.modes)

    def owners(self, rows: Rows) -> Sequence[tuple[int, int]]:
        """Return each row's uid and gid."""
        return self._each(rows, ImageFacts.owners)

    def instructions(self, rows: Rows) -> Sequence[str]:
        """Return the keyword of what brought each row."""
        return self._each(rows, ImageFacts.instructions)

    def packages(self) -> PackageTable:
        """Return the packages of both images, and which change is to a file of which."""
        return self._packages

    def digests(self, rows: Rows) -> Mapping[int, str]:
        """Return the content digests of files."""
        return self._some(rows, ImageFacts.digests)

    def forms(self, rows: Rows) -> Mapping[int, str]:
        """Return ``elf``, ``script`` or ``zip`` for what is one by content."""
        return self._some(rows, ImageFacts.forms)

    def duplicates(self) -> Collection[int]:
        """Return the rows whose content their image has at another path too."""
        return self._among([side.duplicates for side in self._sides])

    def wasted(self) -> Collection[int]:
        """Return the rows whose path has bytes in their image that nobody sees."""
        return self._among([side.wasted for side in self._sides])

    @cached_property
    def _packages(self) -> PackageTable:
        old, new = (side.packages() for side in self._sides)
        owners = {}
        for number, path in enumerate(self._changes.paths):
            is_new, _ = self._source(number)
            own = (new if is_new else old).owners.get(path)
            if own is not None:
                owners[path] = own + len(old.packages) * is_new
        return PackageTable(packages=(*old.packages, *new.packages), owners=owners)

    def _source(self, number: int) -> tuple[int, int]:
        """Return which image a change is asked of, 1 for the newer, and the row there."""
        changes = self._changes
        if changes.kinds[number] == DiffKind.REMOVED:
            return 0, changes.old_rows[number]
        return 1, changes.new_rows[number]

    def _split(self, rows: Rows) -> tuple[dict[int, int], dict[int, int]]:
        """Return, for each image, change to row."""
        split: tuple[dict[int, int], dict[int, int]] = ({}, {})
        for number in rows:
            side, row = self._source(number)
            split[side][number] = row
        return split

    def _each(self, rows: Rows, ask: Callable[[ImageFacts, Rows], Sequence[T]]) -> Sequence[T]:
        found: dict[int, T] = {}
        for side, asked in zip(self._sides, self._split(rows), strict=True):
            found.update(zip(asked, ask(side, list(asked.values())), strict=True))
        return [found[number] for number in rows]

    def _some(self, rows: Rows, ask: Callable[[ImageFacts, Rows], Mapping[int, T]]) -> dict[int, T]:
        found: dict[int, T] = {}
        for side, asked in zip(self._sides, self._split(rows), strict=True):
            told = ask(side, list(asked.values()))
            found |= {number: told[row] for number, row in asked.items() if row in told}
        return found

    def _among(self, ask: Sequence[Callable[[], Collection[int]]]) -> frozenset[int]:
        found = [each() for each in ask]
        sources = ((n, *self._source(n)) for n in range(len(self._changes)))
        return frozenset(number for number, side, row in sources if row in found[side])
