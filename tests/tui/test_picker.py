"""Without an image: which one? Opening what was picked, and what cannot be opened."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from layertrace.errors import EngineError, SourceError, StoppedError
from layertrace.views.picking.offers import Kind, Offer
from layertrace.views.tui.browse import BrowseScreen
from layertrace.views.tui.picker import PickerScreen
from layertrace.views.tui.ports import Picking
from layertrace.views.tui.startup import OpeningScreen
from tests.tui.driver import Driver, run
from tests.tui.fakes import FakeOpening, FakeProgress

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.views.tui.ports import Opener, Opening, WalkProgress

RECENT = (
    Offer(kind=Kind.RECENT, reference="shop:1.4.2", name="shop:1.4.2", time=1_700_000_000),
    Offer(kind=Kind.RECENT, reference="/srv/\x1b[2Jold.tar", name="/srv/\x1b[2Jold.tar", time=1e30),
)
HERE = (
    Offer(kind=Kind.FOLDER, reference="./app.tar", name="app.tar", size=1_400_000),
    Offer(kind=Kind.FOLDER, reference="./[red].tar", name="[red].tar", size=1),
)


def _no_engine() -> tuple[Offer, ...]:
    raise EngineError("the Docker engine cannot be reached", hint="start it")


def _picking(open_image: Callable[[str], Opener]) -> Picking:
    look = {Kind.RECENT: lambda: RECENT, Kind.FOLDER: lambda: HERE, Kind.ENGINE: _no_engine}
    return Picking(open=open_image, look=look)


def _opener(reference: str) -> Opener:
    def open_it(_progress: object, _stop: object, /) -> Opening:
        if "app" in reference:
            raise SourceError("app.tar is no image", why="it holds no manifest", hint="look at it")
        return FakeOpening()

    return open_it


def test_what_lies_at_hand_is_offered_and_opened() -> None:
    """By kind, with sizes; an engine that is not there is a line; Enter opens in the same app."""

    async def script(tui: Driver) -> None:
        await tui.see("Opened before", "Archives and layouts", "cannot be reached", "→ start it")
        await tui.see("4 images")
        assert "1.4 MB" in tui.row("app.tar")
        assert "2023-11-1" in tui.row("shop:1.4.2")
        assert "\\x1b[2Jold.tar" in tui.text()
        assert "[red].tar" in tui.text()
        await tui.press("enter")
        await tui.see("1 Stages & layers", "7 files")
        assert isinstance(tui.app.screen, BrowseScreen)

    run(script, picking=_picking(_opener), read=False)


def test_typing_narrows_what_is_offered() -> None:
    """All words count; Esc gives everything back, and once more leaves."""

    async def script(tui: Driver) -> None:
        await tui.see("4 images", "where each file of a container image comes from")
        # The first thing to know stands first; help is there, and closing it leaves nothing else.
        assert tui.row("? Help").split()[:2] == ["Enter", "Open"]
        await tui.press("question_mark")
        await tui.see("picker.open", "picker.narrow", "app.quit")
        await tui.press("escape")
        await tui.press("slash", *"TAR re", "enter")
        await tui.see("1 image")
        assert "app.tar" not in tui.text()
        await tui.press("slash", "x")
        await tui.see("nothing matches")
        await tui.press("escape")
        await tui.see("4 images")
        await tui.press("escape")
        await tui.until(lambda: not tui.app.is_running)
        assert tui.app.exit_code == 0

    run(script, picking=_picking(_opener), read=False)


def test_an_image_that_cannot_be_opened_leads_back_with_the_reason() -> None:
    """The three lines of the error stand over the list, and another image can be opened."""

    async def script(tui: Driver) -> None:
        await tui.see("4 images")
        await tui.press("down", "down", "down", "enter")
        await tui.see("Cannot open ./app.tar", "it holds no manifest", "look at it", "shop:1.4.2")
        await tui.press("escape")
        await tui.until(lambda: "no manifest" not in tui.text())
        await tui.press("g", "down", "enter", "enter")
        await tui.until(lambda: isinstance(tui.app.screen, BrowseScreen))
        assert sum(isinstance(each, BrowseScreen) for each in tui.app.screen_stack) == 1

    run(script, picking=_picking(_opener), read=False)


def test_opening_tells_how_far_it_is_and_escape_leads_back() -> None:
    """However long it hangs: at once, and what comes late is not shown."""
    go_on, stopped = threading.Event(), threading.Event()

    def hanging(_reference: str) -> Opener:
        def open_it(
            progress: Callable[[WalkProgress], None], stop: Callable[[], bool], /
        ) -> Opening:
            told = FakeProgress(layer=2, layers=5, bytes_done=61, bytes_total=100, entries=9)
            while not go_on.wait(0.05):
                progress(told)
            if stop():
                stopped.set()
                raise StoppedError
            return FakeOpening()

        return open_it

    async def script(tui: Driver) -> None:
        await tui.see("4 images")
        await tui.press("enter")
        await tui.until(lambda: isinstance(tui.app.screen, OpeningScreen))
        await tui.see("Opening shop:1.4.2", "61 B of 100 B", "Esc Stop")
        started = time.monotonic()
        await tui.press("escape")
        await tui.until(lambda: isinstance(tui.app.screen, PickerScreen))
        assert time.monotonic() - started < 1
        go_on.set()
        await tui.until(stopped.is_set)
        await tui.press("r")
        await tui.see("4 images", "cannot be reached")

    run(script, picking=_picking(hanging), read=False)


def test_quitting_does_not_wait_for_an_opening_that_hangs() -> None:
    """Neither with q nor with Esc, whose exit code says that it was stopped."""
    hung = threading.Event()

    def open_never() -> Opening:
        hung.wait(60)
        return FakeOpening()

    codes = []
    for key in ("q", "escape"):

        async def script(tui: Driver, key: str = key) -> None:
            await tui.see("Opening shop:1.4.2")
            started = time.monotonic()
            await tui.press(key)
            await tui.until(lambda: not tui.app.is_running)
            assert time.monotonic() - started < 1
            codes.append(tui.app.return_value)

        run(script, open_image=open_never, read=False)
    hung.set()
    assert codes == [0, StoppedError.exit_code]
