"""Pane 2 as a list instead of the tree."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from layertrace.analysis.difference.compare import Comparison
from layertrace.layers.cache import IndexCache
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from layertrace.views.lists.difference import list_difference
from layertrace.views.tui.ports import Comparing, TuiOptions
from layertrace.views.tui.themes import DARK
from tests.sample_support import ROOT
from tests.tui.driver import Driver, run
from tests.tui.real import opened

if TYPE_CHECKING:
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.views.lists.rows import Listing

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
        # Each beside the largest, as far as there is room.
        assert "/app/node_modules/left-pad.js" in driver.row("██████ ")
        assert "Share" in driver.row("Stage ")
        # What leads back stands first, in every view, and only there.
        assert driver.row("? Help").split()[:2] == ["T", "Tree"]
        await driver.press("T")
        await driver.see("▾ app/")
        assert "T Tree" not in driver.row("? Help")
        await driver.press("M")
        await driver.see("2 Map", "T Tree")

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


def test_a_list_is_made_beside_the_typing_and_leads_to_the_tree(tmp_path: Path) -> None:
    """Waste says what to change in pane 3; Enter on a path shows it among its neighbours."""

    async def script(driver: Driver) -> None:
        await driver.press("W")
        await driver.see("2 Waste", "could go (0.3%)")
        await driver.see("a base image without it")
        await driver.press("down", "down")
        await driver.see("3 Why /usr/share/doc/npm/README", "removed")
        await driver.press("enter")
        await driver.see("2 Files", "README")
        node = driver.browse.files.current
        tree = driver.browse.files.rows
        assert tree is not None
        assert node is not None
        assert tree.tree.table.paths[node] == "usr/share/doc/npm/README"
        await driver.press("left_square_bracket")
        await driver.see("2 Waste")

    with opened(SAMPLE, tmp_path) as opening:
        run(script, opening)


def test_groups_of_a_list_fold(tmp_path: Path) -> None:
    """As the tree's folders do, one or all at once."""

    async def script(driver: Driver) -> None:
        await driver.press("P")
        await driver.see("2 packages")
        pane = driver.browse.list
        closed = pane.row_count()
        await driver.press("right")
        assert pane.row_count() == closed + 4
        await driver.press("right", "left", "left")
        assert (pane.row_count(), pane.cursor_line) == (closed, 0)
        await driver.press("ctrl+@", "space", "enter")
        assert pane.row_count() > closed + 4
        await driver.press("ctrl+@", "U")
        await driver.see("no content of 4 KiB and more ships more than once")
        await driver.press("space", "enter", "left", "right", "ctrl+@")
        # Esc leads back to the tree, which L makes a list and Esc a tree again.
        await driver.press("escape")
        await driver.see("2 Files · final image")
        await driver.press("L")
        await driver.see("2 Largest")
        await driver.press("escape")
        await driver.see("2 Files · final image", "▾ app/")

    with opened(SAMPLE, tmp_path) as opening:
        run(script, opening)


def test_the_map_goes_in_and_out_of_folders(tmp_path: Path) -> None:
    """Arrows choose, Enter goes in, Backspace out, and a file is shown in the tree."""

    async def script(driver: Driver) -> None:
        await driver.press("M")
        await driver.see("2 Map · /", "bin/", "by stage")
        pane = driver.browse.map
        first = pane.current
        await driver.press("right", "left", "down", "up")
        assert pane.current == first
        await driver.press("enter")
        await driver.see("2 Map · /bin/")
        await driver.see("by stage: base")
        await driver.press("c")
        await driver.see("by layer: L1")
        await driver.press("c")
        await driver.see("by file type: without an ending")
        await driver.press("c")
        await driver.see("by removed files that still ship: 0 B")
        await driver.press("backspace")
        await driver.see("2 Map · / ")
        assert pane.current == first
        await driver.press("enter", "enter")
        await driver.see("2 Files")
        assert driver.browse.files.current is not None

    with opened(SAMPLE, tmp_path) as opening:
        run(script, opening)


def test_a_map_is_drawn_anew_where_the_terminal_got_another_size(tmp_path: Path) -> None:
    """Though another view was on it meanwhile."""

    async def script(driver: Driver) -> None:
        await driver.press("M")
        await driver.see("2 Map")
        await driver.press("O")
        await driver.pilot.resize_terminal(80, 24)
        await driver.press("M")
        await driver.see("2 Map", "bin/")
        await driver.press("T")
        await driver.pilot.resize_terminal(160, 48)
        await driver.press("M")
        await driver.see("2 Map", "bin/", "4 Dockerfile")

    with opened(SAMPLE, tmp_path) as opening:
        run(script, opening)


