"""Wasted bytes by cause, and by the steps that wrote and undid them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from layertrace.analysis.waste.advice import Maker, advise
from layertrace.errors import LimitError
from layertrace.model.waste import Step, WastedPath, WasteGroup
from layertrace.rootfs.waste import find_wasted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from layertrace.model.trace import LayerInfo
    from layertrace.model.waste import Cause
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.provenance.alignment.history import LayerStep
    from layertrace.rootfs.places import Place


class Undone(NamedTuple):
    """What one layer wrote and one layer undid, for one cause."""

    cause: Cause
    layer: int
    by: int
    paths: Mapping[str, int]
    """Path to bytes."""


def find_undone(trace: ImageTrace) -> tuple[tuple[Undone, ...], bool]:
    """Return every wasted byte of an image, and whether all causes could be told.

    Of contents only those are read that others of the same size took the place of; of one that
    would unpack to too much it is not told whether it is the same.
    """
    paths: defaultdict[tuple[Cause, int, int], defaultdict[str, int]]
    paths = defaultdict(lambda: defaultdict(int))
    refused: list[Place] = []
    for each in find_wasted(trace.rootfs, lambda places: _digests(trace, places, refused)):
        paths[each.cause, each.layer, each.by][each.path] += each.bytes
    return tuple(Undone(*key, found) for key, found in paths.items()), not refused


def make_groups(trace: ImageTrace, undone: Iterable[Undone]) -> tuple[WasteGroup, ...]:
    """Return what was undone with the steps that did it, the largest group first."""
    groups = (_group(trace, each) for each in undone)
    return tuple(
        sorted(
            groups,
            key=lambda group: (-group.bytes, group.written_by.layer, group.undone_by.layer),
        )
    )


def _group(trace: ImageTrace, undone: Undone) -> WasteGroup:
    cause, layer, by, found = undone
    rows = sorted(found.items(), key=lambda row: (-row[1], row[0]))
    paths = tuple(WastedPath(path=path, bytes=size) for path, size in rows)
    infos, steps = trace.sized_head.layers, trace.alignment.steps
    writer, undoer = (make_maker(infos[each], steps[each]) for each in (layer, by))
    return WasteGroup(
        cause=cause,
        bytes=sum(found.values()),
        written_by=make_step(infos[layer]),
        undone_by=make_step(infos[by]),
        paths=paths,
        advice=advise(cause, writer, undoer, paths),
    )


def make_step(info: LayerInfo) -> Step:
    """Return a layer and its instruction."""
    return Step(layer=info.index, stage=info.stage, line=info.line, instruction=info.instruction)


def make_maker(info: LayerInfo, step: LayerStep) -> Maker:
    """Return what made a layer."""
    instruction = step.instruction
    keyword, text = "", info.instruction or ""
    if instruction is not None:
        keyword = instruction.keyword
    elif step.recorded is not None and not step.parts:
        keyword = step.recorded.keyword
    return Maker(
        layer=info.index,
        base=info.base,
        line=info.line,
        keyword=keyword,
        text=text,
        source=info.source,
        source_is_stage=info.source_stage is not None,
    )


def _digests(
    trace: ImageTrace, places: Iterable[Place], refused: list[Place]
) -> Mapping[Place, str]:
    """Return the digests of contents, without those that would unpack to too much."""
    wanted: Sequence[Place] = list(places)
    try:
        return trace.digests(wanted)
    except LimitError:
        found: dict[Place, str] = {}
        for place in wanted:
            try:
                found |= trace.digests([place])
            except LimitError:
                refused.append(place)
        return found
