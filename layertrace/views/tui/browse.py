"""The Browse screen: four panes on one image. It passes on what each of them says."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, Final

from rich.style import Style
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen

from layertrace.errors import StoppedError
from layertrace.views.codelines import build_code
from layertrace.views.explain import WhyKind
from layertrace.views.outline import OutlineKind, build_outline, layer_scope, layer_text
from layertrace.views.text import plural
from layertrace.views.treesums import Sums
from layertrace.views.tui.bars import HeadLine, KeyBar, Line, TabLine
from layertrace.views.tui.dialogs import (
    CopyScreen,
    TextScreen,
    copy_choices,
    findings_lines,
    help_lines,
)
from layertrace.views.tui.headline import head_parts
from layertrace.views.tui.layout import LEAST, PANES, Layout, lay_out
from layertrace.views.tui.navigation import Place, Trail
from layertrace.views.tui.panes.code import CodePane
from layertrace.views.tui.panes.files import FilesPane
from layertrace.views.tui.panes.filterbar import FilterBar
from layertrace.views.tui.panes.stages import StagesPane
from layertrace.views.tui.panes.why import WhyPane
from layertrace.views.tui.rows_view import RowsView
from layertrace.views.tui.startup import error_lines
from layertrace.views.tui.walking import Walk, Walked, progress_words

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual import events
    from textual.app import ComposeResult
    from textual.timer import Timer

    from layertrace.errors import LayertraceError
    from layertrace.model.trace import ImageHead
    from layertrace.views.explain import Explanation
    from layertrace.views.filetree import Scope
    from layertrace.views.outline import OutlineRow
    from layertrace.views.tui.background import Background
    from layertrace.views.tui.ports import Opening, TuiOptions, WalkProgress

_REST: Final = 0.03
"""Seconds the cursor must rest before the other panes follow it."""
_LARGE: Final = 150_000
"""Paths from which a filter is worked out beside the typing, not within it."""
_KEPT_SCOPES: Final = 6


class BrowseScreen(Screen[None]):
    """Stages and layers, files, why, Dockerfile."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash,ctrl+f", "filter", "Filter", id="browse.filter"),
        Binding("y", "copy", "Copy", id="browse.copy"),
        Binding("left_square_bracket", "back", "Back", show=False, id="browse.back"),
        Binding("right_square_bracket", "forward", "Forward", show=False, id="browse.forward"),
        Binding("z", "zoom", "Enlarge", id="browse.zoom"),
        Binding("r", "resume", "Read on", id="browse.resume"),
        Binding("F", "findings", "Findings", id="browse.findings"),
        Binding("escape", "escape", "Back out", show=False, id="browse.escape"),
        Binding("tab", "turn(1)", "Next pane", show=False, id="browse.next-pane"),
        Binding("shift+tab", "turn(-1)", "Previous pane", show=False, id="browse.previous-pane"),
        *(
            Binding(str(n), f"pane('{pane}')", name, show=False, id=f"browse.pane-{n}")
            for n, (pane, name) in enumerate(PANES, start=1)
        ),
        Binding("question_mark", "help", "Help", id="browse.help"),
    ]

    _walk: Walk | None = None
    _walked: Walked | None = None
    _scope: Scope | None = None
    _upto = False
    _question: tuple[int, Scope | None] | None = None
    """What pane 3 answers, or is about to."""
    _pinned = False
    """The answer on view stays although the cursor of pane 2 moved by itself."""
    _wanted: int | None = None
    """The path to put the cursor on once the scope is there."""
    _current = "files"
    _zoomed = False
    _layout: Layout | None = None

    def __init__(
        self,
        opening: Opening,
        *,
        options: TuiOptions,
        reader: Background,
        counter: Background,
    ) -> None:
        super().__init__()
        self.options = options
        self._opening = opening
        self._head: ImageHead = opening.head
        self._reader = reader
        self._counter = counter
        self._scopes: dict[Scope, Sums] = {}
        self._trail = Trail()
        self._resting: dict[str, Timer] = {}
        self.stages = StagesPane(options, id="stages")
        self.files = FilesPane(options, id="files")
        self.why = WhyPane(options, id="why")
        self.code = CodePane(options, id="code")
        self.filter_bar = FilterBar(options, id="filter")

    def compose(self) -> ComposeResult:
        yield HeadLine(self.options, id="head")
        yield Line(self.options, id="notice")
        yield TabLine(self.options, PANES, id="tabs")
        with Vertical(id="body"):
            with Horizontal(id="upper"):
                yield self.stages
                yield self.files
            with Horizontal(id="lower"):
                yield self.why
                yield self.code
        yield self.filter_bar
        yield Line(self.options, id="too-small")
        yield KeyBar(self.options)

    def on_mount(self) -> None:
        self._arrange()
        self._show_head()
        self.files.focus()
        self._start_walk()

    @property
    def panes(self) -> dict[str, RowsView]:
        """The panes by their ids, in order."""
        return {
            "stages": self.stages,
            "files": self.files,
            "why": self.why,
            "code": self.code,
        }

    # -- the image ------------------------------------------------------------

    def _show_head(self) -> None:
        head, walked = self._head, self._walked
        self.stages.show(build_outline(head, walked.shares if walked else ()))
        self.stages.set_titles("1 Stages & layers")
        self.code.show(build_code(head))
        parts = head_parts(
            head,
            walked.overview if walked else None,
            self.files.palette,
            ascii_only=self.options.ascii,
        )
        self.query_one(HeadLine).write_parts(tuple(parts))
        notice = self.query_one("#notice", Line)
        notice.display = bool(head.findings)
        if head.findings:
            count = plural(len(head.findings), "finding")
            text = self.files.safe(head.findings[0].message)
            notice.write([(f" ! {count} (F): {text}", Style(bold=True))])
        self.refresh_bindings()

    def _start_walk(self) -> None:
        self._walk = Walk(self._opening, self._reader, self._show_progress)
        self.files.set_titles("2 Files")
        self._say("reading the layers…", "Esc stops and keeps what is read")
        self.why.clear(("where each file came from is known once its layer is read", Style()))
        self._reader.submit("walk", self._walk.run, self._finish_walk, self._fail_walk)
        self.refresh_bindings()

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

    def _finish_walk(self, walked: Walked) -> None:
        self._walk, self._walked = None, walked
        self._head = walked.trace.head
        scope = walked.sums.scope
        self._scopes = {scope: walked.sums}
        self._scope = scope
        self.files.show(walked.tree, walked.sums)
        self._show_head()
        self._follow_scope()

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
        self.refresh_bindings()

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
        self.files.empty_words = _empty_words(self._head, row)
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
        self.files.show_scope(sums)
        if self._wanted is not None:
            self.files.go_to(self._wanted)
            self._wanted = None

    @on(FilesPane.Filtered)
    def _files_changed(self) -> None:
        if self._scope is not None:
            words = self.files.tally_words()
            self.files.set_titles(f"2 Files · {self.files.safe(self._scope.title)}", words)
            self.filter_bar.count(words)
            self._soon("why", self._explain)

    def action_scope(self, mode: str) -> None:
        self._upto = mode == "upto"
        self._pinned = False
        self._follow_scope()

    # -- why: pane 2 decides what pane 3 explains -------------------------------

    @on(RowsView.Moved, "#files")
    def _file_moved(self) -> None:
        self._pinned = False
        self._soon("why", self._explain)

    def _explain(self) -> None:
        walked, rows, node = self._walked, self.files.rows, self.files.current
        if walked is None or rows is None or self._pinned:
            return
        if node is None:
            self._question = None
            self.why.clear(("no file at the cursor", Style()))
            return
        question = (node, rows.sums.scope if walked.tree.is_dir[node] else None)
        if question == self._question:
            return
        self._question = question
        self.why.announce(walked.tree.table.paths[node])
        thread = self._counter if walked.tree.is_dir[node] else self._reader
        thread.submit(
            "why", partial(walked.explain, rows.sums, node), self._answer, self._answer_failed
        )

    def _answer(self, answer: Explanation) -> None:
        if answer.path == self.why.path:
            self.why.show(answer)
            self._light_hop()

    def _answer_failed(self, error: LayertraceError) -> None:
        self._question = None
        self.why.clear(*error_lines(error))

    @on(RowsView.Moved, "#why")
    def _hop_moved(self) -> None:
        self._light_hop()

    def _light_hop(self) -> None:
        row = self.why.current
        if row is not None and row.kind is WhyKind.HOP:
            self.code.light(row.line)

    # -- jumps ------------------------------------------------------------------

    @on(RowsView.Chosen, "#why")
    def _follow_hop(self) -> None:
        row = self.why.current
        if row is None:
            return
        if row.target is not None:
            self._pinned = self._jump(row.target)
            self.code.light(row.line)
        elif row.path is not None and self._walked is not None:
            node = self._walked.tree.find(row.path)
            self._trail.leave(self._here())
            if node is not None and self.files.go_to(node):
                self._pinned = False
                self._soon("why", self._explain)
                self.action_pane("files")
            else:
                self._tell("the filter or a mark hides it")

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
            self._tell("it has no row of its own in the list of stages")
            return False
        self._trail.leave(here)
        self._pinned = False
        self._follow_scope()
        self.action_pane("stages")
        return True

    def _here(self) -> Place:
        return Place(
            pane=self._current,
            row=self.stages.current.key,
            upto=self._upto,
            node=self.files.current,
            why_line=self.why.cursor_line,
        )

    def action_back(self) -> None:
        self._return(self._trail.back(self._here()))

    def action_forward(self) -> None:
        self._return(self._trail.forward(self._here()))

    def _return(self, place: Place | None) -> None:
        if place is None:
            self._tell("no further jumps this way")
            return
        self._upto, self._wanted = place.upto, place.node
        self._pinned = place.pane == "why"
        self.stages.go_to(place.row)
        self._follow_scope()
        self.why.place_cursor(place.why_line)
        self._light_hop()
        self.action_pane(place.pane)

    # -- filter -----------------------------------------------------------------

    def action_filter(self) -> None:
        self.filter_bar.open()

    @on(FilterBar.Changed)
    def _filter(self, event: FilterBar.Changed) -> None:
        if self._walked is None:
            return
        table = self._walked.tree.table
        if event.filter is None:
            self.files.show_matches(None)
        elif len(table) < _LARGE:
            self.files.show_matches(event.filter.rows(table))
        else:
            find = partial(event.filter.rows, table)
            self._counter.submit("filter", find, self.files.show_matches)

    # -- panes and keys -----------------------------------------------------------

    def on_resize(self) -> None:
        self._arrange()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if event.widget.id in self.panes and event.widget.id != self._current:
            self._current = event.widget.id
            self._arrange()

    def _arrange(self) -> None:
        self.query_one(TabLine).pick(self._current)
        layout = lay_out(self.app.size, self._current, zoomed=self._zoomed)
        if layout == self._layout:
            return
        self._layout = layout
        for name, pane in self.panes.items():
            pane.display = name in layout.panes
        self.query_one("#upper").display = bool(layout.panes & {"stages", "files"})
        self.query_one("#lower").display = bool(layout.panes & {"why", "code"})
        self.set_class(layout.narrow, "-narrow")
        self.set_class(layout.strip, "-strip")
        self.set_class(self._zoomed, "-zoomed")
        self.query_one("#body").display = not layout.too_small
        self.query_one(TabLine).display = layout.narrow and not layout.too_small
        small = self.query_one("#too-small", Line)
        small.display = layout.too_small
        need = f"{LEAST[0]}x{LEAST[1]}"
        small.write([(f" {need} needed, or use --plain", Style(bold=True))])

    def action_pane(self, pane: str) -> None:
        self._current = pane
        self._arrange()
        self.panes[pane].focus()

    @on(TabLine.Picked)
    def _tab_picked(self, event: TabLine.Picked) -> None:
        self.action_pane(event.pane)

    def action_turn(self, step: int) -> None:
        names = list(self.panes)
        self.action_pane(names[(names.index(self._current) + step) % len(names)])

    def action_zoom(self) -> None:
        self._zoomed = not self._zoomed
        self._arrange()

    def action_escape(self) -> None:
        if self._zoomed:
            self.action_zoom()
        elif self.filter_bar.display:
            self.filter_bar.clear()
        elif self._walk is not None:
            self._walk.stop()
            self._say("stopping…")

    def action_resume(self) -> None:
        self._start_walk()

    def action_findings(self) -> None:
        rows = tuple(findings_lines(self._head))
        self.app.push_screen(TextScreen(self.options, rows, "Findings"))

    def action_help(self) -> None:
        pane = self.panes[self._current]
        name = dict(PANES)[self._current]
        nodes = [(f"Pane {name}", pane), ("Everywhere", self), ("Program", self.app)]
        self.app.push_screen(TextScreen(self.options, tuple(help_lines(nodes)), "Help"))

    def action_copy(self) -> None:
        path = self.why.path if self._current == "why" else None
        node = self.files.current
        if path is None and node is not None and self._walked is not None:
            path = self._walked.tree.table.paths[node]
        if path is None:
            self._tell("no path to copy: put the cursor on a file")
            return
        choices = copy_choices(self._head.image.reference, f"/{path}")
        self.app.push_screen(CopyScreen(self.options, choices), self._copy)

    def _copy(self, text: str | None) -> None:
        if text is not None:
            self.app.copy_to_clipboard(text)
            self._tell(f"copied, if the terminal allows it: {self.files.safe(text)}")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's signature
        if action == "resume":
            return self._walk is None and self._walked is None
        if action == "findings":
            return bool(self._head.findings)
        if action == "filter":
            return self._walked is not None
        return True

    # -- small helpers ------------------------------------------------------------

    def _tell(self, words: str) -> None:
        self.app.notify(words, markup=False, timeout=6)

    def _soon(self, name: str, act: Callable[[], None]) -> None:
        """Call ``act`` once the cursor rests."""
        timer = self._resting.get(name)
        if timer is not None:
            timer.stop()
        self._resting[name] = self.set_timer(_REST, act)


def _empty_words(head: ImageHead, row: OutlineRow) -> str:
    """Return why a row of the outline has no files, and what that means."""
    if row.kind in {OutlineKind.LEFT_STAGE, OutlineKind.STEP, OutlineKind.NOTE}:
        return f"nothing made in stage {row.stage} is in the image"
    if row.kind is OutlineKind.SOURCE:
        return f"nothing came from there: {row.text}"
    if not row.layers:
        return f"{row.text} wrote no layer: its instructions only set the configuration"
    if len(row.layers) == 1:
        layer = head.layers[row.layers[0]]
        if not layer.files:
            return f"the layer is empty: `{layer_text(layer)}` changed no file"
    return "nothing of it is left in the image: later layers replaced or removed all of it"
