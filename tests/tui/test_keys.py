"""Every key of the files and of the stages, by what it changes on the screen."""

from __future__ import annotations

from dataclasses import replace

import pytest

from layertrace.model.files import FileTable
from layertrace.model.origin import Change
from tests.tui.driver import Driver, run
from tests.tui.fakes import BASE, BUILD, FINAL, FakeOpening, Row, directory, head, table


def _paths(tui: Driver) -> list[str]:
    """Return the names in pane 2, from top to bottom."""
    x = tui.browse.files.region
    rows = [line[x.x + 1 : x.right - 1] for line in tui.lines()[x.y + 2 : x.bottom - 1]]
    return [row.split()[-1] for row in rows if row.strip()]


def _cursor(tui: Driver) -> str:
    """Return the name at the cursor of pane 2, by what pane 3 explains."""
    title = next(line for line in tui.lines() if "3 Why" in line)
    return title.split("3 Why ")[1].split(" ")[0]


SORTED = FakeOpening(
    files=table([
        directory("d", 2, BUILD),
        Row(path="d/one", size=1, layer=2, label=BUILD),
        Row(path="d/two", size=2, layer=2, label=BUILD),
        Row(path="a", size=50, layer=4, label=FINAL),
        Row(path="c", size=20, layer=0, label=BASE),
    ])
)  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "words", "names"),
    [
        pytest.param([], "by size ↓", ["a", "c", "d/", "two", "one"], id="size"),
        pytest.param(["S"], "by size ↑", ["d/", "one", "two", "c", "a"], id="size-reversed"),
        pytest.param(["s"], "by name ↑", ["a", "c", "d/", "one", "two"], id="name"),
        pytest.param(["s", "S"], "by name ↓", ["d/", "two", "one", "c", "a"], id="name-reversed"),
        pytest.param(["s", "s"], "by files ↓", ["d/", "one", "two", "a", "c"], id="files"),
        pytest.param(["s", "s", "S"], "by files ↑", ["a", "c", "d/", "one", "two"], id="fewest"),
        pytest.param(["s"] * 3, "by layer ↑", ["c", "d/", "one", "two", "a"], id="layer"),
        pytest.param(["ctrl+o"] * 4, "by size ↓", ["a", "c", "d/", "two", "one"], id="round"),
    ],
)
def test_each_order_is_as_the_frame_says(keys: list[str], words: str, names: list[str]) -> None:
    """``s`` takes the next key, ``S`` turns it round, Ctrl+O is dive's."""

    async def script(tui: Driver) -> None:
        await tui.press(*keys)
        await tui.see(words)
        assert _paths(tui) == names

    run(script, SORTED)


MARKED = FakeOpening(
    files=table([
        Row(path="added", size=9, layer=2, label=FINAL),
        Row(path="changed", size=8, layer=2, label=FINAL, change=Change.MODIFIED),
        Row(path="gone", size=7, layer=2, change=Change.REMOVED),
        Row(path="mode", size=6, layer=2, label=FINAL, change=Change.METADATA),
        Row(path="old", size=5, layer=0),
    ])
)  # fmt: skip


@pytest.mark.parametrize(
    ("keys", "name"),
    [
        pytest.param(("plus", "ctrl+a"), "added", id="added"),
        pytest.param(("minus", "ctrl+r"), "(removed)", id="removed"),
        pytest.param(("tilde", "tilde"), "changed", id="modified"),
        pytest.param(("m", "m"), "mode", id="metadata"),
        pytest.param(("full_stop", "ctrl+u"), "old", id="untouched"),
    ],
)
def test_each_mark_hides_its_files_and_shows_them_again(keys: tuple[str, str], name: str) -> None:
    """By its own sign, and by dive's key where a terminal lets that through."""

    async def script(tui: Driver) -> None:
        every = _paths(tui)
        assert sorted(every) == ["(removed)", "added", "changed", "mode", "old"]
        await tui.press(keys[0])
        await tui.see("4 of 5 · 1 hidden by marks")
        assert _paths(tui) == [path for path in every if path != name]
        await tui.press(keys[1])
        await tui.see("4 files · 1 removed")

    run(script, MARKED)


def test_all_marks_hidden_leave_a_word_on_how_to_show_them() -> None:
    """Each sign is a key."""

    async def script(tui: Driver) -> None:
        await tui.press("plus", "minus", "tilde", "m", "full_stop")
        await tui.see("5 files hidden by marks: press . + ~ m - to show", "no file at the cursor")

    run(script, MARKED)


