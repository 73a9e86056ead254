"""What every view looks like at three sizes, as text: read each before it is kept."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from layertrace.errors import EngineError, SourceError
from layertrace.model.image import Platform
from layertrace.views.picking.offers import Kind, Offer
from layertrace.views.tui.pace import Pace
from layertrace.views.tui.ports import Comparing, Means, Picking, TuiOptions
from layertrace.views.tui.startup import FailedScreen, OpeningScreen
from layertrace.views.tui.themes import DARK
from tests.sample_support import SAMPLES
from tests.tui.driver import LOOKS, Driver, run
from tests.tui.fakes import FakeOpening, FakeProgress, head
from tests.tui.real import compare, opened

if TYPE_CHECKING:
    from pathlib import Path

    from textual.widget import Widget

    from layertrace.views.tui.ports import Opener, Opening

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
    "preview": ("v", "version 2 of 2"),
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


AMD, ARM = Platform(os="linux", architecture="amd64"), Platform(os="linux", architecture="arm64")
OFFERS: Final = {
    Kind.RECENT: (Offer(kind=Kind.RECENT, reference="shop:1.4.2", name="shop:1.4.2"),),
    Kind.FOLDER: (
        Offer(kind=Kind.FOLDER, reference="./app.tar", name="app.tar", size=1_400_000),
        Offer(
            kind=Kind.FOLDER,
            reference="./releases/2023-11/shop-1.4.2-linux-amd64.oci.tar",
            name="releases/2023-11/shop-1.4.2-linux-amd64.oci.tar",
            size=211_900_000,
        ),
    ),
}
BROKEN: Final = SourceError(
    "app.tar is no image",
    why="it holds neither manifest.json nor an OCI layout",
    hint="save the image once more: docker save NAME -o app.tar",
)
DIALOGS: Final = {
    "which platform?": ("I", "Which platform?"),
    "help of the files": ("question_mark", "Pane Files"),
    "columns": ("c", "[ ] share"),
    "copy": ("y", "Enter copies"),
    "extract": ("x", "Extract"),
    "the other image of a difference": ("D", "Diff"),
}


class _Album:
    """Screens at three sizes; keeps what each looks like."""

    def __init__(self, tui: Driver) -> None:
        self.tui = tui
        self.pages: dict[tuple[int, int], list[str]] = {size: [] for size in SIZES}

    async def take_all(self, name: str) -> None:
        """Add what is on view, at every size."""
        for size in SIZES:
            await self.tui.pilot.resize_terminal(*size)
            await self.tui.pilot.pause()
            self.take(name, size)

    def take(self, name: str, size: tuple[int, int], *part: Widget) -> None:
        """Add what is on view, or a part of it, at the size that it has."""
        lines = self.tui.lines()
        if part:
            # No sign is two cells wide here: a cell is a character.
            first, last = part[0].region, part[-1].region
            lines = [line[first.x : first.right] for line in lines[first.y : last.bottom]]
        self.pages[size] += [f"== {name}", *(line.rstrip() for line in lines)]

    def differing(self) -> list[str]:
        """Return the sizes at which something is not as it was kept."""
        other = []
        for (width, _), page in self.pages.items():
            kept = LOOKS / f"screens-{width}.txt"
            if os.environ.get("LAYERTRACE_LOOKS") == "keep":
                kept.write_text("".join(f"{line}\n" for line in page), encoding="utf-8")
            other += [kept.name] if page != kept.read_text(encoding="utf-8").splitlines() else []
        return other


def _no_engine() -> tuple[Offer, ...]:
    raise EngineError("the Docker engine cannot be reached", hint="start it")


def _shop() -> FakeOpening:
    known = head()
    config = replace(known.image.config, platform=AMD)
    image = replace(known.image, config=config, platforms=(AMD, ARM))
    return FakeOpening(known=replace(known, image=image))


def _open(reference: str) -> Opener:
    def open_it(_progress: object, _stop: object, /) -> Opening:
        if "app" in reference:
            raise BROKEN
        return _shop()

    return open_it


async def _before_browsing(tui: Driver, album: _Album) -> None:
    await tui.see("3 images")
    await album.take_all("which image?")
    await tui.press("down", "down", "enter")
    await tui.see("Cannot open ./app.tar")
    await album.take_all("the one picked cannot be opened")
    opening = OpeningScreen(tui.app.options, "shop:1.4.2")
    clock = iter((0.0, 2.0, 2.0, 2.0))
    opening._pace = Pace(lambda: next(clock))
    tui.app.push_screen(opening)
    await tui.see("Opening")
    opening.show_progress(
        FakeProgress(layer=3, layers=6, bytes_done=128_000_000, bytes_total=211_900_000, entries=9)
    )
    await album.take_all("opening")
    tui.app.switch_screen(FailedScreen(tui.app.options, "app.tar", BROKEN))
    await tui.see("Try again")
    await album.take_all("the one named cannot be opened")
    tui.app.pop_screen()
    await tui.press("escape", "g", "down", "enter")


async def _over_browsing(tui: Driver, album: _Album, size: tuple[int, int]) -> None:
    for name, (key, words) in DIALOGS.items():
        tui.app.simulate_key(key)
        await tui.see(words)
        album.take(name, size, tui.app.screen.children[-1])
        tui.app.simulate_key("escape")
        await tui.until(lambda: tui.app.screen is tui.browse)
    bar, keys = tui.browse.filter_bar, tui.browse.query_one("KeyBar")
    await tui.filter("stage")
    await tui.see("0 of 8")
    await tui.press("end", "colon")
    await tui.see("stage:build", "Done")
    album.take("filter: what may be typed", size, bar, keys)
    bar.entry.value = "size:>x server"
    await tui.see("not >x")
    album.take("filter: what is wrong", size, bar, keys)
    await tui.press("escape")


def test_screens_look_as_they_were_last_looked_at() -> None:
    """Before there is an image, the dialogs over one, and the line to filter on."""

    async def script(tui: Driver) -> list[str]:
        album = _Album(tui)
        await _before_browsing(tui, album)
        await tui.see("Which platform?")
        await tui.until(tui.browse.why.row_count)
        await tui.press("escape", "z")
        for size in SIZES:
            await tui.pilot.resize_terminal(*size)
            await _over_browsing(tui, album, size)
        return album.differing()

    means = Means(open=lambda name, _platform: _open(name))
    look = {kind: partial(OFFERS.__getitem__, kind) for kind in OFFERS}
    picking = Picking(open=_open, look={**look, Kind.ENGINE: _no_engine})
    comparing = Comparing(make=compare, against=None)
    assert not run(script, picking=picking, means=means, comparing=comparing, read=False)
