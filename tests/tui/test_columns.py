"""The columns of the files: those that can be chosen, and the bar of a wide terminal."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from layertrace.views.tui.panes.columns import Column, divide, fitting
from layertrace.views.tui.ports import TuiOptions
from layertrace.views.tui.themes import DARK
from tests.builders import docker_archive, image, layer
from tests.tui.driver import Driver, run
from tests.tui.real import opened

if TYPE_CHECKING:
    from pathlib import Path


def test_columns_are_chosen_one_by_one_and_seen_at_once() -> None:
    """``c`` asks; the pane behind shows each at its choice."""

    async def script(tui: Driver) -> None:
        await tui.press("c")
        await tui.see("[ ] share", "[ ] type", "part of its directory")
        await tui.press("space", "down", "enter")
        await tui.see("[x] share", "[x] mode", "[ ] owner", "Size   Share  Mode Path")
        await tui.press("c")
        await tui.until(lambda: "[x]" not in tui.text())
        row = next(line for line in tui.lines() if " app/" in line)
        assert "24.2 MB + █████  4755 ▾ app/" in row
        await tui.press("c", "space", "down", "space", "escape")
        await tui.see("Size   Path")

    run(script)


def test_a_click_chooses_a_column_too() -> None:
    """The row under the cursor at once, another one is moved to first."""

    async def script(tui: Driver) -> None:
        await tui.press("c")
        await tui.see("[ ] type")
        await tui.pilot.click("#columns", offset=(5, 5))
        await tui.pilot.click("#columns", offset=(5, 5))
        await tui.see("[x] type", "Size   Type     Path")

    run(script)


def test_ctrl_b_shows_mode_owner_and_time_or_none() -> None:
    """As in dive; what no entry made has none."""

    async def script(tui: Driver) -> None:
        await tui.press("ctrl+b")
        await tui.see("Mode Owner     Time             Path")
        assert "4755 1000:100  2023-11-14 22:13 ▾ app/" in tui.text()
        hosts = next(line for line in tui.lines() if "hosts" in line)
        assert "4755" not in hosts
        await tui.press("ctrl+b")
        await tui.see("Size   Path")

    run(script, size=(180, 40))


def test_a_column_without_room_says_so() -> None:
    """The path keeps its cells; a larger pane has room."""

    async def script(tui: Driver) -> None:
        await tui.press("ctrl+b")
        await tui.see("no room for every column", "Mode Path")
        assert "Time" not in tui.text()
        await tui.press("c")
        await tui.see("[x] time    no room")
        await tui.press("escape", "z")
        await tui.see("Mode Owner     Time             Path")

    run(script, size=(100, 30))


def test_columns_that_do_not_fit_are_left_out_from_the_last() -> None:
    """Whatever was chosen first."""
    every = frozenset(Column)
    assert fitting(every, 200) == tuple(Column)
    assert fitting(every, 20 + 7 + 5) == (Column.SHARE, Column.MODE)
    assert fitting({Column.TYPE}, 28) == ()


def test_a_directory_of_several_stages_has_a_bar_where_there_is_room() -> None:
    """Six cells, in shades besides the colours; the names keep to directories of one."""

    async def script(tui: Driver) -> None:
        app = next(line for line in tui.lines() if " app/" in line)
        assert "3 origins ████▓▒       24.2 MB" in app
        assert "base             L1" in tui.text()
        await tui.pilot.resize_terminal(139, 36)
        await tui.until(lambda: "▓" not in tui.text())

    run(script, size=(140, 36))


def test_the_bar_is_ascii_where_all_is() -> None:
    """Cell for cell."""

    async def script(tui: Driver) -> None:
        assert "3 origins ####=:       24.2 MB" in tui.text()
        assert tui.text().isascii()

    run(script, size=(140, 36), options=TuiOptions(ascii=True, theme=DARK))


@pytest.mark.parametrize(
    ("sizes", "cells"),
    [
        pytest.param([1, 1], [3, 3], id="halves"),
        pytest.param([0, 5], [0, 6], id="nothing-gets-nothing"),
        pytest.param([10**12, 1, 1, 1], [3, 1, 1, 1], id="the-least-is-seen"),
        pytest.param([0, 0], [0, 0], id="all-empty"),
    ],
)
def test_cells_are_divided_as_sizes_are(sizes: list[int], cells: list[int]) -> None:
    """No cell is lost and nobody that has anything is left out."""
    assert divide(sizes, 6) == cells


def test_packages_are_read_once_their_column_is_chosen(tmp_path: Path) -> None:
    """Beside the drawing; a folder is nobody's, and a hostile name is shown as what it is."""
    tree = {
        "app/node_modules/a/index.js": b"1",
        "app/node_modules/a/package.json": b'{"name": "a\\u001b[2J", "version": "1.2"}',
        "app/own.js": b"22",
    }
    path = tmp_path / "app.tar"
    path.write_bytes(docker_archive(image(layer(tree))))

    async def script(tui: Driver) -> None:
        assert "reading…" not in tui.text()
        await tui.press("asterisk", "c", "G", "space", "escape")
        await tui.see("Size   Package              Path", "a\\x1b[2J 1.2")
        assert "a\\x1b[2J 1.2" in tui.row("│   index.js")
        assert "a\\x1b[2J" not in tui.row("│   own.js")
        assert "reading…" not in tui.text()

    with opened(path, tmp_path) as opening:
        run(script, opening)


def test_packages_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    """And how; the rows stay."""
    path = tmp_path / "app.tar"
    tree = {"app/node_modules/a/package.json": b'{"name": "a", "version": "1"}'}
    path.write_bytes(docker_archive(image(layer(tree))))

    async def script(tui: Driver) -> None:
        os.truncate(path, 1024)
        await tui.press("asterisk", "c", "G", "space", "escape")
        await tui.see("Package", "package.json", "cut short")

    with opened(path, tmp_path) as opening:
        run(script, opening)


def test_a_column_of_the_configuration_is_read_without_a_key(tmp_path: Path) -> None:
    """As if it had been chosen."""
    path = tmp_path / "app.tar"
    tree = {"app/node_modules/a/package.json": b'{"name": "abc", "version": "3"}'}
    path.write_bytes(docker_archive(image(layer(tree))))

    async def script(tui: Driver) -> None:
        await tui.press("asterisk")
        await tui.see("abc 3")

    with opened(path, tmp_path) as opening:
        run(script, opening, options=TuiOptions(theme=DARK, columns=("package",)))
