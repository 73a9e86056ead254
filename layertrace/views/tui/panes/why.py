"""Pane 3: where the file at the cursor came from, newest hop first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.style import Style
from textual.binding import Binding, BindingType

from layertrace.views.explain import WhyKind
from layertrace.views.text import TRUST_MARKS, show_size
from layertrace.views.tui.cells import crop, crop_middle, fill, fill_left
from layertrace.views.tui.rows_view import HALF_PAGES, Cell, RowsView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.views.explain import Explanation, WhyRow
    from layertrace.views.tui.ports import TuiOptions

_PLACE_WIDTH: Final = 9
_LINE_WIDTH: Final = 5
_SIZE_WIDTH: Final = 9
_ROOM_FOR_SUBJECT: Final = 4
"""Rows below which the hops need them all: the frame names the path."""


class WhyPane(RowsView):
    """A chain, or what a directory adds up to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "choose", "Go there", id="why.follow"),
        *HALF_PAGES,
    ]

    def __init__(self, options: TuiOptions, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(options, id=id)
        self._rows: tuple[WhyRow, ...] = ()
        self.path: str | None = None

    def announce(self, path: str) -> None:
        """Name the path whose answer is on its way; the old one stays till then."""
        self.path = path
        self._title("tracing…")

    def show(self, answer: Explanation) -> None:
        """Show an answer, the cursor on its first hop."""
        self.path = answer.path
        self._rows = answer.rows
        self.rows_changed(1)
        if self.visible_rows < _ROOM_FOR_SUBJECT:
            self.scroll_to(y=1, animate=False, force=True)
        mark = f"{TRUST_MARKS[answer.trust]} " if answer.trust else ""
        self._title(f"{mark}{answer.summary}")

    def clear(self, *notice: Cell) -> None:
        """Show that there is nothing to explain."""
        self.path, self._rows, self.notice = None, (), notice
        self.rows_changed(0)
        self.set_titles("3 Why")

    def _title(self, subtitle: str) -> None:
        room = max(8, self.size.width - 10)
        path = crop_middle(self.safe(f"/{self.path or ''}"), room)
        self.set_titles(f"3 Why {path}", subtitle)

    @property
    def current(self) -> WhyRow | None:
        """The row at the cursor."""
        return self._rows[self.cursor_line] if self._rows else None

    def row_count(self) -> int:
        return len(self._rows)

    def row_cells(self, line: int, width: int) -> Iterator[Cell]:
        row = self._rows[line]
        if row.kind is WhyKind.HOP:
            yield from self._hop(row, width)
        elif row.kind in {WhyKind.PART, WhyKind.LARGEST}:
            yield from self._share(row, width)
        else:
            yield from self._words(row, width)

    def _hop(self, row: WhyRow, width: int) -> Iterator[Cell]:
        plain, dim = Style.null(), self.palette.dim
        yield self.trust_cell(row.trust)
        place = self.safe(row.place)
        wide = max([_PLACE_WIDTH, *(len(self.safe(r.place)) + 1 for r in self._rows)])
        wide = min(wide, max(_PLACE_WIDTH, width // 4))
        yield " ", plain
        yield fill(place, wide), self.palette.stage(row.stage_index)
        room = width - 2 - wide - _LINE_WIDTH
        detail = self.safe(row.detail)
        text = self.safe(row.text)
        # The instruction gives way first: the Dockerfile beside it has it whole.
        detail = crop(detail, max(room // 2, room - len(text) - 2))
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
        yield fill(self.safe(row.text), 16), self.palette.stage(row.stage_index)
        yield crop(row.detail, max(0, room - 16)), dim

    def _words(self, row: WhyRow, width: int) -> Iterator[Cell]:
        plain, dim = Style.null(), self.palette.dim
        text, detail = self.safe(row.text), self.safe(row.detail)
        if row.kind is WhyKind.SUBJECT:
            yield "◆ ", self.palette.strong
            yield crop_middle(text, max(12, width - len(detail) - 5)), self.palette.strong
            yield f"  {detail}", plain
        elif row.kind is WhyKind.ORIGIN:
            yield "  origin: ", dim
            yield crop(text, width - 10), plain
        elif row.kind is WhyKind.HINT:
            yield "  → ", self.palette.warning
            yield crop(text, width - 4), plain
        else:
            yield "  perhaps: ", dim
            yield crop(text, width - 12), plain
