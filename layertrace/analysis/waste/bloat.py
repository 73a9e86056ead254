"""All that an image ships for nothing, or for little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.analysis.leftovers.leftovers import word_leftovers
from layertrace.analysis.waste.groups import make_groups
from layertrace.analysis.waste.keeping import Found, dump_found, load_found, mark_of
from layertrace.model.waste import Bloat

if TYPE_CHECKING:
    from layertrace.pipeline.answers import ImageTrace


def find_bloat(trace: ImageTrace) -> Bloat:
    """Return what of an image's layers nobody sees, and what is seen but hardly needed.

    Raises:
        LayertraceError: a content that is asked for cannot be had.
    """
    head = trace.sized_head
    mark = mark_of(head)
    kept = trace.recall_bloat()
    found = None if kept is None else load_found(kept, mark)
    if found is None:
        found, whole = _find(trace)
        data = dump_found(found, mark) if whole else None
        if data is not None:
            trace.keep_bloat(data)
    stored = head.size or 0
    return Bloat(
        stored_bytes=stored,
        visible_bytes=stored - sum(layer.wasted or 0 for layer in head.layers),
        groups=make_groups(trace, found.undone),
        maybe=word_leftovers(trace, found.leftovers),
        duplicates=found.duplicates,
        dive_efficiency=found.dive_efficiency,
    )


def _find(trace: ImageTrace) -> tuple[Found, bool]:
    """Return what the layers tell, and whether that is all."""
    # Whoever asks again does without all that reads contents.
    from layertrace.analysis.leftovers.counting import count_leftovers  # noqa: PLC0415
    from layertrace.analysis.leftovers.duplicates import find_duplicates  # noqa: PLC0415
    from layertrace.analysis.leftovers.visible import list_visible  # noqa: PLC0415
    from layertrace.analysis.waste.dive_score import dive_efficiency  # noqa: PLC0415
    from layertrace.analysis.waste.groups import find_undone  # noqa: PLC0415

    undone, whole = find_undone(trace)
    files = list_visible(trace)
    found = Found(
        undone=undone,
        leftovers=count_leftovers(trace, files),
        duplicates=find_duplicates(trace, files),
        dive_efficiency=dive_efficiency(trace.rootfs.layers),
    )
    return found, whole
