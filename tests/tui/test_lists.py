"""Pane 2 as a list instead of the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.sample_support import ROOT
from tests.tui.driver import Driver, run
from tests.tui.real import opened

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE: Final = ROOT / "sample_images" / "tiny-app" / "multistage.tar.xz"


def test_the_flow_shows_what_each_source_ships(tmp_path: Path) -> None:
    """A line for each, joined in the middle; Enter goes to the layer that carried it."""

    async def script(driver: Driver) -> None:
        await driver.press("O")
        await driver.see("2 Flow", "──► 2.0 MB", "of build stay behind (99.9%)")
        await driver.press("enter")
        assert driver.browse.current_pane == "stages"
        await driver.press("left_square_bracket")
        assert driver.browse.current_pane == "files"
        await driver.see("2 Flow")

    with opened(SAMPLE, tmp_path) as opening:
        run(script, opening)


def test_the_largest_files_stand_in_one_list() -> None:
    """By size, without their folders; T brings the tree back."""

    async def script(driver: Driver) -> None:
        await driver.press("s", "s", "L")
        await driver.see("flat by size ↓")
        rows = driver.browse.files.rows
        assert rows is not None
        sizes = [rows.sums.sizes[rows.node(line)] for line in range(len(rows))]
        assert sizes == sorted(sizes, reverse=True)
        await driver.press("T")
        await driver.see("▾ app/")

    run(script)


def test_a_list_takes_the_place_of_the_tree_in_every_layout() -> None:
    """Tab goes round with it, and a narrow terminal shows it alone."""

    async def script(driver: Driver) -> None:
        await driver.press("O")
        await driver.see("2 Flow")
        assert "[2 Files]" in driver.text()
        await driver.press("1", "2", "z")
        await driver.see("2 Flow")
        await driver.press("escape", "tab")
        assert driver.browse.current_pane == "why"

    run(script, size=(80, 24))
