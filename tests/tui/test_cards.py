"""The frames with words that stand alone: whatever the terminal's size, the last word is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.errors import ArchiveError
from tests.tui.driver import Driver, run

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
    """Its words are broken to fit, and nothing is cut."""

    async def script(tui: Driver) -> None:
        await tui.see("Cannot open cut.tar", "r Try again")
        words = " ".join(line.strip(" │") for line in tui.lines())
        for said in str(CUT).splitlines():
            assert said in " ".join(words.split())

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
