"""A folder as a map: every part of it an area as large as its share of the bytes.

Source: Bruls, Huizing, van Wijk, "Squarified Treemaps" (2000): rows of areas are laid
along the shorter side, each row as long as it makes its areas squarer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import nlargest
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from layertrace.views.filetree import FileTree
    from layertrace.views.treesums import Sums

_FINEST: Final = 12
"""Pixels of a folder below which what lies in it has no areas of its own."""
_HEADED: Final = (8, 8)
"""Width and height from which a folder has its name above what lies in it."""
_NAMED: Final = (8, 4)
"""The same of a file, whose name stands on it."""
_SPACED: Final = 40
"""Pixels from which an area keeps a line to its neighbours."""
NOTHING: Final = -1
"""Colour of a pixel that belongs to no file."""


class Area(NamedTuple):
    """A rectangle in pixels."""

    x: int
    y: int
    width: int
    height: int

    @property
    def pixels(self) -> int:
        """How many it has."""
        return self.width * self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A part of the folder on view."""

    node: int
    area: Area


class Label(NamedTuple):
    """Where the name of a path stands."""

    node: int
    x: int
    line: int
    """A cell is two pixels high."""
    width: int
    heads: bool
    """It is a folder's, and stands above what lies in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treemap:
    """One folder, drawn."""

    node: int
    """The folder; -1 is the root."""
    width: int
    height: int
    boxes: tuple[Box, ...]
    """What lies directly in it, the largest first; what is too small for a pixel is left out."""
    colors: Sequence[int]
    """Of each pixel, row by row."""
    labels: Mapping[int, Sequence[Label]]
    """By their line, from left to right."""

    def color(self, x: int, y: int) -> int:
        """Return the colour of a pixel."""
        return self.colors[y * self.width + x]

    def box_at(self, x: int, y: int) -> int | None:
        """Return which box has a pixel."""
        for number, box in enumerate(self.boxes):
            area = box.area
            if 0 <= x - area.x < area.width and 0 <= y - area.y < area.height:
                return number
        return None

    def beside(self, number: int, dx: int, dy: int) -> int:
        """Return the box nearest to one in a direction; itself where there is none."""
        here = _middle(self.boxes[number].area)

        def distance(other: int) -> float:
            x, y = _middle(self.boxes[other].area)
            along = (x - here[0]) * dx + (y - here[1]) * dy
            across = abs((x - here[0]) * dy) + abs((y - here[1]) * dx)
            return along + 3 * across if along > 0 else float("inf")

        others = [n for n in range(len(self.boxes)) if distance(n) < float("inf")]
        return min(others, key=distance, default=number)


def make_treemap(  # noqa: PLR0913 - a place, a size and a colour
    tree: FileTree,
    sums: Sums,
    node: int,
    color: Callable[[int], int],
    *,
    width: int,
    height: int,
) -> Treemap:
    """Draw a folder.

    Costs what its pixels do: of a folder with more entries than pixels the largest are drawn.

    Args:
        tree: the files.
        sums: what they weigh.
        node: the folder; -1 is the root.
        color: returns the colour of a path, a small number.
        width: pixels.
        height: pixels.
    """
    canvas = _Canvas(tree, sums, color, width, [NOTHING] * (width * height))
    whole = Area(0, 0, width, height)
    boxes = tuple(_children(tree, sums, node, whole))
    canvas.todo += [(box.node, _spaced(box.area, whole)) for box in boxes]
    canvas.paint()
    labels: dict[int, list[Label]] = {}
    for label in sorted(canvas.labels, key=lambda label: label.x):
        labels.setdefault(label.line, []).append(label)
    return Treemap(
        node=node, width=width, height=height, boxes=boxes, colors=canvas.colors, labels=labels
    )


@dataclass(slots=True)
class _Canvas:
    tree: FileTree
    sums: Sums
    color: Callable[[int], int]
    width: int
    colors: list[int]
    todo: list[tuple[int, Area]] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)

    def paint(self) -> None:
        while self.todo:
            node, area = self.todo.pop()
            if self.tree.is_dir[node] and area.pixels > _FINEST:
                inner = self._head(node, area)
                parts = tuple(_children(self.tree, self.sums, node, inner))
                self.todo += [(box.node, _spaced(box.area, inner)) for box in parts]
                if parts:
                    continue
            self._fill(node, area)

    def _head(self, node: int, area: Area) -> Area:
        """Write a folder's name above what lies in it; return what is left for that."""
        if not self._has_room(node, area, _HEADED):
            return area
        top = area.y + area.y % 2
        self.labels.append(Label(node, area.x, top // 2, area.width, heads=True))
        return Area(area.x, top + 2, area.width, area.y + area.height - top - 2)

    def _fill(self, node: int, area: Area) -> None:
        row = [self.color(node)] * area.width
        for y in range(area.y, area.y + area.height):
            start = y * self.width + area.x
            self.colors[start : start + area.width] = row
        if self._has_room(node, area, _NAMED):
            line = (area.y + 1) // 2
            self.labels.append(Label(node, area.x, line, area.width, heads=False))

    def _has_room(self, node: int, area: Area, least: tuple[int, int]) -> bool:
        """Return whether a name has room: part of a long one, or the whole of a short one."""
        name = len(self.tree.name(node)) + self.tree.is_dir[node]
        return area.height >= least[1] and (area.width >= least[0] or area.width >= name)


def _spaced(area: Area, within: Area) -> Area:
    """Return a large area without its last column and row, where its neighbours follow.

    At the end of what it lies in there is a line already: with one more for each folder
    around it, what lies deep would be drawn far too small.
    """
    if area.pixels < _SPACED:
        return area
    right = area.x + area.width < within.x + within.width
    below = area.y + area.height < within.y + within.height
    return Area(area.x, area.y, max(1, area.width - right), max(1, area.height - below))


def _children(tree: FileTree, sums: Sums, node: int, area: Area) -> Iterator[Box]:
    sizes = sums.sizes
    found = (child for child in tree.children(node) if sizes[child])
    nodes = nlargest(area.pixels, found, key=sizes.__getitem__)
    for child, place in zip(nodes, squarify([sizes[n] for n in nodes], area), strict=True):
        if place.pixels:
            yield Box(node=child, area=place)


def squarify(sizes: Sequence[int], area: Area) -> Iterator[Area]:
    """Yield an area for each size, together all of ``area``.

    Args:
        sizes: above 0, the largest first.
        area: to be divided; edges are rounded to whole pixels.
    """
    x, y, width, height = map(float, area)
    left = float(sum(sizes))
    start = 0
    while start < len(sizes):
        along = min(width, height)
        scale = width * height / left if left else 0
        end = _row_end(sizes, start, along, scale)
        row = sizes[start:end]
        weight = sum(row)
        thick = weight * scale / along if along else 0.0
        place = y if width >= height else x
        for size in row:
            long = size / weight * along
            if width >= height:
                yield _rounded(x, place, thick, long)
            else:
                yield _rounded(place, y, long, thick)
            place += long
        if width >= height:
            x, width = x + thick, max(0.0, width - thick)
        else:
            y, height = y + thick, max(0.0, height - thick)
        left -= weight
        start = end


def _row_end(sizes: Sequence[int], start: int, along: float, scale: float) -> int:
    """Return where a row ends that begins at ``start``: as long as its areas get squarer."""
    weight, best, end = 0, float("inf"), start
    while end < len(sizes):
        weight += sizes[end]
        thick = weight * scale
        if thick <= 0 or along <= 0:
            return len(sizes)
        # The worst ratio of sides is that of the row's largest or of its smallest.
        largest, smallest = sizes[start] * scale, sizes[end] * scale
        worst = max(along**2 * largest / thick**2, thick**2 / (along**2 * smallest))
        if worst > best:
            return end
        best = worst
        end += 1
    return end


def _rounded(x: float, y: float, width: float, height: float) -> Area:
    left, top = round(x), round(y)
    return Area(left, top, round(x + width) - left, round(y + height) - top)


def _middle(area: Area) -> tuple[float, float]:
    return area.x + area.width / 2, area.y + area.height / 2
