"""What is typed for a filter, where the cursor is meanwhile, and where it is afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.tui.driver import Driver, run

if TYPE_CHECKING:
    from collections.abc import Callable


def _at(driver: Driver, path: str) -> Callable[[], bool]:
    return lambda: driver.browse.path_here == path


def test_a_file_that_a_filter_found_stays_found() -> None:
    """Enter goes on among the hits, and Esc then keeps the file; Esc while typing goes back."""

    async def script(driver: Driver) -> None:
        files = driver.browse.files
        before = driver.browse.path_here
        await driver.filter("dist/server")
        await driver.until(_at(driver, "app/dist/server.js"))
        await driver.press("escape")
        await driver.until(lambda: driver.browse.path_here == before)
        await driver.press("*")
        await driver.press("ctrl+@")
        await driver.filter("dist/server")
        await driver.press("enter")
        await driver.until(_at(driver, "app/dist/server.js"))
        await driver.press("escape")
        await driver.until(lambda: not driver.browse.filter_bar.display)
        assert driver.browse.path_here == "app/dist/server.js"
        assert driver.app.screen.focused is files

    run(script)


def test_keys_typed_ahead_of_the_filter_go_where_they_belong() -> None:
    """Of ``/server``, Enter and ``G``, before any is worked off, G is no letter of the filter."""

    async def script(driver: Driver) -> None:
        for key in ("slash", *"server", "enter", "G"):
            driver.app.simulate_key(key)
        bar = driver.browse.filter_bar
        await driver.until(lambda: driver.browse.files.cursor_line > 0 and bar.was_left)
        assert bar.entry.value == "server"
        rows = driver.browse.files.row_count()
        await driver.until(lambda: driver.browse.files.cursor_line == rows - 1)

    run(script)