DEEP = FakeOpening(
    files=table([
        directory("a", 2, FINAL),
        directory("a/b", 2, FINAL),
        directory("a/b/c", 2, FINAL),
        Row(path="a/b/c/one", size=1, layer=2, label=FINAL),
        Row(path="a/b/c/two", size=2, layer=2, label=FINAL),
        *(Row(path=f"f{n:02}", size=900 - n, label=BASE) for n in range(60)),
    ])
)  # fmt: skip


def test_left_and_right_open_close_and_go_to_the_parent() -> None:
    """As in ncdu; h and l as in vi."""

    async def script(tui: Driver) -> None:
        await tui.press("G")
        await tui.until(lambda: _cursor(tui) == "/a/b")
        await tui.press("right", "l")
        await tui.until(lambda: _cursor(tui) == "/a/b/c")
        await tui.press("l", "l")
        await tui.until(lambda: _cursor(tui) == "/a/b/c/two")
        await tui.press("l", "space")
        await tui.press("h")
        await tui.until(lambda: _cursor(tui) == "/a/b/c")
        await tui.press("left")
        await tui.see("▸ c/")
        await tui.press("h", "h", "h", "h")
        await tui.until(lambda: _cursor(tui) == "/a")
        assert "▸ a/" in tui.text()

    run(script, DEEP)


def test_what_is_opened_at_the_end_of_the_pane_comes_into_view() -> None:
    """Else the key would seem to do nothing."""

    async def script(tui: Driver) -> None:
        await tui.press("G", "space")
        assert _paths(tui)[-3:] == ["a/", "b/", "c/"]

    run(script, DEEP)


def test_a_chain_of_single_folders_opens_in_one_go() -> None:
    """``e`` goes down to where there is a choice."""

    async def script(tui: Driver) -> None:
        await tui.press("ctrl+@", "G", "e")
        await tui.until(lambda: _cursor(tui) == "/a/b/c")
        assert _paths(tui)[-4:] == ["b/", "c/", "two", "one"]

    run(script, DEEP)


def test_pages_and_ends() -> None:
    """PgUp, PgDn, d, u, Home and End, g and G; never over an end."""

    async def script(tui: Driver) -> None:
        assert _paths(tui)[0] == "f00"
        await tui.press("pagedown", "d")
        await tui.until(lambda: _cursor(tui) == "/f40")
        await tui.press("u", "pageup", "u")
        await tui.until(lambda: _cursor(tui) == "/f00")
        await tui.press("end", "j", "down")
        await tui.until(lambda: _cursor(tui) == "/a/b")
        await tui.press("home", "k", "up")
        await tui.until(lambda: _cursor(tui) == "/f00")

    run(script, DEEP)


def test_a_filter_that_matches_nothing_says_so_and_can_be_taken_back() -> None:
    """Esc in the line, Esc on the pane; the keys of hits do nothing meanwhile."""

    async def script(tui: Driver) -> None:
        await tui.filter("no such file")
        await tui.see("nothing matches: Esc clears the filter", "0 of 62", "no file at the cursor")
        await tui.press("enter", "n", "N", "space", "e", "left", "right")
        await tui.see("0 of 62")
        await tui.press("escape")
        await tui.see("62 files")
        await tui.filter("two")
        await tui.see("1 of 62")
        await tui.press("down", "escape")
        await tui.see("62 files")
        assert "/ two" not in tui.text()

    run(script, DEEP)


def test_each_row_of_the_stages_is_a_scope() -> None:
    """Image, base, stage, layer, step that fed it, and what came from outside."""

    async def script(tui: Driver) -> None:
        await tui.press("1", "down")
        await tui.see("2 Files · base node:14-slim", "2 files · by size")
        await tui.press("down")
        await tui.see("2 Files · stage stage-1", "5 files · 1 removed")
        await tui.press("G", "up", "up")
        await tui.see("2 Files · from build context", "1 file · by size")
        await tui.press("down", "down")
        await tui.see("2 Files · from stage build", "4 files")
        await tui.press("g")
        await tui.see("2 Files · final image")

    run(script)


