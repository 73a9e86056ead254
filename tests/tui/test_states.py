"""Opening, reading, stopping, failing, ending: what stands on the screen meanwhile."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import TYPE_CHECKING

import pytest

from layertrace.errors import EngineError, LayerError
from layertrace.views.tui.app import LayertraceApp
from layertrace.views.tui.background import Background
from layertrace.views.tui.browse import BrowseScreen
from layertrace.views.tui.ports import TuiOptions
from layertrace.views.tui.themes import DARK, LIGHT, MONO, TERMINAL, TERMINAL_LIGHT, choose_theme
from tests.tui.driver import Driver, run
from tests.tui.fakes import FakeOpening, FakeTrace

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.views.tui.ports import Opening, WalkProgress


def test_stages_and_dockerfile_are_there_before_the_layers_are_read() -> None:
    """Sizes say "reading…", never a wrong zero; progress says how far it is."""
    gate = threading.Event()

    async def script(tui: Driver) -> None:
        await tui.see("L3 of 5", "61%", "61 B of 100 B", "Esc stops")
        assert "L3 COPY --from=build" in tui.text()
        assert "FROM node:14 AS build" in tui.text()
        assert "reading…" in tui.row("Final image")
        assert "L5 RUN npm install" in tui.text()
        assert "0 B" not in tui.text().replace("100 B", "")
        gate.set()
        await tui.see("7 files", "28.8 MB")

    run(script, FakeOpening(gate=gate), read=False)


def test_escape_stops_the_reading_and_r_takes_it_up_again() -> None:
    """What is known stays on view."""
    gate = threading.Event()
    opening = FakeOpening(gate=gate)

    async def script(tui: Driver) -> None:
        await tui.see("Esc stops")
        await tui.press("escape")
        await tui.see("stopped before a layer was read", "r reads on", "L5 RUN npm install")
        assert "not read" in tui.row("Final image")
        assert "reading…" not in tui.text()
        gate.set()
        await tui.press("r")
        await tui.see("7 files", "28.8 MB")
        assert opening.walks == 2

    run(script, opening, read=False)


def test_keys_wait_for_the_files_without_harm() -> None:
    """Whatever is pressed while the layers are read: nothing happens, nothing is kept."""
    gate = threading.Event()

    async def script(tui: Driver) -> None:
        await tui.see("Esc stops")
        await tui.press("j", "right", "left", "space", "enter", "e", "ctrl+@", "asterisk", "n", "N")
        await tui.press("s", "S", "plus", "grave_accent", "slash", "ctrl+b", "ctrl+b", "y")
        await tui.see("no path to copy", "Esc stops")
        await tui.press("1", "down", "ctrl+a", "ctrl+l", "3", "enter", "4", "down", "2")
        gate.set()
        await tui.see("7 files", "by size ↓")
        # Keys may come before what is added after the first screen.
        threads = {"reader": tui.app.reader, "counter": tui.app.counter}
        early = BrowseScreen(FakeOpening(), options=tui.app.options, **threads)
        early.action_escape()
        assert not early.filter_bar.display
        # Whoever quits at once leaves nothing to add them to.
        await early._complete()
        assert not early.filter_bar.is_attached

    run(script, FakeOpening(gate=gate), read=False)


def test_quitting_does_not_wait_for_a_reading_that_hangs() -> None:
    """A socket that never answers must not keep the user."""
    hung = threading.Event()

    class Hanging(FakeOpening):
        def walk(
            self, progress: Callable[[WalkProgress], None], stop: Callable[[], bool]
        ) -> FakeTrace:
            hung.wait(60)
            return super().walk(progress, stop)

    async def script(tui: Driver) -> None:
        await tui.see("1 Stages & layers")
        await tui.press("q")

    started = time.monotonic()
    run(script, Hanging(), read=False)
    hung.set()
    assert time.monotonic() - started < 10


def _fail(error: Exception) -> Callable[[], Opening]:
    def open_image() -> Opening:
        raise error

    return open_image


def test_an_opening_that_takes_long_says_so() -> None:
    """Not an empty screen; and one can leave it."""
    gate = threading.Event()

    def open_slowly() -> Opening:
        gate.wait(10)
        return FakeOpening()

    async def script(tui: Driver) -> None:
        await tui.see("Opening shop:1.4.2", "q Quit")
        gate.set()
        await tui.see("1 Stages & layers", "7 files")

    run(script, open_image=open_slowly, read=False)


def test_a_layer_that_cannot_be_read_leaves_stages_and_dockerfile() -> None:
    """The error stands where the files would be."""
    opening = FakeOpening(error=LayerError("layer 3 is cut short", hint="save the image again"))

    async def script(tui: Driver) -> None:
        await tui.see("layer 3 is cut short", "save the image again", "L5 RUN npm install")
        await tui.press("q")
        assert tui.app.exit_code == 3

    run(script, opening, read=False)


def test_a_question_that_fails_is_answered_with_the_error() -> None:
    """The engine went away after the image was read."""

    class Gone(FakeTrace):
        def chain(self, path: str) -> object:  # type: ignore[override]
            raise EngineError("the engine does not answer", hint="start it")

    opening = FakeOpening()
    opening.trace = Gone(head=opening.known, table=opening.files)

    async def script(tui: Driver) -> None:
        await tui.filter("server.js")
        await tui.see("the engine does not answer", "start it")

    run(script, opening)


def test_an_unforeseen_error_ends_the_app_and_is_kept_for_the_caller(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Textual would print it with all local variables, file contents among them."""
    app = LayertraceApp(
        lambda _progress, _stop: _fail(ZeroDivisionError("secret"))(),
        title="x",
        options=TuiOptions(theme=DARK),
    )

    async def main() -> None:
        async with app.run_test() as pilot:
            for _ in range(500):
                if app.crash is not None:
                    break
                await pilot.pause(0.01)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(main())
    assert isinstance(app.crash, ZeroDivisionError)
    out = capsys.readouterr()
    assert "secret" not in out.out + out.err


