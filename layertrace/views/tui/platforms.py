"""Which image of an index: asked where it holds one for each of several platforms."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual import on
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from layertrace.views.text import show_name
from layertrace.views.tui.rows_view import Cell, RowsView

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual.app import ComposeResult

    from layertrace.model.image import Platform
    from layertrace.views.tui.ports import TuiOptions


class PlatformRows(RowsView):
    """The platforms, a row each."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "choose", "Open", id="platforms.open"),
    ]

    def __init__(self, options: TuiOptions, there: Sequence[Platform], shown: Platform) -> None:
        super().__init__(options, id="platforms")
        self._there = there
        self._shown = shown

    def on_mount(self) -> None:
        kept = self.safe(str(self._shown))
        self.set_titles("Which platform?", f"Enter opens it, Esc keeps {kept}")
        self.styles.height = len(self._there) + 2
        if self._shown in self._there:
            self.place_cursor(self._there.index(self._shown))

    def row_count(self) -> int:
        return len(self._there)

    def row_cells(self, line: int, width: int) -> Iterable[Cell]:  # noqa: ARG002 - cropped by the view
        platform = self._there[line]
        yield f" {show_name(str(platform))}", Style.null()
        if platform == self._shown:
            yield "  on view", self.palette.dim


class PlatformScreen(ModalScreen["Platform"]):
    """Asks for a platform; the answer is None where the one on view is kept."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Keep it", id="platforms.close"),
    ]

    def __init__(self, options: TuiOptions, there: Sequence[Platform], shown: Platform) -> None:
        """Prepare the question.

        Args:
            options: how it looks.
            there: what the index holds images for.
            shown: the one that was opened.
        """
        super().__init__()
        self._rows = PlatformRows(options, there, shown)
        self._there = there

    def compose(self) -> ComposeResult:
        yield self._rows

    @on(RowsView.Chosen, "#platforms")
    def _choose(self, event: RowsView.Chosen) -> None:
        self.dismiss(self._there[event.line])
