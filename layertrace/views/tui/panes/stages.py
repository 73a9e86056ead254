"""Pane 1: the layers of the image under the stages that wrote them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from rich.style import Style
from textual.binding import Binding, BindingType

from layertrace.views.outline_row import OutlineKind, OutlineRow, layer_name
from layertrace.views.text import show_size
from layertrace.views.tui.cells import crop, fill, fill_left
from layertrace.views.tui.rows_view import HALF_PAGES, Cell, RowsView

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.views.tui.ports import TuiOptions

_SIZE_WIDTH: Final = 9
_LINE_WIDTH: Final = 5
_BULLETS: Final = {
    OutlineKind.IMAGE: "◆ ",
    OutlineKind.BASE: "● ",
    OutlineKind.STAGE: "● ",
    OutlineKind.LOOSE: "○ ",
    OutlineKind.LEFT: "○ ",
    OutlineKind.LEFT_STAGE: "● ",
    OutlineKind.SOURCE: "◇ ",
    OutlineKind.LINK: "↳ ",
}
_CLOSED: Final = {OutlineKind.BASE, OutlineKind.LEFT_STAGE}
"""What starts folded: whose layers or steps are rarely the question."""


class StagesPane(RowsView):
    """The outline; its cursor decides what pane 2 shows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Go there", id="stages.follow"),
        Binding("space", "fold", "Fold", id="stages.fold"),
        Binding("ctrl+space,ctrl+@", "fold_all", "Fold all", show=False, id="stages.fold-all"),
        Binding("*", "unfold_all", "Unfold all", show=False, id="stages.unfold-all"),
        Binding("ctrl+a", "screen.scope('upto')", "Up to this layer", id="stages.upto"),
        Binding("ctrl+l", "screen.scope('only')", "Only this layer", id="stages.only"),
        *HALF_PAGES,
    ]

    def __init__(self, options: TuiOptions, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(options, id=id)
        self._all: tuple[OutlineRow, ...] = ()
        self._rows: list[OutlineRow] = []
        self._folded: set[str] = set()
        self._known: set[str] = set()
        self._unknown_size = ""

    def show(self, rows: Sequence[OutlineRow], *, reading: bool) -> None:
        """Show other rows; what is folded and where the cursor stands stays.

        Args:
            rows: all of them, in preorder.
            reading: sizes not known yet are about to be.
        """
        self._unknown_size = "reading…" if reading else "not read"
        for row in rows:
            if row.key not in self._known and row.kind in _CLOSED:
                self._folded.add(row.key)
        self._known.update(row.key for row in rows)
        self._all = tuple(rows)
        self._lay_out(self.current.key if self._rows else None)

    @property
    def current(self) -> OutlineRow:
        """The row at the cursor."""
        return self._rows[self.cursor_line]

    @property
    def first_key(self) -> str:
        """Key of the row that stands for the whole image."""
        return self._all[0].key

    def go_to(self, key: str) -> bool:
        """Put the cursor on a row, unfolding what hides it; False: there is no such row."""
        index = next((n for n, row in enumerate(self._all) if row.key == key), None)
        if index is None:
            return False
        depth = self._all[index].depth
        for row in reversed(self._all[:index]):
            if row.depth < depth:
                self._folded.discard(row.key)
                depth = row.depth
        self._lay_out(key)
        return True

    def _lay_out(self, key: str | None) -> None:
        rows, hidden_below = [], None
        for row in self._all:
            if hidden_below is not None and row.depth > hidden_below:
                continue
            rows.append(row)
            hidden_below = row.depth if row.key in self._folded else None
        self._rows = rows
        keys = [row.key for row in rows]
        self.rows_changed(keys.index(key) if key in keys else self.cursor_line)

    def row_count(self) -> int:
        return len(self._rows)

    def row_cells(self, line: int, width: int) -> Iterator[Cell]:
        row, plain = self._rows[line], Style.null()
        style = self._style(row)
        fold = " "
        if row.folds:
            fold = "▸" if row.key in self._folded else "▾"
        tail = 0 if row.line is None and width < 30 else _LINE_WIDTH  # noqa: PLR2004 - cells
        size = self._size_text(row)
        size_width = _SIZE_WIDTH if size else 0
        room = width - size_width - tail - 1
        lead = f"{'  ' * row.depth}{fold} "
        yield lead, plain
        yield _BULLETS.get(row.kind, ""), style
        used = len(lead) + len(_BULLETS.get(row.kind, ""))
        yield from self._title(row, max(0, room - used))
        yield fill_left(size, size_width), self.palette.dim if row.idle else plain
        yield " ", plain
        yield fill_left(f":{row.line}" if row.line else "", tail), self.palette.dim

    def _title(self, row: OutlineRow, room: int) -> Iterator[Cell]:
        plain, dim = Style.null(), self.palette.dim
        if row.kind is OutlineKind.LAYER:
            name = layer_name(row.layers[0])
            wide = len(layer_name(self._all[0].layers[-1])) + 1
            yield fill(name, wide), self.palette.stage(row.stage_index)
            flaw = f"! {self.safe(row.flaw)}  " if row.flaw else ""
            yield flaw, self.palette.warning
            yield fill(self.safe(row.text), max(0, room - wide - len(flaw))), plain
            return
        if row.kind is OutlineKind.STEP:
            style = plain if row.size is not None else dim
            yield fill(f"{row.detail:>2} {self.safe(row.text)}", room), style
            return
        text = crop(self.safe(row.text), room)
        strong = row.kind in {OutlineKind.IMAGE, OutlineKind.STAGE, OutlineKind.LEFT_STAGE}
        style = self._style(row)
        if row.kind in {OutlineKind.NOTE, OutlineKind.LEFT}:
            style = dim
        yield text, style + self.palette.strong if strong else style
        rest = room - len(fill(text, room).rstrip())
        detail = f"  {self.safe(row.detail)}" if row.detail else ""
        if row.more and cell_len(detail) + len(row.more) + 2 < rest:
            detail = f"{detail}, {row.more}"
        yield fill(detail, max(0, rest)), dim

    def _style(self, row: OutlineRow) -> Style:
        if row.kind in {OutlineKind.IMAGE, OutlineKind.LEFT, OutlineKind.LOOSE}:
            return Style.null()
        return self.palette.stage(row.stage_index)

    def _size_text(self, row: OutlineRow) -> str:
        if row.reading:
            return self._unknown_size
        if row.idle:
            return "nothing"
        return "" if row.size is None else show_size(row.size)

    # -- keys -----------------------------------------------------------------

    def action_fold(self) -> None:
        if self.current.folds:
            before = len(self._rows)
            self._folded ^= {self.current.key}
            self._lay_out(self.current.key)
            self.show_below(len(self._rows) - before)

    def action_fold_all(self) -> None:
        """Fold every stage; where all are folded, unfold them."""
        foldable = {row.key for row in self._all if row.folds}
        self._folded = set() if self._folded >= foldable else foldable
        self._lay_out(self._head_key())

    def action_unfold_all(self) -> None:
        self._folded = set()
        self._lay_out(self.current.key)

    def _head_key(self) -> str:
        """Key of the row at the cursor or, where that is folded away, of what holds it."""
        row = self.current
        found = row.key
        for other in reversed(self._all[: self._all.index(row)]):
            if other.depth < row.depth:
                row = other
                found = other.key if other.key in self._folded else found
        return found

    def action_open(self) -> None:
        row = self.current
        if row.key in self._folded:
            self.action_fold()
        elif row.kind is OutlineKind.LINK:
            self.action_choose()

    def action_close(self) -> None:
        row = self.current
        if row.folds and row.key not in self._folded:
            self.action_fold()
            return
        for line in range(self.cursor_line - 1, -1, -1):
            if self._rows[line].depth < row.depth:
                self.move_to(line)
                return
