"""What a key repaints: the lines that changed, and of them only what is not known already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style
from textual._compositor import Compositor
from textual.cache import LRUCache
from textual.geometry import Region
from textual.strip import Strip

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual._compositor import ChopsUpdate
    from textual.color import Color
    from textual.filter import LineFilter

_KEPT: int = 1024


class NarrowCompositor(Compositor):
    """Asks the widgets on view only for the lines that are to be painted.

    Textual's own asks every one of them for all of its lines, for each key, which takes
    several times as long as to draw the two lines a cursor moves over.
    """

    _asked: tuple[Region, ...] = ()
    """What is to be painted; none: whatever the caller says."""

    def render_partial_update(self) -> ChopsUpdate | None:
        """Paint what changed: each part for itself, not all that lies between two of them."""
        dirty = self._dirty_regions
        self._asked = tuple(
            one for one in dirty if not any(all_.contains_region(one) for all_ in dirty - {one})
        )
        try:
            return super().render_partial_update()
        finally:
            self._asked = ()

    def _get_renders(
        self, crop: Region | None = None
    ) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Yield what the widgets draw, the uppermost first: region, clip, and lines."""
        asked = list(self._asked) or [self.size.region if crop is None else crop]
        for widget, (region, clip) in self.visible_widgets.items():
            shown = region.intersection(clip)
            for part in [part for part in asked if shown.overlaps(part)]:
                # The whole width: lines are cut where widgets begin, not where a change does.
                band = Region(0, part.y, self.size.width, part.height)
                lines = shown.intersection(band).translate(-region.offset)
                yield region, clip.intersection(band), widget.render_lines(lines)
                if shown.contains_region(part):
                    # What lies below cannot be seen.
                    asked.remove(part)
            if not asked:
                return


class Frames:
    """Lines with the frame at their sides, kept: a list that scrolls shows most of them again."""

    def __init__(self) -> None:
        self._sides: tuple[Strip, Strip] | None = None
        self._under: tuple[object, ...] = ()
        self._kept: LRUCache[int, tuple[Strip, Strip]] = LRUCache(_KEPT)

    def clear(self) -> None:
        """Forget the frame: it may look otherwise now."""
        self._sides = None
        self._kept.clear()

    @property
    def sides(self) -> tuple[Strip, Strip] | None:
        """What stands left and right of each line, if known."""
        return self._sides

    def learn(self, line: Strip, left: int, right: int) -> None:
        """Take the frame from a line that was drawn with it, of so many cells at its sides."""
        width = line.cell_length
        self._sides = line.crop(0, left), line.crop(width - right, width)

    def around(self, line: Strip, width: int, filters: list[LineFilter], ground: Color) -> Strip:
        """Return ``line`` in so many cells with its frame; the very same each time."""
        under = (width, *filters, ground)
        if under != self._under:
            self._under = under
            self._kept.clear()
        known = self._kept.get(id(line))
        if known is not None and known[0] is line:
            return known[1]
        # What fills it up needs a style: a filter, as that of NO_COLOR, asks each piece for it.
        drawn = line.adjust_cell_length(width, Style.null())
        for each in filters:
            drawn = drawn.apply_filter(each, ground)
        left, right = self._sides or (Strip([]), Strip([]))
        cells = left.cell_length + width + right.cell_length
        whole = Strip([*left, *drawn, *right], cells)
        self._kept[id(line)] = (line, whole)
        return whole
