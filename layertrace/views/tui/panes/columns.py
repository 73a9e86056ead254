"""The columns of pane 2: which there are, which fit, and what each says of a path."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Final

from rich.style import Style

from layertrace.model.entry import EntryKind
from layertrace.views.tui.cells import fill

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from layertrace.provenance.trees import Item
    from layertrace.views.treerows import TreeRows
    from layertrace.views.tui.rows_view import Cell
    from layertrace.views.tui.themes import Palette

BAR_WIDTH: Final = 6
LEAST_PATH: Final = 20
"""Cells that columns leave to the path."""
_SHADES: Final = "█▓▒░"
"""Of the parts of a bar, so that they can be told apart without their colours."""


class Column(Enum):
    """A column that can be shown besides those that always are, in their order."""

    SHARE = ("share", BAR_WIDTH, "part of its directory")
    MODE = ("mode", 4, "permission bits")
    OWNER = ("owner", 9, "numbers of user and group")
    TIME = ("time", 16, "last changed, in UTC")
    TYPE = ("type", 8, "file, dir, link and so on")
    PACKAGE = ("package", 20, "of which package, version")

    def __init__(self, title: str, cells: int, meaning: str) -> None:
        self.title = title
        self.cells = cells
        self.meaning = meaning

    @property
    def needs_item(self) -> bool:
        """Whether it says something that only the entry itself tells."""
        return self in ATTRIBUTES


ATTRIBUTES: Final = frozenset({Column.MODE, Column.OWNER, Column.TIME})


def fitting(chosen: Collection[Column], room: int) -> tuple[Column, ...]:
    """Return the chosen columns that leave the path its room; the last go first."""
    columns: list[Column] = []
    for column in Column:
        if column in chosen:
            room -= column.cells + 1
            if room < LEAST_PATH:
                break
            columns.append(column)
    return tuple(columns)


def column_text(column: Column, rows: TreeRows, node: int, item: Item | None, package: str) -> str:
    """Return what a column says of a path, exactly as wide as the column."""
    if column is Column.PACKAGE:
        return fill(package, column.cells)
    if column is Column.SHARE:
        return fill(_share(rows, node), column.cells)
    if column is Column.TYPE:
        return fill(EntryKind(rows.tree.table.kinds[node]).word, column.cells)
    if item is None:
        return " " * column.cells
    return fill(_attribute(column, item), column.cells)


def _attribute(column: Column, item: Item) -> str:
    if column is Column.MODE:
        return "" if item.mode is None else f"{item.mode & 0o7777:04o}"
    if column is Column.OWNER:
        return "" if item.uid is None else f"{item.uid}:{item.gid}"
    return "" if item.mtime is None else show_time(item.mtime)


def show_time(seconds: int) -> str:
    """Return a file's time; one that no calendar has, as its number.

    >>> show_time(0), show_time(10**15)
    ('1970-01-01 00:00', '1000000000000000')
    """
    try:
        return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%d %H:%M")
    except (OverflowError, ValueError, OSError):
        return str(seconds)


def _share(rows: TreeRows, node: int) -> str:
    parent = rows.tree.parents[node]
    if rows.by_size:
        # Of all files even the largest is little: beside it one sees how fast they get less.
        whole = rows.sums.sizes[rows.node(0)]
    else:
        whole = rows.sums.total_size if parent < 0 or rows.wish.flat else rows.sums.sizes[parent]
    halves = round(2 * BAR_WIDTH * rows.sums.sizes[node] / whole) if whole else 0
    return "█" * (halves // 2) + "▌" * (halves % 2)


def owners_bar(rows: TreeRows, node: int, palette: Palette) -> Iterator[Cell]:
    """Yield how a directory's bytes divide by owner, the largest first."""
    parts = sorted(rows.sums.parts.get(node, {}).items(), key=lambda part: -part[1])
    cells = divide([size for _, size in parts], BAR_WIDTH)
    for rank, ((label, _), count) in enumerate(zip(parts, cells, strict=True)):
        if count:
            shade = _SHADES[min(rank, len(_SHADES) - 1)]
            yield shade * count, palette.stage(rows.tree.owners[label].stage_index)
    yield " " * (BAR_WIDTH - sum(cells)), Style.null()


def divide(sizes: list[int], cells: int) -> list[int]:
    """Divide ``cells`` as ``sizes`` are; what is there at all gets one as long as they last.

    >>> divide([70, 20, 10], 6), divide([1000, 1, 1], 6), divide([5] * 8, 6), divide([], 6)
    ([4, 1, 1], [4, 1, 1], [1, 1, 1, 1, 1, 1, 0, 0], [])
    """
    total = sum(sizes)
    if not total:
        return [0] * len(sizes)
    counts = [int(number < cells and size > 0) for number, size in enumerate(sizes)]
    for _ in range(cells - sum(counts)):
        # The next cell goes to whoever lacks most of its share.
        lacking = [cells * s / total - c for s, c in zip(sizes, counts, strict=True)]
        counts[lacking.index(max(lacking))] += 1
    return counts


def heading(column: Column) -> str:
    """Return what stands above a column."""
    return fill(column.title.capitalize(), column.cells)
