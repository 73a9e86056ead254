"""Pane 3: where the file at the cursor came from, newest hop first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final, NamedTuple

from rich.cells import cell_len
from rich.style import Style
from textual.binding import Binding, BindingType

from layertrace.views.explain import WhyKind
from layertrace.views.text import TRUST_MARKS, show_size, show_words
from layertrace.views.tui.cells import crop, crop_middle, fill, fill_left, wrap_cells
from layertrace.views.tui.rows_view import HALF_PAGES, Cell, RowsView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.views.explain import Explanation, WhyRow
    from layertrace.views.tui.ports import TuiOptions

_PLACE_WIDTH: Final = 9
_LINE_WIDTH: Final = 5
_SIZE_WIDTH: Final = 9
_NAME_WIDTH: Final = 16
_ROOM_FOR_SUBJECT: Final = 4
"""Rows below which the hops need them all: the frame names the path."""
_LEADS: Final = {
    WhyKind.ORIGIN: "  origin: ",
    WhyKind.HINT: "  → ",
    WhyKind.OTHER: "  perhaps: ",
}
"""What stands before the words that may take several lines."""


class _Line(NamedTuple):
    row: WhyRow
    words: str
    """Safe to show; what stands on this line of words that take several."""
    first: bool


class WhyPane(RowsView):
    """A chain, or what a directory adds up to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "choose", "Go there", id="why.follow"),
        *HALF_PAGES,
    ]

    def __init__(self, options: TuiOptions, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(options, id=id)
        self._rows: tuple[WhyRow, ...] = ()
        self._lines: list[_Line] = []
        self._summary = ""
        self.path: str | None = None

    def announce(self, path: str) -> None:
        """Name the path whose answer is on its way; the old one stays till then."""
        self.path, self._summary = path, "tracing…"
        self._write_title()

    def show(self, answer: Explanation) -> None:
        """Show an answer, the cursor on its first hop."""
        self.path, self._rows = answer.path, answer.rows
        self._lay_out()
        self.rows_changed(1)
        if self.visible_rows < _ROOM_FOR_SUBJECT:
            self.scroll_to(y=1, animate=False, force=True)
        mark = f"{TRUST_MARKS[answer.trust]} " if answer.trust else ""
        self._summary = f"{mark}{answer.summary}"
        self._write_title()

    def clear(self, *notice: Cell) -> None:
        """Show that there is nothing to explain."""
        self.path, self._rows, self._lines, self.notice = None, (), [], notice
        self.rows_changed(0)
        self.set_titles("3 Why")

    def _write_title(self) -> None:
        room = max(8, self.size.width - 10)
        path = crop_middle(self.safe(f"/{self.path or ''}"), room)
        self.set_titles(f"3 Why {path}", self._summary)

    def _lay_out(self) -> None:
        """Break what is words into lines that fit; hops and sums take one each."""
        # One cell less: the lines themselves decide whether there is a scroll bar.
        width = self.scrollable_content_region.width - 1
        self._lines = []
        for row in self._rows:
            lead = _LEADS.get(row.kind)
            if lead is None:
                self._lines.append(_Line(row, "", first=True))
                continue
            words = wrap_cells(self.safe(row.text), max(10, width - len(lead)))
            self._lines += [_Line(row, text, first=n == 0) for n, text in enumerate(words)]

    def on_resize(self) -> None:
        if self.path is not None:
            self._lay_out()
            self._write_title()

    @property
    def current(self) -> WhyRow | None:
        """The row at the cursor."""
        return self._lines[self.cursor_line].row if self._lines else None

    def row_count(self) -> int:
        return len(self._lines)

    def row_cells(self, line: int, width: int) -> Iterator[Cell]:
        row, words, first = self._lines[line]
        if row.kind is WhyKind.HOP:
            yield from self._hop(row, width)
        elif row.kind in {WhyKind.PART, WhyKind.LARGEST}:
            yield from self._share(row, width)
        elif row.kind is WhyKind.SUBJECT:
            yield from self._subject(row, width)
        else:
            lead = _LEADS[row.kind]
            hint = row.kind is WhyKind.HINT
            style = self.palette.warning if hint else self.palette.dim
            yield lead if first else " " * len(lead), style
            yield words, Style.null()

    def _words(self, text: str) -> str:
        return show_words(text, ascii_only=self.options.ascii)

    def _hop(self, row: WhyRow, width: int) -> Iterator[Cell]:
        plain, dim = Style.null(), self.palette.dim
        yield self.trust_cell(row.trust)
        place = self.safe(row.place)
        wide = max([_PLACE_WIDTH, *(len(self.safe(r.place)) + 1 for r in self._rows)])
        wide = min(wide, max(_PLACE_WIDTH, width // 4))
        yield " ", plain
        yield fill(place, wide), self.palette.stage(row.stage_index)
        room = width - 2 - wide - _LINE_WIDTH
        detail = self._words(row.detail)
        text = self.safe(row.text)
        if len(detail) > room // 2 and len(text) + len(detail) + 2 > room:
            # What stands in brackets only says more of it.
            detail = detail.partition(" (")[0]
        # The instruction gives way first: the Dockerfile beside it has it whole.
        detail = crop(detail, max(room * 2 // 3, room - len(text) - 2))
        yield fill(text, max(0, room - len(detail) - 2)) + "  ", plain
        yield fill(detail, min(len(detail), room)), dim
        yield fill_left(f":{row.line}" if row.line else "", _LINE_WIDTH), dim

    def _share(self, row: WhyRow, width: int) -> Iterator[Cell]:
        plain, dim = Style.null(), self.palette.dim
        yield fill_left(show_size(row.size or 0), _SIZE_WIDTH) + "  ", plain
        room = width - _SIZE_WIDTH - 2
        if row.kind is WhyKind.LARGEST:
            yield crop_middle(self.safe(row.text), room), plain
            return
        # Where there is no room the names take what they need, and the shares are seen.
        parts = [part for part in self._rows if part.kind is WhyKind.PART]
        names = max(cell_len(self.safe(part.text)) for part in parts)
        wide = max(names + 2, room - max(len(part.detail) for part in parts))
        wide = min(_NAME_WIDTH, wide)
        yield fill(self.safe(row.text), wide), self.palette.stage(row.stage_index)
        yield crop(row.detail, max(0, room - wide)), dim

    def _subject(self, row: WhyRow, width: int) -> Iterator[Cell]:
        text, detail = self.safe(row.text), self._words(row.detail)
        yield "◆ ", self.palette.strong
        yield crop_middle(text, max(12, width - len(detail) - 5)), self.palette.strong
        yield f"  {detail}", Style.null()
