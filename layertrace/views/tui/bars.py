"""One-line widgets: the head, the tabs of the narrow layout, and the keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.keys import format_key
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from layertrace.views.text import to_ascii
from layertrace.views.tui.cells import crop, crop_middle

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from textual import events
    from textual.binding import Binding

    from layertrace.views.tui.ports import TuiOptions
    from layertrace.views.tui.rows_view import Cell


class Line(Widget):
    """A line of pieces of text, all safe to show, none of it markup."""

    ALLOW_SELECT = False

    def __init__(self, options: TuiOptions, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.options = options
        self._cells: tuple[Cell, ...] = ()

    def write(self, cells: Iterable[Cell]) -> None:
        """Show other pieces."""
        self._cells = tuple(cells)
        self.refresh()

    def line_cells(self, width: int) -> Iterable[Cell]:
        """Yield the pieces to draw in ``width`` cells; what is cut says so."""
        for text, style in self._cells:
            yield crop(text, width), style
            width = max(0, width - cell_len(text))

    def cells_at(self, y: int, width: int) -> Iterable[Cell]:
        """Return the pieces of line ``y``; all but the first are empty."""
        return self.line_cells(width) if y == 0 else ()

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        cells = self.cells_at(y, width)
        plain = self.options.ascii
        segments = [Segment(to_ascii(t) if plain else t, base + style) for t, style in cells]
        return Strip(segments).adjust_cell_length(width, base)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadPart:
    """A piece of the head; where there is no room the least needed go first."""

    cells: tuple[Cell, ...]
    need: int
    """The larger, the sooner it goes; 0 always stays."""

    @property
    def width(self) -> int:
        """Cells it takes with the gap after it."""
        return sum(cell_len(text) for text, _ in self.cells) + 2


class HeadLine(Line):
    """What image this is, in as much detail as fits."""

    KEPT: ClassVar[int] = 3
    """Parts needed this much or more stay as long as the image's name can be shortened."""
    LEAST_NAME: ClassVar[int] = 20
    """Cells the name is not cut below for the sake of others."""

    def __init__(self, options: TuiOptions, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(options, id=id)
        self._parts: tuple[HeadPart, ...] = ()

    def write_parts(self, parts: Sequence[HeadPart]) -> None:
        """Show other parts, in this order."""
        self._parts = tuple(parts)
        self.refresh()

    def line_cells(self, width: int) -> Iterable[Cell]:
        parts = list(self._parts)
        while parts and (over := _width(parts) - width) > 0:
            last = max(parts, key=lambda part: part.need)
            spare = sum(part.width - self.LEAST_NAME for part in parts if part.need == 0)
            if last.need == 0 or (last.need <= self.KEPT and spare >= over):
                break
            parts.remove(last)
        over = _width(parts) - width
        for number, part in enumerate(parts):
            yield " " if number == 0 else "  ", Style.null()
            for text, style in part.cells:
                room = cell_len(text)
                yield crop_middle(text, room if part.need else max(8, room - over)), style


def _width(parts: Sequence[HeadPart]) -> int:
    return sum(part.width for part in parts)


class TabLine(Line):
    """The panes' names where only one of them is on view."""

    @dataclass
    class Picked(Message):
        """The user clicked a name."""

        pane: str

    def __init__(
        self,
        options: TuiOptions,
        panes: Sequence[tuple[str, str]],
        *,
        id: str | None = None,  # noqa: A002 - Textual's word
    ) -> None:
        super().__init__(options, id=id)
        self._panes = tuple(panes)
        self._current = panes[0][0]

    def pick(self, pane: str) -> None:
        """Mark another pane as the one on view."""
        self._current = pane
        self.refresh()

    def _labels(self) -> Iterable[tuple[str, str]]:
        for number, (pane, name) in enumerate(self._panes, start=1):
            label = f"{number} {name}"
            yield pane, f"[{label}]" if pane == self._current else f" {label} "

    def line_cells(self, width: int) -> Iterable[Cell]:
        for pane, label in self._labels():
            width -= cell_len(label)
            if width >= 0:
                yield label, Style(bold=True) if pane == self._current else Style.null()

    def on_click(self, event: events.Click) -> None:
        start = 0
        for pane, label in self._labels():
            start += cell_len(label)
            if event.x < start:
                self.post_message(self.Picked(pane))
                return


class KeyBar(Line):
    """The keys that act now, most useful first; one that does not fit whole is left out."""

    ORDER: ClassVar[dict[str, int]] = {
        "picker.open": -2,
        "browse.tree": -2,
        "browse.filter": -1,
        "browse.zoom": 1,
        "browse.help": 2,
        "app.quit": 3,
    }
    """What stands before or behind all others, by the ids of the keys."""
    LAST: ClassVar[int] = 2

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._update)

    def _update(self, _screen: object) -> None:
        self.refresh()

    def _entries(self, width: int) -> list[tuple[Binding, bool, str]]:
        entries: list[tuple[Binding, bool, str]] = []
        typed = self._typed_actions()
        for active in self.screen.active_bindings.values():
            binding = active.binding
            if binding.action in typed:
                continue
            if binding.show and all(binding.action != known.action for known, _, _ in entries):
                key = binding.key_display or key_words(binding.key)
                entries.append((binding, active.enabled, key))
        entries.sort(key=lambda entry: self.ORDER.get(entry[0].id or "", 0))
        # Help and Quit come last and stay: from them one finds the others.
        while len(entries) > self.LAST and 1 + sum(map(_entry_width, entries)) > width + 2:
            del entries[-1 - self.LAST]
        return entries

    def _typed_actions(self) -> set[str]:
        """Return the actions of which a key is a letter for the line that is typed on."""
        focused = self.screen.focused
        if focused is None:
            return set()
        return {
            active.binding.action
            for active in self.screen.active_bindings.values()
            if active.node is not focused and _types(focused, active.binding.key)
        }

    def line_cells(self, width: int) -> Iterable[Cell]:
        yield " ", Style.null()
        for binding, enabled, key in self._entries(width):
            yield key, Style(bold=True, dim=not enabled)
            yield f" {binding.description}  ", Style(dim=not enabled)

    def on_click(self, event: events.Click) -> None:
        start = 1
        for entry in self._entries(self.size.width):
            start += _entry_width(entry)
            if event.x < start:
                if entry[1]:
                    self.app.simulate_key(entry[0].key)
                return


def _types(widget: Widget, key: str) -> bool:
    """Return whether a key is a letter for a line that is typed on; Textual forgets some."""
    sign = format_key(key)
    return widget.check_consume_key(key, sign if len(sign) == 1 else None)


def _entry_width(entry: tuple[Binding, bool, str]) -> int:
    return cell_len(entry[2]) + cell_len(entry[0].description) + 3


def key_words(key: str) -> str:
    """Return how a key is written on its cap.

    >>> key_words("ctrl+at"), key_words("plus"), key_words("shift+tab"), key_words("G")
    ('Ctrl+@', '+', 'Shift+Tab', 'G')
    """
    *modifiers, last = key.split("+")
    name = _CAPS.get(last) or format_key(last)
    if len(name) > 1:
        name = name.title() if name.islower() else name
    elif modifiers:
        name = name.upper()
    return "+".join([*(modifier.title() for modifier in modifiers), name])


_CAPS: Final = {
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "enter": "Enter",
    "escape": "Esc",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "tab": "Tab",
    "space": "Space",
    "backspace": "Backspace",
}
