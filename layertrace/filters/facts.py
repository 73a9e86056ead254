"""What terms may ask of an image that its file table does not hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from layertrace.model.files import FileTable
    from layertrace.model.packages import PackageTable

Rows: TypeAlias = "Sequence[int]"
Ask: TypeAlias = "Callable[[FileTable, Rows, Facts], Rows]"


class Cost(IntEnum):
    """What has to be read for a term, the least first."""

    TABLE = 0
    """Nothing: the file table has it."""
    ENTRIES = 1
    """What the layers' tar headers say; that is at hand."""
    DATABASES = 2
    """Few files of the image, once."""
    CONTENTS = 3
    """Any file of the image."""


class Facts(Protocol):
    """Answers about the rows of one table, worked out when they are asked for.

    Raises:
        LayertraceError: (each) the image cannot be read any more.
    """

    def modes(self, rows: Rows) -> Sequence[int]:
        """Return each row's mode bits, 07777; -1 where no entry made it."""
        ...

    def owners(self, rows: Rows) -> Sequence[tuple[int, int]]:
        """Return each row's uid and gid; -1 where no entry made it."""
        ...

    def instructions(self, rows: Rows) -> Sequence[str]:
        """Return the keyword of what brought each row's shipped copy, in lower case.

        ``from`` is the base image; empty where it is not known.
        """
        ...

    def packages(self) -> PackageTable:
        """Return whose package each file is."""
        ...

    def digests(self, rows: Rows) -> Mapping[int, str]:
        """Return the content digests of those of the rows that are files."""
        ...

    def forms(self, rows: Rows) -> Mapping[int, str]:
        """Return ``elf``, ``script`` or ``zip`` for those of the rows that are one, by content."""
        ...

    def duplicates(self) -> Collection[int]:
        """Return the rows whose content another path of the image has too."""
        ...

    def wasted(self) -> Collection[int]:
        """Return the rows whose path has bytes in some layer that nobody sees."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A term that facts are needed for: from the rows still in question to those that match."""

    cost: Cost
    ask: Ask
