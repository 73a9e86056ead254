"""Four panes on one screen: how they share it, and the keys that belong to none of them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from layertrace.views.findings import finding_words, worst_first
from layertrace.views.text import plural
from layertrace.views.tui.bars import HeadLine, KeyBar, Line, TabLine
from layertrace.views.tui.layout import BARS, LEAST, PANES, Layout, lay_out
from layertrace.views.tui.panes.code import CodePane
from layertrace.views.tui.panes.files import FilesPane
from layertrace.views.tui.panes.stages import StagesPane
from layertrace.views.tui.panes.why import WhyPane
from layertrace.views.tui.splits import SplitScreen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual import events
    from textual.app import ComposeResult
    from textual.geometry import Region
    from textual.widget import AwaitMount

    from layertrace.model.trace import ImageHead
    from layertrace.views.tui.panes.filterbar import FilterBar
    from layertrace.views.tui.ports import TuiOptions
    from layertrace.views.tui.rows_view import RowsView


class PanesScreen(SplitScreen):
    """The frame around the panes; what they show is a subclass's business."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "zoom", "Enlarge", id="browse.zoom"),
        Binding("F", "findings", "Findings", show=False, id="browse.findings"),
        Binding("tab", "turn(1)", "Next pane", show=False, id="browse.next-pane"),
        Binding("shift+tab", "turn(-1)", "Previous pane", show=False, id="browse.previous-pane"),
        *(
            Binding(str(n), f"pane('{pane}')", name, show=False, id=f"browse.pane-{n}")
            for n, (pane, name) in enumerate(PANES, start=1)
        ),
        Binding("question_mark", "help", "Help", id="browse.help"),
    ]

    _current = "files"
    _zoomed = False
    _layout: Layout | None = None

    def __init__(self, head: ImageHead, options: TuiOptions) -> None:
        super().__init__()
        self.options = options
        self._head = head
        self.stages = StagesPane(options, id="stages")
        self.files = FilesPane(options, id="files")
        self.why = WhyPane(options, id="why")
        self.code = CodePane(options, id="code")

    def compose(self) -> ComposeResult:
        yield HeadLine(self.options, id="head")
        yield Line(self.options, id="notice")
        yield TabLine(self.options, (*PANES, ("preview", "Preview")), id="tabs")
        with Vertical(id="body"):
            with Horizontal(id="upper"):
                yield self.stages
                yield self.files
            with Horizontal(id="lower"):
                yield self.why
                yield self.code
        yield Line(self.options, id="too-small")
        yield KeyBar(self.options)

    @cached_property
    def filter_bar(self) -> FilterBar:
        """The line to filter on."""
        # What reads filters is much, and there is nothing to filter on the first screen.
        from layertrace.views.tui.panes.filterbar import FilterBar  # noqa: PLC0415

        bar = FilterBar(self.options, id="filter")
        # Nor is it there to be closed, for a key that comes before its style does.
        bar.display = False
        return bar

    def on_mount(self) -> None:
        self._arrange()
        self.files.focus()
        self.call_after_refresh(self._complete)

    async def _complete(self) -> None:
        """Add what is hidden at first; the panes are on view by now, or the user is gone again."""
        if self.is_attached:
            for added in self.add_hidden():
                await added
            self.completed()

    def add_hidden(self) -> Sequence[AwaitMount]:
        """Add what the first screen does without."""
        return [self.mount(self.filter_bar, before="#too-small")]

    def completed(self) -> None:
        """Begin what is not begun before all is there."""

    @property
    def panes(self) -> dict[str, RowsView]:
        """The panes by their ids, in order."""
        return {
            "stages": self.stages,
            "files": self.files,
            "why": self.why,
            "code": self.code,
        }

    @property
    def current_pane(self) -> str:
        """Id of the pane that has the keys, or had them last."""
        return self._current

    def show_findings(self) -> None:
        """Write under the head what is strange about the image."""
        findings = self._head.findings
        notice = self.query_one("#notice", Line)
        notice.display = bool(findings)
        if findings:
            text = self.files.safe(finding_words(worst_first(findings)[0], brief=True))
            count = plural(len(findings), "finding")
            notice.write([(f" ! {count} (F): {text}", Style(bold=True))])

    def tell(self, words: str) -> None:
        """Say something that needs no answer, in place of what was said; ``words`` are safe."""
        self.app.clear_notifications()
        self.app.notify(words, markup=False, timeout=6)

    # -- layout -----------------------------------------------------------------

    def on_resize(self) -> None:
        self._arrange()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        name = next((name for name, pane in self.panes.items() if pane is event.widget), None)
        if name is not None and name != self._current:
            self._current = name
            self._arrange()

    def _arrange(self) -> None:
        self.query_one(TabLine).pick(self._current)
        self.files.show_bars(shown=self.app.size.width >= BARS)
        layout = lay_out(self.app.size, self._current, zoomed=self._zoomed)
        if layout == self._layout:
            return
        grown = self._layout is not None and self._layout.too_small
        self._layout = layout
        for name, pane in self.panes.items():
            pane.display = name in layout.panes
        self.query_one("#upper").display = bool(layout.panes & {"stages", "files"})
        self.query_one("#lower").display = bool(layout.panes & {"why", "code"})
        self.set_class(layout.narrow, "-narrow")
        self.set_class(layout.strip, "-strip")
        self.set_class(self._zoomed, "-zoomed")
        self.share_screen()
        self.query_one("#body").display = not layout.too_small
        self.query_one(TabLine).display = layout.narrow and not layout.too_small
        small = self.query_one("#too-small", Line)
        small.display = layout.too_small
        need = f"{LEAST[0]}x{LEAST[1]}"
        small.write([(f" {need} needed, or use --plain", Style(bold=True))])
        if grown:
            # What is hidden loses the keys.
            self.panes[self._current].focus()

    @property
    def can_drag(self) -> bool:
        layout = self._layout
        return layout is not None and not (layout.narrow or layout.too_small or self._zoomed)

    def pane_regions(self) -> Mapping[str, Region]:
        return {name: pane.region for name, pane in self.panes.items()}

    @property
    def zoomed(self) -> bool:
        """Whether one pane has the whole screen."""
        return self._zoomed

    def action_zoom(self) -> None:
        self._zoomed = not self._zoomed
        self._arrange()

    def action_pane(self, pane: str) -> None:
        self._current = pane
        self._arrange()
        # At once: Widget.focus() would take the keys back from a line that is opened next.
        self.set_focus(self.panes[pane])

    @on(TabLine.Picked)
    async def _tab_picked(self, event: TabLine.Picked) -> None:
        if event.pane in self.panes:
            self.action_pane(event.pane)
        else:
            # Not a pane but a page: what its key does.
            await self.run_action(event.pane)

    def action_turn(self, step: int) -> None:
        names = list(self.panes)
        self.action_pane(names[(names.index(self._current) + step) % len(names)])

    # -- pages --------------------------------------------------------------------

    @property
    def pane_name(self) -> str:
        """What the pane with the keys is called now."""
        return dict(PANES)[self._current]

    def action_findings(self) -> None:
        if not self._head.findings:
            self.tell("nothing about this image is strange")
            return
        # Here and below: much comes with it that few ask for.
        from layertrace.views.tui.dialogs import TextScreen, findings_lines  # noqa: PLC0415

        rows = tuple(findings_lines(self._head))
        self.app.push_screen(TextScreen(self.options, rows, "Findings"))

    def action_help(self) -> None:
        from layertrace.views.tui.dialogs import TextScreen, help_lines  # noqa: PLC0415

        pane = self.panes[self._current]
        nodes = [(f"Pane {self.pane_name}", pane), ("Everywhere", self), ("Program", self.app)]
        self.app.push_screen(TextScreen(self.options, tuple(help_lines(nodes)), "Help"))
