"""A question over the panes that is answered in one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from layertrace.views.text import to_ascii
from layertrace.views.tui.entry import Entry

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from layertrace.views.tui.ports import TuiOptions


class AskScreen(ModalScreen[str]):
    """Asks for a line; the answer is what was typed, None if the user thought better of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Close", id="ask.close"),
    ]

    def __init__(self, options: TuiOptions, title: str, words: str, *, default: str = "") -> None:
        """Prepare the question.

        Args:
            options: how it looks.
            title: on the frame; safe.
            words: what is asked for; safe.
            default: what stands in the line at first.
        """
        super().__init__()
        self._texts = [to_ascii(text) if options.ascii else text for text in (title, words)]
        self._default = default

    def compose(self) -> ComposeResult:
        with Vertical(id="ask"):
            yield Static(Content(self._texts[1]))
            yield Entry(self._default, id="ask-input")

    def on_mount(self) -> None:
        box = self.query_one("#ask")
        box.border_title = Content(self._texts[0])
        box.border_subtitle = Content("Enter goes on, Esc closes")
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip() or None)
