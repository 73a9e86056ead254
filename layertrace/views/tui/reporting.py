"""Writing what a pane lists to a file, as text: all of its rows, not only those on view."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from layertrace import __version__
from layertrace.views.text import show_name
from layertrace.views.tui.handling import HandlingScreen

if TYPE_CHECKING:
    from layertrace.errors import LayertraceError
    from layertrace.views.tui.rows_view import RowsView


class ReportingScreen(HandlingScreen):
    """Panes that can be written to a file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("R", "report", "Report", show=False, id="browse.report"),
    ]

    @property
    def filter_words(self) -> str:
        """The filter that decides what is listed; nothing where there is none."""
        return ""

    def action_report(self) -> None:
        """Ask for a file, and write what the pane with the keys lists."""
        pane = self.panes[self.current_pane]
        if not pane.row_count():
            self.tell("nothing is listed here yet")
            return
        # Here and below: few reports are written, and none before the first screen.
        from layertrace.views.tui.asking import AskScreen  # noqa: PLC0415

        words = "Write what this pane lists, as text, to the file"
        name = f"layertrace-{pane.id}.txt"
        screen = AskScreen(self.options, "Report", words, default=name)
        self.app.push_screen(screen, partial(self._collect, pane))

    def _collect(self, pane: RowsView, answer: str | None) -> None:
        from layertrace.views.tui.writing import WritingScreen  # noqa: PLC0415

        if answer is not None:
            screen = WritingScreen(self.options, pane)
            self.app.push_screen(screen, partial(self._write, answer))

    def _write(self, answer: str, lines: list[str] | None, *, force: bool = False) -> None:
        if lines is None:
            return
        from layertrace.views.tui.writing import write_lines  # noqa: PLC0415

        head = [f"layertrace {__version__}  {show_name(self._head.image.reference)}"]
        narrowed = [f"filter: {show_name(self.filter_words)}"] if self.filter_words else []
        all_lines = [*head, *narrowed, *lines]
        work = partial(write_lines, answer, all_lines, plain=self.options.ascii, force=force)
        done = partial(self._written, answer, lines)
        self._reader.submit("report", work, done, self._not_written)

    def _written(self, answer: str, lines: list[str], words: str | None) -> None:
        if words is not None:
            self.tell(words)
            return

        def answered(replace: bool | None) -> None:  # noqa: FBT001 - Textual's signature
            if replace:
                self._write(answer, lines, force=True)

        from layertrace.views.tui.dialogs import ConfirmScreen  # noqa: PLC0415

        asked = [f"{show_name(answer)} is there already."]
        screen = ConfirmScreen(self.options, "Replace?", asked, "Enter replaces, Esc keeps it")
        self.app.push_screen(screen, answered)

    def _not_written(self, error: LayertraceError) -> None:
        self.tell(". ".join(show_name(line) for line in (error.what, error.why) if line))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "report":
            return self._walked is not None
        return super().check_action(action, parameters)
