"""Pane 2 as a list: waste, duplicates, packages and the like, in groups that fold."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from rich.cells import cell_len
from rich.style import Style
from textual.binding import Binding, BindingType

from layertrace.views.text import to_ascii
from layertrace.views.tui.cells import crop, crop_middle, fill, fill_left
from layertrace.views.tui.roles import role_style
from layertrace.views.tui.rows_view import HALF_PAGES, Cell, RowsView

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from layertrace.views.lists.rows import Column, Field, Listing, ListRow

_BAR: Final = 4
"""Cells that a bar has at least, before what stands behind it goes."""
_WORDS: Final = 3
"""The part of a column that is left to what is said of a path, where both are too long."""
_LAST: Final = 24
"""Cells that the last column has at least, before others go."""


class ListPane(RowsView):
    """Draws a :class:`Listing`; what is in it, its maker decides."""

    HAS_HEADER = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "fold", "Fold", id="list.fold"),
        Binding("enter", "choose", "Show in the tree", id="list.choose"),
        Binding("ctrl+space,ctrl+@", "fold_all", "Fold all", show=False, id="list.fold-all"),
        Binding("*", "unfold_all", "Unfold all", show=False, id="list.unfold-all"),
        Binding("d", "page(1)", "Page down", show=False, id="list.page-down"),
        Binding("u", "page(-1)", "Page up", show=False, id="list.page-up"),
        *HALF_PAGES,
    ]

    listing: Listing | None = None

    def show(self, listing: Listing | None, words: str = "") -> None:
        """Show another list; None: ``words`` in its place."""
        self.listing = listing
        text = words if listing is None else listing.empty
        self.notice = (("", Style.null()), (text, Style.null()))
        self.rows_changed(0)

    @property
    def current(self) -> ListRow | None:
        """The row at the cursor."""
        if self.listing is None or not len(self.listing):
            return None
        return self.listing.row(self.cursor_line)

    def row_count(self) -> int:
        return 0 if self.listing is None else len(self.listing)

    def header_cells(self, width: int) -> Iterable[Cell]:
        listing = self.listing
        if listing is None:
            return
        yield "   ", Style.null()
        for column, room in self._fitting(listing.columns, width - 3):
            yield _placed(column.title, column, room), Style.null()

    def row_cells(self, line: int, width: int) -> Iterator[Cell]:
        listing = self.listing
        if listing is None:
            return
        row, mark = listing.row(line), listing.fold_mark(line)
        fold = " " if mark is None else "▾" if mark else "▸"
        yield f" {fold} ", self.palette.dim
        if row.span:
            last = row.fields[-1]
            yield crop(self._shown(last, row), width - 3), self._style(last)
            return
        for column, room in self._fitting(listing.columns, width - 3):
            field = row.fields[listing.columns.index(column)]
            if field.bar is not None:
                yield from self._bar(field, row, room)
                continue
            text = self._shown(field, row)
            if column.width == 0:
                text = self._cropped(text, row, room)
            yield _placed(text, column, room), self._style(field)

    def _shown(self, field: Field, row: ListRow) -> str:
        # Of words, which are ours, marks have signs of their own; of a path they are spelled out.
        ours = self.options.ascii and row.path is None
        return self.safe(to_ascii(field.text) if ours else field.text)

    def _cropped(self, text: str, row: ListRow, room: int) -> str:
        """Cut what is too long: words at their end, a path in its middle, as its end tells most."""
        path = "" if row.path is None else self.safe(f"/{row.path}")
        if not path or not text.startswith(path):
            return crop(text, room) if row.path is None else text
        words = text[len(path) :]
        path = crop_middle(path, max(room - cell_len(words), room - room // _WORDS))
        return path + crop(words, room - cell_len(path))

    def _bar(self, field: Field, row: ListRow, room: int) -> Iterator[Cell]:
        tail = self._shown(field, row)
        if cell_len(tail) + _BAR > room:
            # Half a joint joins nothing: the bars alone still say how much each is.
            tail = ""
        room -= cell_len(tail)
        full = min(room, max(1, round((field.bar or 0) * room))) if field.bar else 0
        yield "█" * full, self._style(field)
        yield "─" * (room - full), self.palette.dim
        yield tail, self.palette.strong

    def _fitting(self, columns: tuple[Column, ...], width: int) -> Iterator[tuple[Column, int]]:
        """Yield the columns there is room for, each with its cells."""
        *fixed, last = columns
        while fixed and sum(column.width + 1 for column in fixed) + _LAST > width:
            least = max(fixed, key=lambda column: column.need)
            if least.need == 0:
                break
            fixed.remove(least)
        for column in fixed:
            yield column, column.width
        yield last, max(4, width - sum(column.width + 1 for column in fixed))

    def _style(self, field: Field) -> Style:
        if field.stage is not None:
            return self.palette.stage(field.stage)
        return role_style(self.palette, field.role)

    # -- keys -----------------------------------------------------------------

    def action_fold(self) -> None:
        listing = self.listing
        if listing is not None and len(listing):
            line = listing.head_line(self.cursor_line)
            before = len(listing)
            listing.toggle(line)
            self.rows_changed(line)
            self.show_below(len(listing) - before)

    def action_choose(self) -> None:
        listing = self.listing
        if listing is not None and len(listing) and listing.fold_mark(self.cursor_line) is not None:
            self.action_fold()
        else:
            super().action_choose()

    def action_open(self) -> None:
        listing = self.listing
        if listing is None or not len(listing):
            return
        mark = listing.fold_mark(self.cursor_line)
        if mark:
            self.move_to(self.cursor_line + 1)
        elif mark is not None:
            self.action_fold()

    def action_close(self) -> None:
        listing = self.listing
        if listing is None or not len(listing):
            return
        if listing.fold_mark(self.cursor_line):
            self.action_fold()
        else:
            self.move_to(listing.head_line(self.cursor_line))

    def hit(self, step: int) -> None:
        """Go to the next row that is about a path, in a list that a filter narrowed."""
        line = self.cursor_line + step
        while self.listing is not None and 0 <= line < len(self.listing):
            if self.listing.row(line).path is not None:
                self.move_to(line)
                return
            line += step

    def action_fold_all(self) -> None:
        if self.listing is not None and len(self.listing):
            self.listing.toggle_all()
            self.rows_changed(0)

    def action_unfold_all(self) -> None:
        listing = self.listing
        if listing is not None and len(listing):
            line = listing.open_all(self.cursor_line)
            self.rows_changed(line)


def _placed(text: str, column: Column, room: int) -> str:
    if column.right:
        return f"{fill_left(text, room)} "
    return f"{fill(text, room)} " if column.width else crop_middle(text, room)
