"""Where the base image ends in a history, and what of it an ``ONBUILD`` may have made."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from layertrace.provenance.alignment.lineup import BUILDKIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.model.build import Stage
    from layertrace.model.image import ImageConfig
    from layertrace.provenance.alignment.lineup import Lineup, Records

_LAST_KEYWORDS: Final = frozenset({"CMD", "ENTRYPOINT"})
"""What an image ends with, and hardly any trigger is."""
_LONG: Final = timedelta(days=1)
"""Longer than a build takes; a base that is older was there before."""
_SECONDS: Final = len("2006-01-02T15:04:05")


def count_base_layers(config: ImageConfig, base: ImageConfig | None) -> int | None:
    """Return how many layers the given base has; None if they are not this image's lowest."""
    if base is None or config.diff_ids[: len(base.diff_ids)] != base.diff_ids:
        return None
    if "" in base.diff_ids:
        # Two layers of which nothing is known are not the same for that.
        return None
    return len(base.diff_ids)


def find_starts(
    config: ImageConfig, lowest: Stage, base: ImageConfig | None
) -> Sequence[int] | None:
    """Return where the base may end in the history; None: anywhere."""
    if lowest.base == "scratch":
        return (0,)
    if base is None:
        return None
    history = [entry.created_by for entry in config.history]
    known = [entry.created_by for entry in base.history]
    if known and history[: len(known)] == known:
        return (len(known),)
    # Of an engine's image only the layers are known: they end somewhere among
    # the entries without a layer.
    layers, starts = 0, []
    for position in range(len(history) + 1):
        if layers == len(base.diff_ids):
            starts.append(position)
        if position < len(history):
            layers += not config.history[position].empty_layer
    return starts


def count_triggers(records: Records, lineup: Lineup, *, told: int) -> int:
    """Return how many entries below the Dockerfile's own are ONBUILD triggers of the base.

    The classic builder records the triggers in the base's history; where the base
    is not known, those that ran stand right below the Dockerfile's own steps.
    Of BuildKit's triggers only its provenance tells: ``told`` is how many made a layer.
    """
    below = records.recorded[: lineup.start]
    wanted = [each.rest.partition(" ")[0] for each in below if each.keyword == "ONBUILD"]
    ran = [each.keyword for each in below[len(below) - len(wanted) :]]
    count = 0
    while told and count < len(below):
        count += 1
        told -= not records.entries[lineup.start - count].empty_layer
    return max(count, len(wanted) if ran == wanted else 0)


def find_certain_end(records: Records, first: int) -> int:
    """Return up to which entry nothing but the base can lie.

    BuildKit's history has no ONBUILD: steps after the last CMD of an unknown base
    may be those of its triggers, run for this build by the builder of this build.
    """
    if not first:
        return 0
    here = _by_buildkit(records, min(first, len(records.entries) - 1))
    for position in range(first - 1, -1, -1):
        is_last = records.recorded[position].keyword in _LAST_KEYWORDS
        if is_last or _by_buildkit(records, position) is not here:
            return position + 1
    # Even a base that does nothing but trigger has a step of its own; the classic
    # builder would have recorded the triggers.
    return 1 if here else first


def _by_buildkit(records: Records, position: int) -> bool:
    return records.entries[position].comment.startswith(BUILDKIT)


def is_long_before(records: Records, position: int, first: int) -> bool:
    """Say whether a step ran so long before the Dockerfile's own that hardly a trigger made it."""
    ran = _time(records.entries[position].created)
    own = _time(records.entries[min(first, len(records.entries) - 1)].created)
    return ran is not None and own is not None and own - ran > _LONG


def _time(created: str) -> datetime | None:
    try:
        return datetime.fromisoformat(created[:_SECONDS])
    except ValueError:
        return None
