"""How the panes share the screen, what keys are offered, and what it all looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from textual.binding import Binding
from textual.geometry import Size

from layertrace.views.tui.app import LayertraceApp
from layertrace.views.tui.browse import BrowseScreen
from layertrace.views.tui.dialogs import CopyRows, CopyScreen, TextRows, TextScreen
from layertrace.views.tui.layout import lay_out
from layertrace.views.tui.panes.code import CodePane
from layertrace.views.tui.panes.files import FilesPane
from layertrace.views.tui.panes.filterbar import FilterInput
from layertrace.views.tui.panes.stages import StagesPane
from layertrace.views.tui.panes.why import WhyPane
from layertrace.views.tui.panes_screen import PanesScreen
from layertrace.views.tui.ports import TuiOptions
from layertrace.views.tui.rows_view import RowsView
from layertrace.views.tui.startup import FailedScreen
from tests.tui.driver import Driver, kept_looks, run

if TYPE_CHECKING:
    from textual.dom import DOMNode

OURS: tuple[type[DOMNode], ...] = (
    LayertraceApp,
    BrowseScreen,
    PanesScreen,
    RowsView,
    StagesPane,
    FilesPane,
    WhyPane,
    CodePane,
    FilterInput,
    TextRows,
    TextScreen,
    CopyRows,
    CopyScreen,
    FailedScreen,
)


@pytest.mark.parametrize(
    ("size", "current", "panes", "narrow"),
    [
        pytest.param((120, 36), "files", {"stages", "files", "why", "code"}, False, id="wide"),
        pytest.param((100, 24), "why", {"stages", "files", "why", "code"}, False, id="just-wide"),
        pytest.param((99, 24), "files", {"files", "why"}, True, id="narrow-with-strip"),
        pytest.param((80, 24), "code", {"code"}, True, id="narrow-code"),
        pytest.param((40, 12), "files", {"files"}, True, id="smallest"),
    ],
)
def test_panes_fit_the_terminal(
    size: tuple[int, int],
    current: str,
    panes: set[str],
    narrow: bool,  # noqa: FBT001 - a table
) -> None:
    """Four panes from 100 columns on, else the current one and a strip of Why."""
    layout = lay_out(Size(*size), current, zoomed=False)
    assert layout.panes == panes
    assert layout.narrow is narrow
    assert not layout.too_small


@pytest.mark.parametrize("size", [(39, 40), (120, 11)])
def test_a_terminal_too_small_is_told_so(size: tuple[int, int]) -> None:
    """One line, with what else there is."""

    async def script(tui: Driver) -> None:
        await tui.see("40x12", "--plain")
        assert "Stages" not in tui.text()
        await tui.pilot.resize_terminal(120, 36)
        await tui.see("1 Stages & layers", "2 Files")

    run(script, size=size)


def test_tabs_and_numbers_choose_the_pane_where_only_one_fits() -> None:
    """Tab turns through all four, a digit and a click go straight there."""

    async def script(tui: Driver) -> None:
        await tui.see("[2 Files]", "3 Why /app")
        await tui.press("tab")
        await tui.see("[3 Why]")
        assert "2 Files ·" not in tui.text()
        await tui.press("1")
        await tui.see("[1 Stages]", "1 Stages & layers", "● build  node:14, ships 1.5 MB")
        await tui.press("shift+tab")
        await tui.see("[4 Dockerfile]", "FROM node:14 AS build")
        await tui.pilot.click("#tabs", offset=(13, 0))
        await tui.see("[2 Files]")
        # Where there is least room the names of what a directory holds give way to its shares.
        await tui.pilot.resize_terminal(40, 12)
        await tui.press("g", "3")
        await tui.see("stage-1  1 file  93.8%", "removed  still ships")
        # So does the list of actions: its end is on the screen.
        await tui.press("colon")
        await tui.see("Search for commands")
        await tui.press("up", "up")
        await tui.until(lambda: "  key " in tui.lines()[-3])
        assert "╰────" in tui.lines()[-2]

    run(script, size=(80, 24))


def test_a_jump_shows_its_pane_in_the_narrow_layout_too() -> None:
    """Enter on a hop goes to the tab of the stages."""

    async def script(tui: Driver) -> None:
        await tui.filter("server.js")
        await tui.press("enter")
        await tui.see("created here")
        await tui.press("3", "enter")
        await tui.see("[1 Stages]")
        assert tui.browse.stages.current.key == "layer:2"

    run(script, size=(80, 24))


def test_every_key_can_be_given_another_one() -> None:
    """Each of our bindings has an id of its own, which the help shows."""
    ids: dict[str, str] = {}
    for kind in OURS:
        for binding in kind.__dict__.get("BINDINGS", ()):
            assert isinstance(binding, Binding)
            assert binding.id, f"{kind.__name__}: {binding.key}"
            assert ids.setdefault(binding.id, binding.action) == binding.action
            assert binding.description


def test_help_lists_the_keys_of_the_focused_pane() -> None:
    """With their ids, the marks and the filter language."""

    async def script(tui: Driver) -> None:
        await tui.press("1", "question_mark")
        await tui.see("Pane Stages", "Ctrl+A", "Up to this layer", "stages.upto")
        await tui.press("G")
        await tui.see("stage:build", "quotes")
        await tui.press("q")
        await tui.see("1 Stages & layers")

    run(script)


def test_the_palette_finds_every_action() -> None:
    """Typing part of its name is enough."""

    async def script(tui: Driver) -> None:
        await tui.press("colon", *"unfold")
        await tui.see("Unfold all")
        await tui.press("down", "enter")
        await tui.see("left-pad.js", "hosts")

    run(script)


@pytest.mark.parametrize(
    ("name", "size"), [("wide", (120, 36)), ("narrow", (80, 24)), ("smallest", (40, 12))]
)
def test_it_looks_as_it_was_last_looked_at(name: str, size: tuple[int, int]) -> None:
    """The screen as text, at three sizes, on server.js."""

    async def script(tui: Driver) -> None:
        await tui.press("down", "down", "right", "down", "down")
        await tui.until(lambda: tui.browse.why.path == "app/dist/server.js")
        await tui.until(lambda: "verified by content" in str(tui.browse.why.border_subtitle))
        assert tui.text().splitlines() == kept_looks(name, tui)

    run(script, size=size)


def test_it_looks_as_it_was_last_looked_at_in_ascii() -> None:
    """The same without anything beyond ASCII."""

    async def script(tui: Driver) -> None:
        await tui.press("down", "down", "right", "down", "down")
        await tui.until(lambda: "verified by content" in str(tui.browse.why.border_subtitle))
        assert tui.text().splitlines() == kept_looks("ascii", tui)

    run(script, options=TuiOptions(ascii=True, color=False))