def test_stages_fold_and_unfold() -> None:
    """Space, left and right; left on a layer goes to its stage, right on a link follows it."""

    async def script(tui: Driver) -> None:
        await tui.press("1", "down", "down", "left")
        await tui.until(lambda: "L5 RUN npm install" not in tui.text())
        await tui.press("space", "down", "left")
        await tui.see("2 Files · stage stage-1", "L5 RUN npm install")
        await tui.press(*["down"] * 3, "right")
        await tui.see("2 Files · made by build/5", "ships 1.5 MB in 2 files")
        await tui.press(*["left"] * 4)
        await tui.until(lambda: "▸ ○ Not shipped" in tui.text())
        await tui.press("right")
        await tui.see("▾ ○ Not shipped")

    run(script)


def test_enter_on_a_layer_goes_to_its_files() -> None:
    """On a stage it folds, half pages go through all."""

    async def script(tui: Driver) -> None:
        await tui.press("1", "ctrl+d")
        await tui.until(lambda: tui.browse.stages.current.key == "stage:0")
        await tui.press("ctrl+u", *["down"] * 4, "enter")
        await tui.see("2 Files · L3")
        assert tui.browse.files.has_focus
        await tui.press("1", "up", "up", "enter")
        await tui.until(lambda: "L5 RUN npm install" not in tui.text())

    run(script)


def test_a_step_without_known_makers_says_no_more_than_is_known() -> None:
    """Files were carried from the stage, by nobody knows which of its steps."""

    async def script(tui: Driver) -> None:
        await tui.press("1", "G", "space", "down", "down")
        await tui.see("nothing in the image is known to be made by step build/1")

    run(script)


def test_a_stage_that_only_configures_says_so() -> None:
    """Its instructions made no layer."""
    known = head()
    known = replace(known, layers=tuple(n for n in known.layers if n.base))
    opening = FakeOpening(known=known, files=table([Row(path="x", size=1)]))

    async def script(tui: Driver) -> None:
        await tui.press("1", "down", "down")
        await tui.see("stage-1 wrote no layer: its instructions only set the configuration")

    run(script, opening)


def test_back_without_a_jump_says_so() -> None:
    """Nothing else happens."""

    async def script(tui: Driver) -> None:
        await tui.press("left_square_bracket")
        await tui.see("no further jumps this way")
        await tui.press("right_square_bracket")
        await tui.see("2 Files · final image")

    run(script)


def test_a_largest_file_that_is_hidden_is_not_jumped_to() -> None:
    """The mark or filter that hides it is named."""

    async def script(tui: Driver) -> None:
        await tui.see("22.7 MB  /app/node_modules/left-pad.js")
        await tui.filter("app/dist")
        await tui.press("enter", "g", "3", "G")
        await tui.see("3 Why /app ")
        await tui.press("up", "up", "enter")
        await tui.see("the filter or a mark hides it")

    run(script)


def test_a_jump_to_a_file_and_back_keeps_both_answers() -> None:
    """From a directory's largest file back to the directory."""

    async def script(tui: Driver) -> None:
        await tui.see("3 Why /app ")
        await tui.press("3", "G", "enter")
        await tui.see("3 Why /app/dist/server.js")
        await tui.press("left_square_bracket")
        await tui.see("3 Why /app ", "93.8%")
        await tui.press("right_square_bracket")
        await tui.see("3 Why /app/dist/server.js")

    run(script)


def test_the_line_of_a_file_goes_out_on_a_directory() -> None:
    """A directory was not made by one line."""

    async def script(tui: Driver) -> None:
        await tui.press("G")
        await tui.see("line 13")
        await tui.press("g")
        await tui.see("3 Why /app ")
        await tui.until(lambda: "line 13" not in tui.text())

    run(script)


def test_a_large_image_is_filtered_beside_the_typing() -> None:
    """The keys stay quick; the answer comes when it is there."""
    count = 150_001
    names = [f"f{n:06}" for n in range(count)]
    one = table([Row(path="x", size=1)])
    files = FileTable(
        paths=names,
        kinds=bytes(count),
        sizes=[1] * count,
        layers=[0] * count,
        changes=[Change.ADDED] * count,
        trusts=[one.trusts[0]] * count,
        label_ids=[0] * count,
        labels=one.labels,
    )

    async def script(tui: Driver) -> None:
        await tui.filter("f149999")
        await tui.see("1 of 150,001", "3 Why /f149999")
        await tui.press("escape")
        await tui.see("150,001 files")

    run(script, FakeOpening(files=files))
