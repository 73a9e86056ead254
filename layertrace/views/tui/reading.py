"""Reading the image behind the panes: how far it is, how it ends, and taking it up again."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final

from rich.style import Style
from textual import on
from textual.binding import Binding, BindingType

from layertrace.errors import StoppedError
from layertrace.views.codelines import build_code
from layertrace.views.outline import build_outline
from layertrace.views.text import plural, show_name
from layertrace.views.tui.background import Background
from layertrace.views.tui.bars import HeadLine
from layertrace.views.tui.headline import head_parts
from layertrace.views.tui.pace import (
    Pace,
    brief_words,
    fitting_rows,
    reading_rows,
    tracing_rows,
)
from layertrace.views.tui.panes.files import FilesPane
from layertrace.views.tui.panes_screen import PanesScreen
from layertrace.views.tui.startup import error_lines
from layertrace.views.tui.walking import Walk, Walked
from layertrace.views.unread import layer_runs, unread_layers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.errors import LayertraceError
    from layertrace.model.image import Platform
    from layertrace.model.trace import ImageHead
    from layertrace.views.tui.ports import Opening, TuiOptions, WalkProgress

_ROOM: Final = 9
"""Lines of a pane below which none of them is left blank."""
_SPARED: Final = 3
"""So many times as long as it takes to sum up what is read, that is left be."""


class ReadingScreen(PanesScreen):
    """Shows what is known of an image at once, the rest when its layers are read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "resume", "Read on", id="browse.resume"),
        Binding("b", "browse_now", "Browse now", id="browse.now"),
    ]

    _walk: Walk | None = None
    _walked: Walked | None = None
    _walker: Background
    """Reads the layers, while the other threads answer what is asked of those read before."""
    _pace: Pace
    _doing = ""
    """How far the reading is, in few words."""
    _browsing = False
    """What is read is shown while the reading goes on."""
    _layers_read = 0
    _tracing = False
    """All is read, and only what comes of it is worked out."""
    _stale = False
    """More is read than is on view."""
    _said: Sequence[str] = ()
    """What stands in place of the files, if they do not."""
    _looked = 0.0
    _rested = 0.0
    """When it was last looked what is read, and when that may be done again."""

    def __init__(self, opening: Opening, options: TuiOptions, reader: Background) -> None:
        super().__init__(opening.head, options)
        self._opening = opening
        self._reader = reader

    def on_mount(self) -> None:
        self._walker = Background(self.app.call_later, "layertrace-walker")
        self._begin_walk()

    def completed(self) -> None:
        super().completed()
        # Not before: what a thread does for it would keep the first screen waiting.
        self._run_walk()

    def on_unmount(self) -> None:
        self._walker.close()

    def show_files(self, walked: Walked) -> None:
        """Show the files, which were just read."""
        raise NotImplementedError

    @property
    def platform(self) -> Platform:
        """Of the image on view."""
        return self._head.image.config.platform

    @property
    def is_partial(self) -> bool:
        """Whether not all is read of what is on view."""
        return self._walked is not None and not self._walked.whole

    def refuses_partial(self) -> bool:
        """Say that a question takes all layers, where some are not read; True: it was said."""
        missing = unread_layers(self._head)
        if not self.is_partial or not missing:
            return False
        names = layer_runs(missing)
        how = "as soon as that is done" if self._walk is not None else "r reads on"
        self.tell(f"this takes every layer, and {names} not read yet: {how}")
        return True

    def stop_reading(self) -> None:
        """End the reading at the next entry, if it goes on."""
        if self._walk is None:
            return
        if self._tracing:
            self.tell("every layer is read: tracing them ends by itself")
            return
        self._walk.stop()
        self._doing = "stopping…"
        self._write_headline()
        self._say("stopping…")

    # -- what is on view ----------------------------------------------------------

    def _show_head(self) -> None:
        head, walked, reading = self._head, self._walked, self._walk is not None
        known = (walked.shares, walked.feeds) if walked else ()
        self.stages.show(build_outline(head, *known), reading=reading)
        self.stages.set_titles("1 Stages & layers")
        self.code.show(build_code(head))
        self._write_headline()
        self.show_findings()
        self.refresh_bindings()

    def _write_headline(self) -> None:
        parts = head_parts(
            self._head,
            self._walked.overview if self._walked else None,
            self.files.palette,
            reading=self._doing if self._walk is not None else "",
            ascii_only=self.options.ascii,
        )
        self.query_one(HeadLine).write_parts(tuple(parts))

    def _say(self, *lines: str) -> None:
        """Show words in place of the files, unless there are files."""
        if self._walked is None:
            self._said = ("", *lines)
            self._fit_said()

    @on(FilesPane.Resized)
    def _fit_said(self) -> None:
        """Leave out what there is no room for."""
        if self._said and self._walked is None:
            width, height = self.files.size
            # Before it has a size, it is as good as any: it will be told of the right one.
            rows = fitting_rows(self._said, max(10, width - 4), height) if width else self._said
            self.files.notice = tuple((row, Style.null()) for row in rows)
            self.files.rows_changed(0)

    def _settled(self) -> str:
        """Return what is known from the start, in a few words."""
        head = self._head
        words = plural(len(head.layers), "layer")
        if head.stages:
            return f"{words}, {plural(len(head.stages), 'stage')}"
        return f"{words}; no Dockerfile, so no stages" if head.build is None else words

    def _others(self) -> list[str]:
        return [show_name(name) for name in self._opening.compared]

    # -- reading ------------------------------------------------------------------

    def _begin_walk(self) -> None:
        """Show that the layers are about to be read."""
        self._walk = Walk(self._opening, self._walker, self._show_progress, self._say_tracing)
        self._pace, self._doing, self._tracing = Pace(), "reading…", False
        if self._walked is None:
            self.files.set_titles("2 Files")
            self._say(*reading_rows(self._settled(), self._others(), None, 0))
            words = "where each file came from is known once its layer is read"
            self.why.clear((words, Style()))
        self._show_head()

    def _run_walk(self) -> None:
        if self._walk is not None:
            self._walker.submit("walk", self._walk.run, self._finish_walk, self._fail_walk)

    def _show_progress(self, progress: WalkProgress) -> None:
        if self._walk is None:
            return
        seconds = self._pace.seconds(progress)
        self._doing = brief_words(progress, seconds)
        self._write_headline()
        if self._walked is None:
            self._say(*reading_rows(self._settled(), self._others(), progress, seconds))
            self.files.set_titles("2 Files · reading…", plural(progress.entries, "entry"))
        if progress.layer != self._layers_read:
            self._layers_read = progress.layer
            self._stale = True
        if self._stale and monotonic() >= self._rested:
            self._look(self._walk)

    def _look(self, walk: Walk) -> None:
        """Show what is read by now: sizes as a matter of course, files where they are wanted."""
        self._stale, self._looked, self._rested = False, monotonic(), float("inf")
        if self._browsing:
            show = partial(self._show_so_far, walk)
            self._reader.submit("so-far", walk.so_far, show, self._tell_error)
        else:
            self._reader.submit(
                "so-far", self._opening.head_so_far, partial(self._show_sizes, walk)
            )

    def _show_sizes(self, walk: Walk, head: ImageHead) -> None:
        self._rested = 0.0
        if self._walk is walk and self._walked is None:
            self._head = head
            self._show_head()

    def _show_so_far(self, walk: Walk, walked: Walked | None) -> None:
        # Of very many files that takes long, and most of the time is for reading on.
        self._rested = monotonic() + _SPARED * (monotonic() - self._looked)
        if self._walk is not walk:
            return
        if walked is not None:
            self._adopt(walked)
        elif self._walked is None:
            self.tell("no layer is read yet: the first is shown as soon as it is")

    def _say_tracing(self) -> None:
        self._tracing, self._doing = True, "tracing…"
        self._write_headline()
        self._say(*tracing_rows(self._settled(), self._others()))
        if self._walked is None:
            self.files.set_titles("2 Files · tracing…")
        if self._walk is not None and not self._browsing:
            # The sizes of all layers are known, and some came since it was looked last.
            self._look(self._walk)

    def _adopt(self, walked: Walked) -> None:
        """Show other files than before: more layers are read, or all."""
        self._walked, self._head = walked, walked.head
        self.show_files(walked)

    def _finish_walk(self, walked: Walked) -> None:
        self._walk = None
        self._adopt(walked)

    def _fail_walk(self, error: LayertraceError) -> None:
        walk, self._walk = self._walk, None
        if isinstance(error, StoppedError) and walk is not None:
            self._say("stopped: tracing what was read…")
            self._reader.submit("so-far", walk.so_far, self._show_stopped, self._show_error)
        elif not isinstance(error, StoppedError):
            self._show_error(error)
        self._show_head()

    def _show_stopped(self, walked: Walked | None) -> None:
        if self._walk is not None:
            return
        if walked is not None:
            self._adopt(walked)
            self.tell("stopped: r reads on")
            return
        self.files.set_titles("2 Files")
        self._say(
            "stopped before a layer was read",
            "r reads on; stages, layers and Dockerfile are complete",
        )

    def _show_error(self, error: LayertraceError) -> None:
        self.app.exit_code = error.exit_code  # type: ignore[attr-defined]
        if self._walked is not None:
            self._tell_error(error)
            return
        self.files.set_titles("2 Files")
        self._said = ()
        self.files.notice = tuple(error_lines(error)[self.files.size.height < _ROOM :])
        self.files.rows_changed(0)

    def _tell_error(self, error: LayertraceError) -> None:
        self.tell(". ".join(self.files.safe(line) for line in str(error).splitlines()))

    # -- keys -----------------------------------------------------------------------

    def action_resume(self) -> None:
        self._begin_walk()
        self._run_walk()

    def action_browse_now(self) -> None:
        """Show the files of the layers that are read, and more as they are."""
        if self._walk is not None:
            self._browsing = True
            self._look(self._walk)
            self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "resume":
            return self._walk is None and (self._walked is None or self.is_partial)
        if action == "browse_now":
            return self._walk is not None and not self._browsing and self._walked is None
        return super().check_action(action, parameters)
