"""The filter under the panes: typed text, how much it leaves, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from layertrace.filters.facts import Cost
from layertrace.filters.language import Filter, FilterError, parse_filter
from layertrace.views.text import show_name, to_ascii
from layertrace.views.tui.bars import Line

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from layertrace.views.tui.ports import TuiOptions


class FilterInput(Input):
    """The line that is typed on; it gives the keys back when the user is done."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "leave", "To the files", key_display="Enter", id="filter.done"),
        Binding("escape", "clear", "Clear", id="filter.clear"),
    ]

    def action_leave(self) -> None:
        self.screen.query_one(FilterBar).enter()
        self.screen.query_one("#files").focus()

    def action_clear(self) -> None:
        self.screen.query_one(FilterBar).clear()
        self.action_leave()


class FilterBar(Vertical):
    """Hidden until it is asked for, and shown as long as it filters."""

    @dataclass
    class Changed(Message):
        """Another filter is in force; None: none is."""

        filter: Filter | None

    def __init__(self, options: TuiOptions, *, id: str | None = None) -> None:  # noqa: A002 - Textual's word
        super().__init__(id=id)
        self.options = options
        self._waiting: Filter | None = None
        """What was typed, and is too dear to be looked for at every key."""

    def compose(self) -> ComposeResult:
        with Horizontal(id="filter-row"):
            yield Static(" / ", id="filter-mark", markup=False)
            yield FilterInput(
                id="filter-input",
                placeholder="part of a path, *.js, stage:build, layer:3, size:>1MB, !not",
                select_on_focus=False,
            )
            yield Static("", id="filter-count", markup=False)
        yield Line(self.options, id="filter-error")

    @property
    def entry(self) -> FilterInput:
        """The input line."""
        return self.query_one(FilterInput)

    def open(self) -> None:
        """Show the line and type on it."""
        self.display = True
        self.entry.focus()

    def clear(self) -> None:
        """Take the filter away."""
        self._waiting = None
        self.entry.value = ""
        self.display = False

    def enter(self) -> None:
        """Look for what was typed, if that waits for Enter."""
        if self._waiting is not None:
            self.say("")
            self.post_message(self.Changed(self._waiting))
            self._waiting = None

    def say(self, words: str) -> None:
        """Show a line under what is typed; none for no words."""
        line = self.query_one("#filter-error", Line)
        line.write([(words, Style.null())])
        line.display = bool(words)

    def count(self, words: str) -> None:
        """Say how much the filter leaves."""
        words = to_ascii(words) if self.options.ascii else words
        self.query_one("#filter-count", Static).update(Content(words))

    @on(Input.Changed)
    def _read(self, event: Input.Changed) -> None:
        event.stop()
        self._waiting = None
        try:
            found = parse_filter(event.value) if event.value.strip() else None
        except FilterError as problem:
            # What was shown last stays: half a word is no reason to show nothing.
            column = len(show_name(event.value[: problem.column]))
            self.say(f"   {' ' * column}^ {show_name(problem.message)}")
            return
        if found is not None and found.cost is Cost.CONTENTS:
            self._waiting = found
            self.say("   press Enter: this reads files of the image")
            return
        self.say("")
        self.post_message(self.Changed(found))
