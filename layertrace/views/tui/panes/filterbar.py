"""The filter under the panes: typed text, how much it leaves, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from rich.style import Style
from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from layertrace.filters.completion import PACKAGES, Completer
from layertrace.filters.facts import Cost
from layertrace.filters.language import Filter, FilterError, parse_filter
from layertrace.views.text import show_name
from layertrace.views.tui.bars import Line
from layertrace.views.tui.cells import crop, fill_left, wrap_cells
from layertrace.views.tui.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.app import ComposeResult
    from textual.geometry import Size
    from textual.widget import Widget

    from layertrace.filters.completion import Completion, Words
    from layertrace.views.tui.ports import TuiOptions
    from layertrace.views.tui.rows_view import Cell

_BETWEEN: Final = " · "
"""Between the pieces of a count."""
_MARGIN: Final = 3
"""Cells before what is typed."""
_ROOM: Final = 24
"""Cells with which words of some lines stand well beside the caret, rather than below it."""


_LEAVING: Final = frozenset({"leave", "clear"})
"""Actions after which keys are no longer for the line."""


class FilterInput(Entry):
    """The line that is typed on; it gives the keys back when the user is done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "leave", "Done", key_display="Enter", id="filter.done"),
        Binding("escape", "clear", "Clear", id="filter.clear"),
        Binding("tab", "complete(1)", "Complete", id="filter.complete"),
        Binding("shift+tab", "complete(-1)", "Back", show=False, id="filter.complete-back"),
    ]

    async def on_key(self, event: events.Key) -> None:
        """Leave at once, and pass on what was typed after the key that leaves."""
        focused = self.screen.focused
        if focused is not None and focused is not self:
            event.stop()
            event.prevent_default()
            focused.post_message(events.Key(event.key, event.character))
            return
        active = self.screen.active_bindings.get(event.key)
        if active is not None and active.node is self and active.binding.action in _LEAVING:
            event.stop()
            event.prevent_default()
            await self.run_action(active.binding.action)

    def action_leave(self) -> None:
        bar = self.screen.query_one(FilterBar)
        bar.enter()
        bar.give_back()

    def action_clear(self) -> None:
        bar = self.screen.query_one(FilterBar)
        bar.clear()
        bar.give_back()

    def action_complete(self, by: int) -> None:
        self.screen.query_one(FilterBar).complete(by)

    def watch_has_focus(self, has_focus: bool) -> None:  # noqa: FBT001 - Textual's signature
        """Offer what fits as long as the keys come here."""
        super().watch_has_focus(has_focus)
        self.screen.query_one(FilterBar).offer()

    def watch_cursor_position(self) -> None:
        """Offer what fits where the cursor is now."""
        if self.has_focus:
            self.screen.query_one(FilterBar).offer()


class OfferLine(Line):
    """What Tab would write, as many as there is room for, from the chosen one on."""

    _found: Completion | None = None
    _chosen = -1
    _words = ""

    def offer(self, found: Completion, chosen: int) -> None:
        """Show other offers."""
        self._found, self._chosen, self._words = found, chosen, ""
        self.refresh()

    def say(self, words: str) -> None:
        """Show words in their place, until others come."""
        self._words = words
        self.refresh()

    @property
    def is_used(self) -> bool:
        """Whether anything stands on it."""
        return bool(self._words or (self._found is not None and self._found.offers))

    def line_cells(self, width: int) -> Iterable[Cell]:
        found, plain = self._found, Style.null()
        if self._words or found is None or not found.offers:
            yield f"   {self._words}", plain
            return
        yield " ⇥ " if not self.options.ascii else " > ", plain
        room, first = width - 3, max(0, self._chosen)
        for number, offer in enumerate(found.offers[first:], first):
            text = show_name(offer)
            more = len(found.offers) - number - 1 + found.more
            tail = f"… {more:,} more" if more else ""
            if cell_len(text) + 2 + len(tail) > room and number > first:
                yield f"… {more + 1:,} more", plain
                return
            yield crop(text, room), Style(reverse=True) if number == self._chosen else plain
            yield "  ", plain
            room -= cell_len(text) + 2


class CountLine(Line):
    """How much a filter leaves, at the right end of a place that keeps its width."""

    def line_cells(self, width: int) -> Iterable[Cell]:
        for text, style in self._cells:
            # Whole pieces, the first of which says most: the frame of the files has them all.
            words = text
            while cell_len(words) > width and _BETWEEN in words:
                words = words.rpartition(_BETWEEN)[0]
            yield fill_left(crop(words, width), width), style


class ProblemLines(Line):
    """What is wrong with what is typed, under the place where it is, in the lines it takes."""

    _words = ""
    _column: int | None = None

    def say(self, words: str, column: int | None = None) -> None:
        """Show other words, all safe; ``column`` is the cell of the line that they are about."""
        if (words, column) != (self._words, self._column):
            self._words, self._column = words, column
            self.refresh(layout=True)

    def lines(self, width: int) -> list[str]:
        """Return the words as they are broken at a width."""
        margin, words = " " * _MARGIN, self._words
        if self._column is None:
            return [f"{margin}{line}" for line in wrap_cells(words, width - _MARGIN)]
        caret = " " * min(_MARGIN + self._column, width - 1)
        room = width - len(caret) - 2
        if cell_len(words) <= room or room >= _ROOM:
            first, *more = wrap_cells(words, room)
            return [f"{caret}^ {first}", *(f"{caret}  {line}" for line in more)]
        return [f"{caret}^", *(f"{margin}{line}" for line in wrap_cells(words, width - _MARGIN))]

    def cells_at(self, y: int, width: int) -> Iterable[Cell]:
        lines = self.lines(width)
        return ((lines[y], Style.null()),) if y < len(lines) else ()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002 - Textual's signature
        return len(self.lines(width))


