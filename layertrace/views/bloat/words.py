"""How the parts of a bloat are called, the same in text and Markdown."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.model.waste import Cause
from layertrace.views.outline_row import layer_name
from layertrace.views.text import show_size

if TYPE_CHECKING:
    from layertrace.model.trace import ImageHead
    from layertrace.model.waste import Bloat, Step, WasteGroup

CAUSES: Final = {
    Cause.REMOVED: "removed later",
    Cause.HIDDEN: "hidden later",
    Cause.OVERWRITTEN: "overwritten",
    Cause.METADATA: "metadata only",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much of long lists is shown; None: all."""

    rows: int | None
    paths: int | None
    """Of each row."""


def count_causes(bloat: Bloat) -> dict[Cause, int]:
    """Return the wasted bytes of every cause."""
    sums: Counter[Cause] = Counter()
    for group in bloat.groups:
        sums[group.cause] += group.bytes
    return {cause: sums[cause] for cause in CAUSES}


def percent(part: int, whole: int) -> str:
    """Return a share.

    >>> percent(2, 3), percent(0, 0)
    ('66.7%', '0.0%')
    """
    return f"{100 * part / whole if whole else 0:.1f}%"


def show_exactly(size: int) -> str:
    """Return a size that can be added up too.

    >>> show_exactly(999), show_exactly(3_804_882)
    ('999 B', '3.8 MB (3,804,882 bytes)')
    """
    shown = show_size(size)
    return shown if shown.endswith(" B") else f"{shown} ({size:,} bytes)"


def own_share(head: ImageHead) -> str | None:
    """Return what the layers above the base waste; None where none or all are of the base."""
    own = [layer for layer in head.layers if not layer.base]
    if not own or len(own) == len(head.layers):
        return None
    wasted = sum(layer.wasted or 0 for layer in own)
    size = sum(layer.size or 0 for layer in own)
    return f"{show_size(wasted)} of the {show_size(size)} above the base ({percent(wasted, size)})"


def score_text(bloat: Bloat) -> str:
    """Return our efficiency, and dive's beside it."""
    ours = percent(bloat.visible_bytes, bloat.stored_bytes) if bloat.stored_bytes else "100.0%"
    dive = f"{100 * bloat.dive_efficiency:.4f}%"
    return f"{ours} of the stored bytes are seen; efficiency as dive scores it: {dive}"


def pair_text(group: WasteGroup) -> str:
    """Return which step wrote the bytes of a group and which undid them."""
    wrote = place_text(group.written_by)
    if group.written_by.layer == group.undone_by.layer:
        return f"{wrote}, more than once"
    return f"{wrote} → {place_text(group.undone_by)}"


def place_text(step: Step) -> str:
    """Return where a step stands: ``L5 :21``."""
    name = layer_name(step.layer)
    return name if step.line is None else f"{name} :{step.line}"
