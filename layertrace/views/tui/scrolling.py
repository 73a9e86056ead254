"""Lines to read: they scroll, and none of them is marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.views.tui.rows_view import RowsView

if TYPE_CHECKING:
    from textual import events


class ScrollingRows(RowsView):
    """Rows without a cursor: that, which is not shown, is the line at the top."""

    HAS_CURSOR = False

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Keep the top line known, whatever scrolled: a key or the wheel."""
        super().watch_scroll_y(old_value, new_value)
        self.set_reactive(RowsView.cursor_line, round(new_value))

    def place_cursor(self, line: int) -> None:
        top = max(0, min(line, self.row_count() - self.visible_rows))
        self.set_reactive(RowsView.cursor_line, top)
        self.scroll_to(y=top, animate=False, force=True)

    def on_click(self, event: events.Click) -> None:
        """Leave it where it is: there are no rows to choose."""
        event.prevent_default()
