"""The application around the screens: its theme, its threads, and how it ends."""

from __future__ import annotations

import gc
import sys
import threading
from dataclasses import replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.scrollbar import ScrollBar, ScrollBarRender

from layertrace.errors import SeveralImagesError, StoppedError
from layertrace.views.options import unkept_words
from layertrace.views.text import show_name
from layertrace.views.tui.background import Background
from layertrace.views.tui.bars import key_words
from layertrace.views.tui.browse import BrowseScreen
from layertrace.views.tui.handling import EXTRACTING
from layertrace.views.tui.ports import Picking
from layertrace.views.tui.startup import FailedScreen, OpeningScreen
from layertrace.views.tui.themes import THEMES, choose_theme
from layertrace.views.tui.walking import Throttle

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.screen import Screen
    from textual.timer import Timer

    from layertrace.errors import LayertraceError
    from layertrace.model.image import Platform
    from layertrace.views.tui.picker import PickerScreen
    from layertrace.views.tui.ports import (
        Comparing,
        Means,
        Opener,
        Opening,
        TuiOptions,
        WalkProgress,
    )


_PATIENCE: Final = 0.2
"""Seconds after which opening is worth a screen of its own; most images take less."""
_TWICE: Final = 2.0
"""Seconds within which a second Ctrl+C quits."""

_LOOK: Final = 1.0
"""Seconds between two looks whether the cache still works."""
_READING: Final = 10.0
"""Seconds that words stay which are said only once."""

_UNDOING: Final = 5.0
"""Seconds that files half written to the user's disk have to vanish."""
_GARBAGE: Final = (10_000, 10, 1_000)
"""When garbage is looked for: all that was read is none, and to go through it holds the keys."""
_TURN: Final = 0.001
"""Seconds that a thread which reads goes on while a key waits, several times for each key."""


def run_app(app: LayertraceApp) -> int:
    """Browse an image on the terminal until the user quits; return the exit code.

    Raises:
        Exception: whatever went wrong that nobody foresaw, once the terminal is
            as it was: Textual would print it with all local variables, and those
            may hold the contents of files.
    """
    usual, turn = gc.get_threshold(), sys.getswitchinterval()
    # Modules stay: to go through them while the first screen is painted would hold that up.
    gc.freeze()
    gc.set_threshold(*_GARBAGE)
    sys.setswitchinterval(_TURN)
    try:
        app.run()
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
        sys.setswitchinterval(turn)
    app.finish()
    if app.crash is not None:
        raise app.crash
    return app.exit_code


