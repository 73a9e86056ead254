"""What the mouse does: click, click again, wheel, drag; and the terminal's size changing."""

from __future__ import annotations

import pytest
from textual import events
from textual.geometry import Region

from layertrace.model.entry import EntryKind
from layertrace.views.tui.splits import Split, share_at, split_at
from tests.tui.driver import Driver, run
from tests.tui.fakes import BASE, FakeOpening, Row, directory, table

MANY = FakeOpening(
    files=table([
        directory("d"),
        *(Row(path=f"d/f{n:03}", size=1000 - n, label=BASE) for n in range(200)),
        Row(path="pipe", kind=EntryKind.FIFO),
    ])
)  # fmt: skip


async def _click(tui: Driver, word: str, *, times: int = 1) -> None:
    """Click on the first place where ``word`` stands."""
    y, line = next((n, line) for n, line in enumerate(tui.lines()) if word in line)
    for _ in range(times):
        await tui.pilot.click(offset=(line.index(word), y))


def test_a_click_goes_to_the_pane_and_the_row_it_is_on() -> None:
    """The scope follows, and the keys are that pane's."""

    async def script(tui: Driver) -> None:
        await _click(tui, "L3 COPY")
        await tui.see("2 Files · L3", "Enter Go there")
        assert tui.browse.stages.has_focus

    run(script)


def test_a_second_click_on_a_hop_jumps_and_on_a_stage_folds() -> None:
    """What Enter does."""

    async def script(tui: Driver) -> None:
        await tui.filter("server.js")
        await tui.press("enter")
        await tui.see("created here")
        await _click(tui, "created here", times=2)
        await tui.see("2 Files · made by build/5")
        await _click(tui, "● stage-1", times=2)
        await tui.until(lambda: "L5 RUN npm install" not in tui.text())

    run(script)


def test_a_click_beside_every_row_does_nothing() -> None:
    """On the heading, below the last row and on the frame."""

    async def script(tui: Driver) -> None:
        before = tui.text()
        files = tui.browse.files.region
        for offset in [(10, 1), (10, files.height - 3), (10, 0)]:
            await tui.pilot.click("#files", offset=offset)
        await tui.pilot.pause(0.1)
        assert tui.text() == before

    run(script)


def test_the_wheel_scrolls_and_leaves_the_cursor() -> None:
    """The row that is explained stays explained."""

    async def script(tui: Driver) -> None:
        await tui.press("*")
        await tui.see("f000")
        await tui.until(lambda: tui.browse.why.path == "d")
        files = tui.browse.files
        for _ in range(10):
            tui.app.screen._forward_event(_wheel(files.region, down=True))
        await tui.until(lambda: "│   f000" not in tui.text() and "│   f030" in tui.text())
        assert "3 Why /d " in tui.text()
        for _ in range(40):
            tui.app.screen._forward_event(_wheel(files.region, down=False))
        await tui.see("│   f000")

    run(script, MANY)


def _wheel(region: Region, *, down: bool) -> events.MouseEvent:
    kind = events.MouseScrollDown if down else events.MouseScrollUp
    x, y = region.x + 20, region.y + 5
    return kind(None, x, y, 0, 0, 0, shift=False, meta=False, ctrl=False)


def test_a_click_on_the_keys_presses_them() -> None:
    """The bar is a row of buttons."""

    async def script(tui: Driver) -> None:
        await _click(tui, "s Sort")
        await tui.see("by name ↑")
        await _click(tui, "? Help")
        await tui.see("Pane Files")
        await tui.press("escape")
        await _click(tui, "q Quit")
        await tui.until(lambda: not tui.app.is_running)

    run(script)


async def _drag(tui: Driver, start: tuple[int, int], end: tuple[int, int]) -> None:
    await tui.pilot.mouse_down(offset=start)
    await tui.pilot.hover(offset=end)
    await tui.pilot.mouse_up(offset=end)
    await tui.pilot.pause()


