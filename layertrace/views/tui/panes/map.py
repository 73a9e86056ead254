"""Pane 2 as a map: areas as large as what they stand for, two pixels a cell."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from rich.style import Style
from textual.binding import Binding, BindingType

from layertrace.views.filetree import NO_LAYER
from layertrace.views.outline_row import layer_name
from layertrace.views.text import show_size
from layertrace.views.treemap import NOTHING, make_treemap
from layertrace.views.treesums import SEVERAL_LAYERS
from layertrace.views.tui.cells import crop, fill
from layertrace.views.tui.rows_view import Cell, RowsView
from layertrace.views.tui.themes import MONO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual import events

    from layertrace.views.treemap import Label, Treemap
    from layertrace.views.treerows import TreeRows

_ROOT: Final = -1
_LEAST_LABEL: Final = 5
"""Cells of a box below which it has no name on it."""


class Hue(Enum):
    """What the colours of a map say."""

    STAGE = "stage"
    LAYER = "layer"
    TYPE = "file type"
    WASTE = "removed files that still ship"


class MapPane(RowsView):
    """Draws one folder; the arrows go from part to part, Enter goes in, Backspace out."""

    HAS_CURSOR = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,space", "choose", "Go in", id="map.enter"),
        Binding("backspace", "out", "Go out", id="map.out"),
        Binding("c", "hue", "Colours", id="map.colours"),
        Binding("left,h", "beside(-1, 0)", "To the left", show=False, id="map.left"),
        Binding("right,l", "beside(1, 0)", "To the right", show=False, id="map.right"),
        Binding("up,k", "beside(0, -1)", "Up", show=False, id="map.up"),
        Binding("down,j", "beside(0, 1)", "Down", show=False, id="map.down"),
    ]

    rows: TreeRows | None = None
    _node = _ROOT
    _chosen = 0
    _hue = Hue.STAGE
    _map: Treemap | None = None
    _types: dict[str, int]

    def show(self, rows: TreeRows) -> None:
        """Show the scope that the tree shows."""
        if self.rows is None or self.rows.sums is not rows.sums:
            self._node, self._chosen = _ROOT, 0
        self.rows, self._types = rows, {}
        self._draw()

    @property
    def current(self) -> int | None:
        """The path (a row of the table) that is chosen."""
        if self._map is None or not self._map.boxes:
            return None
        return self._map.boxes[self._chosen].node

    def _draw(self) -> None:
        size, rows = self.scrollable_content_region, self.rows
        if rows is None or not size.width or not size.height:
            return
        self._map = make_treemap(
            rows.tree, rows.sums, self._node, self._color, width=size.width, height=2 * size.height
        )
        self._chosen = min(self._chosen, max(0, len(self._map.boxes) - 1))
        self.notice = (("", Style.null()), ("nothing here weighs anything", Style.null()))
        self._tell()
        self.rows_changed(0)

    def _tell(self) -> None:
        rows, node = self.rows, self.current
        if rows is None:
            return
        inside = "/" if self._node == _ROOT else f"/{rows.tree.table.paths[self._node]}/"
        words = f"by {self._hue.value}"
        if node is not None:
            chosen = f"{self.safe(rows.tree.name(node))} {show_size(rows.sums.sizes[node])}"
            words = f"{chosen} · {words}: {self._meaning(node)}"
        self.set_titles(f"2 Map · {self.safe(inside)}", words)
        self._strips.clear()
        self.refresh()

    def on_resize(self) -> None:
        self._draw()

    def row_count(self) -> int:
        return self._map.height // 2 if self._map is not None and self._map.boxes else 0

    # -- drawing --------------------------------------------------------------

    def _color(self, node: int) -> int:
        """Return which colour a path has: a stage's number and one, 0 is the base image's."""
        rows = self.rows
        if rows is None:
            return 0
        sums, tree = rows.sums, rows.tree
        if self._hue is Hue.LAYER:
            return max(0, sums.layers[node])
        if self._hue is Hue.WASTE:
            return int(sums.lost[node] > 0)
        if self._hue is Hue.TYPE:
            if tree.is_dir[node]:
                return 0
            ending = tree.name(node).rpartition(".")[2]
            return self._types.setdefault(ending, len(self._types) + 1)
        parts = sums.parts.get(node)
        labels = sums.owner_labels(node)
        label = max(parts, key=parts.__getitem__) if parts else labels[0] if labels else None
        index = None if label is None else tree.owners[label].stage_index
        return 0 if index is None else index + 1

    def _meaning(self, node: int) -> str:
        """Return in words what the colour of a path says."""
        rows = self.rows
        if rows is None:
            return ""
        sums, tree = rows.sums, rows.tree
        if self._hue is Hue.LAYER:
            layer = sums.layers[node]
            return "several" if layer in {NO_LAYER, SEVERAL_LAYERS} else layer_name(layer)
        if self._hue is Hue.WASTE:
            return show_size(sums.lost[node])
        if self._hue is Hue.TYPE:
            name = tree.name(node)
            ending = "folder" if tree.is_dir[node] else f".{name.rpartition('.')[2]}"
            return self.safe(ending) if ending != f".{name}" else "without an ending"
        labels = sums.owner_labels(node)
        owners = {tree.owners[label].text for label in labels}
        return self.safe(owners.pop()) if len(owners) == 1 else "several"

    def _style(self, color: int) -> Style:
        return self.palette.stage(color - 1 if color > 0 else None)

    def row_cells(self, line: int, width: int) -> Iterator[Cell]:
        drawn = self._map
        # What was drawn for another size is drawn anew once that is told.
        if drawn is None or 2 * line + 1 >= drawn.height:
            return
        width = min(width, drawn.width)
        if self.options.ascii or self.app.theme == MONO:
            yield from self._boxes_row(drawn, line, width)
            return
        x = 0
        labels = {label.x: label for label in drawn.labels.get(line, ())}
        while x < width:
            if x in labels:
                label = labels.pop(x)
                text = self._caption(label.node, label.width)
                yield text, self._label_style(drawn, label)
                x += cell_len(text)
                continue
            top, bottom = drawn.color(x, 2 * line), drawn.color(x, 2 * line + 1)
            yield self._cell(top, bottom, chosen=self._is_chosen(drawn, x, 2 * line))
            x += 1

    def _is_chosen(self, drawn: Treemap, x: int, y: int) -> bool:
        left, top, width, height = drawn.boxes[self._chosen].area
        return left <= x < left + width and top <= y < top + height

    def _cell(self, top: int, bottom: int, *, chosen: bool) -> Cell:
        if top == bottom == NOTHING:
            return " ", Style.null()
        if chosen and (top == bottom or NOTHING in {top, bottom}):
            return "▒", self._style(bottom if top == NOTHING else top)
        if NOTHING in {top, bottom}:
            return ("▀", self._style(top)) if bottom == NOTHING else ("▄", self._style(bottom))
        upper, lower = self._style(top), self._style(bottom)
        if top == bottom:
            return "█", upper + Style(bgcolor=upper.color)
        # A half in the terminal's own colour, which no ground can have, is the sign itself.
        if lower.color is None:
            return "▄", lower + Style(bgcolor=upper.color)
        return "▀", upper + Style(bgcolor=lower.color)

    def _caption(self, node: int, room: int) -> str:
        rows = self.rows
        if rows is None:
            return ""
        mark = "▸" if node == self.current else ""
        name = f"{mark}{self.safe(rows.tree.name(node))}{'/' if rows.tree.is_dir[node] else ''}"
        size = show_size(rows.sums.sizes[node])
        longer = f"{name} {size}"
        return crop(longer if cell_len(longer) <= room else name, room)

    def _label_style(self, drawn: Treemap, label: Label) -> Style:
        chosen = Style(bold=label.node == self.current)
        if label.heads:
            return (self.palette.strong if chosen.bold else self.palette.dim) + chosen
        hue = self._style(drawn.color(label.x, 2 * label.line)).color
        return Style(color=hue, reverse=True) + chosen

    def _boxes_row(self, drawn: Treemap, line: int, width: int) -> Iterator[Cell]:
        """Yield a line of boxes with names: what a map is without hues."""
        cells = [" "] * width
        for box in drawn.boxes:
            area = box.area
            top, bottom = area.y // 2, (area.y + area.height) // 2 - 1
            if not top <= line <= bottom:
                continue
            right = min(width, area.x + area.width) - 1
            edge = line in {top, bottom}
            across, down, corners = self._frame(chosen=box is drawn.boxes[self._chosen])
            cells[area.x : right + 1] = across * (right + 1 - area.x) if edge else [
                down, *fill("", max(0, right - area.x - 1)), down,
            ][: right + 1 - area.x]  # fmt: skip
            if edge and right > area.x:
                cells[area.x], cells[right] = corners[line != top]
            if line == top and right - area.x > _LEAST_LABEL:
                self._write_head(box.node, cells, range(area.x + 1, right))
            if not edge:
                self._write_inner(drawn, line, cells, range(area.x + 1, right))
        chosen = drawn.boxes[self._chosen].area
        below = max(chosen.y // 2 + 1, (chosen.y + chosen.height) // 2)
        start = chosen.x if chosen.y // 2 <= line < below else width
        end = start + chosen.width
        yield "".join(cells[:start]), Style.null()
        yield "".join(cells[start:end]), self.palette.strong
        yield "".join(cells[end:]), Style.null()

    def _frame(self, *, chosen: bool) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """Return the lines across and down of a box, and its corners: the upper, the lower two."""
        if not chosen:
            return "─", "│", (("┌", "┐"), ("└", "┘"))
        if self.options.ascii:
            return "#", "#", (("#", "#"), ("#", "#"))
        return "═", "║", (("╔", "╗"), ("╚", "╝"))

    def _write_head(self, node: int, cells: list[str], room: range) -> None:
        """Write into the upper line of a box what it stands for, and what its hue would say."""
        name = self._caption(node, len(room))
        told = f"{name} {self._meaning(node)}"
        name = told if cell_len(told) <= len(room) else name
        cells[room.start : room.start + cell_len(name)] = _padded(name)

    def _write_inner(self, drawn: Treemap, line: int, cells: list[str], room: range) -> None:
        """Write into a box where what lies in it has its place."""
        top = {box.node for box in drawn.boxes}
        for label in drawn.labels.get(line, ()):
            start = max(label.x, room.start)
            width = min(label.x + label.width, room.stop) - start
            inside = room.start - 1 <= label.x < room.stop and label.node not in top
            if inside and width > _LEAST_LABEL:
                name = self._caption(label.node, width)
                cells[start : start + cell_len(name)] = _padded(name)

    # -- keys -----------------------------------------------------------------

    def action_beside(self, dx: int, dy: int) -> None:
        if self._map is not None and self._map.boxes:
            self._choose(self._map.beside(self._chosen, dx, dy))

    def _choose(self, number: int) -> None:
        if number != self._chosen:
            self._chosen = number
            self._tell()
            self.post_message(self.Moved(self, number))

    def action_choose(self) -> None:
        """Go into a folder; of a file, say that it was chosen."""
        node, rows = self.current, self.rows
        if node is None or rows is None:
            return
        if rows.tree.is_dir[node] and rows.sums.sizes[node]:
            self._enter(node)
        else:
            self.post_message(self.Chosen(self, self._chosen))

    def action_out(self) -> None:
        if self.rows is not None and self._node != _ROOT:
            came_from, self._node = self._node, self.rows.tree.parents[self._node]
            self._draw()
            nodes = [] if self._map is None else [box.node for box in self._map.boxes]
            self._chosen = nodes.index(came_from) if came_from in nodes else 0
            self._tell()
            self.post_message(self.Moved(self, self._chosen))

    def _enter(self, node: int) -> None:
        self._node, self._chosen = node, 0
        self._draw()
        self.post_message(self.Moved(self, 0))

    def action_hue(self) -> None:
        hues = tuple(Hue)
        self._hue = hues[(hues.index(self._hue) + 1) % len(hues)]
        self._draw()

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or self._map is None:
            return
        number = self._map.box_at(offset.x, 2 * offset.y)
        if number is not None and number == self._chosen:
            self.action_choose()
        elif number is not None:
            self._choose(number)


def _padded(text: str) -> list[str]:
    """Return a cell each; a wide character stands in its first, the second is empty."""
    cells: list[str] = []
    for character in text:
        cells += [character, *[""] * (cell_len(character) - 1)]
    return cells
