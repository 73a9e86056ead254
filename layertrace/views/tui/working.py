"""Work on the user's behalf that may take long: how far it is, and Esc to stop it."""

from __future__ import annotations

import threading
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from layertrace.views.tui.pace import amount_words, bar_words, clock_words
from layertrace.views.tui.startup import Card

if TYPE_CHECKING:
    from textual.app import App, ComposeResult
    from textual.timer import Timer

    from layertrace.views.tui.background import Background
    from layertrace.views.tui.ports import TuiOptions

_PATIENCE: Final = 0.3
"""Seconds of work before a word of it."""
_EVERY: Final = 0.2
"""Seconds between two looks at how far it is."""


class Job:
    """One piece of work in the thread that reads; asked from that thread and the TUI's."""

    def __init__(
        self, app: App[Any], options: TuiOptions, reader: Background, title: str, note: str = ""
    ) -> None:
        """Start the clock, in the thread of the TUI.

        Args:
            app: shows how far it is, if it takes long.
            options: how that looks.
            reader: the thread that works.
            title: what is done; safe.
            note: more of that; safe.
        """
        self.done = 0
        """Bytes; set by the thread that works."""
        self.total: int | None = None
        self.began = monotonic()
        self._app = app
        self._reader = reader
        self._stop = threading.Event()
        self._screen = WorkingScreen(options, self, title, note)
        self._patience: Timer = app.set_timer(_PATIENCE, self._say)

    def stop(self) -> None:
        """Have it end as soon as it looks up."""
        self._stop.set()

    def is_stopped(self) -> bool:
        """Say whether it should end."""
        return self._stop.is_set() or self._reader.closed

    def tell(self, done: int, total: int) -> None:
        """Take down how far it is."""
        self.done, self.total = done, total

    def finish(self) -> None:
        """Say no more of it."""
        self._patience.stop()
        self._screen.finish()

    def _say(self) -> None:
        self._app.push_screen(self._screen)


class WorkingScreen(ModalScreen[None]):
    """A bar, some figures, and a key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "stop", "Stop", id="working.stop"),
    ]

    def __init__(self, options: TuiOptions, job: Job, title: str, note: str) -> None:
        super().__init__()
        self._card = Card(options, title, ())
        self._heading = title
        self._note = note
        self._job = job
        self._finished = self._left = False

    def compose(self) -> ComposeResult:
        yield self._card

    def on_mount(self) -> None:
        self._look()
        self.set_interval(_EVERY, self._look)

    def finish(self) -> None:
        """Go away, at the latest when nothing lies over it."""
        self._finished = True
        self._leave()

    def on_screen_resume(self) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._finished and self.is_active and not self._left:
            self._left = True
            self.dismiss()

    def _look(self) -> None:
        job, plain = self._job, Style.null()
        seconds = monotonic() - job.began
        words = [self._note] if self._note else []
        if job.is_stopped():
            words.append("stopping…")
        elif job.total:
            words.append(bar_words(job.done, job.total))
            words.append(amount_words(job.done, job.total, seconds))
        else:
            words.append(f"reading…  {clock_words(seconds)}")
        words.append("" if job.is_stopped() else "Esc stops")
        self._card.say(self._heading, [(word, plain) for word in words])

    def action_stop(self) -> None:
        self._job.stop()
        self._look()