def test_the_lines_between_the_panes_can_be_dragged() -> None:
    """Left and right, up and down; never so far that a pane is gone."""

    async def script(tui: Driver) -> None:
        stages, files, why, code = tui.browse.panes.values()
        await _drag(tui, (files.region.x, 10), (60, 10))
        assert (stages.region.right, files.region.x) == (60, 60)
        assert "L3 COPY --from=build /app/dist /a" in tui.text()
        await _drag(tui, (20, why.region.y - 1), (20, 12))
        assert (stages.region.bottom, why.region.y, code.region.y) == (12, 12, 12)
        await _drag(tui, (code.region.x, 20), (40, 20))
        assert code.region.x == 40
        await _drag(tui, (files.region.x, 8), (119, 8))
        assert files.region.width == 24
        await _drag(tui, (20, why.region.y), (20, 0))
        assert stages.region.height == 5

    run(script)


def test_dragged_panes_keep_their_shares_when_the_terminal_changes() -> None:
    """The narrow layout and a pane enlarged have no splits; both give way again."""

    async def script(tui: Driver) -> None:
        stages, files, _, _ = tui.browse.panes.values()
        await _drag(tui, (files.region.x, 10), (60, 10))
        await tui.pilot.resize_terminal(200, 40)
        await tui.until(lambda: stages.region.width == 100)
        await tui.press("z")
        await tui.until(lambda: files.region.width == 200)
        await tui.press("z")
        await tui.until(lambda: stages.region.width == 100)
        await tui.pilot.resize_terminal(80, 24)
        await tui.see("[2 Files]")
        assert files.region.width == 80
        await _drag(tui, (0, 10), (60, 10))
        assert files.region.width == 80

    run(script)


def test_resizing_while_it_runs_keeps_the_cursor_and_the_answer() -> None:
    """Wide, narrow, too small, and wide again."""

    async def script(tui: Driver) -> None:
        await tui.filter("server.js")
        await tui.press("enter")
        await tui.see("3 Why /app/dist/server.js", "verified by content")
        for size in [(80, 24), (60, 20), (40, 12), (30, 10), (101, 30), (200, 60)]:
            await tui.pilot.resize_terminal(*size)
            await tui.pilot.pause()
            lines = tui.lines()
            assert [len(line) for line in lines] == [size[0]] * size[1]
            if size > (40, 12):
                assert any("server.js" in line and "build" in line for line in lines), size
        assert "made by `RUN npm run build` in stage build" in tui.text()
        assert tui.browse.files.has_focus

    run(script)


REGIONS = {
    "files": Region(46, 1, 74, 24),
    "why": Region(0, 25, 63, 10),
    "code": Region(63, 25, 57, 10),
}


@pytest.mark.parametrize(
    ("place", "split"),
    [
        pytest.param((45, 8), Split.UPPER, id="frame-of-stages"),
        pytest.param((46, 8), Split.UPPER, id="frame-of-files"),
        pytest.param((47, 8), None, id="inside"),
        pytest.param((80, 24), Split.MIDDLE, id="frame-above"),
        pytest.param((5, 25), Split.MIDDLE, id="frame-below"),
        pytest.param((63, 30), Split.LOWER, id="frame-of-the-dockerfile"),
        pytest.param((46, 30), None, id="the-other-half"),
        pytest.param((46, 1), None, id="title"),
    ],
)
def test_a_split_is_two_cells_wide(place: tuple[int, int], split: Split | None) -> None:
    """Where the frames of two panes touch."""
    assert split_at(*place, REGIONS) is split


def test_a_split_leaves_each_side_its_least() -> None:
    """Half each where there is no room for both."""
    body = Region(0, 1, 120, 34)
    assert int(share_at(Split.UPPER, 0, 0, body) * 120) == 24
    assert int(share_at(Split.UPPER, 500, 0, body) * 120) == 96
    assert int(share_at(Split.MIDDLE, 0, 20, body) * 34) == 19
    assert int(share_at(Split.MIDDLE, 0, 9, Region(0, 1, 120, 6)) * 6) == 3
