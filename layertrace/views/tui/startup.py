"""Before there is an image to browse: opening it, or saying why that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.screen import Screen

from layertrace.views.text import show_name
from layertrace.views.tui.bars import KeyBar
from layertrace.views.tui.cells import wrap_cells
from layertrace.views.tui.pace import Pace, opening_rows
from layertrace.views.tui.scrolling import ScrollingRows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult

    from layertrace.errors import LayertraceError
    from layertrace.views.tui.ports import TuiOptions, WalkProgress
    from layertrace.views.tui.rows_view import Cell


_BLANK: Final = ("", Style.null())
"""Above and below the words of a card that stands alone; it goes where there is no room."""
_AROUND: Final = 1
"""Lines of a screen that a card leaves free at least: that of the keys."""


class Card(ScrollingRows):
    """A frame as high as its words; where they do not fit, they scroll."""

    _INDENT: ClassVar[str] = " "

    def __init__(self, options: TuiOptions, heading: str, lines: Iterable[Cell]) -> None:
        super().__init__(options, id="card")
        self._paragraphs = tuple(lines)
        self._lines: list[Cell] = []
        self._heading = heading

    def on_mount(self) -> None:
        self.say(self._heading, self._paragraphs)

    def say(self, heading: str, lines: Iterable[Cell]) -> None:
        """Show other lines, and the card itself if it was hidden."""
        self._paragraphs = tuple(lines)
        self.display = True
        self.set_titles(heading)
        self._lay_out()

    def _lay_out(self) -> None:
        width = max(10, self.scrollable_content_region.width - 2 * len(self._INDENT))
        self._lines = [
            (f"{self._INDENT}{line}", style)
            for text, style in self._paragraphs
            for line in wrap_cells(text, width)
        ]
        if len(self._lines) > self.app.size.height - self.gutter.height - _AROUND:
            self._lines = [(text, style) for text, style in self._lines if text.strip()]
        self.styles.height = len(self._lines) + self.gutter.height
        self.rows_changed(0)

    def on_resize(self) -> None:
        self._lay_out()

    def row_count(self) -> int:
        return len(self._lines)

    def row_cells(self, line: int, width: int) -> Iterable[Cell]:  # noqa: ARG002 - broken to fit
        return (self._lines[line],)


class OpeningScreen(Screen[None]):
    """The image's configuration is being looked for: less than a second, as a rule.

    An image of an engine is read whole for that, as it comes in one stream.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.leave_opening", "Stop", id="opening.stop"),
    ]

    def __init__(self, options: TuiOptions, title: str) -> None:
        super().__init__()
        self._options = options
        self._reference = title
        self._pace = Pace()

    def compose(self) -> ComposeResult:
        yield Card(self._options, self._heading, self._lines())
        yield KeyBar(self._options)

    @property
    def _heading(self) -> str:
        return f"Opening {show_name(self._reference, ascii_only=self._options.ascii)}"

    def _lines(self, progress: WalkProgress | None = None) -> list[Cell]:
        seconds = 0.0 if progress is None else self._pace.seconds(progress)
        rows = opening_rows(progress, seconds)
        return [_BLANK, *((line, Style.null()) for line in rows), _BLANK]

    def show_progress(self, progress: WalkProgress) -> None:
        """Say how far the reading is."""
        self.query_one(Card).say(self._heading, self._lines(progress))


class FailedScreen(Screen[None]):
    """The image cannot be opened: what is wrong, why, and what to do."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "app.retry", "Try again", id="failed.retry"),
        Binding("escape,enter", "app.quit", "Quit", show=False, id="failed.quit"),
    ]

    def __init__(self, options: TuiOptions, title: str, error: LayertraceError) -> None:
        super().__init__()
        self._options = options
        self._reference = title
        self._error = error

    def compose(self) -> ComposeResult:
        name = show_name(self._reference, ascii_only=self._options.ascii)
        yield Card(self._options, f"Cannot open {name}", (*error_lines(self._error), _BLANK))
        yield KeyBar(self._options)


def error_lines(error: LayertraceError) -> list[Cell]:
    """Return an error as lines to draw: what, why, what to do."""
    plain = Style.null()
    lines = [(show_name(line), plain) for line in str(error).splitlines()]
    return [
        ("", plain),
        *((text, Style(bold=number == 0)) for number, (text, _) in enumerate(lines)),
    ]
