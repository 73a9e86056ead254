"""Keys of pane 2 that every pane passes on to it: they are about what is shown, not about a row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType

from layertrace.views.tui.panes.files import FilesPane
from layertrace.views.tui.viewing import TREE, ViewingScreen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PASSED_ON: Final = frozenset({"sort", "reverse", "flat", "columns", "attributes", "hit", "mark"})


def _passed_on() -> Iterator[Binding]:
    for binding in FilesPane.BINDINGS:
        if isinstance(binding, Binding) and binding.action.partition("(")[0] in _PASSED_ON:
            # Under the same id, so that a key of the user's own is that of every pane.
            yield replace(binding, show=False)


class TreeKeysScreen(ViewingScreen):
    """Panes that hand keys to the tree; where a list stands in its place, they say so."""

    BINDINGS: ClassVar[list[BindingType]] = [*_passed_on()]

    def _pass_on(self, act: Callable[[], None]) -> None:
        if self._walked is None:
            return
        if self._view != TREE:
            self.tell("that key is the tree's: T shows it")
            return
        if not self.files.display:
            self.action_pane("files")
        act()

    def action_sort(self) -> None:
        self._pass_on(self.files.action_sort)

    def action_reverse(self) -> None:
        self._pass_on(self.files.action_reverse)

    def action_flat(self) -> None:
        self._pass_on(self.files.action_flat)

    def action_columns(self) -> None:
        self._pass_on(self.files.action_columns)

    def action_attributes(self) -> None:
        self._pass_on(self.files.action_attributes)

    def action_mark(self, name: str) -> None:
        self._pass_on(lambda: self.files.action_mark(name))

    def action_hit(self, step: int) -> None:
        rows, listing = self.files.rows, self.list.listing
        if self.has_paths and listing is not None and listing.tally:
            self.list.hit(step)
        elif rows is not None and rows.wish.matches is None and self._view == TREE:
            self.tell("no filter has hits to go through: / starts one")
        else:
            self._pass_on(lambda: self.files.action_hit(step))
