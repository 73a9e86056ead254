"""Reading the image behind the panes: how far it is, how it ends, and taking it up again."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType

from layertrace.errors import StoppedError
from layertrace.views.codelines import build_code
from layertrace.views.outline import build_outline
from layertrace.views.text import plural
from layertrace.views.tui.bars import HeadLine
from layertrace.views.tui.headline import head_parts
from layertrace.views.tui.panes_screen import PanesScreen
from layertrace.views.tui.startup import error_lines
from layertrace.views.tui.walking import Walk, Walked, progress_words

if TYPE_CHECKING:
    from layertrace.errors import LayertraceError
    from layertrace.views.tui.background import Background
    from layertrace.views.tui.ports import Opening, TuiOptions, WalkProgress


class ReadingScreen(PanesScreen):
    """Shows what is known of an image at once, the rest when its layers are read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "resume", "Read on", id="browse.resume"),
    ]

    _walk: Walk | None = None
    _walked: Walked | None = None

    def __init__(self, opening: Opening, options: TuiOptions, reader: Background) -> None:
        super().__init__(opening.head, options)
        self._opening = opening
        self._reader = reader

    def on_mount(self) -> None:
        self._start_walk()

    def show_files(self, walked: Walked) -> None:
        """Show the files, which were just read."""
        raise NotImplementedError

    def stop_reading(self) -> None:
        """End the reading at the next entry, if it goes on."""
        if self._walk is not None:
            self._walk.stop()
            self._say("stopping…")

    def _show_head(self) -> None:
        head, walked, reading = self._head, self._walked, self._walk is not None
        known = (walked.shares, walked.feeds) if walked else ()
        self.stages.show(build_outline(head, *known), reading=reading)
        self.stages.set_titles("1 Stages & layers")
        self.code.show(build_code(head))
        overview = walked.overview if walked else None
        parts = head_parts(
            head, overview, self.files.palette, reading=reading, ascii_only=self.options.ascii
        )
        self.query_one(HeadLine).write_parts(tuple(parts))
        self.show_findings()
        self.refresh_bindings()

    def _start_walk(self) -> None:
        self._walk = Walk(self._opening, self._reader, self._show_progress, self._say_tracing)
        self.files.set_titles("2 Files")
        self._say("reading the layers…", "Esc stops and keeps what is read")
        self.why.clear(("where each file came from is known once its layer is read", Style()))
        self._reader.submit("walk", self._walk.run, self._finish_walk, self._fail_walk)
        self._show_head()

    def _say(self, *lines: str) -> None:
        """Show words in place of the files."""
        plain = Style.null()
        self.files.notice = (("", plain), *((line, plain) for line in lines))
        self.files.rows_changed(0)

    def _show_progress(self, progress: WalkProgress) -> None:
        if self._walk is None:
            return
        bar, figures = progress_words(progress, monotonic() - self._walk.started)
        self._say("reading the layers", bar, figures, "", "Esc stops and keeps what is read")
        self.files.set_titles("2 Files · reading…", plural(progress.entries, "entry"))

    def _say_tracing(self) -> None:
        self._say("the layers are read: tracing every file to where it came from…")
        self.files.set_titles("2 Files · tracing…")

    def _finish_walk(self, walked: Walked) -> None:
        self._walk, self._walked = None, walked
        self._head = walked.trace.head
        self.show_files(walked)

    def _fail_walk(self, error: LayertraceError) -> None:
        self._walk = None
        self.files.set_titles("2 Files")
        if isinstance(error, StoppedError):
            self._say(
                "stopped: the files were not read",
                "r reads on; stages, layers and Dockerfile are complete",
            )
        else:
            self.files.notice = tuple(error_lines(error))
            self.files.rows_changed(0)
            self.app.exit_code = error.exit_code  # type: ignore[attr-defined]
        self._show_head()

    def action_resume(self) -> None:
        self._start_walk()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "resume":
            return self._walk is None and self._walked is None
        return super().check_action(action, parameters)