class _PlainScrollBar(ScrollBarRender):
    """A scroll bar of blanks, without the part blocks."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "]
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "]


class LayertraceApp(App[int]):
    """One image, opened and browsed."""

    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("I", "platforms", "Platforms", id="app.platforms"),
        Binding("q", "quit", "Quit", id="app.quit"),
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True, id="app.quit-anywhere"),
        # Textual adds its own only to an app that has no other key for it.
        Binding(
            "ctrl+p", "command_palette", "Palette", show=False, priority=True, id="app.palette"
        ),
        Binding("colon", "command_palette", "Palette", show=False, id="app.palette-vi"),
    ]

    _opener: Opener
    """What opened, or failed to open, the image last."""
    _picker: PickerScreen
    """Asked which image to open, if none was named."""
    _watch: Timer
    _platforms: tuple[Platform, ...] = ()
    """For which there are images beside the one on view."""

    def __init__(
        self,
        open_image: Opener | Picking,
        *,
        title: str = "",
        options: TuiOptions,
        comparing: Comparing | None = None,
        means: Means | None = None,
    ) -> None:
        """Prepare it.

        Args:
            open_image: opens the image, in a thread; or what can be opened, to ask the user.
            title: how the user named it.
            options: how it looks.
            comparing: how to compare it with other images.
            means: what else there is to opening images.
        """
        super().__init__()
        self._means = means
        self._comparing = comparing
        self.title = show_name(title)
        self.options = options
        self.exit_code = 0
        self.crash: Exception | None = None
        self.animation_level = "none"
        self._interrupted = float("-inf")
        self._open_image = open_image
        self._reference = title
        self.reader: Background
        """Runs what asks the image."""
        self.counter: Background
        """Runs what only adds up what is known."""
        self._patience: Timer
        self._leaving = threading.Event()
        """Set while nobody waits for an image to be opened."""
        self._leaving.set()
        for theme in THEMES:
            self.register_theme(theme)
        self._dress(options.theme or choose_theme(color=options.color))
        self.set_keymap(options.keys)

    def _dress(self, name: str) -> None:
        """Begin with a theme."""
        theme = self.available_themes[name]
        if theme.ansi or not theme.dark:
            self.theme = name
            return
        # It differs from the one that Textual begins with in nothing but its colours: to
        # change to it would have every style sheet read twice.
        self.set_reactive(LayertraceApp.theme, name)
        self.stylesheet.set_variables(self.get_css_variables())

    def on_mount(self) -> None:
        self.set_class(self.options.ascii, "-ascii")
        # Of the class, so an app says it in any case: the one before may have been another.
        ScrollBar.renderer = _PlainScrollBar if self.options.ascii else ScrollBarRender
        self._start_threads()
        self._watch = self.set_interval(_LOOK, self._tell_trouble)
        if isinstance(self._open_image, Picking):
            self._ask_image(self._open_image)
        else:
            self._begin(self._open_image, self._reference)

    def _tell_trouble(self) -> None:
        """Say once that nothing is kept; work goes on."""
        trouble = self._means.trouble() if self._means is not None else ""
        if trouble:
            self._watch.stop()
            self.notify(unkept_words(trouble), markup=False, timeout=_READING)

    def _start_threads(self) -> None:
        self.reader = Background(self.call_later)
        self.counter = Background(self.call_later, "layertrace-counter")

    def on_unmount(self) -> None:
        self.reader.close()
        self.counter.close()

    def finish(self) -> None:
        """Wait, once the terminal is free, until what was half extracted is taken back."""
        reader: Background | None = getattr(self, "reader", None)
        if reader is not None:
            reader.close()
            reader.await_end(EXTRACTING, _UNDOING)

    # -- opening ------------------------------------------------------------------

    def _ask_image(self, there: Picking) -> None:
        # Whoever names an image does without.
        from layertrace.views.tui.picker import PickerScreen  # noqa: PLC0415

        self._picker = PickerScreen(self.options, there)
        self.push_screen(self._picker)

    def on_picker_screen_picked(self, event: PickerScreen.Picked) -> None:
        """Open what the user picked."""
        # Whoever is quick presses Enter twice.
        if isinstance(self._open_image, Picking) and self._leaving.is_set():
            self._begin(self._open_image.open(event.reference), event.reference)

    def _begin(self, open_image: Opener, reference: str) -> None:
        """Open an image in the thread that will read it."""
        self._opener = open_image
        self._reference, self.title = reference, show_name(reference)
        self._leaving = leaving = threading.Event()
        reader = self.reader

        def show(progress: WalkProgress) -> None:
            if isinstance(self.screen, OpeningScreen):
                self.screen.show_progress(progress)

        def stop() -> bool:
            return leaving.is_set() or reader.closed

        report = Throttle(reader, show)
        reader.submit("open", partial(open_image, report, stop), self._opened, self._failed)
        self._patience = self.set_timer(_PATIENCE, self._say_opening)

    def _say_opening(self) -> None:
        self.push_screen(OpeningScreen(self.options, self._reference))

    def action_leave_opening(self) -> None:
        """Wait no longer for an image, however long opening it may yet hang."""
        self._leaving.set()
        self.reader.close()
        if not isinstance(self._open_image, Picking):
            self.exit(StoppedError.exit_code)
            return
        self.reader = Background(self.call_later)
        self.pop_screen()

    def _show(self, screen: Screen[None]) -> None:
        self._patience.stop()
        if isinstance(self.screen, OpeningScreen):
            self.switch_screen(screen)
        else:
            self.push_screen(screen)

    def _opened(self, opening: Opening) -> None:
        image, asking = opening.head.image, self._means
        self._platforms = image.platforms if asking is not None else ()
        screen = BrowseScreen(
            opening, options=self.options, reader=self.reader, counter=self.counter
        )
        screen.comparing = self._comparing
        self._show(screen)
        if self._platforms and asking is not None and not asking.chosen:
            # Once is enough: from here on there is a key for it.
            self._means = replace(asking, chosen=True)
            self.call_after_refresh(self.action_platforms)

    def action_platforms(self) -> None:
        """Ask which of the images of an index to show."""
        # Few images have others beside them.
        from layertrace.views.tui.platforms import PlatformScreen  # noqa: PLC0415

        screen = self.screen
        if isinstance(screen, BrowseScreen) and self._platforms:
            shown = screen.platform
            self.push_screen(
                PlatformScreen(self.options, self._platforms, shown),
                partial(self._change_platform, shown),
            )

    def _change_platform(self, shown: Platform, chosen: Platform | None) -> None:
        if chosen is None or chosen == shown or self._means is None:
            return
        # What the threads do is for the image on view.
        self.reader.close()
        self.counter.close()
        self._start_threads()
        self.pop_screen()
        self._begin(self._means.open(self._reference, chosen), self._reference)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "platforms":
            return bool(self._platforms) and isinstance(self.screen, BrowseScreen)
        return super().check_action(action, parameters)

    def _failed(self, error: LayertraceError) -> None:
        # One of another archive, given for a stage, is for the command line to name.
        if isinstance(error, SeveralImagesError) and error.asked == self._reference:
            self._ask_which(error)
        else:
            self._give_up(error)

    def _ask_which(self, error: SeveralImagesError) -> None:
        """Ask which image of an archive to open."""
        if self._means is None or not error.choices:
            self._give_up(error)
            return
        # Few archives hold several.
        from layertrace.views.tui.platforms import ImagesScreen  # noqa: PLC0415

        self._patience.stop()
        if isinstance(self.screen, OpeningScreen):
            self.pop_screen()
        self.push_screen(ImagesScreen(self.options, error), partial(self._open_chosen, error))

    def _open_chosen(self, error: SeveralImagesError, chosen: str | None) -> None:
        if chosen is None or self._means is None:
            self._give_up(error)
        else:
            self._begin(self._means.open(chosen, None), chosen)

    def _give_up(self, error: LayertraceError) -> None:
        if isinstance(self._open_image, Picking):
            self._patience.stop()
            self._leaving.set()
            if isinstance(self.screen, OpeningScreen):
                self.pop_screen()
            self._picker.say_failed(self._reference, error)
            return
        self.exit_code = error.exit_code
        self._show(FailedScreen(self.options, self._reference, error))

    def action_retry(self) -> None:
        """Open the image again that could not be opened."""
        self.exit_code = 0
        self.pop_screen()
        self._begin(self._opener, self._reference)

    def action_help_quit(self) -> None:
        """Take a second Ctrl+C for what it is meant to be."""
        now = monotonic()
        if now - self._interrupted < _TWICE:
            self.run_worker(self.action_quit())
            return
        self._interrupted = now
        self.notify("Ctrl+C again quits", markup=False, timeout=_TWICE)

    async def action_quit(self) -> None:
        self.reader.close()
        self.exit(self.exit_code)

    def _fatal_error(self) -> None:
        """Keep an unforeseen error for :func:`run_app`, instead of printing its locals."""
        self.crash = self._exception
        self._close_messages_no_wait()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every key that acts now, and the themes."""
        seen = set()
        for active in screen.active_bindings.values():
            binding = active.binding
            if not binding.description or binding.system or binding.description in seen:
                continue
            seen.add(binding.description)
            run = partial(self.run_action, binding.action, active.node)
            yield SystemCommand(binding.description, f"key {key_words(binding.key)}", run)
        for theme in self.available_themes:
            if theme.startswith(("layertrace", "ansi")):
                use = partial(setattr, self, "theme", theme)
                yield SystemCommand(f"Theme {theme}", "change the colours", use)
