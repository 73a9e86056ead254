"""Keys and columns of the user's own."""

from __future__ import annotations

from layertrace.views.tui.ports import TuiOptions
from layertrace.views.tui.themes import DARK
from tests.tui.driver import Driver, run


def test_a_key_can_be_another() -> None:
    """It does what its id says, the old one nothing, and help lists the new one."""

    async def script(driver: Driver) -> None:
        await driver.press("slash")
        assert not driver.browse.filter_bar.display
        await driver.press("question_mark", "pagedown", "pagedown")
        await driver.see("browse.filter")
        assert "Ctrl+Y" in driver.row("browse.filter")
        await driver.press("escape", "ctrl+y")
        assert driver.browse.filter_bar.display

    run(script, options=TuiOptions(theme=DARK, keys={"browse.filter": "ctrl+y"}))


def test_columns_can_stand_there_from_the_start() -> None:
    """Those that the configuration names."""

    async def script(driver: Driver) -> None:
        await driver.see("Owner")

    run(script, options=TuiOptions(theme=DARK, columns=("owner",)))
