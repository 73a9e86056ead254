"""A page to read: it scrolls by lines and sideways, and nothing on it is marked."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.style import Style
from textual.binding import Binding, BindingType

from layertrace.views.lists.rows import Role
from layertrace.views.text import to_ascii
from layertrace.views.tui.roles import role_style
from layertrace.views.tui.rows_view import HALF_PAGES, Cell
from layertrace.views.tui.scrolling import ScrollingRows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.views.preview.pages import Page
    from layertrace.views.tui.ports import TuiOptions

_STEP: Final = 16
"""Cells of a step sideways."""


class PagePane(ScrollingRows):
    """Draws a :class:`Page`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "page(1)", "Page down", show=False, id="page.down"),
        Binding("right,l", "shift(1)", "To the right", show=False, id="page.right"),
        Binding("left,h", "shift(-1)", "To the left", show=False, id="page.left"),
        *HALF_PAGES,
    ]

    page: Page | None = None
    _shift = 0

    def __init__(self, options: TuiOptions, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(options, id=id)

    def show(self, page: Page) -> None:
        """Show another page from its beginning."""
        self.page, self._shift = page, 0
        self.notice = (("", Style.null()), ("nothing to show", Style.null()))
        self.rows_changed(0)
        self.place_cursor(0)

    def say(self, *notice: Cell) -> None:
        """Show words in place of a page."""
        self.page, self.notice = None, notice
        self.rows_changed(0)

    def row_count(self) -> int:
        return 0 if self.page is None else len(self.page)

    def row_cells(self, line: int, width: int) -> Iterator[Cell]:
        if self.page is None:
            return
        own = self.page.ours or line < len(self.page.facts)
        left, room = self._shift, width
        for text, role in self.page.line(line):
            # What is safe to show is at least as long, so more than the room is never needed.
            piece = text[: left + room]
            if self.options.ascii and (own or role is Role.WARNING):
                # In our own words marks have signs of their own; elsewhere they are spelled out.
                piece = to_ascii(piece)
            shown = self.safe(piece)
            yield shown[left:], role_style(self.palette, role)
            room -= max(0, len(shown) - left)
            left = max(0, left - len(shown))
            if room <= 0:
                return

    def action_shift(self, step: int) -> None:
        self._shift = max(0, self._shift + step * _STEP)
        self.rows_changed()
