"""The filter of the panes: what is typed, what it leaves of the tree and of the lists."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from textual import on

from layertrace.views.tui.panes.files import FilesPane
from layertrace.views.tui.reporting import ReportingScreen
from layertrace.views.tui.viewing import TREE

if TYPE_CHECKING:
    from array import array
    from collections.abc import Callable

    from layertrace.errors import LayertraceError
    from layertrace.filters.language import Filter
    from layertrace.model.packages import PackageTable
    from layertrace.views.lists.rows import Listing
    from layertrace.views.tui.background import Background
    from layertrace.views.tui.filtering import Finder
    from layertrace.views.tui.panes.filterbar import FilterBar
    from layertrace.views.tui.walking import Walked


class SiftingScreen(ReportingScreen):
    """Pane 2 shows what a filter leaves, be it the tree or a list."""

    _counter: Background
    """Works out what takes longer than a key may."""
    _finder: Finder | None = None
    """What filters the files, once there are any."""
    _filtered: Filter | None = None
    """The filter in force."""
    _unanswered: tuple[object, ...] = ()
    """What stood in the tree when a filter was asked for that takes reading, until it is done."""
    _listed: tuple[object, object] = (None, None)
    """The filter, and what it found in the tree, that the list on view was narrowed by."""
    _start: int | None = None
    """The path at the cursor when the filter began."""
    _offering = False
    """The filter knows, or is about to learn, which values the files have."""

    def _begin_filter(self, walked: Walked) -> None:
        """Filter these files from now on, by what is typed already too."""
        from layertrace.views.tui.filtering import Finder  # noqa: PLC0415

        threads = (self._reader, self._counter)
        self._finder = Finder(walked, threads, self.files, self._filter_failed)
        if self._offering:
            self._finder.learn(self.filter_bar.learn)

    @property
    def filter_words(self) -> str:
        return "" if self._filtered is None else self._filtered.text

    def action_filter(self) -> None:
        if self._finder is not None and not self._offering:
            self._offering = True
            self._finder.learn(self.filter_bar.learn)
        # Of a map nobody would see what is left, so there it is the tree that is filtered.
        if self._view != TREE and not self.has_paths:
            self._switch(TREE)
        if self._filtered is None:
            self._start = self.files.current
        self.filter_bar.open(self.panes["files"])

    def on_filter_bar_changed(self, event: FilterBar.Changed) -> None:
        """Show what is left."""
        self._filtered, self._unanswered = event.filter, ()
        if self._finder is None:
            return
        if event.filter is None:
            # Whoever went on among the hits stays at one; who thought better of it goes back, and
            # so does the tree where it was a list that was looked through.
            stays = self.filter_bar.was_left and self._view == TREE
            node = self.files.current if stays else self._start
            self._finder.find(None)
            self.files.show_matches(None, partial(self._stay, node))
        elif not self._finder.find(event.filter):
            self._unanswered = (self._matches,)
            self.filter_bar.count("reading…")

    def _stay(self, node: int | None) -> None:
        if node is not None:
            self.files.go_to(node)

    def _end_filter(self, node: int, then: Callable[[], None]) -> None:
        """Take the filter away, with the cursor of the tree on a path."""
        self._start, self.filter_bar.was_left = node, False
        self.filter_bar.clear()
        self.files.show_matches(None, then)

    @property
    def _matches(self) -> array[int] | None:
        """What the tree is filtered to; another object whenever it was filtered anew."""
        return None if self.files.rows is None else self.files.rows.wish.matches

    def count_left(self, words: str) -> None:
        """Say beside the filter how much it leaves of the tree, or of the list on view."""
        if self._unanswered and self._unanswered[0] is self._matches:
            return
        self._unanswered = ()
        listing = self._listings.get(self._view) if self.has_paths else None
        if listing is None:
            self.filter_bar.count(words)
        elif self._listed[0] is not self._filtered or self._listed[1] is not self._matches:
            self._show_listing(listing)

    def _filter_failed(self, error: LayertraceError) -> None:
        self.filter_bar.count("")
        self.filter_bar.say(self.files.safe(str(error).splitlines()[0]))

    # -- lists ------------------------------------------------------------------

    def _turn_to(self, view: str) -> None:
        super()._turn_to(view)
        if not self.has_paths:
            self.count_left(self.files.tally_words())

    def _show_listing(self, listing: Listing) -> None:
        """Show a list, or what the filter in force leaves of it."""
        wanted, walked, shown = self._filtered, self._walked, self.list.listing
        self._listed = (wanted, self._matches)
        narrowed = shown is not None and bool(shown.tally)
        if walked is None or not self.has_paths or (wanted is None and not narrowed):
            super()._show_listing(listing)
            return
        from layertrace.views.lists.narrowing import sift  # noqa: PLC0415

        path = None if self.list_row is None else self.list_row.path
        work = partial(sift, listing, wanted, walked.tree.table, self._matches or (), path)
        self._counter.submit("list", work, partial(self._show_sifted, self._view, wanted))

    def _show_sifted(
        self, view: str, wanted: Filter | None, sifted: tuple[Listing, tuple[int, int] | None]
    ) -> None:
        if view != self._view or wanted is not self._filtered:
            return
        listing, place = sifted
        self.list.show(listing)
        if place is not None:
            line = listing.open_at(*place)
            self.list.rows_changed(line)
        super()._show_listing(listing)
        if wanted is not None:
            self.filter_bar.count(listing.tally)

    # -- packages ---------------------------------------------------------------

    def on_filter_bar_packages_wanted(self) -> None:
        """Read which packages there are, as a column of theirs has it done too."""
        self._read_packages()

    @on(FilesPane.PackagesWanted)
    def _read_packages(self) -> None:
        if self._finder is not None:
            self._finder.learn_packages(self._show_packages, self._no_packages)

    def _no_packages(self, error: LayertraceError) -> None:
        self.tell(self.files.safe(error.what))

    def _show_packages(self, packages: PackageTable) -> None:
        from layertrace.filters.completion import package_words  # noqa: PLC0415

        self.files.show_packages(packages)
        self.filter_bar.learn(package_words(packages.packages))
        if packages.findings:
            self.tell(self.files.safe(packages.findings[0].message))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "filter":
            return self._walked is not None
        return super().check_action(action, parameters)
