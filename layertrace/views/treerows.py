"""Which rows of a file tree are on view, in what order: a pane's state without its pane.

Rows are positions in a preorder that the chosen sort fixes for every present
path, folded or not; so the rows on view are always sorted, a fold is one slice
delete, an unfold one slice insert, and finding a path is a bisection.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from itertools import compress
from typing import TYPE_CHECKING

from layertrace.model.origin import OriginKind
from layertrace.views.treeselect import (
    SortKey,
    arrange,
    files_of,
    places_shown,
    select,
    sort_paths,
    unfolded,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layertrace.views.filetree import FileTree, Mark
    from layertrace.views.treeselect import Arrangement, Selection, Tally
    from layertrace.views.treesums import Sums


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a filter leaves, worked out ahead of showing it."""

    matches: array[int]
    selected: Selection
    lines: array[int]
    under: tuple[object, ...]
    """What it was worked out under: of anything else it says nothing."""


class TreeRows:
    """The rows on view. Every change of it may move all rows: ask again."""

    def __init__(self, tree: FileTree, sums: Sums) -> None:
        """Show the first level, and the second where nothing comes from the base image."""
        self.tree = tree
        self.sums = sums
        self.sort = SortKey.SIZE
        self.reverse = False
        self.flat = False
        self.hidden: frozenset[Mark] = frozenset()
        self.matches: array[int] | None = None
        """Rows of the table that a filter lets through; None: there is none."""
        self.lines = array("I")
        self._shown = array("I")
        """Lines were nothing folded."""
        self._arranged: Arrangement
        self._selected: Selection
        self._open = bytearray(len(tree))
        self._all_open = False
        self._unfiltered: tuple[bytearray, bool] | None = None
        """What was open before the filter, and whether that was everything."""
        base = {n for n, owner in enumerate(tree.owners) if owner.kind is OriginKind.BASE}
        for node in tree.children(-1):
            self._open[node] = base.isdisjoint(sums.owner_labels(node))
        self._arrange()
        self._select()

    def __len__(self) -> int:
        return len(self.lines)

    # -- asking ---------------------------------------------------------------

    @property
    def tally(self) -> Tally:
        """How much is on view."""
        return self._selected.tally

    def node(self, line: int) -> int:
        """Return the path (a row of the table) that stands at ``line``."""
        row = self.lines[line]
        return row if self.flat else self._arranged.order[row]

    def line_of(self, node: int) -> int | None:
        """Return where ``node`` is on view, None where it is not."""
        if not self._selected.shown[node]:
            return None
        if self.flat:
            return self.lines.index(node) if node in self.lines else None
        place = self._arranged.places[node]
        line = bisect_left(self.lines, place)
        return line if line < len(self.lines) and self.lines[line] == place else None

    def nearest_line(self, node: int) -> int:
        """Return the line of ``node`` or of the closest directory above it; else 0."""
        for candidate in (node, *self.tree.ancestors(node)):
            line = self.line_of(candidate)
            if line is not None:
                return line
        return 0

    def parent_line(self, line: int) -> int | None:
        """Return the line of the directory that holds the one at ``line``."""
        parent = self.tree.parents[self.node(line)]
        return None if parent < 0 else self.line_of(parent)

    def can_open(self, node: int) -> bool:
        """Return whether something shown lies in ``node``."""
        return not self.flat and self._selected.can_open(self.sums, node)

    def is_open(self, node: int) -> bool:
        """Return whether what lies in ``node`` is on view."""
        return bool(self._open[node]) and self.can_open(node)

    def is_hit(self, node: int) -> bool:
        """Return whether ``node`` is shown for its own sake."""
        return bool(self._selected.hits[node])

    def next_hit(self, line: int, step: int) -> int | None:
        """Return the nearest line after (or before) ``line`` that matches by itself."""
        line += step
        while 0 <= line < len(self.lines):
            if self.is_hit(self.node(line)):
                return line
            line += step
        return None

    # -- folding --------------------------------------------------------------

    def toggle(self, line: int) -> None:
        """Fold or unfold the directory at ``line``."""
        if self.is_open(self.node(line)):
            self.fold(line)
        else:
            self.unfold(line)

    def fold(self, line: int) -> None:
        """Take away what lies below the row at ``line``."""
        node = self.node(line)
        if not self.is_open(node):
            return
        self._open[node] = 0
        self._all_open = False
        end = self._arranged.places[node] + self.sums.spans[node]
        del self.lines[line + 1 : bisect_left(self.lines, end, line + 1)]

    def unfold(self, line: int) -> None:
        """Show what lies in the row at ``line``, as it was when it was folded."""
        node = self.node(line)
        if self.is_open(node) or not self.can_open(node):
            return
        self._open[node] = 1
        place = self._arranged.places[node]
        below = range(place + 1, place + self.sums.spans[node])
        self.lines[line + 1 : line + 1] = self._visible(below)

    def fold_all(self) -> None:
        """Fold everything."""
        self._open, self._all_open = bytearray(len(self.tree)), False
        self._list_lines()

    def unfold_all(self) -> None:
        """Unfold everything."""
        self._open, self._all_open = bytearray(b"\x01") * len(self.tree), True
        self._list_lines()

    @property
    def any_open(self) -> bool:
        """Whether anything is unfolded."""
        roots = sum(self._selected.shown[node] for node in self.tree.children(-1))
        return not self.flat and len(self.lines) > roots

    def open_chain(self, line: int) -> int:
        """Unfold as long as there is one child; return the line of the last one."""
        while True:
            self.unfold(line)
            node = self.node(line)
            shown = [child for child in self.tree.children(node) if self._selected.shown[child]]
            if self.flat or len(shown) != 1 or not self.is_open(node):
                return line
            line += 1

    def reveal(self, node: int) -> int | None:
        """Unfold what is above ``node``; return its line, None when it is not shown."""
        if not self.flat and self._selected.shown[node]:
            for parent in reversed(list(self.tree.ancestors(node))):
                line = self.line_of(parent)
                if line is not None:
                    self.unfold(line)
        return self.line_of(node)

    # -- choosing -------------------------------------------------------------

    def take_over(self, older: TreeRows) -> None:
        """Take order, marks and folds from rows of the same image, of which less was known."""
        self.sort, self.reverse, self.flat = older.sort, older.reverse, older.flat
        self.hidden = older.hidden
        opened, self._all_open = older._unfiltered or (older._open, older._all_open)
        if self._all_open:
            self._open = bytearray(b"\x01") * len(self.tree)
        else:
            # Few are open, but what is below the root is so from the start.
            told = {*compress(range(len(opened)), opened), *older.tree.children(-1)}
            for node in told:
                found = self.tree.find(older.tree.table.paths[node])
                if found is not None:
                    self._open[found] = opened[node]
        self._arrange()
        self._select()

    def set_sums(self, sums: Sums) -> None:
        """Show another scope; what is unfolded stays so."""
        self.sums = sums
        self._arrange()
        self._select()

    def set_sort(self, key: SortKey, *, reverse: bool) -> None:
        """Put siblings in another order; ``reverse`` turns the usual one round."""
        self.sort, self.reverse = key, reverse
        self._arrange()
        self._lay_out()

    def set_flat(self, *, flat: bool) -> None:
        """Show a list of files, or the tree."""
        self.flat = flat
        self._arrange()
        self._lay_out()

    def set_hidden(self, hidden: Iterable[Mark]) -> None:
        """Hide the files that bear such a mark."""
        self.hidden = frozenset(hidden)
        self._select()

    def set_matches(self, matches: Iterable[int] | None) -> None:
        """Show only these rows of the table and what is above them; None: all.

        While a filter is on everything is unfolded, to show what it found; when
        it goes, the folds are as before.
        """
        self.matches = None if matches is None else array("I", matches)
        self._fold_for_filter(on=matches is not None)
        self._select()

    def look_for(self, matches: Iterable[int]) -> Found:
        """Work out what a filter leaves, for :meth:`show_found`.

        It changes nothing, so that another thread may do it: of a million paths it takes long.
        """
        under, rows = self._state(), array("I", matches)
        selected = select(self.tree, self.sums, rows, self.hidden)
        return Found(matches=rows, selected=selected, lines=self._lines_of(selected), under=under)

    def show_found(self, found: Found) -> None:
        """Show what a filter leaves, as :meth:`set_matches` would."""
        self.matches = found.matches
        self._fold_for_filter(on=True)
        if all(one is other for one, other in zip(found.under, self._state(), strict=True)):
            self._selected, self._shown = found.selected, found.lines
            self._list_lines()
        else:
            # Another scope or order was chosen meanwhile.
            self._select()

    def _state(self) -> tuple[object, ...]:
        return self.sums, self._arranged, self.hidden, self.flat

    def _fold_for_filter(self, *, on: bool) -> None:
        if on:
            self._unfiltered = self._unfiltered or (self._open, self._all_open)
            self._open, self._all_open = bytearray(b"\x01") * len(self.tree), True
        elif self._unfiltered is not None:
            self._open, self._all_open = self._unfiltered
            self._unfiltered = None

    # -- laying out -----------------------------------------------------------

    def _arrange(self) -> None:
        self._arranged = arrange(self.tree, self.sums, self.sort, reverse=self.reverse)

    def _select(self) -> None:
        self._selected = select(self.tree, self.sums, self.matches, self.hidden)
        self._lay_out()

    def _lay_out(self) -> None:
        """List afresh what is shown, and what of it is on view."""
        self._shown = self._lines_of(self._selected)
        self._list_lines()

    def _list_lines(self) -> None:
        """List the rows on view afresh."""
        if self.flat or self._all_open:
            self.lines = self._shown[:]
        else:
            self.lines = self._visible(range(len(self._arranged.order)))

    def _lines_of(self, selected: Selection) -> array[int]:
        """Return the rows of what is shown where nothing is folded."""
        if not self.flat:
            return places_shown(self._arranged, self.sums, selected)
        files = files_of(self.tree, selected.hits)
        return array("I", sort_paths(self.tree, self.sums, files, self.sort, reverse=self.reverse))

    def _visible(self, within: range) -> array[int]:
        """Return the places on view within some."""
        return unfolded(self._arranged, self.sums, self._shown, self._open, within)
