"""Which rows of a file tree are on view, in what order: a pane's state without its pane.

Rows are positions in a preorder that the chosen sort fixes for every present
path, folded or not; so the rows on view are always sorted, a fold is one slice
delete, an unfold one slice insert, and finding a path is a bisection.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass, replace
from itertools import compress
from typing import TYPE_CHECKING, Final

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


LARGE: Final = 50_000
"""Paths from which what is shown is worked out beside the keys, not within one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be shown, and in what order; folds apart."""

    sums: Sums
    sort: SortKey = SortKey.SIZE
    reverse: bool = False
    flat: bool = False
    hidden: frozenset[Mark] = frozenset()
    matches: array[int] | None = None
    """Rows of the table that a filter lets through; None: there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What a wish comes to, worked out ahead of showing it."""

    wish: Wish
    arranged: Arrangement
    selected: Selection
    lines: array[int]
    """All of it in order, were nothing folded: places, or where it is flat rows of the table."""


class TreeRows:
    """The rows on view. Every change of it may move all rows: ask again."""

    def __init__(self, tree: FileTree, sums: Sums) -> None:
        """Show the first level, and the second where nothing comes from the base image."""
        self.tree = tree
        self.lines = array("I")
        self._open = bytearray(len(tree))
        self._all_open = False
        self._unfiltered: tuple[bytearray, bool] | None = None
        """What was open before the filter, and whether that was everything."""
        base = {n for n, owner in enumerate(tree.owners) if owner.kind is OriginKind.BASE}
        for node in tree.children(-1):
            self._open[node] = base.isdisjoint(sums.owner_labels(node))
        self._shown = _work_out(tree, Wish(sums=sums), None)
        self._list_lines()

    def __len__(self) -> int:
        return len(self.lines)

    # -- asking ---------------------------------------------------------------

    @property
    def wish(self) -> Wish:
        """What is shown, and in what order."""
        return self._shown.wish

    @property
    def sums(self) -> Sums:
        """The scope that is shown, added up."""
        return self.wish.sums

    @property
    def by_size(self) -> bool:
        """Whether the largest files stand in one list."""
        wish = self.wish
        return wish.flat and wish.sort is SortKey.SIZE and not wish.reverse

    @property
    def tally(self) -> Tally:
        """How much is on view."""
        return self._shown.selected.tally

    def node(self, line: int) -> int:
        """Return the path (a row of the table) that stands at ``line``."""
        row = self.lines[line]
        return row if self.wish.flat else self._shown.arranged.order[row]

    def line_of(self, node: int) -> int | None:
        """Return where ``node`` is on view, None where it is not."""
        if not self._shown.selected.shown[node]:
            return None
        if self.wish.flat:
            try:
                return self.lines.index(node)
            except ValueError:
                return None
        place = self._shown.arranged.places[node]
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
        return not self.wish.flat and self._shown.selected.can_open(self.sums, node)

    def is_open(self, node: int) -> bool:
        """Return whether what lies in ``node`` is on view."""
        return bool(self._open[node]) and self.can_open(node)

    def is_hit(self, node: int) -> bool:
        """Return whether ``node`` is shown for its own sake."""
        return bool(self._shown.selected.hits[node])

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
        end = self._shown.arranged.places[node] + self.sums.spans[node]
        del self.lines[line + 1 : bisect_left(self.lines, end, line + 1)]

    def unfold(self, line: int) -> None:
        """Show what lies in the row at ``line``, as it was when it was folded."""
        node = self.node(line)
        if self.is_open(node) or not self.can_open(node):
            return
        self._open[node] = 1
        place = self._shown.arranged.places[node]
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
        roots = sum(self._shown.selected.shown[node] for node in self.tree.children(-1))
        return not self.wish.flat and len(self.lines) > roots

    def open_chain(self, line: int) -> int:
        """Unfold as long as there is one child; return the line of the last one."""
        while True:
            self.unfold(line)
            node = self.node(line)
            flags = self._shown.selected.shown
            shown = [child for child in self.tree.children(node) if flags[child]]
            if self.wish.flat or len(shown) != 1 or not self.is_open(node):
                return line
            line += 1

    def reveal(self, node: int) -> int | None:
        """Unfold what is above ``node``; return its line, None when it is not shown."""
        if not self.wish.flat and self._shown.selected.shown[node]:
            for parent in reversed(list(self.tree.ancestors(node))):
                line = self.line_of(parent)
                if line is not None:
                    self.unfold(line)
        return self.line_of(node)

    # -- choosing -------------------------------------------------------------

    def take_over(self, older: TreeRows) -> None:
        """Take order, marks and folds from rows of the same image, of which less was known."""
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
        self.change(replace(older.wish, sums=self.sums, matches=None))

    def set_matches(self, matches: Iterable[int] | None) -> None:
        """Show only these rows of the table and what is above them; None: all.

        While a filter is on everything is unfolded, to show what it found; when
        it goes, the folds are as before.
        """
        found = None if matches is None else array("I", matches)
        self.change(replace(self.wish, matches=found))

    def change(self, wish: Wish) -> None:
        """Show something else, or in another order; what is unfolded stays so."""
        self.show(self.work_out(wish))

    def work_out(self, wish: Wish) -> Shown:
        """Work out what a wish comes to, for :meth:`show`.

        It changes nothing, so that another thread may do it: of a million paths it takes long.
        """
        return _work_out(self.tree, wish, self._shown)

    def show(self, shown: Shown) -> None:
        """Show what was worked out of this tree."""
        filtered = shown.wish.matches
        if filtered is not self.wish.matches:
            self._fold_for_filter(on=filtered is not None)
        self._shown = shown
        self._list_lines()

    def _fold_for_filter(self, *, on: bool) -> None:
        if on:
            self._unfiltered = self._unfiltered or (self._open, self._all_open)
            self._open, self._all_open = bytearray(b"\x01") * len(self.tree), True
        elif self._unfiltered is not None:
            self._open, self._all_open = self._unfiltered
            self._unfiltered = None

    # -- laying out -----------------------------------------------------------

    def _list_lines(self) -> None:
        """List the rows on view afresh."""
        if self.wish.flat or self._all_open:
            self.lines = self._shown.lines[:]
        else:
            self.lines = self._visible(range(len(self._shown.arranged.order)))

    def _visible(self, within: range) -> array[int]:
        """Return the places on view within some."""
        shown = self._shown
        return unfolded(shown.arranged, self.sums, shown.lines, self._open, within)


def _work_out(tree: FileTree, wish: Wish, known: Shown | None) -> Shown:
    """Work out a wish, with what is known already of the one before."""
    sums, order = wish.sums, (wish.sort, wish.reverse)
    before = known if known is not None and known.wish.sums is sums else None
    if before is not None and (before.wish.sort, before.wish.reverse) == order:
        arranged = before.arranged
    else:
        arranged = arrange(tree, sums, wish.sort, reverse=wish.reverse)
    if (
        before is not None
        and before.wish.hidden == wish.hidden
        and before.wish.matches is wish.matches
    ):
        selected = before.selected
    else:
        selected = select(tree, sums, wish.matches, wish.hidden)
    if wish.flat:
        files = files_of(tree, selected.hits)
        lines = array("I", sort_paths(tree, sums, files, wish.sort, reverse=wish.reverse))
    else:
        lines = places_shown(arranged, sums, selected)
    return Shown(wish=wish, arranged=arranged, selected=selected, lines=lines)
