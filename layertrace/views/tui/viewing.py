"""What pane 2 shows instead of the tree: lists that are made in the thread that reads."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType

from layertrace.views.lists.catalog import VIEWS
from layertrace.views.outline_row import layer_name
from layertrace.views.tui.reading import ReadingScreen
from layertrace.views.tui.startup import error_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.widget import AwaitMount

    from layertrace.errors import LayertraceError
    from layertrace.views.lists.rows import Listing, ListRow
    from layertrace.views.tui.background import Background
    from layertrace.views.tui.panes.listing import ListPane
    from layertrace.views.tui.panes.map import MapPane
    from layertrace.views.tui.ports import Comparing, Opening, TuiOptions
    from layertrace.views.tui.rows_view import RowsView
    from layertrace.views.tui.walking import Walked

TREE = "tree"
LARGEST = "largest"
MAP = "map"
DIFF = "diff"


class ViewingScreen(ReadingScreen):
    """Pane 2 is the file tree, or one of the lists."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("T", f"view('{TREE}')", "Tree", id="browse.tree"),
        Binding("L", f"view('{LARGEST}')", "Largest", id="browse.largest"),
        Binding("M", f"view('{MAP}')", "Map", show=False, id="browse.map"),
        Binding("D", "compare", "Diff", show=False, id="browse.diff"),
        *(
            Binding(view.key, f"view('{name}')", view.title, show=view.shown, id=f"browse.{name}")
            for name, view in VIEWS.items()
        ),
    ]

    _view = TREE
    _largest = False
    """The tree became a list of files because that view was asked for."""
    comparing: Comparing | None = None
    """Set by whoever can open other images."""

    def __init__(self, opening: Opening, options: TuiOptions, reader: Background) -> None:
        super().__init__(opening, options, reader)
        self._listings: dict[str, Listing] = {}
        self._older = ""
        """What the image was compared with."""

    @cached_property
    def list(self) -> ListPane:
        """Pane 2 as a list."""
        # Here and below: what the first screen can do without comes after it.
        from layertrace.views.tui.panes.listing import ListPane  # noqa: PLC0415

        return ListPane(self.options, id="list")

    @cached_property
    def map(self) -> MapPane:
        """Pane 2 as a map."""
        from layertrace.views.tui.panes.map import MapPane  # noqa: PLC0415

        return MapPane(self.options, id="map")

    def add_hidden(self) -> Sequence[AwaitMount]:
        return [self.query_one("#upper").mount(self.list, self.map), *super().add_hidden()]

    @property
    def panes(self) -> dict[str, RowsView]:
        panes = super().panes
        if self._view == TREE:
            return panes
        return {**panes, "files": self.map if self._view == MAP else self.list}

    @property
    def has_paths(self) -> bool:
        """Whether a list of paths is on view, which a filter may narrow."""
        return self._view == DIFF or (self._view in VIEWS and VIEWS[self._view].paths)

    @property
    def list_row(self) -> ListRow | None:
        """The row at the cursor of the list; None: no list is on view, or it is empty."""
        return None if self._view in {TREE, MAP} else self.list.current

    @property
    def subject(self) -> int | None:
        """The path (a row of the table) at the cursor of pane 2."""
        if self._view == TREE:
            return self.files.current
        if self._view == MAP:
            return self.map.current
        row, walked = self.list_row, self._walked
        if row is None or row.path is None or walked is None:
            return None
        return walked.tree.find(row.path)

    @property
    def row_words(self) -> str:
        """What there is to say of the row of a list that is no path; may hold names as they are."""
        row, listing = self.list_row, self.list.listing
        if row is None or listing is None:
            return ""
        if row.note:
            return row.note
        if listing.fold_mark(self.list.cursor_line) is not None:
            return "a group: Space opens it, and each path in it says where it came from"
        if row.layer is not None:
            return f"Enter goes to {layer_name(row.layer)}, which carried it"
        return ""

    def action_view(self, name: str) -> None:
        """Show the tree, flat by size for ``largest``, or a list."""
        if self._walked is None or (name in VIEWS and self.refuses_partial()):
            return
        self._switch(TREE if name == LARGEST else name)
        self._largest = name == LARGEST
        if name == LARGEST:
            self.files.show_largest()
            return
        if name == TREE:
            self.files.show_flat(flat=False)
            return
        if name == MAP:
            self._show_map()
            return
        known = self._listings.get(name)
        if known is not None:
            self._show_listing(known)
            return
        view = VIEWS[name]
        self.list.set_titles(f"2 {view.title}")
        self.list.show(None, f"{view.working}…")
        make = partial(view.make, self._walked.trace)
        self._reader.submit("view", make, partial(self._keep, name), self._no_listing)

    def leave_view(self) -> None:
        """Go back to the tree, from whatever stands in its place."""
        if self._view != TREE:
            self._switch(TREE)
        elif self._largest and self.files.is_by_size:
            self.files.show_flat(flat=False)

    def scope_shown(self) -> None:
        """Follow the tree to another scope."""
        if self._view == MAP:
            self._show_map()

    def _show_map(self) -> None:
        if self.files.rows is not None:
            self.map.show(self.files.rows)
            self.map.post_message(self.map.Moved(self.map, 0))

    @property
    def pane_name(self) -> str:
        if self.current_pane != "files" or self._view == TREE:
            return super().pane_name
        return VIEWS[self._view].title if self._view in VIEWS else self._view.title()

    def _adopt(self, walked: Walked) -> None:
        self._listings.clear()
        super()._adopt(walked)
        self.scope_shown()

    def _finish_walk(self, walked: Walked) -> None:
        super()._finish_walk(walked)
        if self.comparing is not None and self.comparing.against is not None:
            self._compare(self.comparing.against)

    def action_compare(self) -> None:
        """Ask which image to compare with; that which was last compared stands there."""
        if self.refuses_partial():
            return
        from layertrace.views.tui.asking import AskScreen  # noqa: PLC0415

        words = "The older image: a file or folder, or a name in the local engine"
        screen = AskScreen(self.options, "Diff", words, default=self._older)
        self.app.push_screen(screen, self._compare)

    def _compare(self, reference: str | None) -> None:
        if reference is None or self.comparing is None or self._walked is None:
            return
        self._switch(DIFF)
        if reference == self._older and DIFF in self._listings:
            self._show_listing(self._listings[DIFF])
            return
        self._older = reference
        self.list.set_titles("2 Diff")
        self.list.show(None, f"comparing with {self.list.safe(reference)}…")
        make = partial(self.comparing.make, self._walked.trace, reference)
        self._reader.submit("view", make, partial(self._keep, DIFF), self._no_listing)

    def _switch(self, view: str) -> None:
        """Give pane 2 to the tree or to the list, and the keys to pane 2."""
        self._turn_to(view)
        self.action_pane("files")

    def _turn_to(self, view: str) -> None:
        if view != self._view:
            self._view = view
            self.files.display = self.list.display = self.map.display = False
            self._layout = None
            self._arrange()

    def _keep(self, name: str, listing: Listing) -> None:
        self._listings[name] = listing
        if self._view == name:
            self._show_listing(listing)

    def _show_listing(self, listing: Listing) -> None:
        if self.list.listing is not listing:
            self.list.show(listing)
        self.list.set_titles(f"2 {listing.title}", self.list.safe(listing.summary))
        self.list.post_message(self.list.Moved(self.list, self.list.cursor_line))

    def _no_listing(self, error: LayertraceError) -> None:
        self.list.show(None)
        self.list.notice = tuple(error_lines(error))
        self.list.rows_changed(0)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "compare":
            return self._walked is not None and self.comparing is not None
        if action == "view" and parameters == (TREE,):
            # Where the tree is on view nothing leads to it.
            rows = self.files.rows
            return rows is not None and (self._view != TREE or rows.wish.flat)
        if action == "view":
            return self._walked is not None
        return super().check_action(action, parameters)
