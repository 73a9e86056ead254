"""What can be done with the file at the cursor, from whatever screen."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from textual.app import SuspendNotSupported

from layertrace.errors import ExistsError, LayertraceError, StoppedError
from layertrace.views.text import show_name
from layertrace.views.tui.asking import AskScreen
from layertrace.views.tui.dialogs import ConfirmScreen
from layertrace.views.tui.handling import EXTRACTING
from layertrace.views.tui.pager import pager_words, put_aside, show_in_pager
from layertrace.views.tui.working import Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

    from textual.app import App

    from layertrace.views.tui.background import Background
    from layertrace.views.tui.pages import FileScreen
    from layertrace.views.tui.ports import Trace, TuiOptions

_PATIENCE: Final = 8.0


class FileTools:
    """Pages, pager and extraction; all reading is done in the thread for it."""

    def __init__(
        self, app: App[Any], options: TuiOptions, reader: Background, trace: Trace
    ) -> None:
        """Keep what they need.

        Args:
            app: shows them.
            options: how they look.
            reader: the thread that reads.
            trace: an :class:`ImageTrace`; the port does not list what few ask for.
        """
        self.app = app
        self.options = options
        self.reader = reader
        self.trace: Any = trace
        self._folder = "./extracted"
        self._job: Job | None = None

    def tell(self, words: str) -> None:
        """Say something; ``words`` are safe."""
        self.app.notify(words, markup=False, timeout=_PATIENCE)

    def stop(self) -> None:
        """End what is being written, which undoes it, though no word of it is on view yet."""
        if self._job is not None:
            self._job.stop()

    def preview(self, path: str, *, step: int = 0, layer: int | None = None) -> None:
        """Show the content of a path, as shipped or of one layer; ``step`` versions on."""
        from layertrace.views.tui.preview import PreviewScreen  # noqa: PLC0415

        if not self._back_to(PreviewScreen, path, layer):
            self.app.push_screen(PreviewScreen(self, path, step=step, layer=layer))

    def history(self, path: str, layer: int | None = None) -> None:
        """Show the versions of a path, that of a layer first."""
        from layertrace.views.tui.history import HistoryScreen  # noqa: PLC0415

        if not self._back_to(HistoryScreen, path, layer):
            self.app.push_screen(HistoryScreen(self, path, layer=layer))

    def _back_to(self, page: type[FileScreen], path: str, layer: int | None) -> bool:
        """Go back to the page of that file below this one: a third on top would lead nowhere."""
        below = self.app.screen_stack[-2:][0]
        if not isinstance(below, page) or below.path != path or below is self.app.screen:
            return False
        self.app.pop_screen()
        below.turn_to(layer)
        return True

    def failed(self, error: LayertraceError) -> None:
        """Say what went wrong, if it was not the user who stopped it."""
        if isinstance(error, StoppedError):
            self.tell("stopped: nothing was left behind")
            return
        self.tell(". ".join(show_name(line) for line in (error.what, error.why) if line))

    # -- pager ------------------------------------------------------------------

    def page(self, path: str, layer: int | None = None) -> None:
        """Open the content of a path in the user's pager."""
        try:
            words = pager_words()
        except LayertraceError as error:
            self.failed(error)
            return
        job = self._start("Opening in the pager", f"/{show_name(path)}")
        make = partial(_write_plain, self.trace, path, layer, job.is_stopped)
        done = partial(self._run_pager, words, job)
        self.reader.submit("pager", make, done, partial(self._give_up, job))

    def _start(self, title: str, note: str) -> Job:
        self._job = Job(self.app, self.options, self.reader, title, note)
        return self._job

    def _give_up(self, job: Job, error: LayertraceError) -> None:
        job.finish()
        self.failed(error)

    def _run_pager(self, words: list[str], job: Job, file: IO[bytes]) -> None:
        job.finish()
        try:
            show_in_pager(words, file, self.app.suspend)
        except LayertraceError as error:
            self.failed(error)
        except SuspendNotSupported:
            self.tell("this terminal cannot be given to a pager: layertrace cat prints the file")

    # -- extraction -------------------------------------------------------------

    def extract(self, path: str) -> None:
        """Ask for a folder, and write the path to it."""
        words = f"Write /{show_name(path)}, as it ships, to the folder"
        screen = AskScreen(self.options, "Extract", words, default=self._folder)
        self.app.push_screen(screen, partial(self._extract, path))

    def _extract(self, path: str, folder: str | None, *, force: bool = False) -> None:
        if folder is None:
            return
        self._folder = folder
        job = self._start("Extracting", f"/{show_name(path)} to {show_name(folder)}")
        work = partial(_extract, self.trace, path, folder, job, force=force)
        done = partial(self._extracted, job)
        failed = partial(self._not_extracted, path, folder, job)
        self.reader.submit(EXTRACTING, work, done, failed)

    def _extracted(self, job: Job, words: list[str]) -> None:
        job.finish()
        for each in words:
            self.tell(each)

    def _not_extracted(self, path: str, folder: str, job: Job, error: LayertraceError) -> None:
        job.finish()
        if not isinstance(error, ExistsError):
            self.failed(error)
            return

        def answered(replace: bool | None) -> None:  # noqa: FBT001 - Textual's signature
            if replace:
                self._extract(path, folder, force=True)

        lines = [show_name(error.what), "Files and links would be replaced, folders added to."]
        screen = ConfirmScreen(self.options, "Replace?", lines, "Enter replaces, Esc keeps them")
        self.app.push_screen(screen, answered)


def _extract(
    trace: Any,  # noqa: ANN401 - an ImageTrace
    path: str,
    folder: str,
    job: Job,
    *,
    force: bool,
) -> list[str]:
    from layertrace.pipeline.extraction import Writing  # noqa: PLC0415
    from layertrace.views.extracting import extract_path  # noqa: PLC0415

    how = Writing(progress=job.tell, stop=job.is_stopped)
    return extract_path(trace, path, Path(folder).expanduser(), how, force=force)


def _write_plain(
    trace: Any,  # noqa: ANN401 - an ImageTrace
    path: str,
    layer: int | None,
    stop: Callable[[], bool],
) -> IO[bytes]:
    from layertrace.analysis.contents.preview import look_into  # noqa: PLC0415
    from layertrace.analysis.contents.versions import find_versions, given_in  # noqa: PLC0415
    from layertrace.views.preview.plain import SHOWN, plain_lines  # noqa: PLC0415

    number = find_versions(trace, path).shipped if layer is None else layer
    preview = look_into(given_in(trace, path, number, stop), shown=SHOWN)
    return put_aside(plain_lines(preview, path), stop)
