"""What a user finds out on the Browse screen, in a few keys each."""

from __future__ import annotations

from layertrace.model.origin import Finding
from layertrace.views.tui.ports import TuiOptions
from layertrace.views.tui.themes import DARK
from tests.tui.driver import Driver, run
from tests.tui.fakes import FakeOpening, head


def test_a_file_is_traced_to_its_stage_and_instruction() -> None:
    """Find server.js: made by npm run build in stage build, carried by the COPY of line 11."""

    async def script(tui: Driver) -> None:
        await tui.filter("server.js")
        await tui.see("3 Why /app/dist/server.js", "same sha256")
        assert "✔ build     L3    94.2 kB + │ │   server.js" in tui.text()
        assert "COPY --from=build /app/d" in tui.row("same sha256")
        assert ":11" in tui.row("same sha256")
        assert "build/5" in tui.row("created here")
        assert "made by `RUN npm run build` in stage build" in tui.text()
        assert "verified by content" in tui.text()
        await tui.see("line 11")

    run(script)


def test_enter_on_a_hop_jumps_to_its_layer_and_back() -> None:
    """The jump shows the layer's files and lights its line; ``[`` returns, ``]`` repeats it."""

    async def script(tui: Driver) -> None:
        await tui.filter("server.js")
        await tui.press("enter")
        await tui.see("created here")
        await tui.press("3", "enter")
        await tui.see("2 Files · L3")
        assert tui.browse.stages.has_focus
        assert tui.browse.stages.current.key == "layer:2"
        assert "line 11" in tui.text()
        assert "3 Why /app/dist/server.js" in tui.text()
        await tui.press("left_square_bracket")
        await tui.see("2 Files · final image")
        assert tui.browse.why.has_focus
        await tui.press("right_square_bracket")
        await tui.see("2 Files · L3")

    run(script)


def test_enter_on_a_hop_in_another_stage_unfolds_its_steps() -> None:
    """The second hop leads to step 5 of stage build, which was folded away."""

    async def script(tui: Driver) -> None:
        await tui.filter("server.js")
        await tui.press("enter")
        await tui.see("created here")
        await tui.press("3", "down", "enter")
        await tui.see("5 RUN npm run build", "line 6", "2 Files · made by build/5")
        assert tui.browse.stages.current.key == "step:0:6"

    run(script)


def test_the_cursor_on_a_layer_shows_only_its_files() -> None:
    """L3 holds what the COPY brought; Ctrl+A adds what lies below it."""

    async def script(tui: Driver) -> None:
        await tui.press("1", *["down"] * 4)
        await tui.see("2 Files · L3", "2 files · by size")
        assert "left-pad" not in tui.text()
        await tui.press("ctrl+a")
        await tui.see("2 Files · up to L3")
        assert "bin/" in tui.text()
        await tui.press("ctrl+l")
        await tui.see("2 Files · L3")

    run(script)


def test_an_empty_layer_says_why_it_is_empty() -> None:
    """WORKDIR made a layer without files."""

    async def script(tui: Driver) -> None:
        await tui.press("1", *["down"] * 3)
        await tui.see("the layer is empty: `WORKDIR /app` changed no file")

    run(script)


def test_a_copy_names_the_step_that_fed_it_and_leads_there() -> None:
    """The link under L3 goes to step 5 of stage build, which says what of it ships."""

    async def script(tui: Driver) -> None:
        assert "↳ build/5  RUN npm run build" in tui.text()
        await tui.press("1", *["down"] * 5)
        await tui.see("2 Files · L3, made by build/5", "2 files · by size")
        await tui.press("enter")
        await tui.see("2 Files · made by build/5", "ships 1.5 MB in 2 files")
        assert "1.5 MB    :6" in tui.row("5 RUN npm run build")
        assert tui.browse.stages.current.key == "step:0:6"

    run(script)


def test_marks_hide_files_and_the_count_says_so() -> None:
    """``.`` hides what the build left untouched."""

    async def script(tui: Driver) -> None:
        await tui.press("full_stop")
        await tui.see("6 of 8 · 2 hidden by marks")
        assert "bin/" not in tui.text()
        await tui.press("ctrl+u")
        await tui.see("7 files · 1 removed")

    run(script)


def test_a_filter_that_hits_hidden_rows_only_says_which_key_shows_them() -> None:
    """An empty pane is never without a word."""

    async def script(tui: Driver) -> None:
        await tui.press("minus")
        await tui.filter("old.map")
        await tui.see("1 file hidden by marks: press - to show")
        await tui.see("0 of 8 · 1 hidden by marks")

    run(script)


def test_a_broken_filter_keeps_the_last_good_result() -> None:
    """The error stands under the place it is about; the rows stay."""

    async def script(tui: Driver) -> None:
        await tui.filter("stage:build")
        await tui.see("2 of 8")
        await tui.press("space", "quotation_mark")
        await tui.see('^ this " has no partner')
        assert "2 of 8" in tui.text()
        assert "server.js" in tui.text()
        await tui.press("escape")
        await tui.see("7 files · 1 removed")

    run(script)


def test_n_goes_through_the_hits_of_a_filter() -> None:
    """The next hit after server.js is package.json; N goes back."""

    async def script(tui: Driver) -> None:
        await tui.filter("server|package")
        await tui.press("enter")
        await tui.see("3 Why /app/dist/server.js")
        await tui.press("n")
        await tui.see("3 Why /app/package.json")
        await tui.press("N")
        await tui.see("3 Why /app/dist/server.js")

    run(script)