def test_the_map_has_frames_where_there_are_no_hues(tmp_path: Path) -> None:
    """In ASCII too; the mouse chooses, and what weighs nothing has no map."""

    async def script(driver: Driver) -> None:
        await driver.press("M")
        await driver.see("bin/", "####", "base##", "busybox")
        await driver.pilot.click("#map", offset=(8, 8))
        await driver.see("2 Map - /bin/")
        await driver.press("1", "j", "j", "j")
        await driver.see("nothing here weighs anything")
        await driver.press("2", "enter", "backspace", "down", "T")

    with opened(SAMPLE, tmp_path) as opening:
        run(script, opening, options=TuiOptions(ascii=True, theme=DARK))


def _compare(trace: ImageTrace, reference: str) -> Listing:
    cache = IndexCache(Path(reference).parent, limit=0)
    opening = open_image(reference, Hints(), cache)
    try:
        return list_difference(Comparison(opening.walk(), trace).difference(), reference)
    finally:
        opening.close()


def test_what_changed_since_another_image_stands_in_a_list(tmp_path: Path) -> None:
    """From the start, or asked for by name; what only the older image has is said so."""
    older = str(SAMPLE.with_name("regular.tar.xz"))

    async def script(driver: Driver) -> None:
        await driver.see("2 Diff", "against ", "tiny-node:14")
        await driver.press("ctrl+@", "down", "down")
        await driver.press("D")
        await driver.see("The older image", older[-20:])
        await driver.press("escape", "T", "D")
        await driver.press("enter")
        await driver.see("2 Diff")
        entry = "no-such-file.tar"
        await driver.press("D", "ctrl+u", *entry, "enter")
        await driver.see("no-such-file.tar does not exist")

    with opened(SAMPLE, tmp_path) as opening:
        run(script, opening, comparing=Comparing(make=_compare, against=older), read=False)


def test_a_filter_narrows_the_list_on_view(tmp_path: Path) -> None:
    """By path, by what a group is called, by facts; the cursor stays, and Esc brings all back."""

    async def script(driver: Driver) -> None:
        pane = driver.browse.list
        await driver.press("P")
        await driver.see("2 packages")
        await driver.filter("tiny-socket 1")
        await driver.see("5 of 69 paths · 2 packages")
        await driver.press("enter")
        assert driver.app.screen.focused is pane
        await driver.press("n", "n", "N")
        assert pane.cursor_line == 2
        await driver.see("Why /app/node_modules/tiny-socket/")
        await driver.press("slash", "ctrl+u", *"size:>9", "enter")
        await driver.until(lambda: "of 69 paths" in driver.row(" / size:>9"))
        await driver.press("W")
        await driver.see("2 Waste", " of 6 paths · ")
        await driver.press("O", "slash", "enter", "P")
        await driver.until(lambda: "of 69 paths" in driver.row("2 packages"))
        await driver.press("T")
        await driver.until(lambda: " of 70 · by size" in driver.row(" / size:>9"))
        await driver.press("P", "escape")
        await driver.until(lambda: "of 69 paths" not in driver.text())

    with opened(SAMPLE, tmp_path) as opening:
        run(script, opening)


def test_a_row_that_is_no_path_leads_to_what_it_is_about(tmp_path: Path) -> None:
    """A layer, a stage or the context, whose files the tree shows; advice leads nowhere."""

    async def script(driver: Driver) -> None:
        await driver.press("O")
        await driver.see("2 Flow", "1 file of the build context ships, of 6 that it has")
        rows = range(driver.browse.list.row_count())
        texts = [driver.browse.list.listing.row(line).fields[0].text for line in rows]  # type: ignore[union-attr]
        driver.browse.list.place_cursor(texts.index("build context"))
        await driver.press("enter")
        await driver.see("2 Files · from build context")
        assert driver.browse.current_pane == "stages"
        await driver.press("left_square_bracket")
        await driver.see("2 Flow")
        await driver.press("end", "enter")
        await driver.see("no path and no layer")

    with opened(SAMPLE, tmp_path) as opening:
        run(script, opening)
