"""The file tree of an image as columns, and which of its files a scope takes.

A million files must scroll like a hundred, so nothing here is an object a file:
a tree is a few arrays beside the :class:`FileTable`, in its preorder.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from enum import IntEnum
from itertools import compress
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change, OriginKind, Trust

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from layertrace.model.files import FileTable, Label


class Mark(IntEnum):
    """How a path changed within a scope; small numbers, one byte a path."""

    UNTOUCHED = 0
    ADDED = 1
    MODIFIED = 2
    METADATA = 3
    REMOVED = 4

    @property
    def sign(self) -> str:
        """The one-cell mark."""
        return MARK_SIGNS[self]


MARK_SIGNS: Final = ".+~m-"
NO_LAYER: Final = -1
"""Of an implicit directory."""

_MARKS: Final = {
    Change.ADDED: Mark.ADDED,
    Change.MODIFIED: Mark.MODIFIED,
    Change.METADATA: Mark.METADATA,
    Change.REMOVED: Mark.REMOVED,
}
_RANKS: Final = {trust: trust.rank for trust in Trust}


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose files are, as the Stage column says it."""

    text: str
    stage_index: int | None = None
    kind: OriginKind = OriginKind.UNKNOWN


def label_owner(label: Label) -> Owner:
    """Return the owner a label stands for.

    ``build?`` is a stage known only as the one a COPY named: the bytes passed
    through it, but who made them there is not known.
    """
    if label.stage is not None:
        return Owner(text=label.stage, stage_index=label.stage_index, kind=label.kind)
    if label.kind is OriginKind.UNKNOWN and label.carried_from is not None:
        return Owner(text=f"{label.carried_from}?", stage_index=label.stage_index, kind=label.kind)
    return Owner(text=label.kind.value, kind=label.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which files of the image a pane shows."""

    title: str
    layers: Collection[int] | None = None
    """Only files whose shipped copy lies in these layers; None: any."""
    below: Collection[int] = ()
    """Layers whose files count as untouched: what stood before the scope."""
    stage: tuple[int, str] | None = None
    """Only files whose bytes were made in this stage, or were carried from it."""
    kind: OriginKind | None = None
    """Only files that came from such a place."""
    line: int | None = None
    """Only files whose bytes the instruction at this line made."""

    def takes(self, label: Label) -> bool:
        """Return whether files under ``label`` belong to the scope."""
        if self.line is not None:
            return self.line == label.line
        if self.stage is not None and self.stage[0] != label.stage_index:
            return self.stage[1] == label.carried_from
        return self.kind is None or self.kind is label.kind


class FileTree:
    """A file table with the tree it implies; built once, then only read."""

    __slots__ = (
        "counts",
        "depths",
        "directories",
        "holders",
        "is_dir",
        "marks",
        "owners",
        "parents",
        "table",
        "trusts",
    )

    def __init__(self, table: FileTable) -> None:
        """Find every path's parent; one pass over the table."""
        self.table = table
        self.parents: array[int]
        self.depths: array[int]
        self.counts: array[int]
        self.parents, self.depths, self.counts = _shape(table)
        directory = int(EntryKind.DIR)
        self.is_dir = bytes(kind == directory for kind in table.kinds)
        rows = range(len(table))
        self.directories = array("I", compress(rows, self.is_dir))
        self.holders = array("I", compress(rows, map((1).__lt__, self.counts)))
        """Rows with others below them."""
        self.marks = bytes(map(_MARKS.__getitem__, table.changes))
        self.trusts = bytes(map(_RANKS.__getitem__, table.trusts))
        self.owners = tuple(map(label_owner, table.labels))

    def __len__(self) -> int:
        return len(self.parents)

    def name(self, node: int) -> str:
        """Return the last part of a path, or all that its parent lacks."""
        path = self.table.paths[node]
        parent = self.parents[node]
        return path if parent < 0 else path[len(self.table.paths[parent]) + 1 :]

    def below(self, node: int) -> range:
        """Return every path under ``node``, itself not included."""
        return range(node + 1, node + self.counts[node])

    def children(self, node: int) -> Iterator[int]:
        """Yield what lies directly under ``node``; -1 is the root."""
        child, end = node + 1, len(self) if node < 0 else node + self.counts[node]
        while child < end:
            yield child
            child += self.counts[child]

    def ancestors(self, node: int) -> Iterator[int]:
        """Yield the parent of ``node``, its parent, and so on up."""
        while (node := self.parents[node]) >= 0:
            yield node

    def find(self, path: str) -> int | None:
        """Return the row of ``path``, None where there is none."""
        paths = self.table.paths
        # As the table is in preorder: "/" sorts below every other character.
        row = bisect_left(paths, path.replace("/", "\0"), key=lambda p: p.replace("/", "\0"))
        return row if row < len(paths) and paths[row] == path else None


def _shape(table: FileTable) -> tuple[array[int], array[int], array[int]]:
    parents, depths = array("i"), array("I")
    counts = array("I", bytes(4 * len(table)))
    open_rows: list[int] = []
    prefixes: list[str] = []
    for row, path in enumerate(table.paths):
        # Any row may hold others, not only directories: a file that replaced a
        # directory stands before the removed paths that lay in it.
        while prefixes and not path.startswith(prefixes[-1]):
            prefixes.pop()
            closed = open_rows.pop()
            counts[closed] = row - closed
        parents.append(open_rows[-1] if open_rows else -1)
        depths.append(len(open_rows))
        open_rows.append(row)
        prefixes.append(f"{path}/")
    for closed in open_rows:
        counts[closed] = len(parents) - closed
    return parents, depths, counts
