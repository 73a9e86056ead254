"""Pane 2: the files of a scope as a tree, with whose each is and how surely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.message import Message

from layertrace.views.filetree import Mark
from layertrace.views.text import plural
from layertrace.views.treerows import Found, TreeRows
from layertrace.views.treeselect import SortKey
from layertrace.views.tui.panes.columns import ATTRIBUTES, Column
from layertrace.views.tui.panes.filecells import FileCells
from layertrace.views.tui.rows_view import Cell, RowsView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from layertrace.model.packages import PackageTable
    from layertrace.provenance.trees import Item
    from layertrace.views.filetree import FileTree
    from layertrace.views.treesums import Sums
    from layertrace.views.tui.ports import TuiOptions

_SORTS: Final = tuple(SortKey)


def _toggle(key: str, mark: Mark, name: str, id_: str) -> Binding:
    return Binding(key, f"mark('{mark.name}')", f"Show or hide mark {name}", show=False, id=id_)


class FilesPane(RowsView):
    """The tree; keys here act on it, and its cursor decides what pane 3 explains."""

    HAS_HEADER = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "fold", "Fold", id="files.fold"),
        Binding("enter", "choose", "Fold, or view a file", show=False, id="files.choose"),
        Binding("s", "sort", "Sort", id="files.sort"),
        Binding("S", "reverse", "Reverse the order", show=False, id="files.reverse"),
        Binding("ctrl+o", "sort", "Sort", show=False, id="files.sort-dive"),
        Binding("ctrl+space,ctrl+@", "fold_all", "Fold all", show=False, id="files.fold-all"),
        Binding("*", "unfold_all", "Unfold all", show=False, id="files.unfold-all"),
        Binding("e", "open_chain", "Open a chain", show=False, id="files.open-chain"),
        Binding("d", "page(1)", "Page down", show=False, id="files.page-down"),
        Binding("u", "page(-1)", "Page up", show=False, id="files.page-up"),
        Binding("n", "hit(1)", "Next hit", id="files.next-hit"),
        Binding("N", "hit(-1)", "Previous hit", show=False, id="files.previous-hit"),
        Binding("c", "columns", "Columns", show=False, id="files.columns"),
        Binding("ctrl+b", "attributes", "Attributes on or off", show=False, id="files.attributes"),
        Binding("grave_accent", "flat", "Tree or flat list", show=False, id="files.flat"),
        _toggle("+,ctrl+a", Mark.ADDED, "+ added", "files.mark-added"),
        _toggle("-,ctrl+r", Mark.REMOVED, "- removed", "files.mark-removed"),
        _toggle("~", Mark.MODIFIED, "~ modified", "files.mark-modified"),
        _toggle("m", Mark.METADATA, "m metadata only", "files.mark-metadata"),
        _toggle(".,ctrl+u", Mark.UNTOUCHED, ". untouched", "files.mark-untouched"),
    ]  # fmt: skip

    @dataclass
    class PackagesWanted(Message):
        """A column that says whose package each file is was chosen, and nobody knows yet."""

    def __init__(self, options: TuiOptions, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(options, id=id)
        self.rows: TreeRows | None = None
        self.empty_words = "nothing here"
        self.counted: Callable[[], None] = lambda: None
        """Called when what is on view changed; a message would come after it was drawn, and what
        counts it be drawn once more."""
        self._cells = FileCells(self)

    # -- what is shown --------------------------------------------------------

    def show(self, tree: FileTree, sums: Sums, item_at: Callable[[int], Item | None]) -> None:
        """Show the files of an image that was just walked, or walked further than before.

        Args:
            tree: all of them.
            sums: those to show.
            item_at: returns the entry behind a row of the table; must be quick.
        """
        before, path = self.rows, None
        if before is not None and self.current is not None:
            path = before.tree.table.paths[self.current]
        self.rows = TreeRows(tree, sums)
        if before is not None:
            self.rows.take_over(before)
        self._cells.adopt(tree, item_at)
        self._cells.packages = None
        if Column.PACKAGE in self._cells.columns:
            self.post_message(self.PackagesWanted())
        node = None if path is None else tree.find(path)
        if node is None and len(self.rows):
            node = self.rows.node(0)
        self.redraw(node)

    def show_packages(self, packages: PackageTable) -> None:
        """Say whose package each file is, where that was asked for."""
        self._cells.packages = packages
        self.rows_changed()

    def show_bars(self, *, shown: bool) -> None:
        """Show how a directory's owners divide it, or only how many they are."""
        if shown is not self._cells.bars:
            self._cells.bars = shown
            self.rows_changed()

    def show_scope(self, sums: Sums) -> None:
        """Show another scope, with the cursor on the same path if it is in it."""
        if self.rows is not None:
            node = self.current
            self.rows.set_sums(sums)
            self.redraw(node)

    def show_matches(self, matches: Iterable[int] | Found | None) -> None:
        """Show only these rows of the table, or what they leave; None: all."""
        if self.rows is None:
            return
        node = self.current
        if isinstance(matches, Found):
            self.rows.show_found(matches)
        else:
            self.rows.set_matches(matches)
        self.redraw(node)
        if (
            matches is not None
            and len(self.rows)
            and not self.rows.is_hit(self.rows.node(self.cursor_line))
        ):
            self.action_hit(1)

    @property
    def current(self) -> int | None:
        """The path (a row of the table) at the cursor."""
        if self.rows is None or not len(self.rows):
            return None
        return self.rows.node(self.cursor_line)

    def go_to(self, node: int) -> bool:
        """Put the cursor on a path, unfolding what hides it; False: it is not shown."""
        if self.rows is None:
            return False
        line = self.rows.reveal(node)
        self.rows_changed(self.cursor_line if line is None else line)
        return line is not None

    def redraw(self, node: int | None) -> None:
        """Draw all rows anew, the cursor on ``node`` or what is above it."""
        rows = self.rows
        if rows is None:
            self.rows_changed(0)
            return
        self._write_notice(rows)
        self.rows_changed(0 if node is None or not len(rows) else rows.nearest_line(node))
        self.counted()

    def _write_notice(self, rows: TreeRows) -> None:
        dim, tally = self.palette.dim, rows.tally
        words: list[Cell] = [("", dim)]
        if tally.by_marks:
            signs = " ".join(mark.sign for mark in Mark if mark in rows.hidden)
            hidden = plural(tally.by_marks, "file")
            words.append((f"{hidden} hidden by marks: press {signs} to show", dim))
        elif rows.matches is not None:
            words.append(("nothing matches: Esc clears the filter", dim))
        else:
            words.append((self.empty_words, dim))
        self.notice = tuple(words)

    @property
    def is_by_size(self) -> bool:
        """Whether the largest files stand in one list."""
        rows = self.rows
        return rows is not None and rows.flat and rows.sort is SortKey.SIZE and not rows.reverse

    def tally_words(self) -> str:
        """Return how much is on view, and in what order."""
        rows = self.rows
        if rows is None:
            return ""
        tally, parts = rows.tally, []
        if rows.matches is None and not rows.hidden:
            parts.append(plural(rows.sums.total_files, "file"))
            removed = tally.total - rows.sums.total_files
            parts += [f"{removed:,} removed"] if removed else []
        else:
            parts.append(f"{tally.shown:,} of {tally.total:,}")
            if tally.directories:
                parts.append(plural(tally.directories, "directory"))
            if tally.by_marks:
                parts.append(f"{tally.by_marks:,} hidden by marks")
        falls = (rows.sort in {SortKey.SIZE, SortKey.FILES}) is not rows.reverse
        parts.append(f"{'flat ' if rows.flat else ''}by {rows.sort} {'↓' if falls else '↑'}")
        return " · ".join(parts)

    # -- drawing --------------------------------------------------------------

    def row_count(self) -> int:
        return 0 if self.rows is None else len(self.rows)

    def header_cells(self, width: int) -> Iterable[Cell]:
        return self._cells.header(width)

    def row_cells(self, line: int, width: int) -> Iterable[Cell]:
        rows = self.rows
        return () if rows is None else self._cells.row(rows, rows.node(line), width)

    # -- keys -----------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's signature
        if action == "hit":
            return self.rows is not None and self.rows.matches is not None
        return True

    def action_fold(self) -> None:
        if self.rows is not None and len(self.rows):
            before = len(self.rows)
            self.rows.toggle(self.cursor_line)
            self.rows_changed()
            self.show_below(len(self.rows) - before)

    def action_choose(self) -> None:
        """Fold a folder; of a file somebody else knows what to do."""
        node, rows = self.current, self.rows
        if rows is not None and node is not None and not rows.tree.is_dir[node]:
            super().action_choose()
        else:
            self.action_fold()

    def action_open(self) -> None:
        rows = self.rows
        if rows is None or not len(rows):
            return
        node = rows.node(self.cursor_line)
        if rows.is_open(node):
            self.move_to(self.cursor_line + 1)
        elif rows.can_open(node):
            self.action_fold()

    def action_close(self) -> None:
        rows = self.rows
        if rows is None or not len(rows):
            return
        if rows.is_open(rows.node(self.cursor_line)):
            self.action_fold()
            return
        parent = rows.parent_line(self.cursor_line)
        if parent is not None:
            self.move_to(parent)

    def action_fold_all(self) -> None:
        if self.rows is None:
            return
        node = self.current
        if self.rows.any_open:
            self.rows.fold_all()
        else:
            self.rows.unfold_all()
        self.redraw(node)

    def action_unfold_all(self) -> None:
        if self.rows is not None:
            node = self.current
            self.rows.unfold_all()
            self.redraw(node)

    def action_open_chain(self) -> None:
        if self.rows is not None and len(self.rows):
            before = len(self.rows) - self.cursor_line
            line = self.rows.open_chain(self.cursor_line)
            self.rows_changed()
            self.move_to(line)
            self.show_below(len(self.rows) - line - before)

    def action_hit(self, step: int) -> None:
        if self.rows is not None and self.rows.matches is not None:
            line = self.rows.next_hit(self.cursor_line, step)
            if line is not None:
                self.move_to(line)

    def action_sort(self) -> None:
        if self.rows is not None:
            node = self.current
            key = _SORTS[(_SORTS.index(self.rows.sort) + 1) % len(_SORTS)]
            self.rows.set_sort(key, reverse=False)
            self.redraw(node)

    def action_reverse(self) -> None:
        if self.rows is not None:
            node = self.current
            self.rows.set_sort(self.rows.sort, reverse=not self.rows.reverse)
            self.redraw(node)

    def action_flat(self) -> None:
        if self.rows is not None:
            self.show_flat(flat=not self.rows.flat)

    def show_largest(self) -> None:
        """Show a list of files, those that weigh most first, whatever the order was."""
        if self.rows is not None and (self.rows.sort is not SortKey.SIZE or self.rows.reverse):
            self.rows.set_sort(SortKey.SIZE, reverse=False)
        self.show_flat(flat=True)

    def show_flat(self, *, flat: bool) -> None:
        """Show a list of files, or the tree, in the order there is."""
        if self.rows is None:
            return
        node = self.current
        if self.rows.flat is not flat:
            self.rows.set_flat(flat=flat)
        self.redraw(node)

    def action_mark(self, name: str) -> None:
        if self.rows is not None:
            node = self.current
            self.rows.set_hidden(self.rows.hidden ^ {Mark[name]})
            self.redraw(node)

    def action_columns(self) -> None:
        chosen = self._cells.columns
        # Few ask for it.
        from layertrace.views.tui.chooser import ColumnsScreen  # noqa: PLC0415

        self.app.push_screen(ColumnsScreen(self.options, chosen, self._show_columns))

    def action_attributes(self) -> None:
        """Show mode, owner and time, or none of them, as Ctrl+B does in dive."""
        columns = self._cells.columns
        columns = columns - ATTRIBUTES if columns & ATTRIBUTES else columns | ATTRIBUTES
        if self._show_columns(columns):
            words = "no room for every column: z enlarges the pane"
            self.app.notify(words, markup=False, timeout=4)

    def _show_columns(self, columns: frozenset[Column]) -> frozenset[Column]:
        """Show other columns; return those there is no room for."""
        self._cells.columns = columns
        self.rows_changed()
        if Column.PACKAGE in columns and self._cells.packages is None:
            self.post_message(self.PackagesWanted())
        return self._cells.without_room(self.scrollable_content_region.width)
