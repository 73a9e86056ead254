"""Which panes are on view: four of them where there is room, else one and its strip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from textual.geometry import Size

PANES: Final = (
    ("stages", "Stages"),
    ("files", "Files"),
    ("why", "Why"),
    ("code", "Dockerfile"),
)
"""Their ids and short names, in the order of their numbers."""

WIDE: Final = 100
"""Columns from which all four panes stand side by side."""
BARS: Final = 140
"""Columns from which a directory of several owners has a bar beside their number."""
LEAST: Final = (40, 12)
"""Columns and lines below which nothing sensible can be drawn."""
_STRIP_LINES: Final = 18
"""Lines from which the narrow layout has room for the Why strip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What to show at one size of the terminal."""

    panes: frozenset[str]
    narrow: bool = False
    """One column, with the panes' names as tabs."""
    strip: bool = False
    """Why takes a few lines under the files."""
    too_small: bool = False


def lay_out(size: Size, current: str, *, zoomed: bool) -> Layout:
    """Return what to show, with the pane ``current`` in any case."""
    if size.width < LEAST[0] or size.height < LEAST[1]:
        return Layout(panes=frozenset(), too_small=True)
    narrow = size.width < WIDE
    if zoomed:
        return Layout(panes=frozenset({current}), narrow=narrow)
    if not narrow:
        return Layout(panes=frozenset(pane for pane, _ in PANES))
    strip = current == "files" and size.height >= _STRIP_LINES
    panes = {current, "why"} if strip else {current}
    return Layout(panes=frozenset(panes), narrow=True, strip=strip)
