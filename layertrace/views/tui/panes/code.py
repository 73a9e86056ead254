"""Pane 4: the Dockerfile, each line in the colour of its stage and with its layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.style import Style
from textual.binding import Binding, BindingType

from layertrace.views.tui.cells import crop, crop_middle, fill
from layertrace.views.tui.rows_view import HALF_PAGES, Cell, RowsView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.views.codelines import Code, CodeRow
    from layertrace.views.tui.ports import TuiOptions


_REBUILT: Final = " · reconstructed from the history"
_SPARSE: Final = " · from the history: provenance is mode=min"
_AGAINST: Final = "✘ differs: the image has "


class CodePane(RowsView):
    """The Dockerfile; the instruction of the hop at the cursor is lit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Go to its layer", id="code.follow"),
        *HALF_PAGES,
    ]

    def __init__(self, options: TuiOptions, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(options, id=id)
        self._code: Code | None = None
        self._rows: tuple[CodeRow, ...] = ()
        self._lit: int | None = None

    def show(self, code: Code) -> None:
        """Show a Dockerfile."""
        first = self._code is None
        self._code, self._rows = code, code.rows
        self.rows_changed()
        against = next((number for number, row in enumerate(code.rows) if row.against), None)
        if first and against is not None:
            self.rows_changed(against)
            self.center_cursor()
        self._write_titles()

    def light(self, line: int | None) -> None:
        """Light the instruction that starts at ``line`` and bring it into view."""
        if line == self._lit:
            return
        self._lit = line
        index = self._index(line)
        self.rows_changed(index)
        self.center_cursor()
        self._write_titles()

    @property
    def current(self) -> CodeRow | None:
        """The row at the cursor."""
        return self._rows[self.cursor_line] if self._rows else None

    def _index(self, line: int | None) -> int | None:
        if line is None:
            return None
        rows = (n for n, row in enumerate(self._rows) if row.number == line)
        return next(rows, None)

    def on_resize(self) -> None:
        self._write_titles()

    def _write_titles(self) -> None:
        code = self._code
        before, after = "4 ", ""
        if code is not None and code.reconstructed:
            after = _SPARSE if code.provenance_min else _REBUILT
        elif code is not None and code.contradicted:
            before = "4 ✘ not this image's: "
        room = max(10, self.size.width - len(before) - len(after) - 4)
        name = crop_middle(self.safe(code.name) if code is not None else "Dockerfile", room)
        self.set_titles(f"{before}{name}{after}", f"line {self._lit}" if self._lit else "")

    def row_count(self) -> int:
        return len(self._rows)

    def row_cells(self, line: int, width: int) -> Iterator[Cell]:
        row, dim = self._rows[line], self.palette.dim
        if row.against:
            yield crop(f"{_AGAINST}{self.safe(row.text)}", width), self.palette.warning
            return
        lit = self._lit is not None and row.first == self._lit
        digits = len(str(len(self._rows)))
        if row.number is not None:
            yield f"{row.number:>{digits}} ", dim
            bar = " " if row.stage_index is None else "▌"
            yield f"{bar} ", self.palette.stage(row.stage_index)
        used = digits + 3 if row.number is not None else 0
        note = f" ◀ {row.note}" if row.note else ""
        note = crop(note, max(0, width - used - 10))
        text = fill(self.safe(row.text.expandtabs(4)), max(0, width - used - len(note)))
        yield from self._text(row, text, self.palette.lit if lit else Style.null())
        yield note, dim

    def _text(self, row: CodeRow, text: str, style: Style) -> Iterator[Cell]:
        if row.text.lstrip().startswith("#"):
            yield text, style + self.palette.dim
            return
        if row.number == row.first:
            keyword = text[: len(text) - len(text.lstrip(" "))] + text.lstrip(" ").split(" ")[0]
            yield keyword, style + self.palette.strong
            text = text[len(keyword) :]
        yield text, style