@pytest.mark.parametrize(
    ("environ", "theme"),
    [
        pytest.param({"TERM": "xterm-256color"}, DARK, id="dark"),
        pytest.param({"NO_COLOR": "1", "COLORFGBG": "0;15"}, MONO, id="no-color"),
        pytest.param({"TERM": "xterm-256color", "COLORFGBG": "0;15"}, LIGHT, id="light"),
        pytest.param({"TERM": "linux"}, TERMINAL, id="sixteen-colours"),
        pytest.param({"TERM": "xterm", "COLORTERM": "truecolor"}, DARK, id="truecolor"),
        pytest.param({"TERM": "tmux", "COLORTERM": "1"}, TERMINAL, id="no-more-than-sixteen"),
        pytest.param({"TERM": "xterm-kitty"}, DARK, id="two-hundred-and-fifty-six"),
        pytest.param({"TERM": "rxvt", "COLORFGBG": "0;15"}, TERMINAL_LIGHT, id="sixteen-on-light"),
        pytest.param({}, DARK, id="nothing-said"),
    ],
)
def test_the_theme_follows_the_terminal(environ: dict[str, str], theme: str) -> None:
    """No colour, a light ground and few colours each have a theme."""
    assert choose_theme(color=True, environ=environ) == theme
    assert choose_theme(color=False, environ=environ) == MONO


def test_another_theme_is_taken_from_the_palette() -> None:
    """Every row is drawn in its colours at once."""

    async def script(tui: Driver) -> None:
        def colours() -> set[str]:
            strips = tui.app.screen._compositor.render_strips()
            return {str(part.style) for strip in strips for part in strip if "stage-1" in part.text}

        before, words = colours(), tui.text()
        await tui.press("colon", *"layertrace-light")
        await tui.see("Theme layertrace-light")
        await tui.press("down", "enter")
        await tui.until(lambda: tui.app.theme == LIGHT and tui.text() == words)
        assert colours().isdisjoint(before)

    run(script)


def test_newer_work_replaces_older_of_its_kind_that_did_not_start() -> None:
    """Only the file the cursor rests on is traced, not all it passed."""
    answers: list[str] = []
    started, go_on = threading.Event(), threading.Event()
    finished = threading.Event()

    def first() -> str:
        started.set()
        go_on.wait(5)
        return "first"

    def done(answer: str) -> None:
        answers.append(answer)
        if answer == "last":
            finished.set()

    background = Background(lambda act: act())
    background.submit("why", first, done)
    assert started.wait(5)
    background.submit("why", lambda: "passed", done)
    background.submit("why", lambda: "last", done)
    go_on.set()
    assert finished.wait(5)
    background.close()
    assert answers == ["first", "last"]


def test_a_closed_background_delivers_nothing_more() -> None:
    """The screen that would take the answer is gone."""
    answers: list[str] = []
    go_on, ended = threading.Event(), threading.Event()
    background = Background(lambda act: act())

    def work() -> str:
        go_on.wait(5)
        ended.set()
        return "late"

    background.submit("walk", work, answers.append)
    background.close()
    go_on.set()
    time.sleep(0.05)
    assert background.closed
    assert answers == []


def test_ctrl_c_quits_when_it_is_meant() -> None:
    """Once it says so, twice it goes."""

    async def script(tui: Driver) -> None:
        await tui.press("ctrl+c")
        await tui.see("Ctrl+C again quits")
        await tui.press("ctrl+c")
        await tui.until(lambda: not tui.app.is_running)

    run(script)
