"""Wasted bytes by cause, and by the steps that wrote and undid them."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

from layertrace.analysis.waste.advice import Maker, advise
from layertrace.errors import LimitError
from layertrace.model.waste import Step, WastedPath, WasteGroup
from layertrace.rootfs.waste import find_wasted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layertrace.model.trace import LayerInfo
    from layertrace.model.waste import Cause
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.provenance.alignment.history import LayerStep
    from layertrace.rootfs.squash import Place


def find_groups(trace: ImageTrace) -> tuple[WasteGroup, ...]:
    """Return every wasted byte of an image, the largest group first.

    Of contents only those are read that others of the same size took the place of.
    """
    paths: defaultdict[tuple[Cause, int, int], defaultdict[str, int]]
    paths = defaultdict(lambda: defaultdict(int))
    for each in find_wasted(trace.rootfs, lambda places: _digests(trace, places)):
        paths[each.cause, each.layer, each.by][each.path] += each.bytes
    groups = (_group(trace, *key, found) for key, found in paths.items())
    return tuple(
        sorted(
            groups,
            key=lambda group: (-group.bytes, group.written_by.layer, group.undone_by.layer),
        )
    )


def _group(
    trace: ImageTrace, cause: Cause, layer: int, by: int, found: Mapping[str, int]
) -> WasteGroup:
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


def _digests(trace: ImageTrace, places: Iterable[Place]) -> Mapping[Place, str]:
    """Return the digests of contents, without those that would unpack to too much."""
    wanted = list(places)
    try:
        return trace.digests(wanted)
    except LimitError:
        found: dict[Place, str] = {}
        for place in wanted:
            with suppress(LimitError):
                found |= trace.digests([place])
        return found
