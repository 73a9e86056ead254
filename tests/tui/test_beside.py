"""What takes longer than a key may is worked out beside the keys: the newest wish is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.views.filetree import Mark
from layertrace.views.treeselect import SortKey
from layertrace.views.tui import filtering
from layertrace.views.tui.panes import files
from tests.tui.driver import Driver, run

if TYPE_CHECKING:
    import pytest

    from layertrace.views.treerows import TreeRows


def _rows(tui: Driver) -> TreeRows:
    rows = tui.browse.files.rows
    assert rows is not None
    return rows


def _shown(tui: Driver) -> list[int]:
    rows = _rows(tui)
    return [rows.node(line) for line in range(len(rows))]


async def _same(tui: Driver) -> None:
    """Wait until what was asked for is on view: what it comes to when it is asked for at once."""
    await tui.until(lambda: tui.browse.files._wish is None)
    shown, rows = _shown(tui), _rows(tui)
    rows.change(rows.wish)
    assert _shown(tui) == shown


def test_what_is_pressed_before_it_is_shown_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Order, marks and list, faster than any is worked out; then a filter, and another scope."""
    monkeypatch.setattr(files, "LARGE", 0)
    monkeypatch.setattr(filtering, "LARGE", 0)
    run(_press_on)


async def _press_on(tui: Driver) -> None:
    pane = tui.browse.files
    await tui.press("2", "asterisk")
    for act in (pane.action_sort, pane.action_sort, pane.action_reverse, pane.action_flat):
        act()
    pane.action_mark("UNTOUCHED")
    assert _rows(tui).wish.sort is SortKey.SIZE, "nothing of it is shown before it is ready"
    await _same(tui)
    wish = _rows(tui).wish
    assert (wish.sort, wish.reverse, wish.flat) == (SortKey.FILES, True, True)
    assert wish.hidden == {Mark.UNTOUCHED}
    pane.action_flat()
    await tui.filter("js")
    await tui.until(lambda: _rows(tui).wish.matches is not None)
    await _same(tui)
    assert _rows(tui).is_hit(_rows(tui).node(pane.cursor_line))
    await tui.press("escape")
    await tui.until(lambda: _rows(tui).wish.matches is None)
    await tui.press("1", "j", "j", "j")
    await tui.until(lambda: _rows(tui).sums.scope == tui.browse._scope)
    await _same(tui)
