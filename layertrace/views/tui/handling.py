"""The keys that act on the file at the cursor of the panes."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual import on
from textual.binding import Binding, BindingType

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change
from layertrace.views.tui.rows_view import RowsView
from layertrace.views.tui.tree_keys import TreeKeysScreen

if TYPE_CHECKING:
    from layertrace.views.tui.file_tools import FileTools
    from layertrace.views.tui.walking import Walked

EXTRACTING: Final = "extract"
"""Under this key the reading thread writes to the user's disk."""


class HandlingScreen(TreeKeysScreen):
    """Panes whose files can be looked into, compared with what they were, and taken out."""

    BINDINGS: ClassVar[list[BindingType]] = [
        # 5: the page of a file stands in for a pane of its own.
        Binding("v,5", "preview", "View", key_display="v", id="browse.preview"),
        Binding("H", "history", "History", id="browse.history"),
        Binding("comma", "preview(-1)", "The version before", show=False, id="browse.older"),
        Binding("semicolon", "preview(1)", "The version after", show=False, id="browse.newer"),
        Binding("o", "pager", "Open in the pager", show=False, id="browse.pager"),
        Binding("x,ctrl+e", "extract", "Extract", show=False, id="browse.extract"),
    ]

    _tools: FileTools | None = None

    def _adopt(self, walked: Walked) -> None:
        # There is nothing to handle on the first screen.
        from layertrace.views.tui.file_tools import FileTools  # noqa: PLC0415

        self._tools = FileTools(self.app, self.options, self._reader, walked.trace)
        super()._adopt(walked)

    @property
    def path_here(self) -> str | None:
        """The path that a key means: that which pane 3 explains, or that at the cursor."""
        if self.current_pane == "why" and self.why.path is not None:
            return self.why.path
        node = self.subject
        if node is None or self._walked is None:
            return None
        return self._walked.tree.table.paths[node]

    def _file_here(self) -> tuple[str, int, FileTools] | None:
        """Return the file that a key means, its row, and what can be done with it."""
        path, walked, tools = self.path_here, self._walked, self._tools
        row = None if path is None or walked is None else walked.tree.find(path)
        if path is None or row is None or tools is None:
            self.tell("no file here: put the cursor on one")
            return None
        return path, row, tools

    def has_content(self, path: str) -> bool:
        """Return whether a path ships as a regular file."""
        tree = self._walked.tree if self._walked is not None else None
        row = tree.find(path) if tree is not None else None
        if tree is None or row is None:
            return False
        kind, change = tree.table.kinds[row], tree.table.changes[row]
        return kind == EntryKind.FILE and change is not Change.REMOVED

    def _is_folder(self, row: int) -> bool:
        folder = self._walked is not None and bool(self._walked.tree.is_dir[row])
        if folder:
            self.tell("a folder: put the cursor on a file")
        return folder

    def action_preview(self, step: int = 0) -> None:
        """Show what a file holds, or held some versions before."""
        here = self._file_here()
        if here is not None and not self._is_folder(here[1]):
            path, _, tools = here
            tools.preview(path, step=step)

    def action_history(self) -> None:
        here = self._file_here()
        if here is not None and not self._is_folder(here[1]):
            path, _, tools = here
            tools.history(path)

    def action_pager(self) -> None:
        here = self._file_here()
        if here is not None and not self._is_folder(here[1]):
            path, _, tools = here
            tools.page(path)

    def action_extract(self) -> None:
        here, walked = self._file_here(), self._walked
        if here is None or walked is None:
            return
        path, row, tools = here
        if walked.tree.table.changes[row] is Change.REMOVED:
            self.tell("removed: it is not in what ships; v shows its content, o opens it")
        elif not self.refuses_partial():
            tools.extract(path)

    @on(RowsView.Chosen, "#files")
    def _view_file(self) -> None:
        self.action_preview()

    def stop_reading(self) -> None:
        super().stop_reading()
        if self._tools is not None:
            self._tools.stop()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in {"preview", "history", "pager", "extract"}:
            return self._walked is not None
        return super().check_action(action, parameters)
