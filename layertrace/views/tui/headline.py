"""The head of the Browse screen: what image this is and how surely it is traced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style

from layertrace.views.overview import Overview, percent
from layertrace.views.text import TRUST_MARKS, plural, show_name, show_size
from layertrace.views.tui.bars import HeadPart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.trace import ImageHead
    from layertrace.views.tui.themes import Palette


def head_parts(
    head: ImageHead, overview: Overview | None, palette: Palette, *, ascii_only: bool
) -> Iterator[HeadPart]:
    """Yield the pieces of the head; the larger ``need``, the sooner one is left out."""
    plain, strong = Style.null(), palette.strong
    reference = show_name(head.image.reference, ascii_only=ascii_only)
    platform = show_name(str(head.image.config.platform), ascii_only=ascii_only)
    yield HeadPart(text=reference, style=strong, need=0)
    yield HeadPart(text=platform, style=palette.dim, need=5)
    size = "reading…" if head.size is None else show_size(head.size)
    yield HeadPart(text=size, style=strong, need=1)
    yield HeadPart(text=plural(len(head.layers), "layer"), style=plain, need=2)
    if head.stages:
        yield HeadPart(text=plural(len(head.stages), "stage"), style=plain, need=4)
    if overview is None:
        return
    yield HeadPart(text=plural(overview.files, "file"), style=plain, need=3)
    for trust, share in overview.shares():
        text = f"{TRUST_MARKS[trust]} {percent(share)}"
        yield HeadPart(text=text, style=palette.trusts[trust], need=1)
