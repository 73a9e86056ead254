"""The rows of a pane as lines of text, and those lines in a file."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from layertrace.archive.export.target_file import complete_file
from layertrace.views.text import plural, show_name, to_ascii
from layertrace.views.tui.dialogs import TextRows
from layertrace.views.tui.panes.files import FilesPane
from layertrace.views.tui.panes.listing import ListPane

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from textual.app import ComposeResult

    from layertrace.views.tui.ports import TuiOptions
    from layertrace.views.tui.rows_view import Cell, RowsView

MOST_ROWS: Final = 100_000
_AT_ONCE: Final = 200
"""Rows between two looks at the keys: some ten milliseconds."""
_WHOLE: Final = 4400
"""Cells: no path of a file system is longer, so that none is cut."""
_WIDE: Final = 120
"""Cells where rows have bars or right-hand columns, which fill whatever width there is."""


def report_lines(pane: RowsView) -> Iterator[str]:
    """Yield the lines of a pane as text: its title, what is over its rows, its rows."""
    width = _width(pane)
    yield from filter(None, pane.titles)
    yield ""
    if not pane.row_count():
        yield from (text for text, _ in pane.notice if text)
        return
    if pane.HAS_HEADER:
        yield _text(pane.header_cells(width))
    # A row asks for what is on view now: the screen over the panes keeps that as it is.
    for line in range(min(pane.row_count(), MOST_ROWS)):
        yield _text(pane.row_cells(line, width))
    if pane.row_count() > MOST_ROWS:
        yield ""
        yield f"the first {MOST_ROWS:,} of {pane.row_count():,} rows"


def _width(pane: RowsView) -> int:
    if isinstance(pane, FilesPane):
        return _WHOLE
    if isinstance(pane, ListPane) and pane.listing is not None:
        rows = (pane.listing.row(line) for line in range(min(len(pane.listing), _AT_ONCE)))
        barred = any(field.bar is not None for row in rows for field in row.fields)
        return _WIDE if barred else _WHOLE
    return max(_WIDE, pane.scrollable_content_region.width) if pane.id != "map" else pane.size.width


def _text(cells: Iterable[Cell]) -> str:
    return "".join(text for text, _ in cells).rstrip()


class WritingScreen(ModalScreen[list[str]]):
    """Collects the lines of a pane, between two keys some at a time; Esc gives up."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss", "Stop", id="report.stop"),
    ]

    def __init__(self, options: TuiOptions, pane: RowsView) -> None:
        super().__init__()
        self._pane = pane
        rows = plural(min(pane.row_count(), MOST_ROWS), "row")
        told = [((f" {rows}", Style.null()),)]
        self._view = TextRows(options, told, "Writing a report", "Esc stops")

    def compose(self) -> ComposeResult:
        yield self._view

    def on_mount(self) -> None:
        self.run_worker(self._collect())

    async def _collect(self) -> None:
        found: list[str] = []
        for line in report_lines(self._pane):
            found.append(line)
            if len(found) % _AT_ONCE == 0:
                await asyncio.sleep(0)
        self.dismiss(found)


def write_lines(answer: str, lines: Sequence[str], *, plain: bool, force: bool) -> str | None:
    """Write the file, or return None where it is there already; for the thread that reads.

    Raises:
        LayertraceError: it cannot be written.
    """
    target = Path(answer).expanduser()
    if not force and target.exists():
        return None
    with complete_file(target, force=force) as file:
        for line in lines:
            file.write(f"{to_ascii(line) if plain else line}\n".encode())
    return f"written to {show_name(str(target))}: {plural(len(lines), 'line')}"
