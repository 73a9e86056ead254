"""Which layers hold the work of several instructions, by the image's own history.

buildah and podman write one layer a stage unless asked for one a step, and name it after
the last instruction; ``--squash`` puts the base into it as well. ``docker build --squash``
adds an entry of its own, kaniko with ``--single-snapshot`` records the last step alone.

Source: buildah, ``imagebuildah/stage_executor.go``; moby, ``daemon/images/image_squash.go``;
kaniko, ``pkg/executor/build.go``; measured on builds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.provenance.alignment.lineup import BUILDAH, KANIKO, LAYER_KEYWORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from layertrace.model.build import Instruction, Stage
    from layertrace.model.image import HistoryEntry, ImageConfig
    from layertrace.provenance.alignment.lineup import Lineup, Records

WRITERS: Final = LAYER_KEYWORDS - {"WORKDIR"}
"""What makes files, not directories alone."""
_COMMENTS: Final = ("merge sha256:", "create new from sha256:")
"""Of the one entry that ``docker build --squash`` adds."""
_COPIES: Final = frozenset({"COPY", "ADD"})


def is_squash(entry: HistoryEntry) -> bool:
    """Say whether an entry is the one that ``docker build --squash`` adds."""
    return not entry.created_by and entry.comment.startswith(_COMMENTS)


def without_squash(config: ImageConfig) -> ImageConfig:
    """Leave out the entry that squashing added: the steps themselves stand before it."""
    if config.history and is_squash(config.history[-1]):
        return replace(config, history=config.history[:-1])
    return config


def holds_base(config: ImageConfig) -> bool:
    """Say whether the one layer of an image holds what its base had, as well.

    buildah keeps of the history what it added itself: all steps, or the last alone.
    """
    *below, last = config.history or (None,)
    return (
        len(config.diff_ids) == 1
        and last is not None
        and not last.empty_layer
        and last.comment.startswith(BUILDAH)
        and all(entry is not None and entry.empty_layer for entry in below)
    )


def is_joint(records: Records, position: int) -> bool:
    """Say whether a layer holds more than the work of the entry it stands on."""
    entry, recorded = records.entries[position], records.recorded[position]
    if recorded.keyword not in LAYER_KEYWORDS | {""}:
        return True
    if entry.author == KANIKO:
        return sum(other.author == KANIKO for other in records.entries) == 1
    below = _together(records, position)[:-1]
    if any(records.recorded[each].keyword in _COPIES for each in below):
        # Every other builder makes a layer for each, even one without anything in it.
        return True
    if not entry.comment.startswith(BUILDAH):
        return False
    # Of the first entry that says what is below: the base is in the same layer. With a
    # layer a step buildah puts such a comment on every entry.
    previous = records.entries[position - 1] if position else None
    return previous is None or (previous.empty_layer and not previous.comment)


def is_shared(records: Records, position: int, skipped: Iterable[Instruction]) -> bool:
    """Say whether the layer on an entry may hold the work of other instructions, too."""
    return any(each.keyword in LAYER_KEYWORDS for each in skipped) or is_joint(records, position)


class Part(NamedTuple):
    """One of the instructions whose work is in a layer."""

    position: int
    """Of its own entry, or of the next where it left none."""
    instruction: Instruction
    recorded: bool
    """It left an entry of its own."""


def declared_parts(records: Records, lineup: Lineup, position: int) -> Iterator[Part]:
    """Yield what of a Dockerfile changed files in the layer on an entry, in its order."""
    for place in _together(records, position):
        number = place - lineup.start
        # What squashing added is no step.
        if not 0 <= number < len(lineup.instructions):
            continue
        own = lineup.instructions[number]
        for instruction in (*lineup.skipped[number], *([] if own is None else [own])):
            if instruction.keyword in LAYER_KEYWORDS:
                yield Part(place, instruction, instruction is own)


def other_writers(
    records: Records, lineup: Lineup, base: Stage, position: int, *, told: bool
) -> tuple[str, ...]:
    """Return what but a Dockerfile's own instructions may have written to the layer on an entry.

    Args:
        records: the history.
        lineup: the Dockerfile's instructions.
        base: the stage whose FROM names the base image.
        position: of the entry.
        told: the base is known, and with it all its triggers.
    """
    together = _together(records, position)
    if not together.start and base.base != "scratch":
        return (f"base {base.base} :{base.line}",)
    triggers = (
        not told and place < lineup.start and records.recorded[place].keyword in WRITERS
        for place in together
    )
    return (f"an ONBUILD trigger of base {base.base} :{base.line}",) if any(triggers) else ()


def only_step(records: Records, position: int) -> int | None:
    """Return the entry whose work alone is in the layer on an entry, by the history alone."""
    entry, together = records.entries[position], _together(records, position)
    if entry.author == KANIKO or (not together.start and entry.comment.startswith(BUILDAH)):
        # There is more in it than is recorded.
        return None
    places = [each for each in together if records.recorded[each].keyword in LAYER_KEYWORDS]
    return places[0] if len(places) == 1 else None


def _together(records: Records, position: int) -> range:
    """Return an entry and those without a layer right below it."""
    first = position
    while first and records.entries[first - 1].empty_layer:
        first -= 1
    return range(first, min(position + 1, len(records.entries)))
