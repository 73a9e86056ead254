"""Runs the TUI without a terminal, presses keys, and reads the screen as lines."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from layertrace.views.tui.app import LayertraceApp
from layertrace.views.tui.browse import BrowseScreen
from layertrace.views.tui.ports import TuiOptions
from layertrace.views.tui.themes import DARK
from tests.tui.fakes import FakeOpening

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.pilot import Pilot

    from layertrace.views.tui.ports import Comparing, Means, Opening, Picking

T = TypeVar("T")
LOOKS = Path(__file__).parent / "looks"
WIDE = (120, 36)


class Driver:
    """An app that runs, and what a test does to it."""

    def __init__(self, app: LayertraceApp, pilot: Pilot[Any]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def browse(self) -> BrowseScreen:
        """The Browse screen, whatever lies over it."""
        screens = [s for s in self.app.screen_stack if isinstance(s, BrowseScreen)]
        return screens[0]

    async def until(self, true: Callable[[], object], *, seconds: float = 10) -> None:
        """Wait for what a thread or a timer is to bring about."""
        for _ in range(round(seconds / 0.02)):
            if true():
                await self.pilot.pause()
                return
            await asyncio.sleep(0.02)
        raise AssertionError("it did not come about:\n" + self.text())

    async def see(self, *words: str) -> None:
        """Wait until all of ``words`` stand on the screen."""
        await self.until(lambda: all(word in self.text() for word in words))

    async def press(self, *keys: str) -> None:
        """Press keys."""
        await self.pilot.press(*keys)

    async def filter(self, text: str) -> None:
        """Open the filter and type ``text``, at once: a key takes a test 50 ms."""
        await self.press("slash")
        self.browse.filter_bar.entry.value = text
        await self.pilot.pause()

    def lines(self) -> list[str]:
        """Return the screen as it is drawn."""
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    def text(self) -> str:
        """Return the screen as one text."""
        return "\n".join(line.rstrip() for line in self.lines())

    def row(self, word: str) -> str:
        """Return the only line of the screen that holds ``word``."""
        found = [line for line in self.lines() if word in line]
        assert len(found) == 1, f"{word!r} stands {len(found)} times:\n{self.text()}"
        return found[0]


def run(  # noqa: PLR0913 - each has a default, and a test names what it needs
    script: Callable[[Driver], Awaitable[T]],
    opening: Opening | None = None,
    *,
    open_image: Callable[[], Opening] | None = None,
    size: tuple[int, int] = WIDE,
    options: TuiOptions | None = None,
    read: bool = True,
    title: str = "shop:1.4.2",
    comparing: Comparing | None = None,
    picking: Picking | None = None,
    means: Means | None = None,
) -> T:
    """Open an image, wait until it is read if ``read``, and run a script on it."""
    given: Opening = opening or FakeOpening()
    app = LayertraceApp(
        picking or (lambda _progress, _stop: open_image() if open_image else given),
        title=title,
        options=options or TuiOptions(theme=DARK),
        comparing=comparing,
        means=means,
    )

    async def main() -> T:
        async with app.run_test(size=size, notifications=True) as pilot:
            driver = Driver(app, pilot)
            if read:
                await driver.until(lambda: isinstance(app.screen, BrowseScreen))
                await driver.until(lambda: driver.browse.files.rows is not None)
                await driver.until(driver.browse.why.row_count)
            return await script(driver)

    return asyncio.run(main())


def kept_looks(name: str, driver: Driver) -> list[str]:
    """Return the screen kept in ``looks``; LAYERTRACE_LOOKS=keep keeps this one first."""
    kept = LOOKS / f"{name}.txt"
    if os.environ.get("LAYERTRACE_LOOKS") == "keep":
        LOOKS.mkdir(exist_ok=True)
        kept.write_text(driver.text() + "\n", encoding="utf-8")
    return kept.read_text(encoding="utf-8").splitlines()
