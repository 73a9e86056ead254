"""Files looked into, compared with what they were, paged and extracted."""

from __future__ import annotations

import threading
import unicodedata
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Final

import pytest

from layertrace.views.tui.handling import EXTRACTING
from layertrace.views.tui.history import HistoryScreen
from layertrace.views.tui.ports import TuiOptions
from layertrace.views.tui.preview import PreviewScreen
from layertrace.views.tui.themes import DARK
from tests.builders import docker_archive, file, folder, image, layer, symlink
from tests.elf_builder import Part, make_elf
from tests.tui.driver import Driver, run
from tests.tui.real import opened

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

    from layertrace.pipeline.trace import Opening
    from tests.builders import Content

HOSTILE: Final = {
    "escapes": b"\x1b]0;title\x07\x1b[2Jred\x9b\r\nnext\tcell\n",
    "bidi.py": "x = 'gpj\u202e.exe\u200b' # \u2028 done\n".encode(),
    "bytes": b"caf\xe9 \xff\xfe\n" * 3,
    "nuls": b"\0\x01\x1b[31m" * 40,
    "one-line": b"\x1b" * 5_000_000,
    "markup": b"[/red] [@click=app.quit]x[/]\n",
    "wide": "漢字\t漢字\n".encode() * 400,
    "elf": make_elf(Part(name="\x1b[31m\u202e.text", type=1, data=b"\xc3" * 16, flags=6)),
    "archive": layer({"\x1b[2J\nname": b"x"}),
}


@contextmanager
def an_image(path: Path, *layers: Mapping[str, Content]) -> Iterator[Opening]:
    """Open an image of some layers."""
    archive = path / "app.tar"
    archive.write_bytes(docker_archive(image(*map(layer, layers))))
    with opened(archive, path) as opening:
        yield opening


def browse(
    path: Path,
    script: Callable[[Driver], Awaitable[None]],
    *layers: Mapping[str, Content],
    size: tuple[int, int] = (120, 36),
    options: TuiOptions | None = None,
) -> None:
    """Run a script on an image of some layers."""
    with an_image(path, *layers) as opening:
        run(script, opening, size=size, options=options)


