"""The frames with words that stand alone: whatever the terminal's size, the last word is seen."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from layertrace.errors import ArchiveError, LayerError
from tests.tui.driver import Driver, run
from tests.tui.fakes import FakeOpening

if TYPE_CHECKING:
    from layertrace.views.tui.ports import Opening

CUT = ArchiveError(
    "cut.tar has no list of its images: no manifest.json and no index.json",
    why="the archive is cut short or damaged: unexpected end of data; files that are whole: 5",
    hint="save or copy the image again",
)


def _fail() -> Opening:
    raise CUT


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
def test_an_error_shows_what_to_do_at_every_size(size: tuple[int, int]) -> None:
    """Its words are broken to fit, and nothing is cut; its exit code is the program's."""

    async def script(tui: Driver) -> None:
        await tui.see("Cannot open cut.tar", "r Try again")
        words = " ".join(line.strip(" │") for line in tui.lines())
        for said in str(CUT).splitlines():
            assert said in " ".join(words.split())
        await tui.press("q")
        assert tui.app.exit_code == ArchiveError.exit_code

    run(script, open_image=_fail, size=size, title="cut.tar", read=False)


def test_an_error_too_long_for_the_terminal_scrolls() -> None:
    """Keys lead to its last line."""

    def fail() -> Opening:
        raise ArchiveError("x" * 300, why="y" * 300, hint="the last word")

    async def script(tui: Driver) -> None:
        await tui.see("Cannot open", "xxx")
        assert "the last word" not in tui.text()
        await tui.press("end")
        await tui.see("the last word", "r Try again")
        await tui.press("home")
        await tui.until(lambda: "the last word" not in tui.text())

    run(script, open_image=fail, size=(40, 12), title="cut.tar", read=False)


def test_reading_says_how_to_stop_it_at_the_least_size() -> None:
    """What is done, and what is to come, gives way; so does the blank line above an error."""
    gate = threading.Event()
    error = LayerError(
        "layer 0 (sha256:0123456789ab…) has more than 1,000 entries",
        why="the limit entries is 1,000",
        hint="if the image is to be trusted, raise it: --max entries=NUMBER",
    )

    async def script(tui: Driver) -> None:
        await tui.see("layers: L3 of 5", "61%", "61 B of 100 B")
        await tui.see("Esc stops and keeps what is read", "b browses what is read so far")
        await tui.press("escape")
        await tui.see("r reads on; stages, layers and")
        gate.set()
        await tui.press("r")
        await tui.see("to be trusted,", "raise it: --max entries=NUMBER")

    run(script, FakeOpening(gate=gate, error=error), size=(40, 12), read=False)
