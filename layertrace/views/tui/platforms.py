"""Which image of several: of an index for many platforms, or of an archive."""

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

    from layertrace.errors import SeveralImagesError
    from layertrace.model.image import Platform
    from layertrace.views.tui.ports import TuiOptions


class ChoiceRows(RowsView):
    """What there is to choose from, a row each; names may hold anything."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "choose", "Open", id="platforms.open"),
    ]

    def __init__(
        self, options: TuiOptions, there: Sequence[str], titles: tuple[str, str], shown: str = ""
    ) -> None:
        """Prepare the rows.

        Args:
            options: how they look.
            there: their names.
            titles: on the frame; safe.
            shown: that on view; none.
        """
        super().__init__(options, id="choices")
        self._there = there
        self._titles = titles
        self._shown = shown

    def on_mount(self) -> None:
        self.set_titles(*self._titles)
        self.styles.height = len(self._there) + 2
        if self._shown in self._there:
            self.place_cursor(self._there.index(self._shown))

    def row_count(self) -> int:
        return len(self._there)

    def row_cells(self, line: int, width: int) -> Iterable[Cell]:  # noqa: ARG002 - cropped by the view
        name = self._there[line]
        yield f" {show_name(name, ascii_only=self.options.ascii)}", Style.null()
        if name == self._shown:
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
        kept = show_name(str(shown), ascii_only=options.ascii)
        titles = ("Which platform?", f"Enter opens, Esc keeps {kept}")
        self._rows = ChoiceRows(options, [str(each) for each in there], titles, str(shown))
        self._there = there

    def compose(self) -> ComposeResult:
        yield self._rows

    @on(RowsView.Chosen, "#choices")
    def _choose(self, event: RowsView.Chosen) -> None:
        self.dismiss(self._there[event.line])


class ImagesScreen(ModalScreen[str]):
    """Asks for an image of an archive; the answer is its reference, None for none of them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "None of them", id="images.close"),
    ]

    def __init__(self, options: TuiOptions, error: SeveralImagesError) -> None:
        """Prepare the question.

        Args:
            options: how it looks.
            error: says which there are.
        """
        super().__init__()
        titles = ("Which image?", "Enter opens, Esc opens none")
        self._rows = ChoiceRows(options, [name for name, _ in error.choices], titles)
        self._references = [reference for _, reference in error.choices]

    def compose(self) -> ComposeResult:
        yield self._rows

    @on(RowsView.Chosen, "#choices")
    def _choose(self, event: RowsView.Chosen) -> None:
        self.dismiss(self._references[event.line])
