"""Draw the README's pictures: the terminal view on the sample images, by the program itself.

make screenshots
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layertrace.views.options import Reading
from layertrace.views.picking.openings import Openings
from layertrace.views.tui.app import LayertraceApp
from layertrace.views.tui.browse import BrowseScreen
from layertrace.views.tui.ports import Comparing, TuiOptions

ROOT: Final = Path(__file__).resolve().parents[1]
SAMPLE: Final = "sample_images/tiny-app/multistage.tar.xz"
"""Relative: the pictures show the name."""
OLDER: Final = "sample_images/tiny-app/regular.tar.xz"
PICTURES: Final = ROOT / "docs" / "images"
SIZE: Final = (120, 36)
THEME: Final = "layertrace-dark"
_STEP: Final = 0.02
_REST: Final = 0.5
_PATIENCE: Final = 30.0
_FONTS: Final = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture, and how to come to what it shows."""

    name: str
    keys: tuple[str, ...]
    wait: str
    """Stands on the screen once it is all there."""
    against: str | None = None


ALL: Final = (
    # The cursor on a file that one stage made and another changed.
    Picture(
        name="browse",
        keys=("down", "down", "down", "space", "down", "down", "down", "down", "space", "down"),
        wait="3 Why /app/dist/bin/start",
    ),
    Picture(name="waste", keys=("W", *("down",) * 6), wait="instead of line 19"),
    Picture(name="diff", keys=("space", "down"), wait="2 Diff", against=OLDER),
)


async def draw(openings: Openings, picture: Picture) -> str:
    """Return the screen as SVG."""
    app = LayertraceApp(
        openings.opener(SAMPLE),
        title=SAMPLE,
        options=TuiOptions(theme=THEME),
        comparing=Comparing(make=openings.compare, against=picture.against),
    )
    async with app.run_test(size=SIZE) as pilot:

        def seen() -> str:
            strips = app.screen._compositor.render_strips()  # noqa: SLF001 - no public way
            return "\n".join("".join(part.text for part in strip) for strip in strips)

        async with asyncio.timeout(_PATIENCE):
            while not (isinstance(app.screen, BrowseScreen) and app.screen.files.rows):
                await pilot.pause(_STEP)
            while app.screen.list.listing is None and picture.against is not None:
                await pilot.pause(_STEP)
            await pilot.press(*picture.keys)
            while picture.wait not in seen():
                await pilot.pause(_STEP)
        # The other panes follow the cursor when it rests.
        await pilot.pause(_REST)
        return _without_hosts(app.export_screenshot(title="layertrace"))


def _without_hosts(svg: str) -> str:
    """Take out the fonts that Rich would have fetched, name what a reader may have instead."""
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*<!-- Generated with Rich .*?-->", "", svg)
    return svg.replace("font-family: Fira Code, monospace", f"font-family: {_FONTS}")


def main() -> int:
    """Draw and keep the pictures."""
    os.chdir(ROOT)
    PICTURES.mkdir(exist_ok=True)
    for picture in ALL:
        with tempfile.TemporaryDirectory() as folder, ExitStack() as ended:
            os.environ["LAYERTRACE_CACHE_DIR"] = folder
            openings = Openings(Reading(image=SAMPLE), remembering=False)
            ended.callback(openings.close)
            drawn = asyncio.run(draw(openings, picture))
        target = PICTURES / f"{picture.name}.svg"
        target.write_text(drawn, encoding="utf-8")
        print(target.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
