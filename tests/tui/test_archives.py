"""The Browse screen on archives, from the bytes on: plain ones, odd ones and damaged ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from layertrace.model.limits import DEFAULTS
from tests.builders import docker_archive, file, folder, image, layer, step
from tests.sample_support import SAMPLES
from tests.tui.driver import Driver, run
from tests.tui.real import opened

if TYPE_CHECKING:
    from pathlib import Path


def test_the_sample_is_traced_to_its_stage_on_the_screen(tmp_path: Path) -> None:
    """The way of the tutorial's file, with what stays behind."""

    async def script(tui: Driver) -> None:
        assert "6 layers  2 stages  69 files  ✔ 100%" in tui.text()
        assert "↳ build/5  RUN npm run build" in tui.text()
        await tui.filter("dist/server.js -map")
        await tui.see("3 Why /app/dist/server.js", "made by `RUN npm run build` in stage build")
        assert "build/5" in tui.row("created here")
        await tui.press("escape", "1", "G", "space")
        await tui.see("ships 524 B in 6 files")
        assert "nothing" in tui.row("3 RUN npm install")
        assert "524 B" in tui.row("5 RUN npm run build")
        await tui.press("down", "down", "down", "down")
        await tui.see("nothing that step build/3 made is in the image")

    with opened(SAMPLES / "tiny-app" / "multistage.tar.xz", tmp_path) as opening:
        run(script, opening)


def test_one_layer_without_a_dockerfile(tmp_path: Path) -> None:
    """What its history says is all there is; the way on is said."""
    archive = tmp_path / "one.tar"
    tar = layer({"hello": file(b"hi", mode=0o4755, uid=7, gid=8, mtime=1_000_000_000)})
    archive.write_bytes(docker_archive(image(tar, history=["COPY hello / # buildkit"])))

    async def script(tui: Driver) -> None:
        assert "1 layer  1 file  ? 100%" in tui.text()
        assert "4 Dockerfile · reconstructed from the history" in tui.text()
        await tui.see("trace stops here: give -f Dockerfile, or the build's --provenance FILE")
        await tui.press("ctrl+b")
        row = next(line for line in tui.lines() if " hello " in line)
        assert "4755 7:8       2001-09-09 01:46   hello" in row
        await tui.press("1", "down", "down")
        await tui.see("2 Files · L1")

    with opened(archive, tmp_path) as opening:
        run(script, opening, size=(160, 36))


def test_an_image_without_a_layer(tmp_path: Path) -> None:
    """Its configuration is still something to look at."""
    archive = tmp_path / "empty.tar"
    history = [step('CMD ["x"]', empty=True)]
    archive.write_bytes(docker_archive(image(history=history)))

    async def script(tui: Driver) -> None:
        await tui.see("the image has no layer: nothing but its configuration")
        await tui.see("0 layers  0 files", "no file at the cursor", 'CMD ["x"]')
        await tui.press("down", "*", "e", "space", "right", "left", "n", "y", "grave_accent", "s")
        await tui.see("no path to copy")
        await tui.press("1", "down", "enter", "3", "enter", "4", "enter")
        await tui.filter("x")
        await tui.see("nothing matches: Esc clears the filter", "0 of 0")

    with opened(archive, tmp_path) as opening:
        run(script, opening, read=False)


def test_a_layer_without_an_entry(tmp_path: Path) -> None:
    """The pane says why it is empty, for the image and for the layer."""
    archive = tmp_path / "nothing.tar"
    archive.write_bytes(docker_archive(image(layer(), history=["RUN true"])))

    async def script(tui: Driver) -> None:
        await tui.see("the layer is empty: `RUN true` changed no file", "0 files")
        await tui.press("1", "down", "down")
        await tui.see("2 Files · L1", "the layer is empty: `RUN true` changed no file")

    with opened(archive, tmp_path) as opening:
        run(script, opening, read=False)


def test_an_empty_directory_says_where_it_came_from_itself(tmp_path: Path) -> None:
    """There is nothing to add up."""
    archive = tmp_path / "folder.tar"
    tar = layer({"data": folder(0o700), "x": b"x"})
    archive.write_bytes(docker_archive(image(tar, history=["RUN mkdir /data"])))

    async def script(tui: Driver) -> None:
        await tui.press("G")
        await tui.see("3 Why /data", "/data/  dir  0700  0:0", "made by `RUN mkdir /data`")

    with opened(archive, tmp_path) as opening:
        run(script, opening)


def _cut_in(number: int, archive: Path) -> None:
    """Write an image of two layers, the headers of one of them overwritten in the middle."""
    tars = [layer({f"d{n}/f{k}": b"x" * 600 for k in range(40)}) for n in range(2)]
    saved = docker_archive(image(*tars))
    start = saved.index(tars[number]) + 512 * 31
    archive.write_bytes(saved[:start] + b"\xff" * 4096 + saved[start + 4096 :])


@pytest.mark.parametrize("number", [0, 1])
def test_a_layer_damaged_in_the_middle_is_named_and_hides_no_other(
    tmp_path: Path, number: int
) -> None:
    """Its row says so, a line under the head too, and what was read of it is there."""
    archive = tmp_path / "damaged.tar"
    _cut_in(number, archive)

    async def script(tui: Driver) -> None:
        await tui.see(f"! 1 finding (F): L{number + 1}", "damaged tar header")
        assert "! damaged  layer" in tui.row(f"L{number + 1} ! ")
        assert "damaged" not in tui.row(f"L{2 - number} layer")
        await tui.press("1", *["down"] * (2 + number))
        await tui.see(f"2 Files · L{number + 1}", f"d{number}/", "11 files")
        await tui.press("F")
        await tui.see("layer-damaged", f"  L{number + 1}", "→ save or copy the image again")

    with opened(archive, tmp_path) as opening:
        run(script, opening)


def test_an_image_of_which_nothing_can_be_read(tmp_path: Path) -> None:
    """Layers and history stay on view; the error and the exit code tell."""
    archive = tmp_path / "damaged.tar"
    saved = docker_archive(image(layer({"f": b"x" * 600}), history=["RUN make"]))
    start = saved.index(layer({"f": b"x" * 600}))
    archive.write_bytes(saved[:start] + b"\xff" * 1024 + saved[start + 1024 :])

    async def script(tui: Driver) -> None:
        await tui.see("damaged tar", "no layer of", "L1 RUN make", "r Read on", "not read")
        await tui.press("down", "enter", "1", "down", "enter", "3", "enter", "slash", "y")
        await tui.press("r")
        await tui.see("damaged tar", "save or copy the image again")
        await tui.press("q")
        assert tui.app.exit_code == 3

    with opened(archive, tmp_path) as opening:
        run(script, opening, read=False)


def test_an_image_beyond_a_limit(tmp_path: Path) -> None:
    """The limit is named, and the way to raise it; what is known without reading stays."""
    archive = tmp_path / "bomb.tar"
    archive.write_bytes(docker_archive(image(layer({"f": b"", "g": b""}), history=["RUN make"])))

    async def script(tui: Driver) -> None:
        await tui.see("layer 0", "has more than 1 entries", "the limit entries is 1")
        await tui.see("--max entries=NUMBER", "L1 RUN make")
        await tui.press("q")
        assert tui.app.exit_code == 3

    with opened(archive, tmp_path, replace(DEFAULTS, entries=1)) as opening:
        run(script, opening, read=False)
