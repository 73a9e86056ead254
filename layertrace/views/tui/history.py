"""The versions of one file, and how two of them differ."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rich.style import Style
from textual import on
from textual.binding import Binding, BindingType

from layertrace.errors import StoppedError
from layertrace.model.origin import Change
from layertrace.views.lists.versions import (
    compared,
    compared_layers,
    list_versions,
    pair_words,
)
from layertrace.views.tui.cells import crop_middle
from layertrace.views.tui.pages import FileScreen, Request
from layertrace.views.tui.panes.listing import ListPane
from layertrace.views.tui.panes.page import PagePane
from layertrace.views.tui.rows_view import RowsView
from layertrace.views.tui.startup import error_lines
from layertrace.views.unread import layer_runs, unread_layers

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult
    from textual.timer import Timer

    from layertrace.errors import LayertraceError
    from layertrace.model.files import Version
    from layertrace.views.preview.pages import Page
    from layertrace.views.tui.file_tools import FileTools

_REST: Final = 0.03
"""Seconds the cursor must rest before two versions are compared."""


class VersionsPane(ListPane):
    """The versions; Enter shows one of them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,v", "choose", "View", id="versions.view"),
        Binding("space", "screen.base", "Compare with it", id="versions.base"),
        Binding("d", "screen.read", "Read the difference", id="versions.difference"),
    ]


class HistoryScreen(FileScreen):
    """A list of versions above what the one at the cursor changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "read", "Versions", show=False, id="history.versions"),
        Binding("comma", "version(-1)", "Older", show=False, id="history.older"),
        Binding("semicolon", "version(1)", "Newer", show=False, id="history.newer"),
        Binding("escape,q,H", "dismiss", "Close", id="history.close"),
    ]

    def __init__(self, tools: FileTools, path: str, *, layer: int | None = None) -> None:
        """Prepare it, with the cursor on what ``layer`` did to the path, else on the last."""
        super().__init__(tools, path)
        self._wanted_layer = layer
        self.versions_pane = VersionsPane(tools.options, id="versions")
        self.difference = PagePane(tools.options, id="difference")
        self._versions: tuple[Version, ...] = ()
        self._base: int | None = None
        self._resting: Timer | None = None

    def panes(self) -> ComposeResult:
        yield self.versions_pane
        yield self.difference

    def on_mount(self) -> None:
        self.versions_pane.focus()
        self.versions_pane.show(None, "comparing the contents of the layers…")
        self._write_title("")
        work = partial(self.tools.trace.versions, self.path)
        self.tools.reader.submit("history", work, self._found, self._failed)

    @property
    def layer_index(self) -> int | None:
        """The layer at the cursor, if it stores something; else the one that ships."""
        if not self._versions:
            return None
        version = self._versions[self.versions_pane.cursor_line]
        return None if version.change is Change.REMOVED else version.layer

    def turn_to(self, layer: int | None) -> None:
        """Put the cursor on what a layer did to the path."""
        layers = [version.layer for version in self._versions]
        if layer in layers:
            self.versions_pane.move_to(layers.index(layer))

    def _found(self, versions: tuple[Version, ...]) -> None:
        if self.left:
            return
        self._versions = versions
        last = len(versions) - 1
        layers = [version.layer for version in versions]
        wanted = self._wanted_layer
        self._list(layers.index(wanted) if wanted in layers else last)

    def _list(self, cursor: int) -> None:
        head = self.tools.trace.head
        listing = list_versions(head, self._versions, self.path, self._base)
        pane = self.versions_pane
        pane.show(listing)
        # All of a few versions, and never more than leaves room for what they changed.
        pane.styles.height = min(len(listing) + 3, max(5, self.app.size.height // 3))
        pane.place_cursor(cursor)
        missing = layer_runs(unread_layers(head))
        unread = f"; {missing} not read" if missing else ""
        self._write_title(f"{listing.summary}{unread}")
        self._compare()

    def _write_title(self, words: str) -> None:
        room = max(12, self.app.size.width - 20)
        name = crop_middle(self.versions_pane.safe(f"/{self.path}"), room)
        self.versions_pane.set_titles(f"History {name}", words)

    def _failed(self, error: LayertraceError) -> None:
        if self.left:
            return
        self.versions_pane.notice = tuple(error_lines(error))
        self.versions_pane.rows_changed(0)

    # -- what two versions differ in ---------------------------------------------

    @on(RowsView.Moved, "#versions")
    def _moved(self) -> None:
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(_REST, self._compare)

    def _compare(self) -> None:
        if not self._versions:
            self.difference.say(("", Style.null()), ("nothing to compare", Style.null()))
            return
        pair = compared(self.versions_pane.cursor_line, self._base)
        words = pair_words(self._versions, pair)
        request = self.new_request()
        self.difference.set_titles(words, "comparing…")
        work = partial(
            _compare,
            self.tools.trace,
            self.path,
            compared_layers(self._versions, pair),
            words,
            request.stop,
        )
        self.tools.reader.submit(
            "difference",
            work,
            partial(self._show, request),
            partial(self._not_compared, request),
        )

    def _show(self, request: Request, page: Page) -> None:
        if not request.stop():
            self.difference.show(page)
            self.difference.set_titles(page.words)

    def _not_compared(self, request: Request, error: LayertraceError) -> None:
        if not isinstance(error, StoppedError) and not request.stop():
            self.difference.say(*error_lines(error))
            self.difference.set_titles("")

    # -- keys -------------------------------------------------------------------

    @on(RowsView.Chosen, "#versions")
    def _view(self) -> None:
        if self.layer_index is None:
            self.tools.tell("this layer removed it: the row above has what it was")
        else:
            self.tools.preview(self.path, layer=self.layer_index)

    def action_version(self, step: int) -> None:
        """Go to another version, from the difference too."""
        self.versions_pane.move_to(self.versions_pane.cursor_line + step)

    def action_base(self) -> None:
        """Compare every version with the one at the cursor, or each with the one before it."""
        line = self.versions_pane.cursor_line
        self._base = None if self._base == line else line
        if self._versions:
            self._list(line)

    def action_read(self) -> None:
        """Give the keys to the difference, or back to the versions."""
        on_list = self.focused is self.versions_pane
        (self.difference if on_list else self.versions_pane).focus()


def _compare(
    trace: Any,  # noqa: ANN401 - an ImageTrace
    path: str,
    layers: tuple[int | None, int | None],
    words: str,
    stop: Callable[[], bool],
) -> Page:
    from layertrace.analysis.contents.versions import compare_versions  # noqa: PLC0415
    from layertrace.views.preview.difference import difference_page  # noqa: PLC0415

    return difference_page(path, compare_versions(trace, path, layers, stop), words)
