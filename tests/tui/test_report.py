"""R writes what a pane lists to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.model.entry import EntryKind
from layertrace.views.text import show_name
from layertrace.views.tui import writing
from layertrace.views.tui.ports import TuiOptions
from layertrace.views.tui.themes import DARK
from tests.sample_support import SAMPLES
from tests.tui.driver import Driver, run
from tests.tui.fakes import BUILD, FakeOpening, Row, directory, table
from tests.tui.real import opened

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


async def _report(tui: Driver, path: Path | str) -> None:
    """Write a report to ``path``, typed at once."""
    await tui.press("R")
    await tui.see("Write what this pane lists")
    tui.app.screen.query_one("#ask-input").value = str(path)  # type: ignore[attr-defined]
    await tui.press("enter")


def test_all_rows_are_written_and_none_is_cut(tmp_path: Path) -> None:
    """Those beyond the screen too; no name is obeyed."""
    long = "a-rather-long-name-" * 12
    names = ["\x1b[2J", "[red]", "caf\udce9", *(f"{number:03}" for number in range(60)), long]
    rows = [directory("d", 2), *(Row(path=f"d/{n}", size=9, layer=2, label=BUILD) for n in names)]
    rows += [Row(path="d/z", layer=2, kind=EntryKind.SYMLINK)]
    path = tmp_path / "report.txt"

    async def script(tui: Driver) -> None:
        await tui.press("asterisk")
        await _report(tui, path)
        await tui.see("written to", "report.txt")
        text = path.read_text(encoding="utf-8")
        assert "\x1b" not in text
        assert all(show_name(name) in text for name in names)
        head, title, _, _, columns, *listed = text.splitlines()
        assert head.endswith("shop:1.4.2")
        assert title == "2 Files · final image"
        assert (columns.split()[2:], len(listed)) == (["Size", "Path"], len(rows))
        await tui.filter("d/00")
        await tui.press("enter")
        await _report(tui, tmp_path / "few.txt")
        await tui.see("few.txt")
        lines = (tmp_path / "few.txt").read_text(encoding="utf-8").splitlines()
        assert (lines[1], len(lines)) == ("filter: d/00", 6 + 11)

    run(script, FakeOpening(files=table(rows)))


def test_a_file_that_is_there_is_not_replaced_unasked(tmp_path: Path) -> None:
    """Esc keeps it, Enter replaces it."""
    path = tmp_path / "report.txt"
    path.write_text("mine")

    async def script(tui: Driver) -> None:
        await _report(tui, path)
        await tui.see("Replace?", "already")
        await tui.press("escape")
        assert path.read_text() == "mine"
        await _report(tui, path)
        await tui.see("Replace?")
        await tui.press("enter")
        await tui.until(lambda: "2 Files" in path.read_text(encoding="utf-8"))

    run(script)


def test_a_report_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    """And one that nobody wants is none; ASCII where everything is."""

    async def script(tui: Driver) -> None:
        await tui.press("R", "escape")
        await _report(tui, tmp_path / "no" / "where.txt")
        await tui.see("cannot be written", "is not a folder")
        await _report(tui, tmp_path / "ascii.txt")
        await tui.see("written to")
        assert (tmp_path / "ascii.txt").read_bytes().isascii()

    run(script, options=TuiOptions(theme=DARK, ascii=True))


def test_a_report_has_an_end_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list may have millions of rows."""
    monkeypatch.setattr(writing, "MOST_ROWS", 2)

    async def script(tui: Driver) -> None:
        await tui.press("asterisk")
        await _report(tui, tmp_path / "r")
        await tui.see("written to")
        assert (tmp_path / "r").read_text().splitlines()[-1] == "the first 2 of 13 rows"

    run(script)


def test_lists_and_maps_are_written_as_they_are_drawn(tmp_path: Path) -> None:
    """The flow with its bars, the map with its boxes."""

    async def script(tui: Driver) -> None:
        for key, words in (("O", "──►"), ("M", "bin/")):
            await tui.press(key)
            await tui.see(words)
            await _report(tui, tmp_path / key)
            await tui.until((tmp_path / key).exists)
            lines = (tmp_path / key).read_text(encoding="utf-8").splitlines()
            assert any(words in line for line in lines)
            assert max(map(len, lines)) <= 120

    with opened(SAMPLES / "tiny-app" / "multistage.tar.xz", tmp_path) as opening:
        run(script, opening)