class FilterBar(Vertical):
    """Hidden until it is asked for, and shown as long as it filters."""

    @dataclass
    class Changed(Message):
        """Another filter is in force; None: none is."""

        filter: Filter | None

    @dataclass
    class PackagesWanted(Message):
        """The names of packages would be offered, if they were known."""

    def __init__(self, options: TuiOptions, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.options = options
        self._waiting: Filter | None = None
        """What was typed, and is too dear to be looked for at every key."""
        self._completer = Completer()
        self._problem: FilterError | None = None
        self._asked = False
        """Somebody is reading the names of packages, or has."""
        self._beside: Widget | None = None
        self.was_left = False
        """The user was done with it, and went on among what is left."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="filter-row"):
            yield Static(" / ", id="filter-mark", markup=False)
            yield FilterInput(
                id="filter-input",
                placeholder="part of a path, *.js, stage:build, layer:3, size:>1MB, !not",
                select_on_focus=False,
            )
            yield CountLine(self.options, id="filter-count")
        yield ProblemLines(self.options, id="filter-error")
        yield OfferLine(self.options, id="filter-offers")

    @property
    def entry(self) -> FilterInput:
        """The input line."""
        return self.query_one(FilterInput)

    def open(self, beside: Widget) -> None:
        """Show the line and type on it; ``beside`` has the keys once that is done."""
        self._beside, self.was_left = beside, False
        self.display = True
        # At once: Widget.focus() would leave the letters that are typed meanwhile to the panes.
        self.screen.set_focus(self.entry)

    def clear(self) -> None:
        """Take the filter away."""
        self._waiting = None
        self.entry.value = ""
        self.display = False

    def give_back(self) -> None:
        """Leave the keys to what is filtered, at once: what was typed ahead is not for this."""
        self.screen.set_focus(self._beside)

    def enter(self) -> None:
        """Look for what was typed, if that waits for Enter."""
        self.was_left = True
        if self._waiting is not None:
            self.say("")
            self.post_message(self.Changed(self._waiting))
            self._waiting = None

    def say(self, words: str, column: int | None = None) -> None:
        """Show words under what is typed, in place of offers; none for no words."""
        line = self.query_one(ProblemLines)
        line.say(words, column)
        line.display = bool(words)
        self._place_offers()

    def count(self, words: str) -> None:
        """Say how much the filter leaves."""
        self.query_one(CountLine).write([(words, Style.null())])

    # -- what may be typed next ---------------------------------------------------

    def learn(self, words: Words) -> None:
        """Offer these values of keys too."""
        self._completer.words = {**self._completer.words, **words}
        self.offer()

    def offer(self) -> None:
        """Show what the term at the cursor may go on with, while it is typed."""
        entry, line = self.entry, self.query_one(OfferLine)
        found, chosen = self._completer.look(entry.value, entry.cursor_position)
        line.offer(found, chosen)
        self._place_offers()
        if entry.has_focus and found.key == PACKAGES and not self._asked:
            self._asked = True
            self.post_message(self.PackagesWanted())
        self._show_problem(found)

    def _place_offers(self) -> None:
        """Show the line of offers while there may be some; what is wrong takes its place."""
        line, taken = self.query_one(OfferLine), self.query_one(ProblemLines).display
        line.display = self.entry.has_focus and (line.is_used or not taken)

    def complete(self, by: int) -> None:
        """Write what all offers share, or each of them in turn."""
        entry = self.entry
        text, cursor = entry.value, entry.cursor_position
        start = self._completer.look(text, cursor)[0].start
        term = self._completer.step(text, cursor, by)
        if term is None:
            self.query_one(OfferLine).say("nothing is known to go on with here")
            return
        entry.value = text[:start] + term + text[cursor:]
        entry.cursor_position = start + len(term)
        self.offer()

    def _show_problem(self, found: Completion) -> None:
        """Say what is wrong, but of a term that is just typed how it may go on."""
        problem = self._problem
        if problem is None:
            return
        typing = self.entry.has_focus and found.offers and problem.column >= found.start
        if typing:
            self.say("")
        else:
            self.say(show_name(problem.message), self.entry.cell_of(problem.column))

    @on(Input.Changed)
    def _read(self, event: Input.Changed) -> None:
        event.stop()
        self._waiting = None
        try:
            found = parse_filter(event.value) if event.value.strip() else None
        except FilterError as problem:
            # What was shown last stays: half a word is no reason to show nothing.
            self._problem = problem
            self.offer()
            return
        self._problem = None
        self.offer()
        if found is not None and found.cost is Cost.CONTENTS:
            self._waiting = found
            self.say("press Enter: this reads files of the image")
            return
        self.say("")
        self.post_message(self.Changed(found))