def drawn(driver: Driver) -> str:
    """Return the screen, after making sure that a terminal would obey none of it."""
    lines = driver.lines()
    for line in lines:
        assert not {c for c in line if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    strips = driver.app.screen._compositor.render_strips()
    assert {strip.cell_length for strip in strips} == {driver.app.size.width}
    return "\n".join(lines)


# -- preview ------------------------------------------------------------------


def test_enter_shows_a_file_and_its_versions(tmp_path: Path) -> None:
    """The shipped one first; comma and semicolon go through the layers; Escape goes back."""

    async def script(driver: Driver) -> None:
        await driver.press("enter")
        await driver.see("/a.py · L3, version 2 of 2", "1  x = 3", "text")
        await driver.press("comma")
        await driver.see("L1, version 1 of 2, not what ships", "1  x = 1")
        await driver.press("d")
        await driver.see("History /a.py", "+x = 1")
        await driver.press("escape", "comma", "semicolon")
        await driver.see("· L3, version 2 of 2", "x = 3")
        await driver.press("b")
        await driver.see("00000000  78 20 3d 20 33", "x = 3.")
        await driver.press("escape")
        await driver.see("2 Files")

    browse(tmp_path, script, {"a.py": b"x = 1\n"}, {"b": b""}, {"a.py": b"x = 3\n"})


def test_enter_still_folds_a_folder_and_v_says_what_it_is_for(tmp_path: Path) -> None:
    """A folder has no content of its own; nor has it a page for one."""

    async def script(driver: Driver) -> None:
        await driver.press("enter")
        await driver.see("▸ etc/")
        await driver.press("enter")
        await driver.press("v", "o", "H")
        await driver.see("a folder: put the cursor on a file")
        assert not isinstance(driver.app.screen, PreviewScreen)
        await driver.press("down", "comma")
        await driver.see("L1, version 1 of 2, not what ships", "1  one")
        await driver.press("escape", "semicolon")
        await driver.see("· L2, version 2 of 2", "no version after this one")

    two: tuple[Mapping[str, Content], ...] = (
        {"etc/": folder(), "etc/a": b"one\n"},
        {"etc/a": b"two\n"},
    )
    browse(tmp_path, script, *two)


def test_what_was_removed_can_be_seen_and_not_extracted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bytes ship, and a container has none of them."""
    monkeypatch.chdir(tmp_path)

    async def script(driver: Driver) -> None:
        await driver.press("G", "v")
        await driver.see("/gone · L1, removed later", "still here")
        await driver.press("x", "enter")
        await driver.see("is not in", "L1 had it; L2 removed it")
        await driver.press("q", "x")
        await driver.see("removed: it is not in what ships")

    browse(tmp_path, script, {"gone": b"still here\n", "z": b"larger than it\n"}, {".wh.gone": b""})


def test_a_link_says_where_it_leads(tmp_path: Path) -> None:
    """And has no bytes, whatever is pressed."""

    async def script(driver: Driver) -> None:
        await driver.press("v")
        await driver.see("symbolic link", "leads to", "busy\\x1bbox")
        await driver.press("b", "H")
        await driver.see("History /sh")
        drawn(driver)

    browse(tmp_path, script, {"sh": symlink("busy\x1bbox")})


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_content_is_shown_and_never_obeyed(tmp_path: Path, name: str) -> None:
    """As text, as bytes, moved sideways, in its history, in ASCII."""

    async def script(driver: Driver) -> None:
        await driver.press("enter")
        screen = driver.app.screen
        assert isinstance(screen, PreviewScreen)
        await driver.until(lambda: screen.content.page)
        drawn(driver)
        await driver.press("right", "G", "left", "b", "space")
        drawn(driver)
        await driver.press("H")
        history = driver.app.screen
        assert isinstance(history, HistoryScreen)
        await driver.until(lambda: history.difference.page)
        drawn(driver)

    options = TuiOptions(ascii=name in {"bidi.py", "elf"}, theme=DARK)
    browse(tmp_path, script, {name: HOSTILE[name]}, options=options)


def test_text_has_colours_and_tells_what_it_left_out(tmp_path: Path) -> None:
    """A script by what runs it; a secret is an ellipsis, and the pager has it."""

    async def script(driver: Driver) -> None:
        await driver.press("enter")
        await driver.see("script for python3", "1 secret value; o shows all")
        assert "ghp_" not in driver.text()
        screen = driver.app.screen
        assert isinstance(screen, PreviewScreen)
        page = screen.content.page
        assert page is not None
        assert page.written_in == "python"
        await driver.until(lambda: len({role for _, role in page.line(4)}) > 2)

    token = b"ghp_" + b"a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"[:36]
    text = b"#!/usr/bin/env python3\n# words\ndef f(): return 'x'\ntoken = '" + token + b"'\n"
    browse(tmp_path, script, {"tool": text})


def test_escape_closes_at_once_while_the_reading_goes_on(tmp_path: Path) -> None:
    """The thread that reads ends at the next piece, and its page is dropped."""

    async def script(driver: Driver) -> None:
        gate, entered = threading.Event(), threading.Event()

        def wait() -> None:
            entered.set()
            gate.wait(5)

        driver.browse._reader.submit("gate", wait, lambda _: None)
        await driver.until(entered.is_set)
        await driver.press("enter")
        await driver.see("reading…")
        screen = driver.app.screen
        assert isinstance(screen, PreviewScreen)
        await driver.press("escape")
        await driver.see("2 Files")
        gate.set()
        await driver.press("v", "v")
        assert screen.content.page is None

    browse(tmp_path, script, {"a": b"x\n"})


def test_the_wheel_and_the_keys_scroll_one_page(tmp_path: Path) -> None:
    """A key goes on where the wheel stopped, and a click does nothing."""

    async def script(driver: Driver) -> None:
        await driver.press("enter")
        await driver.see("1  line 1")
        pane = driver.app.screen.query_one("#page")
        pane.scroll_to(y=50, animate=False)
        await driver.until(lambda: pane.scroll_offset.y == 50)
        await driver.pilot.click("#page", offset=(5, 5))
        await driver.press("j")
        await driver.until(lambda: pane.scroll_offset.y == 51)
        await driver.press("G")
        await driver.see("300  line 300")
        await driver.press("question_mark")
        await driver.see("Help", "preview.older", "move.page-down")

    lines = b"".join(b"line %d\n" % n for n in range(1, 301))
    browse(tmp_path, script, {"a": lines})


# -- history ------------------------------------------------------------------

THREE: Final[tuple[Mapping[str, Content], ...]] = (
    {"a": b"one\ntwo\n"},
    {"a": file(b"one\nTWO\n", mode=0o600)},
    {".wh.a": b"", "z": b"x"},
)


def test_history_shows_what_each_layer_changed(tmp_path: Path) -> None:
    """With the difference to the one before, or to a chosen one; Enter shows a version."""

    async def script(driver: Driver) -> None:
        await driver.press("G", "H")
        await driver.see("History /a", "3 versions · 16 B stored", "L2 → L3")
        await driver.press("up")
        await driver.see("L1 → L2", "-two", "+TWO", "0644 → 0600")
        await driver.press("enter")
        await driver.see("/a · L2, version 2 of 2, removed later", "2  TWO")
        # From page to page and back: neither is laid on itself.
        await driver.press("comma", "H")
        await driver.see("History /a", "/a  added")
        await driver.press("enter")
        await driver.see("/a · L1, version 1 of 2")
        await driver.press("escape", "down", "down", "enter")
        await driver.see("this layer removed it")
        await driver.press("g", "space", "G")
        await driver.see("L1*", "L1 → L3")
        await driver.press("space")
        await driver.see("L2 → L3")
        await driver.press("d", "comma", "comma")
        await driver.see("L1 → L3")
        await driver.press("semicolon", "d")
        await driver.see("L2 → L3")

    browse(tmp_path, script, *THREE)


def test_history_fits_a_small_terminal(tmp_path: Path) -> None:
    """The versions keep a third, the difference the rest."""

    async def script(driver: Driver) -> None:
        await driver.press("2", "enter")
        await driver.see("1  9")
        await driver.press("d")
        await driver.see("History /a", "L9 → L10", "+9", "-8")
        await driver.press("d", "j", "d", "k")
        await driver.see("L8 → L9")
        drawn(driver)

    versions = [{"a": b"%d\n" % number} for number in range(10)]
    browse(tmp_path, script, *versions, size=(60, 16))


def test_history_and_difference_are_ascii_where_all_is(tmp_path: Path) -> None:
    """Marks have signs; what the image has beyond ASCII is spelled out."""

    async def script(driver: Driver) -> None:
        await driver.press("enter", "H")
        await driver.see("L1 > L2", "text  8 B > 9 B", "-caf\\u00e9 1", "+caf\\u00e9 22", "? ")
        assert driver.text().isascii()

    options = TuiOptions(ascii=True, theme=DARK)
    layers = ({"a": "café 1\n".encode()}, {"a": "café 22\n".encode()})
    browse(tmp_path, script, *layers, options=options)


# -- pager --------------------------------------------------------------------


def test_the_pager_gets_all_of_a_file_and_nothing_raw(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal is its own meanwhile; less is told to run no filter."""
    seen, pager = tmp_path / "seen", tmp_path / "page r"
    pager.write_text(f'#!/bin/sh\necho "$LESSSECURE$LESSOPEN" > {seen}\ncat >> {seen}\n')
    pager.chmod(0o755)
    monkeypatch.setenv("PAGER", f"'{pager}' -x")
    monkeypatch.setenv("LESSOPEN", "|anything")

    async def script(driver: Driver) -> None:
        monkeypatch.setattr(driver.app, "suspend", nullcontext)
        await driver.press("o")
        await driver.until(lambda: seen.exists() and seen.read_bytes().endswith(b"end\n\n"))

    browse(tmp_path, script, {"a": b"\x1b[31m\xe2\x80\xae" + b"x" * 9_000 + b"\n\tend\n"})
    first, second, third, _ = seen.read_text().split("\n", 3)
    assert (first, second) == ("1", "\\x1b[31m\\u202e" + "x" * 9_000)
    assert third == "        end"


@pytest.mark.parametrize(
    ("pager", "words"),
    [
        pytest.param("layertrace-no-such-pager", "there is no pager", id="absent"),
        pytest.param("'less", "PAGER='less: No closing quotation", id="quote"),
        pytest.param("cat", "this terminal cannot be given to a pager", id="terminal"),
    ],
)
def test_what_keeps_the_pager_from_running_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pager: str, words: str
) -> None:
    """In words, and the panes stay."""
    monkeypatch.setenv("PAGER", pager)

    async def script(driver: Driver) -> None:
        await driver.press("o")
        await driver.see(words)

    browse(tmp_path, script, {"a": b"x\n"})


