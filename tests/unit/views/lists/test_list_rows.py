"""Lists in groups: which row stands at a line, whatever is open."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from layertrace.views.lists.rows import Column, Field, Group, Listing, ListRow

if TYPE_CHECKING:
    from collections.abc import Sequence


def row(text: str) -> ListRow:
    """Return a row of one field."""
    return ListRow(fields=(Field(text=text),))


def item(group: int, number: int) -> ListRow:
    """Return the row of one item."""
    return row(f"{group}.{number}")


def listing(counts: Sequence[int], opened: int = 40) -> Listing:
    """Return a list with so many items in its groups."""
    groups = [
        Group(head=row(str(number)), count=count, item=partial(item, number))
        for number, count in enumerate(counts)
    ]
    return Listing(title="", columns=(Column(title=""),), groups=groups, opened=opened)


def texts(rows: Listing) -> list[str]:
    """Return all rows on view."""
    return [rows.row(line).fields[0].text for line in range(len(rows))]


def test_groups_open_at_first_while_they_fit() -> None:
    """A group that is too large stays closed, and so do those after it."""
    assert texts(listing([2, 0, 3, 1], opened=4)) == ["0", "0.0", "0.1", "1", "2", "3"]


def test_a_group_opens_and_closes() -> None:
    """Rows behind it move; its own stay."""
    rows = listing([1, 2], opened=0)
    rows.toggle(1)
    assert texts(rows) == ["0", "1", "1.0", "1.1"]
    assert [rows.fold_mark(line) for line in range(4)] == [False, True, None, None]
    assert [rows.head_line(line) for line in range(4)] == [0, 1, 1, 1]
    rows.toggle(1)
    assert texts(rows) == ["0", "1"]


def test_what_has_no_items_does_not_open() -> None:
    """Neither does an item."""
    rows = listing([0, 1])
    rows.toggle(0)
    rows.toggle(2)
    assert texts(rows) == ["0", "1", "1.0"]
    assert rows.fold_mark(0) is None


@given(st.lists(st.integers(0, 4), max_size=6), st.lists(st.integers(0, 30), max_size=8))
def test_rows_are_those_of_the_open_groups(counts: list[int], toggles: list[int]) -> None:
    """Whatever was opened and closed, rows stand in order and none twice."""
    rows = listing(counts, opened=3)
    for line in toggles:
        if line < len(rows):
            rows.toggle(line)
    found = texts(rows)
    wanted = []
    for number, count in enumerate(counts):
        wanted.append(str(number))
        if count and f"{number}.0" in found:
            wanted += [f"{number}.{place}" for place in range(count)]
    assert found == wanted


def test_all_close_and_open_at_once() -> None:
    """Where anything is open, everything closes first."""
    rows = listing([1, 1], opened=1)
    rows.toggle_all()
    assert texts(rows) == ["0", "1"]
    rows.toggle_all()
    assert texts(rows) == ["0", "0.0", "1", "1.0"]
