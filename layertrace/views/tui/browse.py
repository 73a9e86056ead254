"""The Browse screen: four panes on one image. It passes on what each of them says."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from rich.style import Style
from textual import on
from textual.binding import Binding, BindingType

from layertrace.views.explain import WhyKind
from layertrace.views.scopes import empty_words, layer_scope
from layertrace.views.text import show_words
from layertrace.views.treesums import Sums
from layertrace.views.tui.navigation import Place, Trail
from layertrace.views.tui.rows_view import RowsView
from layertrace.views.tui.sifting import SiftingScreen
from layertrace.views.tui.startup import error_lines
from layertrace.views.tui.viewing import TREE

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.timer import Timer

    from layertrace.errors import LayertraceError
    from layertrace.views.explain import Explanation
    from layertrace.views.filetree import Scope
    from layertrace.views.lists.rows import ListRow
    from layertrace.views.tui.background import Background
    from layertrace.views.tui.ports import Opening, TuiOptions
    from layertrace.views.tui.walking import Walked

_REST: Final = 0.03
"""Seconds the cursor must rest before the other panes follow it."""
_KEPT_SCOPES: Final = 6


class BrowseScreen(SiftingScreen):
    """Stages and layers, files, why, Dockerfile."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash,ctrl+f", "filter", "Filter", id="browse.filter"),
        Binding("y", "copy", "Copy", id="browse.copy"),
        Binding("left_square_bracket", "back", "Back", show=False, id="browse.back"),
        Binding("right_square_bracket", "forward", "Forward", show=False, id="browse.forward"),
        Binding("escape", "escape", "Back out", show=False, id="browse.escape"),
    ]

    _scope: Scope | None = None
    _upto = False
    _wanted: int | None = None
    """The path to put the cursor on once the scope is there."""
    _question: tuple[int, Scope | None] | None = None
    """What pane 3 answers, or is about to: a path and, for a directory, its scope."""
    _why_line: int | None = None
    """Where its cursor goes once the answer is there."""
    _pinned = False
    """The answer stays although the cursor of pane 2 moved by itself."""

    def __init__(
        self,
        opening: Opening,
        *,
        options: TuiOptions,
        reader: Background,
        counter: Background,
    ) -> None:
        super().__init__(opening, options, reader)
        self._counter = counter
        self._scopes: dict[Scope, Sums] = {}
        self._trail = Trail()
        self._resting: dict[str, Timer] = {}

    def show_files(self, walked: Walked) -> None:
        self._begin_filter(walked)
        sums = walked.rows.sums
        scope = sums.scope
        self._scopes = {scope: sums}
        self._scope = scope
        # They name rows of the files that were shown before.
        self._question, self._wanted, self._trail = None, None, Trail()
        self._show_head()
        self.files.empty_words = empty_words(self._head, self.stages.current)
        self.files.counted = self._files_changed
        self.files.worker = self._counter
        self.files.show(walked.rows, walked.trace.item_at)
        if self._finder is not None and self._filtered is not None:
            self._finder.find(self._filtered)
        self._follow_scope()

    # -- scope: pane 1 decides what pane 2 shows --------------------------------

    @on(RowsView.Moved, "#stages")
    def _stage_moved(self) -> None:
        self._pinned = False
        self._soon("scope", self._follow_scope)

    def _follow_scope(self) -> None:
        row = self.stages.current
        if row.line is not None:
            self.code.light(row.line)
        if self._walked is None:
            return
        scope = layer_scope(self._head, row, upto=self._upto)
        if scope == self._scope and self._wanted is None:
            return
        self._scope = scope
        self.files.empty_words = empty_words(self._head, row)
        known = self._scopes.get(scope)
        if known is not None:
            self._install(known)
        else:
            self._counter.submit("scope", partial(Sums, self._walked.tree, scope), self._install)

    def _install(self, sums: Sums) -> None:
        self._scopes.pop(sums.scope, None)
        self._scopes[sums.scope] = sums
        while len(self._scopes) > _KEPT_SCOPES:
            self._scopes.pop(next(iter(self._scopes)))
        if sums.scope != self._scope:
            return
        self.files.show_scope(sums, self._scope_installed)

    def _scope_installed(self) -> None:
        self.scope_shown()
        if self._wanted is not None:
            if not self.files.go_to(self._wanted):
                self.tell("a mark hides it")
            self._wanted = None

    def _files_changed(self) -> None:
        if self._scope is not None:
            words = self.files.tally_words()
            name = "Largest" if self.files.is_by_size else "Files"
            self.files.set_titles(f"2 {name} · {self.files.safe(self._scope.title)}", words)
            self.count_left(words)
            self.refresh_bindings()
            self._soon("why", self._explain)

    def action_scope(self, mode: str) -> None:
        self._upto = mode == "upto"
        self._pinned = False
        self._follow_scope()

    # -- why: pane 2 decides what pane 3 explains -------------------------------

    @on(RowsView.Moved, "#files")
    @on(RowsView.Moved, "#list")
    @on(RowsView.Moved, "#map")
    def _file_moved(self) -> None:
        self._pinned = False
        self._soon("why", self._explain)

    def _explain(self) -> None:
        node = self.subject
        if self._walked is None or self._pinned:
            return
        if node is not None:
            self._ask(node)
            return
        self._question = None
        row = self.list_row
        self.code.light(row.line if row is not None else None)
        words = show_words(self.row_words, ascii_only=self.options.ascii)
        self.why.clear((words or "no file at the cursor", Style()))

    def _ask(self, node: int) -> None:
        walked, rows = self._walked, self.files.rows
        if walked is None or rows is None:
            return
        question = (node, rows.sums.scope if walked.tree.is_dir[node] else None)
        if question == self._question:
            return
        self._question = question
        self.why.announce(walked.tree.table.paths[node])
        # A file may have to be hashed; a directory is only added up, and need not wait for that.
        thread = self._counter if walked.tree.is_dir[node] else self._reader
        work = partial(walked.explain, rows.sums, node)
        thread.submit("why", work, self._answer, self._answer_failed)

    def _answer(self, answer: Explanation) -> None:
        if answer.path != self.why.path:
            return
        self.why.show(answer)
        if self._why_line is not None:
            self.why.place_cursor(self._why_line)
            self._why_line = None
        self._light_hop()

    def _answer_failed(self, error: LayertraceError) -> None:
        self._question = None
        self.why.clear(*error_lines(error))

    @on(RowsView.Moved, "#why")
    def _light_hop(self) -> None:
        row = self.why.current
        if row is not None and row.kind is WhyKind.HOP:
            self.code.light(row.line)
        elif self.current_pane == "files":
            # A directory was not made by one line, and that of the file before is not its.
            self.code.light(None)

    # -- jumps ------------------------------------------------------------------

    @on(RowsView.Chosen, "#why")
    def _follow_hop(self) -> None:
        row = self.why.current
        if row is not None and row.target is not None:
            self._pinned = self._jump(row.target)
            self.code.light(row.line)
        elif row is not None and row.path is not None and self._walked is not None:
            here = self._here()
            node = self._walked.tree.find(row.path)
            if node is None or not self.files.go_to(node):
                self.tell("the filter or a mark hides it")
                return
            self._trail.leave(here)
            self._pinned = False
            self._soon("why", self._explain)
            self.action_pane("files")

    @on(RowsView.Chosen, "#list")
    @on(RowsView.Chosen, "#map")
    def _follow_item(self) -> None:
        """Show in the tree the path that the list names, whatever was chosen; or its layer."""
        node, row = self.subject, self.list_row
        if node is None:
            if row is not None and row.path is not None:
                self.tell("the image on view has no such path")
            elif row is not None:
                self._lead(row)
            return
        rows = self.files.rows
        self._trail.leave(self._here())
        self._switch(TREE)
        if rows is not None and rows.wish.matches is not None and rows.is_hit(node):
            self._show_path(node)
        else:
            self._end_filter(node, partial(self._show_path, node))

    def _lead(self, row: ListRow) -> None:
        """Show the files of the layer that a row is about, or of whatever else it leads to."""
        key = row.target if row.layer is None else f"layer:{row.layer}"
        if key is None:
            self.tell("no path and no layer: there is nothing of it to show in the tree")
        elif self._jump(key):
            self._turn_to(TREE)

    def _show_path(self, node: int) -> None:
        """Put the cursor on a path, in the scope of the whole image if this one lacks it."""
        if not self.files.go_to(node):
            self._wanted = node
            self.stages.go_to(self.stages.first_key)
            self._follow_scope()
        self._soon("why", self._explain)

    @on(RowsView.Chosen, "#stages")
    def _follow_row(self) -> None:
        row = self.stages.current
        if row.target is not None:
            self._jump(row.target)
        elif row.folds:
            self.stages.action_fold()
        else:
            self.action_pane("files")

    @on(RowsView.Chosen, "#code")
    def _follow_line(self) -> None:
        row = self.code.current
        if row is not None and row.layers:
            self._jump(f"layer:{row.layers[0]}")
        elif row is not None and row.stage_index is not None:
            self._jump(f"stage:{row.stage_index}")

    def _jump(self, key: str) -> bool:
        here = self._here()
        if not self.stages.go_to(key):
            self.tell("it has no row of its own in the list of stages")
            return False
        self._trail.leave(here)
        self._pinned = False
        self._follow_scope()
        self.action_pane("stages")
        return True

    def _here(self) -> Place:
        return Place(
            pane=self.current_pane,
            row=self.stages.current.key,
            upto=self._upto,
            node=self.files.current,
            view=self._view,
            subject=self._question[0] if self._question else None,
            why_line=self.why.cursor_line,
        )

    def action_back(self) -> None:
        self._return(self._trail.back(self._here()))

    def action_forward(self) -> None:
        self._return(self._trail.forward(self._here()))

    def _return(self, place: Place | None) -> None:
        if place is None:
            self.tell("no further jumps this way")
            return
        self._switch(place.view)
        self._upto, self._wanted = place.upto, place.node
        self.stages.go_to(place.row)
        self._follow_scope()
        self.action_pane(place.pane)
        # The answer that was on view comes back too, whatever pane 2 has its cursor on.
        self._pinned = place.subject is not None
        if place.subject is None:
            return
        if self._question is not None and self._question[0] == place.subject:
            self.why.place_cursor(place.why_line)
            self._light_hop()
        else:
            self._why_line = place.why_line
            self._ask(place.subject)

    # -- keys ---------------------------------------------------------------------

    def action_escape(self) -> None:
        if self.zoomed:
            self.action_zoom()
        elif self.filter_bar.display:
            self.filter_bar.clear()
        else:
            if self._walk is None:
                self.leave_view()
            self.stop_reading()

    def action_copy(self) -> None:
        from layertrace.views.tui.dialogs import CopyScreen, copy_choices  # noqa: PLC0415

        path = self.path_here
        if path is None:
            self.tell("no path to copy: put the cursor on a file")
            return
        image, asked = self._head.image, self.options.asked
        if image.platforms:
            asked = (*asked, "--platform", str(self.platform))
        content = self.has_content(path)
        choices = copy_choices(image.reference, f"/{path}", asked=asked, has_content=content)
        self.app.push_screen(CopyScreen(self.options, choices), partial(self._copy, path))

    def _copy(self, path: str, text: str | None) -> None:
        if text:
            self.app.copy_to_clipboard(text)
            self.tell(f"copied, if the terminal allows it: {self.files.safe(text)}")
        elif text is not None and self._tools is not None:
            digest = partial(self._tools.trace.digest, path)
            self._reader.submit("digest", digest, partial(self._copy, path), self._tools.failed)

    def _soon(self, name: str, act: Callable[[], None]) -> None:
        """Call ``act`` once the cursor rests."""
        timer = self._resting.get(name)
        if timer is not None:
            timer.stop()
        self._resting[name] = self.set_timer(_REST, act)
