"""Pane 2: the files of a scope as a tree, with whose each is and how surely."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.message import Message

from layertrace.views.filetree import Mark
from layertrace.views.text import plural
from layertrace.views.treerows import LARGE
from layertrace.views.treeselect import SortKey
from layertrace.views.tui.panes.columns import ATTRIBUTES, Column
from layertrace.views.tui.panes.filecells import FileCells
from layertrace.views.tui.rows_view import Cell, RowsView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from layertrace.model.packages import PackageTable
    from layertrace.provenance.trees import Item
    from layertrace.views.treerows import Shown, TreeRows, Wish
    from layertrace.views.treesums import Sums
    from layertrace.views.tui.background import Background
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
    class Resized(Message):
        """There is room for more words than before, or for fewer."""

    @dataclass
    class PackagesWanted(Message):
        """A column that says whose package each file is was chosen, and nobody knows yet."""

    def __init__(self, options: TuiOptions, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(options, id=id)
        self.rows: TreeRows | None = None
        self.worker: Background | None = None
        """The thread for what takes longer than a key may; None: there is none."""
        self._wish: Wish | None = None
        """What is worked out in it, and not shown yet."""
        self._then: list[Callable[[], None]] = []
        """To be called once that is shown."""
        self.empty_words = "nothing here"
        self.counted: Callable[[], None] = lambda: None
        """Called when what is on view changed; a message would come after it was drawn, and what
        counts it be drawn once more."""
        self._cells = FileCells(self)

    # -- what is shown --------------------------------------------------------

    def show(self, rows: TreeRows, item_at: Callable[[int], Item | None]) -> None:
        """Show the files of an image that was just walked, or walked further than before.

        Args:
            rows: them, as they are shown first.
            item_at: returns the entry behind a row of the table; must be quick.
        """
        before, path = self.rows, None
        if before is not None and self.current is not None:
            path = before.tree.table.paths[self.current]
        self.rows, self._wish, self._then = rows, None, []
        if before is not None:
            rows.take_over(before)
        self._cells.adopt(rows.tree, item_at)
        self._cells.packages = None
        if Column.PACKAGE in self._cells.columns:
            self.post_message(self.PackagesWanted())
        node = None if path is None else rows.tree.find(path)
        if node is None and len(rows):
            node = rows.node(0)
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

    def show_scope(self, sums: Sums, then: Callable[[], None]) -> None:
        """Show another scope, with the cursor on the same path if it is in it."""
        self._change(then, sums=sums)

    def show_matches(
        self, matches: Iterable[int] | None, then: Callable[[], None] | None = None
    ) -> None:
        """Show only these rows of the table, and what they lie in; None: all."""
        self._change(then, matches=None if matches is None else array("I", matches))

    def _change(self, then: Callable[[], None] | None = None, /, **changes: Any) -> None:  # noqa: ANN401 - fields of Wish
        """Show something else, or in another order; ``then`` is called once it is shown."""
        rows = self.rows
        if rows is None:
            return
        wish = self._wish = replace(self._wish or rows.wish, **changes)
        self._then += [then] if then is not None else []
        if self.worker is None or len(rows.tree) < LARGE:
            self._take(rows, rows.work_out(wish))
        else:
            work = partial(rows.work_out, wish)
            self.worker.submit("rows", work, partial(self._take, rows))

    def _take(self, rows: TreeRows, shown: Shown) -> None:
        if rows is not self.rows or shown.wish is not self._wish:
            # Of what was wanted before the last key nobody wants to know.
            return
        node, filtered = self.current, shown.wish.matches
        hop = filtered is not None and filtered is not rows.wish.matches
        rows.show(shown)
        self._wish = None
        self.redraw(node)
        if hop and len(rows) and not rows.is_hit(rows.node(self.cursor_line)):
            self.action_hit(1)
        then, self._then = self._then, []
        for act in then:
            act()

    @property
    def _wanted(self) -> Wish | None:
        """What is shown, or about to be."""
        return self._wish or (None if self.rows is None else self.rows.wish)

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
        self._cells.by_size = rows.by_size
        self.rows_changed(0 if node is None or not len(rows) else rows.nearest_line(node))
        self.counted()

    def _write_notice(self, rows: TreeRows) -> None:
        dim, tally = self.palette.dim, rows.tally
        words: list[Cell] = [("", dim)]
        if tally.by_marks:
            signs = " ".join(mark.sign for mark in Mark if mark in rows.wish.hidden)
            hidden = plural(tally.by_marks, "file")
            words.append((f"{hidden} hidden by marks: press {signs} to show", dim))
        elif rows.wish.matches is not None:
            words.append(("nothing matches: Esc clears the filter", dim))
        else:
            words.append((self.empty_words, dim))
        self.notice = tuple(words)

    @property
    def is_by_size(self) -> bool:
        """Whether the largest files stand in one list."""
        return self.rows is not None and self.rows.by_size

    def tally_words(self) -> str:
        """Return how much is on view, and in what order."""
        rows = self.rows
        if rows is None:
            return ""
        tally, wish, parts = rows.tally, rows.wish, []
        if wish.matches is None and not wish.hidden:
            parts.append(plural(rows.sums.total_files, "file"))
            removed = tally.total - rows.sums.total_files
            parts += [f"{removed:,} removed"] if removed else []
        else:
            parts.append(f"{tally.shown:,} of {tally.total:,}")
            if tally.directories:
                parts.append(plural(tally.directories, "directory"))
            if tally.by_marks:
                parts.append(f"{tally.by_marks:,} hidden by marks")
        falls = (wish.sort in {SortKey.SIZE, SortKey.FILES}) is not wish.reverse
        parts.append(f"{'flat ' if wish.flat else ''}by {wish.sort} {'↓' if falls else '↑'}")
        return " · ".join(parts)

    def on_resize(self) -> None:
        if self.rows is None:
            self.post_message(self.Resized())

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
            return self.rows is not None and self.rows.wish.matches is not None
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
        if self.rows is not None and self.rows.wish.matches is not None:
            line = self.rows.next_hit(self.cursor_line, step)
            if line is not None:
                self.move_to(line)

    def action_sort(self) -> None:
        if self._wanted is not None:
            key = _SORTS[(_SORTS.index(self._wanted.sort) + 1) % len(_SORTS)]
            self._change(sort=key, reverse=False)

    def action_reverse(self) -> None:
        if self._wanted is not None:
            self._change(reverse=not self._wanted.reverse)

    def action_flat(self) -> None:
        if self._wanted is not None:
            self.show_flat(flat=not self._wanted.flat)

    def show_largest(self) -> None:
        """Show a list of files, those that weigh most first, whatever the order was."""
        self._change(sort=SortKey.SIZE, reverse=False, flat=True)

    def show_flat(self, *, flat: bool) -> None:
        """Show a list of files, or the tree, in the order there is."""
        self._change(flat=flat)

    def action_mark(self, name: str) -> None:
        if self._wanted is not None:
            self._change(hidden=self._wanted.hidden ^ {Mark[name]})

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
