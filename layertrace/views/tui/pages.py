"""What screens about one file share: how they are laid out, and the keys of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import Screen

from layertrace.views.tui.bars import KeyBar
from layertrace.views.tui.dialogs import TextScreen, help_lines
from layertrace.views.tui.layout import PANES
from layertrace.views.tui.panes_screen import PanesScreen

if TYPE_CHECKING:
    from textual.app import ComposeResult
    from textual.dom import DOMNode

    from layertrace.views.tui.file_tools import FileTools


class Request:
    """Something that is read for a screen, until it wants something else."""

    def __init__(self, screen: FileScreen) -> None:
        """Keep who wants it."""
        self._screen = screen

    def stop(self) -> bool:
        """Return whether nobody waits for it any more; asked in the thread that reads."""
        return self._screen.request is not self or self._screen.tools.reader.closed


class FileScreen(Screen[None]):
    """A full screen about one file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "pager", "Pager", id="file.pager"),
        Binding("x,ctrl+e", "extract", "Extract", id="file.extract"),
        Binding("question_mark", "help", "Help", id="browse.help"),
        *(
            Binding(str(n), f"pane('{pane}')", name, show=False, id=f"browse.pane-{n}")
            for n, (pane, name) in enumerate(PANES, start=1)
        ),
    ]

    def __init__(self, tools: FileTools, path: str) -> None:
        super().__init__()
        self.tools = tools
        self.path = path
        self.request: Request | None = None
        self.left = False
        """It is closed; what was read for it comes too late."""

    @property
    def layer_index(self) -> int | None:
        """The layer whose version is on view."""
        raise NotImplementedError

    def turn_to(self, layer: int | None) -> None:
        """Show the version of a layer, if it has one."""
        raise NotImplementedError

    def panes(self) -> ComposeResult:
        """Yield what stands above the keys."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        yield from self.panes()
        yield KeyBar(self.tools.options)

    def new_request(self) -> Request:
        """Return what is wanted from now on; whatever was before ends."""
        self.request = Request(self)
        return self.request

    def on_unmount(self) -> None:
        self.request, self.left = None, True

    def action_pane(self, pane: str) -> None:
        """Close all pages about the file and go to one of the panes."""
        while isinstance(self.app.screen, FileScreen):
            self.app.pop_screen()
        panes = self.app.screen
        if isinstance(panes, PanesScreen):
            panes.action_pane(pane)

    def action_pager(self) -> None:
        self.tools.page(self.path, self.layer_index)

    def action_extract(self) -> None:
        self.tools.extract(self.path)

    def action_help(self) -> None:
        nodes: list[tuple[str, DOMNode]] = [("This page", self), ("Program", self.app)]
        if self.focused is not None:
            nodes.insert(0, ("Moving", self.focused))
        screen = TextScreen(self.tools.options, tuple(help_lines(nodes)), "Help")
        self.app.push_screen(screen)
