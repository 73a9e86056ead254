"""Draw the README's picture: the Browse screen on the sample image, by the program itself.

make screenshots
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layertrace.layers.cache import IndexCache
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from layertrace.views.tui.app import LayertraceApp
from layertrace.views.tui.browse import BrowseScreen
from layertrace.views.tui.ports import TuiOptions

if TYPE_CHECKING:
    from layertrace.pipeline.trace import Opening

ROOT: Final = Path(__file__).resolve().parents[1]
SAMPLE: Final = "sample_images/tiny-app/multistage.tar.xz"
"""Relative: the picture shows the name."""
PICTURE: Final = ROOT / "docs" / "images" / "browse.svg"
SIZE: Final = (120, 36)
THEME: Final = "layertrace-dark"
KEYS: Final = ("down", "down", "space", "down", "down", "down", "down", "space", "down")
_STEP: Final = 0.02
_REST: Final = 0.5
_PATIENCE: Final = 20.0
_FONTS: Final = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"


async def draw(opening: Opening) -> str:
    """Return the screen as SVG, the cursor on a file that two stages had a hand in."""
    app = LayertraceApp(lambda: opening, title=SAMPLE, options=TuiOptions(theme=THEME))
    async with app.run_test(size=SIZE) as pilot:
        async with asyncio.timeout(_PATIENCE):
            while not (isinstance(app.screen, BrowseScreen) and app.screen.files.rows):
                await pilot.pause(_STEP)
        for key in KEYS:
            await pilot.press(key)
        # The other panes follow the cursor when it rests.
        await pilot.pause(_REST)
        return _without_hosts(app.export_screenshot(title="layertrace"))


def _without_hosts(svg: str) -> str:
    """Take out the fonts that Rich would have fetched, name what a reader may have instead."""
    svg = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"\s*<!-- Generated with Rich .*?-->", "", svg)
    return svg.replace("font-family: Fira Code, monospace", f"font-family: {_FONTS}")


def main() -> int:
    """Draw and keep the picture."""
    os.chdir(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        cache = IndexCache(Path(folder))
        opening = open_image(SAMPLE, Hints(), cache)
        try:
            picture = asyncio.run(draw(opening))
        finally:
            opening.close()
            cache.close()
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(picture, encoding="utf-8")
    print(PICTURE.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
