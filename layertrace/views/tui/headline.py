"""The head of the Browse screen: what image this is and how surely it is traced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style

from layertrace.views.overview import Overview, percent
from layertrace.views.text import TRUST_MARKS, plural, show_name, show_size
from layertrace.views.tui.bars import HeadPart
from layertrace.views.unread import layer_runs, unread_layers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.trace import ImageHead
    from layertrace.views.tui.rows_view import Cell
    from layertrace.views.tui.themes import Palette


def head_parts(
    head: ImageHead,
    overview: Overview | None,
    palette: Palette,
    *,
    reading: str,
    ascii_only: bool,
) -> Iterator[HeadPart]:
    """Yield the pieces of the head; the larger ``need``, the sooner one is left out.

    Args:
        head: of the image.
        overview: of its files; None while they are not known.
        palette: the colours.
        reading: how far the reading is, in few words; none where it does not go on.
        ascii_only: what the terminal can show.
    """
    plain, strong = Style.null(), palette.strong
    reference = show_name(head.image.reference, ascii_only=ascii_only)
    platform = show_name(str(head.image.config.platform), ascii_only=ascii_only)
    size = reading or _unread_words(head)
    if head.size is not None:
        size = show_size(head.size)
    yield _part("layertrace", palette.dim, 7)
    yield _part(reference, strong, 0)
    if platform:
        yield _part(platform, palette.dim, 6)
    yield _part(size, strong, 1)
    yield _part(plural(len(head.layers), "layer"), plain, 3)
    if head.stages:
        yield _part(plural(len(head.stages), "stage"), plain, 5)
    if overview is None:
        return
    yield _part(plural(overview.files, "file"), plain, 4)
    cells: list[Cell] = []
    for trust, share in overview.shares():
        cells += [(" ", plain)] if cells else []
        cells.append((f"{TRUST_MARKS[trust]} {percent(share)}", palette.trusts[trust]))
    yield HeadPart(cells=tuple(cells), need=2)


def _unread_words(head: ImageHead) -> str:
    missing = unread_layers(head)
    return "not read" if len(missing) == len(head.layers) else f"{layer_runs(missing)} not read"


def _part(text: str, style: Style, need: int) -> HeadPart:
    return HeadPart(cells=((text, style),), need=need)
