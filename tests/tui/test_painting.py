"""What is painted line by line, after each key, against the whole screen drawn at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pytest
from rich.cells import cell_len
from textual._compositor import ChopsUpdate, Compositor, LayoutUpdate
from textual.widget import Widget

from layertrace.views.tui.painting import NarrowCompositor
from tests.tui.driver import WIDE, Driver, run
from tests.tui.fakes import ROWS, FakeOpening, Row, directory, table

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import Screen

PIECE: Final = re.compile(r"\x1b\[(\d+);(\d+)H|(\x1b\[[\d;]*m)|(\r?\n)|([^\x1b\n])")
FILES: Final = (
    *ROWS,
    directory("srv"),
    *(Row(path=f"srv/{number:03}.txt", size=1000 - number) for number in range(200)),
)
KEYS: Final = (
    *("j",) * 4, *("k",) * 2, "pagedown", "G", "k", "asterisk", "g", *("j",) * 22, "pageup",
    "1", "j", "j", "3", "j", "4", "G", "2", "grave_accent", "j", "z", "j", "z", "ctrl+@", "j",
    "L", "j", "G", "M", "j", "T", "slash", "j", "escape", "j", "question_mark", "j", "escape", "k",
)  # fmt: skip


class Paper:
    """The cells of a terminal: what stands in each, and in what style."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[str, str]] = {}

    def paint(self, text: str) -> None:
        """Do what an update asks of a terminal."""
        x, y, style = 0, 0, ""
        for row, column, sgr, line, letter in PIECE.findall(text):
            if row:
                x, y = int(column) - 1, int(row) - 1
            elif sgr:
                style = "" if sgr == "\x1b[0m" else sgr
            elif line:
                x, y = 0, y + 1
            else:
                self.cells[x, y] = (letter, style)
                x += cell_len(letter)


def _whole(screen: Screen[Any], monkeypatch: pytest.MonkeyPatch) -> Paper:
    """Return the screen as Textual's own compositor draws it, nothing of it kept."""
    for widget in screen.walk_children(Widget):
        widget.notify_style_update()
        widget._styles_cache.clear()
    paper = Paper()
    with monkeypatch.context() as patch:
        patch.setattr(NarrowCompositor, "_get_renders", Compositor._get_renders)
        update = screen._compositor.render_full_update()
    paper.paint(update.render_segments(screen.app.console))
    return paper


@pytest.mark.parametrize("size", [WIDE, (80, 24)])
def test_what_keys_paint_is_the_whole_screen(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No line that changed is left as it was, and none is drawn otherwise than the others."""
    paper = Paper()

    async def script(tui: Driver) -> None:
        display: Callable[..., None] = tui.app._display

        def watch(screen: Screen[Any], update: ChopsUpdate | LayoutUpdate | None) -> None:
            if update is not None and screen is tui.app.screen:
                paper.paint(update.render_segments(tui.app.console))
            display(screen, update)

        monkeypatch.setattr(tui.app, "_display", watch)
        tui.browse.refresh(layout=True)
        for key in KEYS:
            await tui.press(key)
        await tui.pilot.pause(0.2)
        whole = _whole(tui.app.screen, monkeypatch)
        differ = {cell for cell in whole.cells if whole.cells[cell] != paper.cells.get(cell)}
        assert not differ, sorted((y, x) for x, y in differ)

    run(script, FakeOpening(files=table(FILES)), size=size)
