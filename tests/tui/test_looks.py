"""What every view looks like at three sizes, as text: read each before it is kept."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

import pytest

from layertrace.views.tui.ports import Comparing, TuiOptions
from layertrace.views.tui.themes import DARK
from tests.sample_support import SAMPLES
from tests.tui.driver import LOOKS, Driver, run
from tests.tui.real import compare, opened

if TYPE_CHECKING:
    from pathlib import Path

SAMPLE: Final = SAMPLES / "tiny-app" / "multistage.tar.xz"
OLDER: Final = SAMPLES / "tiny-app" / "regular.tar.xz"
FILE: Final = "app/package-lock.json"
SIZES: Final = ((120, 36), (80, 24), (40, 12))
VIEWS: Final = {
    "waste": ("W", "could go"),
    "duplicates": ("U", "no content of 4 KiB"),
    "packages": ("P", "2 packages"),
    "audit": ("A", "rules failed"),
    "flow": ("O", "MB ship"),
    "map": ("M", "2 Map"),
    "largest": ("L", "2 Largest"),
}
PAGES: Final = {
    "preview": ("v", "L4 L5"),
    "history": ("H", "2 versions"),
}


async def _still(tui: Driver) -> None:
    """Wait until nothing is worked on and nothing is drawn anew."""
    before = ""
    for _ in range(200):
        await asyncio.sleep(0.06)
        await tui.pilot.pause()
        busy = any(
            each._todo or each._running for each in (tui.browse._reader, tui.browse._counter)
        )
        if not busy and tui.text() == before:
            return
        before = tui.text()


def _compare(name: str, size: tuple[int, int], tui: Driver) -> list[str]:
    """Return what is not as it was kept; LAYERTRACE_LOOKS=keep keeps it as it is now.

    Without the head, which names the archive by where it lies, and the line of keys, which
    goes out under a dialog at some time.
    """
    look = f"{name}-{size[0]}"
    kept = LOOKS / f"{look}.txt"
    shown = [line.rstrip() for line in tui.lines()][1:-1]
    if os.environ.get("LAYERTRACE_LOOKS") == "keep":
        kept.write_text("".join(f"{line}\n" for line in shown), encoding="utf-8")
    return [] if shown == kept.read_text(encoding="utf-8").splitlines() else [look]


@pytest.mark.parametrize("size", SIZES)
def test_views_look_as_they_were_last_looked_at(tmp_path: Path, size: tuple[int, int]) -> None:
    """Lists, map and pages of the sample, at a size."""

    async def script(tui: Driver) -> list[str]:
        other = []
        await tui.see("2 Diff")
        await _still(tui)
        other += _compare("diff", size, tui)
        for name, (key, words) in VIEWS.items():
            tui.app.simulate_key(key)
            await tui.see(words)
            await _still(tui)
            other += _compare(name, size, tui)
        tui.browse.action_view("tree")
        tui.browse.files.go_to(tui.browse.files.rows.tree.find(FILE) or 0)  # type: ignore[union-attr]
        for name, (key, words) in PAGES.items():
            await _still(tui)
            tui.app.simulate_key(key)
            await tui.see(words)
            await _still(tui)
            other += _compare(name, size, tui)
            tui.app.simulate_key("escape")
        return other

    with opened(SAMPLE, tmp_path) as opening:
        comparing = Comparing(make=compare, against=str(OLDER))
        options = TuiOptions(theme=DARK)
        assert not run(script, opening, size=size, comparing=comparing, options=options, read=False)