def test_sorting_says_what_it_sorts_by() -> None:
    """``s`` goes to the next key and ``S`` turns it round, written on the frame."""

    async def script(tui: Driver) -> None:
        await tui.see("by size ↓")
        await tui.press("s")
        await tui.see("by name ↑")
        await tui.press("S")
        await tui.see("by name ↓")
        lines = tui.lines()
        assert [n for n, line in enumerate(lines) if "etc/" in line] < [
            n for n, line in enumerate(lines) if "app/" in line and "▾" in line
        ]

    run(script)


def test_folding_everything_and_unfolding_it() -> None:
    """Ctrl+Space arrives as Ctrl+@ from most terminals."""

    async def script(tui: Driver) -> None:
        await tui.press("ctrl+@")
        await tui.until(lambda: tui.browse.files.row_count() == 3)
        await tui.press("*")
        await tui.see("left-pad.js", "hosts")
        await tui.press("grave_accent")
        await tui.see("/app/node_modules/left-pad.js", "flat by size")

    run(script)


def test_a_removed_file_says_who_removed_it() -> None:
    """It stays in the tree with what it still costs."""

    async def script(tui: Driver) -> None:
        await tui.filter("old.map")
        await tui.see("removed: not in the image", "added 307.2 kB")
        assert "L5       RUN npm install" in tui.row("removed  :13")
        assert "L3       COPY --from=build" in tui.row("added 307.2 kB  :11")
        assert "(removed)" in tui.text()
        assert "its bytes still ship" in tui.text()

    run(script)


def test_a_directory_says_how_its_bytes_divide() -> None:
    """By stage, with the three largest files, which Enter finds in the tree."""

    async def script(tui: Driver) -> None:
        assert "22.7 MB  stage-1" in tui.text()
        assert "93.8%" in tui.text()
        await tui.press("3", "G", "up", "enter")
        await tui.see("3 Why /app/dist/vendor.js")
        assert tui.browse.files.has_focus

    run(script)


def test_a_weak_hop_says_which_option_would_make_it_strong() -> None:
    """The context was not compared."""

    async def script(tui: Driver) -> None:
        await tui.filter("package.json")
        await tui.see("--context DIR would verify it")

    run(script)


def test_without_a_dockerfile_it_is_rebuilt_from_the_history() -> None:
    """It is marked as such, and Why asks for the real one."""

    async def script(tui: Driver) -> None:
        assert "4 Dockerfile · reconstructed from the history" in tui.text()
        assert "ENV NODE_VERSION=14" in tui.text()
        await tui.filter("left-pad")
        await tui.see("give -f Dockerfile, or the build's")

    run(script, FakeOpening(known=head(dockerfile=False)))


def test_findings_stand_under_the_head_and_can_be_read_again() -> None:
    """What is strange is never only a note that vanishes."""
    findings = (
        Finding(code="repeated-path", message="two entries for /x"),
        Finding(code="dockerfile-contradicted", message="step 4 differs", facts={"line": 13}),
    )

    async def script(tui: Driver) -> None:
        assert "! 2 findings (F): step 4 differs" in tui.text()
        assert "4 ✘ not this image's: Dockerfile" in tui.text()
        await tui.press("F")
        await tui.see("dockerfile-contradicted", "line: 13", "two entries for /x")
        await tui.press("escape")
        await tui.see("1 Stages & layers")

    run(script, FakeOpening(known=head(findings=findings)))


def test_a_line_of_the_dockerfile_leads_to_its_layer() -> None:
    """Enter on line 11 goes to L3."""

    async def script(tui: Driver) -> None:
        await tui.press("4")
        while (row := tui.browse.code.current) is not None and row.number != 11:
            await tui.press("down")
        await tui.press("enter")
        await tui.see("2 Files · L3")

    run(script)


def test_copying_shows_what_is_copied() -> None:
    """The terminal may ignore it, so the text is on the screen too."""

    async def script(tui: Driver) -> None:
        await tui.filter("server.js")
        await tui.press("enter", "y")
        await tui.see("layertrace why --dockerfile 'a b' shop:1.4.2 /app/dist/server.js")
        await tui.press("down", "enter")
        await tui.see("copied, if the terminal allows it")
        command = "layertrace why --dockerfile 'a b' shop:1.4.2 /app/dist/server.js"
        assert tui.app.clipboard == command
        await tui.press("y", "end", "enter")
        await tui.until(lambda: tui.app.clipboard == "sha256:of app/dist/server.js")

    run(script, options=TuiOptions(theme=DARK, asked=("--dockerfile", "a b")))


def test_the_mouse_selects_and_opens() -> None:
    """A click moves the cursor, a second one folds."""

    async def script(tui: Driver) -> None:
        line = next(n for n, text in enumerate(tui.lines()) if "dist/" in text and "▸" in text)
        await tui.pilot.click("#files", offset=(40, line - 1))
        await tui.see("3 Why /app/dist")
        assert "server.js" not in [part for part in tui.lines()[line + 2].split() if part]
        await tui.pilot.click("#files", offset=(40, line - 1))
        await tui.until(lambda: any("│ │   server.js" in text for text in tui.lines()))

    run(script)


def test_an_enlarged_pane_takes_the_screen_and_escape_restores() -> None:
    """``z`` on Why hides the others."""

    async def script(tui: Driver) -> None:
        await tui.press("3", "z")
        await tui.until(lambda: "1 Stages" not in tui.text())
        assert "3 Why /app" in tui.text()
        await tui.press("escape")
        await tui.see("1 Stages", "4 Dockerfile")

    run(script)
