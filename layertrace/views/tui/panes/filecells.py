"""How a row of pane 2 is drawn: which columns there is room for, and what stands in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from rich.style import Style

from layertrace.model.entry import EntryKind
from layertrace.views.filetree import NO_LAYER, Mark
from layertrace.views.outline_row import layer_name
from layertrace.views.text import show_size
from layertrace.views.treesums import SEVERAL_LAYERS
from layertrace.views.tui.cells import crop, crop_middle, fill, fill_left
from layertrace.views.tui.panes.columns import (
    BAR_WIDTH,
    Column,
    column_text,
    fitting,
    heading,
    owners_bar,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from layertrace.model.packages import PackageTable
    from layertrace.provenance.trees import Item
    from layertrace.views.filetree import FileTree
    from layertrace.views.treerows import TreeRows
    from layertrace.views.tui.rows_view import Cell, RowsView

_SMALL: Final = 60
"""Below so many columns a stage is a letter and a size has no decimals."""
_STAGE_WIDTH: Final = 9
_MOST_STAGE_WIDTH: Final = 12
_SEVERAL_WIDTH: Final = 9
"""Of "2 origins", which stands before a bar."""
_SIZE_WIDTHS: Final = (9, 6)
_FIXED: Final = 10
"""Cells of trust, layer, mark and the gaps between the columns."""
_BARRED: Final = 38
"""Cells of a path and a bar beside it, from which the largest files have that bar."""
_SUFFIXES: Final = {EntryKind.DIR: "/", EntryKind.SYMLINK: "@", EntryKind.FIFO: "|"}


class FileCells:
    """Draws the rows of a tree in the colours of its pane."""

    def __init__(self, pane: RowsView) -> None:
        """Draw for ``pane``."""
        self._pane = pane
        self._names_width = _STAGE_WIDTH
        self._item_at: Callable[[int], Item | None] | None = None
        chosen = pane.options.columns
        self.columns = frozenset(column for column in Column if column.title in chosen)
        """Those that the user wants to see."""
        self.bars = False
        """Whether a directory of several owners shows how they divide it."""
        self.packages: PackageTable | None = None
        """Whose each file is, once that was read; it is only looked up here."""
        self.by_size = False
        """Whether rows are the largest files, with how much of the first of them each is."""

    def adopt(self, tree: FileTree, item_at: Callable[[int], Item | None]) -> None:
        """Draw the paths of another tree; ``item_at`` tells what a row's entry is."""
        names = [len(self._pane.safe(owner.text)) for owner in tree.owners]
        self._names_width = max(_STAGE_WIDTH, min(_MOST_STAGE_WIDTH, max(names, default=0)))
        self._item_at = item_at

    @property
    def _small(self) -> bool:
        return self._pane.outer_size.width < _SMALL

    @property
    def _stage_width(self) -> int:
        if self._small:
            return 1
        least = _SEVERAL_WIDTH + 1 + BAR_WIDTH if self.bars else 0
        return max(self._names_width, least)

    def _fitting(self, width: int) -> tuple[Column, ...]:
        room = width - self._stage_width - _SIZE_WIDTHS[self._small] - _FIXED
        # A bar that nobody asked for leaves paths more room than a column that was chosen.
        bar = self.by_size and room >= _BARRED
        return fitting(self.columns | ({Column.SHARE} if bar else set()), room)

    def without_room(self, width: int) -> frozenset[Column]:
        """Return the chosen columns that do not fit."""
        return self.columns.difference(self._fitting(width))

    def header(self, width: int) -> Iterator[Cell]:
        """Yield what stands over the columns."""
        stage = "S" if self._small else fill("Stage", self._stage_width)
        size = fill_left("Size", _SIZE_WIDTHS[self._small])
        extra = "".join(f"{heading(column)} " for column in self._fitting(width))
        yield f"  {stage} Lyr {size}   {extra}Path", Style.null()

    def row(self, rows: TreeRows, node: int, width: int) -> Iterator[Cell]:
        """Yield the columns of one path."""
        palette, plain = self._pane.palette, Style.null()
        small, mark = self._small, Mark(rows.sums.marks[node])
        gone = mark is Mark.REMOVED
        yield self._pane.trust_cell(None if gone else rows.sums.trust(node))
        yield " ", plain
        yield from self._stage(rows, node)
        layer = rows.sums.layers[node]
        place = "" if layer in {NO_LAYER, SEVERAL_LAYERS} else layer_name(layer)
        yield f" {place:<4}", palette.dim
        weight = rows.sums.lost[node] if gone else rows.sums.sizes[node]
        size_width = _SIZE_WIDTHS[small]
        size = fill_left(show_size(weight, short=small), size_width)
        yield size, palette.removed if gone else plain
        yield f" {mark.sign} ", palette.marks[mark]
        room = width - self._stage_width - size_width - _FIXED
        columns = self._fitting(width)
        item = None
        if self._item_at is not None and any(column.needs_item for column in columns):
            item = self._item_at(node)
        for column in columns:
            package = self._package(rows, node) if column is Column.PACKAGE else ""
            yield f"{column_text(column, rows, node, item, package)} ", palette.dim
            room -= column.cells + 1
        yield from self._path(rows, node, room)

    def _package(self, rows: TreeRows, node: int) -> str:
        if self.packages is None:
            return "" if rows.tree.is_dir[node] else "reading…"
        # Only with a column of them, which is not there at first.
        from layertrace.views.packages import package_text  # noqa: PLC0415

        return package_text(self.packages.owner(rows.tree.table.paths[node]))

    def _stage(self, rows: TreeRows, node: int) -> Iterator[Cell]:
        palette, width = self._pane.palette, self._stage_width
        labels = rows.sums.owner_labels(node)
        if len(labels) == 1:
            owner = rows.tree.owners[labels[0]]
            name = self._pane.safe(owner.text)
            yield fill(name[:1] if width == 1 else name, width), palette.stage(owner.stage_index)
            return
        stages = all(rows.tree.owners[label].stage_index is not None for label in labels)
        words = f"{len(labels)} {'stages' if stages else 'origins'}"
        if width == 1 or not self.bars:
            yield fill(words[:1] if width == 1 else words, width), palette.dim
            return
        yield fill(words, width - BAR_WIDTH), palette.dim
        yield from owners_bar(rows, node, palette)

    def _path(self, rows: TreeRows, node: int, room: int) -> Iterator[Cell]:
        palette, dim = self._pane.palette, self._pane.palette.dim
        gone = rows.sums.marks[node] == Mark.REMOVED
        kind = EntryKind(rows.tree.table.kinds[node])
        style = palette.removed if gone else Style.null()
        if rows.wish.matches is not None and not rows.is_hit(node):
            style = style + dim
        if rows.wish.flat:
            path = f"/{rows.tree.table.paths[node]}{_SUFFIXES.get(kind, '')}"
            yield crop_middle(self._pane.safe(path), room), style
            return
        depth = rows.tree.depths[node]
        # A tree deeper than the pane is wide keeps the guides of its last levels.
        levels = min(depth, max(1, room // 4))
        guides = "│ " * levels if levels == depth else "…" + "│ " * levels
        fold = " "
        if rows.can_open(node):
            fold = "▾" if rows.is_open(node) else "▸"
        yield f"{guides}{fold} ", dim
        room = max(4, room - len(guides) - 2)
        name = crop(self._pane.safe(rows.tree.name(node)) + _SUFFIXES.get(kind, ""), room)
        yield name, style
        if gone:
            # The mark and the line through the name say so too.
            yield crop("  (removed)", room - cell_len(name)), dim
