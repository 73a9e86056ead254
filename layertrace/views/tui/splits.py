"""The lines between the panes, which a mouse can drag."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Final

from textual.screen import Screen

from layertrace.views.tui.painting import NarrowCompositor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from textual import events
    from textual.geometry import Region


class Split(Enum):
    """A line between two panes."""

    UPPER = "between stages and files"
    MIDDLE = "between the upper panes and the lower ones"
    LOWER = "between why and the Dockerfile"


_LEAST_WIDTH: Final = 24
_LEAST_HEIGHT: Final = 5


def split_at(x: int, y: int, regions: Mapping[str, Region]) -> Split | None:
    """Return the split at a cell of the screen: the frames that touch there are two cells wide.

    Args:
        x: column.
        y: line.
        regions: where the panes are, by their ids.
    """
    files, why, code = regions["files"], regions["why"], regions["code"]
    if y in {why.y - 1, why.y}:
        return Split.MIDDLE
    if files.y < y < files.bottom and x in {files.x - 1, files.x}:
        return Split.UPPER
    if code.y < y < code.bottom and x in {code.x - 1, code.x}:
        return Split.LOWER
    return None


def share_at(split: Split, x: int, y: int, body: Region) -> float:
    """Return the part of ``body`` before a split that is dragged to a cell, 0 to 1."""
    if split is Split.MIDDLE:
        place, whole, least = y - body.y, body.height, _LEAST_HEIGHT
    else:
        place, whole, least = x - body.x, body.width, _LEAST_WIDTH
    # Where both sides cannot have their least, each gets half.
    least = min(least, whole // 2)
    # Half a cell more: sizes are rounded down.
    return (min(max(place, least), whole - least) + 0.5) / whole if whole else 0.5


class SplitScreen(Screen[None]):
    """A screen whose panes share it as the user likes."""

    SPLIT_PANES: ClassVar[dict[Split, str]] = {
        Split.UPPER: "stages",
        Split.MIDDLE: "upper",
        Split.LOWER: "why",
    }
    """The widget before each split: it is given its size, the one after it the rest."""

    _dragged: Split | None = None

    def __init__(self) -> None:
        super().__init__()
        self._compositor = NarrowCompositor()
        self._shares: dict[Split, float] = {}

    @property
    def can_drag(self) -> bool:
        """Whether the panes stand side by side."""
        raise NotImplementedError

    def pane_regions(self) -> Mapping[str, Region]:
        """Return where the panes are, by their names."""
        raise NotImplementedError

    def share_screen(self) -> None:
        """Give the panes their sizes: those they were dragged to, else the usual ones."""
        for split, name in self.SPLIT_PANES.items():
            styles = self.query_one(f"#{name}").styles
            share = self._shares.get(split) if self.can_drag else None
            # Per cent of what they stand in: the terminal may change, a line may open below.
            size = None if share is None else f"{100 * share}%"
            if split is Split.MIDDLE:
                styles.height = size
                self.query_one("#lower").styles.height = None if share is None else "1fr"
            else:
                styles.width = size
                styles.max_width = None if share is None else "100%"

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if not self.can_drag:
            return
        self._dragged = split_at(event.screen_x, event.screen_y, self.pane_regions())
        if self._dragged is not None:
            widget, _ = self.get_widget_at(event.screen_x, event.screen_y)
            # Till the button is let go, moves come here from anywhere.
            widget.capture_mouse()
            event.stop()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragged is None:
            return
        body = self.query_one("#body").region
        share = share_at(self._dragged, event.screen_x, event.screen_y, body)
        self._shares[self._dragged] = share
        self.share_screen()

    def on_mouse_up(self) -> None:
        if self._dragged is not None:
            self._dragged = None
            self.app.capture_mouse(None)