# -- extraction ---------------------------------------------------------------


def test_a_folder_is_extracted_and_nothing_replaced_unasked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a folder that the user names; what is there already is asked about."""
    monkeypatch.chdir(tmp_path)
    written = tmp_path / "extracted" / "etc" / "a"

    async def script(driver: Driver) -> None:
        await driver.press("x")
        await driver.see("Extract", "Write /etc, as it ships, to the folder", "./extracted")
        await driver.press("enter")
        await driver.see("wrote to extracted: 1 file, 1 folder, 4 B")
        assert written.read_bytes() == b"one\n"
        written.write_bytes(b"mine")
        await driver.press("ctrl+e", "enter")
        await driver.see("Replace?", "etc/a exists already")
        await driver.press("escape")
        assert written.read_bytes() == b"mine"
        await driver.press("x", "enter")
        await driver.see("Replace?")
        await driver.press("enter")
        await driver.until(lambda: written.read_bytes() == b"one\n")

    browse(tmp_path, script, {"etc/": folder(), "etc/a": b"one\n"})


def test_an_extraction_that_fails_or_is_stopped_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Escape ends it and leaves nothing behind; so does leaving the program."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("a file")

    async def script(driver: Driver) -> None:
        gate, reader = threading.Event(), driver.browse._reader
        reader.submit("gate", lambda: gate.wait(5), lambda _: None)
        await driver.press("x", "enter", "escape")
        gate.set()
        await driver.see("stopped: nothing was left behind")
        assert not (tmp_path / "extracted").exists()
        await driver.press("x", "ctrl+u", *"taken", "enter")
        await driver.see("taken: is no folder")
        reader.close()
        reader.await_end(EXTRACTING, 5)

    browse(tmp_path, script, {"a": b"one\n"})
