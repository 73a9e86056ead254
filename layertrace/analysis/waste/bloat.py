"""All that an image ships for nothing, or for little."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.analysis.leftovers.duplicates import find_duplicates
from layertrace.analysis.leftovers.leftovers import find_leftovers
from layertrace.analysis.waste.dive_score import dive_efficiency
from layertrace.analysis.waste.groups import find_groups
from layertrace.model.waste import Bloat
from layertrace.rootfs.waste import visible_bytes

if TYPE_CHECKING:
    from layertrace.pipeline.answers import ImageTrace


def find_bloat(trace: ImageTrace) -> Bloat:
    """Return what of an image's layers nobody sees, and what is seen but hardly needed."""
    layers = trace.rootfs.layers
    return Bloat(
        stored_bytes=sum(index.stored_bytes for index in layers),
        visible_bytes=sum(visible_bytes(trace.rootfs)),
        groups=find_groups(trace),
        maybe=find_leftovers(trace),
        duplicates=find_duplicates(trace),
        dive_efficiency=dive_efficiency(layers),
    )
