"""One list of rows, as long as you like: what every pane is made of.

Textual's own tree and table hold an object a row and measure all of them; this
draws the lines on view and nothing else, so a key costs the same on a million
rows as on ten.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar, Final

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.cache import LRUCache
from textual.content import Content
from textual.events import Key
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import var
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.widgets import Input

from layertrace.views.text import TRUST_MARKS, show_name, to_ascii
from layertrace.views.tui.painting import Frames
from layertrace.views.tui.themes import DARK, Palette, palette

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual import events

    from layertrace.model.origin import Trust
    from layertrace.views.tui.ports import TuiOptions

Cell = tuple[str, Style]
"""A piece of a row: text that is safe to show, and how it differs from the row."""

_BAR_STEPS: Final = 8
"""A cell of the scroll bar is drawn in so many parts."""

_MOVES: Final = ("step(", "page(")
"""How the actions begin that move the cursor."""
_FILTER: Final = "filter"
"""The action that leads to a line to type on."""

HALF_PAGES: list[BindingType] = [
    Binding("ctrl+d", "page(0.5)", "Half a page down", show=False, id="move.half-down"),
    Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False, id="move.half-up"),
]


class RowsView(ScrollView, can_focus=True):
    """A scrolling list with a cursor. A subclass says how many rows and what is in them."""

    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "Row up", show=False, id="move.up"),
        Binding("down,j", "step(1)", "Row down", show=False, id="move.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="move.page-up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="move.page-down"),
        Binding("home,g", "first", "First row", show=False, id="move.first"),
        Binding("end,G", "last", "Last row", show=False, id="move.last"),
        Binding("right,l", "open", "Open", show=False, id="move.open"),
        Binding("left,h", "close", "Close, or to the parent", show=False, id="move.close"),
    ]
    HAS_HEADER: ClassVar[bool] = False
    HAS_CURSOR: ClassVar[bool] = True
    """Its lines are rows, and one of them is marked."""

    cursor_line = var(0)

    @dataclass
    class Moved(Message):
        """The user moved the cursor."""

        view: RowsView
        line: int

        @property
        def control(self) -> RowsView:
            """What the message is about: handlers choose by it."""
            return self.view

    @dataclass
    class Chosen(Message):
        """The user pressed Enter on a row or clicked it twice."""

        view: RowsView
        line: int

        @property
        def control(self) -> RowsView:
            """What the message is about: handlers choose by it."""
            return self.view

    def __init__(self, options: TuiOptions, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.options = options
        self.notice: tuple[Cell, ...] = ()
        """What to show instead of rows where there are none, a paragraph each."""
        self.titles = ("", "")
        """What stands on the frame, as text."""
        self._strips: LRUCache[tuple[int, int, int], Strip] = LRUCache(1024)
        self._palette: Palette | None = None
        self._base: Style | None = None
        self._frames = Frames()
        self._width: int | None = None
        """Of a row, while lines are drawn: to work it out for each of them is a tenth of a key."""
        self._moves: dict[str, str] | None = None
        """What the keys that move the cursor do, once one was pressed."""

    # -- what a subclass says -------------------------------------------------

    def row_count(self) -> int:
        """Return how many rows there are."""
        raise NotImplementedError

    def row_cells(self, line: int, width: int) -> Iterable[Cell]:
        """Return the pieces of one row; the view crops and fills it to ``width``."""
        raise NotImplementedError

    def header_cells(self, width: int) -> Iterable[Cell]:  # noqa: ARG002 - for subclasses
        """Return the line above the rows that does not scroll, where ``HAS_HEADER``."""
        return ()

    # -- drawing --------------------------------------------------------------

    @property
    def palette(self) -> Palette:
        """The styles of the theme in use."""
        if self._palette is None:
            self._palette = palette(self.app.theme or DARK)
        return self._palette

    @property
    def header_height(self) -> int:
        """Lines taken by the header."""
        return 1 if self.HAS_HEADER and self.row_count() else 0

    @property
    def visible_rows(self) -> int:
        """How many rows fit."""
        return max(1, self.size.height - self.header_height)

    def on_mount(self) -> None:
        self.app.theme_changed_signal.subscribe(self, self._forget_colors)

    def _forget_colors(self, _theme: object) -> None:
        self._palette = None
        self.rows_changed(self.cursor_line)

    def rows_changed(self, cursor: int | None = None) -> None:
        """Draw everything anew, with the cursor on a row that exists."""
        last = self.row_count() - 1
        line = self.cursor_line if cursor is None else cursor
        self.set_reactive(RowsView.cursor_line, max(0, min(line, last)))
        self._strips.clear()
        self._measure()
        self._scroll_to_cursor()
        self.refresh()

    def _measure(self) -> None:
        """Say how far one can scroll.

        Textual would lay out the whole screen for it, and draw every scroll bar there is.
        """
        size = Size(self.size.width, self.row_count() + self.header_height)
        needed = size.height > self.container_size.height
        if size.width != self.virtual_size.width or needed is not self.show_vertical_scrollbar:
            self.virtual_size = size
        elif size != self.virtual_size:
            self.set_reactive(RowsView.virtual_size, size)
            if self.scroll_y > self.max_scroll_y:
                self.scroll_to(y=self.max_scroll_y, animate=False, force=True)
            if needed:
                self.vertical_scrollbar.window_virtual_size = size.height

    def on_resize(self) -> None:
        self.rows_changed()

    def on_focus(self) -> None:
        self._refresh_row(self.cursor_line)

    def on_blur(self) -> None:
        self._refresh_row(self.cursor_line)

    def render_lines(self, crop: Region) -> list[Strip]:
        self._width = self.scrollable_content_region.width
        lines = self._framed_lines(crop)
        self._width = None
        return lines

    def _framed_lines(self, crop: Region) -> list[Strip]:
        gutter = self.styles.gutter
        if crop.width != self.outer_size.width or self._frames.sides is None:
            lines = super().render_lines(crop)
            first = gutter.top - crop.y
            if crop.width == self.outer_size.width and 0 <= first < len(lines):
                self._frames.learn(lines[first], gutter.left, gutter.right)
            return lines
        filters, ground = list(self.get_line_filters()), self.background_colors[1]
        lines, rows = [], range(gutter.top, gutter.top + self.size.height)
        for y in crop.line_range:
            if y in rows:
                line = self.render_line(y - gutter.top)
                lines.append(self._frames.around(line, self.size.width, filters, ground))
            else:
                lines += super().render_lines(Region(crop.x, y, crop.width, 1))
        return lines

    def render_line(self, y: int) -> Strip:
        # Without the scroll bar, which is drawn over the end of a full line.
        width, base = self._width, self._base_style()
        if width is None:
            width = self.scrollable_content_region.width
        if not self.row_count():
            return self._render_notice(y, width)
        header = self.header_height
        if y < header:
            return self._header(width, base)
        line = y - header + self.scroll_offset.y
        if line >= self.row_count():
            return Strip.blank(width, base)
        marked = self.HAS_CURSOR and line == self.cursor_line
        state = 0 if not marked else 2 if self.has_focus else 1
        key = (line, state, width)
        strip = self._strips.get(key)
        if strip is None:
            ground = (Style.null(), self.palette.cursor_away, self.palette.cursor)[state]
            cells = self.row_cells(line, width)
            if ground.reverse:
                # Reversed, a piece's colour would become its ground: a patchwork.
                cells = [(text, Style(strike=style.strike)) for text, style in cells]
            strip = self._strip(cells, base + ground, width)
            self._strips[key] = strip
        return strip

    def _header(self, width: int, base: Style) -> Strip:
        key = (-1, 0, width)
        strip = self._strips.get(key)
        if strip is None:
            strip = self._strip(self.header_cells(width), base + self.palette.dim, width)
            self._strips[key] = strip
        return strip

    def _render_notice(self, y: int, width: int) -> Strip:
        lines = [
            (line, style)
            for text, style in self.notice
            for line in wrap(text, max(10, width - 4), break_on_hyphens=False) or [""]
        ]
        line = y + self.scroll_offset.y
        cells = [("  ", Style.null()), lines[line]] if line < len(lines) else []
        return self._strip(cells, self._base_style(), width)

    def _base_style(self) -> Style:
        """Return the style of the pane; working it out for each line was half of a key."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._base = None
        self._frames.clear()

    def _strip(self, cells: Iterable[Cell], base: Style, width: int) -> Strip:
        plain = self.options.ascii
        segments = [
            Segment(to_ascii(text) if plain else text, base + style)
            for text, style in cells
            if text
        ]
        return Strip(segments).adjust_cell_length(width, base)

    def safe(self, name: str) -> str:
        """Return a text from the image as it may be drawn here."""
        return show_name(name, ascii_only=self.options.ascii)

    def trust_cell(self, trust: Trust | None) -> Cell:
        """Return the mark of ``trust`` in its colour, one cell wide."""
        if trust is None:
            return " ", Style.null()
        return TRUST_MARKS[trust], self.palette.trusts[trust]

    def set_titles(self, title: str, subtitle: str = "") -> None:
        """Write on the frame; both texts are safe, none is markup."""
        if self.options.ascii:
            title, subtitle = to_ascii(title), to_ascii(subtitle)
        if (title, subtitle) == self.titles:
            return
        self.titles = (title, subtitle)
        self.border_title = Content(title)
        self.border_subtitle = Content(subtitle) if subtitle else None

    # -- moving ---------------------------------------------------------------

    async def on_key(self, event: events.Key) -> None:
        """Move at once: a key that goes up through all that is around the list takes its time.

        What is typed for a filter before the key that opens it went all that way is the filter's.
        """
        focused = self.screen.focused
        if isinstance(focused, Input):
            event.stop()
            event.prevent_default()
            focused.post_message(Key(event.key, event.character))
            return
        if self._moves is None and focused is self:
            self._moves = {
                key: active.binding.action
                for key, active in self.screen.active_bindings.items()
                if active.node is self and active.binding.action.startswith(_MOVES)
            } | {
                key: f"screen.{_FILTER}"
                for key, active in self.screen.active_bindings.items()
                if active.node is self.screen and active.binding.action == _FILTER
            }
        action = (self._moves or {}).get(event.key)
        if action is not None and await self.app.run_action(action, self):
            event.stop()
            event.prevent_default()

    def _refresh_row(self, line: int) -> None:
        # Where it is out of view, all lines are drawn anew once it is scrolled to.
        if 0 <= line - self.scroll_offset.y < self.visible_rows:
            self.refresh_line(line + self.header_height)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if self.show_vertical_scrollbar:
            bar = self.vertical_scrollbar
            # Drawing the bar takes as long as the rows do, and in a long list it seldom moves.
            bar.set_reactive(ScrollBar.position, new_value)
            if self._thumb_at(old_value) != self._thumb_at(new_value):
                bar.refresh()
        if round(old_value) != round(new_value):
            self.refresh(self.size.region)

    def _thumb_at(self, top: float) -> int:
        """Return where the scroll bar begins, in the smallest steps that are drawn."""
        height, rows = self.container_size.height, self.virtual_size.height
        free = height - max(1.0, height * height / max(1, rows))
        return int(_BAR_STEPS * free * top / max(1, rows - height))

    def watch_cursor_line(self, old: int, new: int) -> None:
        self._refresh_row(old)
        self._refresh_row(new)

    def center_cursor(self) -> None:
        """Scroll so that what stands around the cursor is on view too."""
        top = max(0, self.cursor_line - self.visible_rows // 2)
        self.scroll_to(y=top, animate=False, force=True)

    def show_below(self, rows: int) -> None:
        """Scroll so that ``rows`` under the cursor, which were just opened, are on view too."""
        # The cursor may move up to the top line, never out of the view.
        top = min(self.cursor_line, self.cursor_line + rows + 1 - self.visible_rows)
        if rows > 0 and top > round(self.scroll_target_y):
            self.scroll_to(y=top, animate=False, force=True)

    def _scroll_to_cursor(self) -> None:
        top, height = round(self.scroll_target_y), self.visible_rows
        line = self.cursor_line
        if line < top:
            self.scroll_to(y=line, animate=False, force=True)
        elif line >= top + height:
            self.scroll_to(y=line - height + 1, animate=False, force=True)

    def place_cursor(self, line: int) -> None:
        """Move the cursor without telling anybody."""
        self.cursor_line = max(0, min(line, self.row_count() - 1))
        self._scroll_to_cursor()

    def move_to(self, line: int) -> None:
        """Move the cursor as the user does."""
        before = self.cursor_line
        self.place_cursor(line)
        if self.cursor_line != before:
            self.call_after_refresh(self._tell_moved)

    def _tell_moved(self) -> None:
        self.post_message(self.Moved(self, self.cursor_line))

    def action_step(self, rows: int) -> None:
        self.move_to(self.cursor_line + rows)

    def action_page(self, pages: float) -> None:
        rows = max(1, round(self.visible_rows * abs(pages)) - (abs(pages) == 1))
        self.move_to(self.cursor_line + (rows if pages > 0 else -rows))

    def action_first(self) -> None:
        self.move_to(0)

    def action_last(self) -> None:
        self.move_to(self.row_count() - 1)

    def action_open(self) -> None:
        """Where rows do not fold there is nothing to open."""

    def action_close(self) -> None:
        """Where rows do not fold there is nothing to close."""

    def action_choose(self) -> None:
        if self.row_count():
            self.post_message(self.Chosen(self, self.cursor_line))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self.header_height or not self.row_count():
            return
        line = offset.y - self.header_height + self.scroll_offset.y
        if line >= self.row_count():
            return
        if line == self.cursor_line:
            self.action_choose()
        else:
            self.move_to(line)
