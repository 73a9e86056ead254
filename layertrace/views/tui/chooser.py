"""Asks which columns pane 2 shows; each is seen at once, behind the question."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from layertrace.views.tui.cells import crop, fill
from layertrace.views.tui.panes.columns import Column
from layertrace.views.tui.rows_view import Cell, RowsView

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from textual.app import ComposeResult

    from layertrace.views.tui.ports import TuiOptions

_TITLE: Final = 8
"""Cells of a column's name."""


class ColumnRows(RowsView):
    """The columns, a row each, with whether it is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "choose", "Show or hide", id="columns.choose"),
    ]

    def __init__(
        self,
        options: TuiOptions,
        shown: frozenset[Column],
        apply: Callable[[frozenset[Column]], frozenset[Column]],
    ) -> None:
        super().__init__(options, id="columns")
        self._shown = shown
        self._apply = apply
        self._without_room: frozenset[Column] = frozenset()

    def on_mount(self) -> None:
        self.set_titles("Columns", "Space shows or hides · Esc closes")
        self._without_room = self._apply(self._shown)

    def row_count(self) -> int:
        return len(Column)

    def row_cells(self, line: int, width: int) -> Iterable[Cell]:
        column = tuple(Column)[line]
        box = f" [{'x' if column in self._shown else ' '}] "
        yield box, Style.null()
        yield fill(column.title, _TITLE), self.palette.strong
        room = width - len(box) - _TITLE
        if column in self._without_room:
            yield crop("no room: z enlarges the pane", room), self.palette.warning
            return
        yield crop(column.meaning, room), self.palette.dim

    def action_choose(self) -> None:
        self._shown ^= {tuple(Column)[self.cursor_line]}
        self._without_room = self._apply(self._shown)
        self.rows_changed()


class ColumnsScreen(ModalScreen[None]):
    """The question over the panes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,c", "dismiss", "Close", id="columns.close"),
    ]

    def __init__(
        self,
        options: TuiOptions,
        shown: frozenset[Column],
        apply: Callable[[frozenset[Column]], frozenset[Column]],
    ) -> None:
        """Ask.

        Args:
            options: how it looks.
            shown: what is on view now.
            apply: shows other columns and returns those there is no room for.
        """
        super().__init__()
        self._view = ColumnRows(options, shown, apply)

    def compose(self) -> ComposeResult:
        yield self._view
