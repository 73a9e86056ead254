"""Filters that ask for more than the table holds: none of them holds up a key."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from layertrace.views.tui import filtering
from tests.builders import docker_archive, file, image, layer
from tests.tui.driver import Driver, run
from tests.tui.real import opened

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.builders import Content

TREE: dict[str, Content] = {
    "app/node_modules/a/index.js": b"1",
    "app/node_modules/a/package.json": b'{"name": "a", "version": "1"}',
    "usr/bin/elf": b"\x7fELF" + bytes(1 << 16),
    "usr/bin/su": file(b"#!/bin/sh\n", mode=0o4755),
}


def _archive(folder: Path) -> Path:
    path = folder / "app.tar"
    path.write_bytes(docker_archive(image(layer(TREE))))
    return path


def test_modes_and_packages_are_looked_for_while_typing(tmp_path: Path) -> None:
    """The answer comes from the thread that reads."""

    async def script(tui: Driver) -> None:
        await tui.filter("mode:setuid")
        await tui.see("1 of 4", "su")
        await tui.press("escape")
        await tui.filter("pkg:npm/a")
        await tui.see("2 of 4", "index.js")
        await tui.press("escape")
        await tui.see("4 files")

    with opened(_archive(tmp_path), tmp_path) as opening:
        run(script, opening)


def test_contents_are_read_on_enter(tmp_path: Path) -> None:
    """What was on view stays until then; Escape forgets it."""

    async def script(tui: Driver) -> None:
        await tui.filter("usr")
        await tui.see("2 of 4")
        tui.browse.filter_bar.entry.value = "usr type:elf"
        await tui.see("press Enter: this reads files of the image", "2 of 4")
        await tui.press("enter")
        await tui.see("1 of 4", "elf")
        assert "press Enter" not in tui.text()
        await tui.press("escape")
        await tui.filter("digest:00")
        await tui.see("press Enter")
        await tui.press("escape", "slash", "enter")
        await tui.see("4 files")

    with opened(_archive(tmp_path), tmp_path) as opening:
        run(script, opening)


def test_answer_to_a_filter_that_was_typed_over_is_not_shown(tmp_path: Path) -> None:
    """The newest one counts, whichever thread is done first."""

    async def script(tui: Driver) -> None:
        await tui.filter("owner:0")
        await tui.press("space", "s", "u")
        await tui.see("1 of 4")
        await tui.press("escape")
        await tui.see("4 files")

    with opened(_archive(tmp_path), tmp_path) as opening:
        run(script, opening)


def test_image_that_cannot_be_read_any_more_is_told(tmp_path: Path) -> None:
    """Under what was typed; the rows stay."""
    path = _archive(tmp_path)

    async def script(tui: Driver) -> None:
        os.truncate(path, 1024)
        await tui.filter("type:elf")
        await tui.press("enter")
        await tui.see("cut short", "su")

    with opened(path, tmp_path) as opening:
        run(script, opening)


def test_very_many_files_are_filtered_beside_the_typing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last filter alone is shown, in the order chosen meanwhile; the folds come back."""
    monkeypatch.setattr(filtering, "LARGE", 0)

    async def script(tui: Driver) -> None:
        await tui.press("asterisk")
        before = tui.browse.files.row_count()
        await tui.filter("nothing")
        tui.browse.filter_bar.entry.value = ".js"
        await tui.see("4 of 8", "vendor.js")
        await tui.press("enter", "s")
        await tui.see("by name")
        tui.browse.filter_bar.clear()
        await tui.until(lambda: tui.browse.files.row_count() == before)

    run(script)
