"""Stages and layers as one outline: the layers of the image under who wrote them.

The rows are few (an image has at most some hundred layers), so they are values,
built anew whenever the image is known better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.model.origin import OriginKind
from layertrace.views.feeds import Feeds
from layertrace.views.findings import LAYER_CODE
from layertrace.views.outline_row import OutlineKind, OutlineRow, layer_text, layers_name
from layertrace.views.text import plural, show_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from layertrace.model.build import Instruction
    from layertrace.model.files import ShareRow
    from layertrace.model.trace import ImageHead, LayerInfo, StageInfo


_NO_FEEDS: Final = Feeds()
_MOST_FEEDS: Final = 3
"""Steps that feed one layer; where there are more they are only counted."""


def build_outline(
    head: ImageHead, shares: Sequence[ShareRow] = (), feeds: Feeds = _NO_FEEDS
) -> tuple[OutlineRow, ...]:
    """Return every row, in preorder, unfolded.

    Args:
        head: the image.
        shares: what came from where; none while that is not known.
        feeds: which step made what, the same.
    """
    rows = [
        OutlineRow(
            key="image",
            kind=OutlineKind.IMAGE,
            depth=0,
            text="Final image",
            layers=tuple(layer.index for layer in head.layers),
            size=head.size,
            reading=head.size is None,
        )
    ]
    for _, group in sorted(_groups(head, feeds), key=lambda pair: pair[0]):
        rows.extend(group)
    rows.extend(_sources(shares))
    rows.extend(_left(head, feeds))
    return tuple(rows)


def _groups(head: ImageHead, feeds: Feeds) -> Iterator[tuple[float, list[OutlineRow]]]:
    """Yield each group of rows with where its first layer stands."""
    base = [layer for layer in head.layers if layer.base]
    if base:
        yield -1, _group(head, OutlineKind.BASE, base, None, feeds)
    place = -1.0
    for stage in head.stages:
        if stage.in_image:
            layers = [n for n in head.layers if not n.base and n.stage_index == stage.index]
            # A stage that wrote no layer stands after the one it starts from.
            place = layers[0].index if layers else place + 0.01
            yield place, _group(head, OutlineKind.STAGE, layers, stage, feeds)
    known = {stage.index for stage in head.stages if stage.in_image}
    loose = [n for n in head.layers if not n.base and n.stage_index not in known]
    if loose:
        yield loose[0].index, _group(head, OutlineKind.LOOSE, loose, None, feeds)


def _group(
    head: ImageHead,
    kind: OutlineKind,
    layers: Sequence[LayerInfo],
    stage: StageInfo | None,
    feeds: Feeds,
) -> list[OutlineRow]:
    sizes = [layer.size for layer in layers if layer.size is not None]
    reading = len(sizes) < len(layers)
    indexes = tuple(layer.index for layer in layers)
    line = stage.line if stage else None
    text = stage.name if stage else "Layers"
    if kind is OutlineKind.BASE:
        first = next((s for s in head.stages if s.in_image), None)
        text, line = (first.base, first.line) if first else ("base image", None)
    row = OutlineRow(
        key=f"stage:{stage.index}" if stage else kind.value,
        kind=kind,
        depth=0,
        text=text,
        detail=layers_name(indexes) if kind is OutlineKind.BASE else "",
        stage_index=stage.index if stage else None,
        stage=stage.name if stage else "",
        layers=indexes,
        size=None if reading else sum(sizes),
        reading=reading,
        line=line,
        folds=bool(layers),
    )
    return [row, *(below for layer in layers for below in _layer_rows(head, layer, feeds))]


def _layer_rows(head: ImageHead, layer: LayerInfo, feeds: Feeds) -> Iterator[OutlineRow]:
    yield OutlineRow(
        key=f"layer:{layer.index}",
        kind=OutlineKind.LAYER,
        depth=1,
        text=layer_text(layer),
        stage_index=layer.stage_index,
        stage=layer.stage or "",
        layers=(layer.index,),
        size=layer.size,
        reading=layer.size is None,
        line=layer.line,
        flaw=_flaw(head, layer),
    )
    if layer.source is None:
        return
    steps = _feeding_steps(head, layer, feeds)
    if 0 < len(steps) <= _MOST_FEEDS:
        yield from (_step_link(head, layer, step) for step in steps)
        return
    source = layer.source_stage
    stage = next((s for s in head.stages if s.index == source), None)
    detail = stage.base if stage else "image"
    yield OutlineRow(
        key=f"link:{layer.index}",
        kind=OutlineKind.LINK,
        depth=2,
        text=stage.name if stage else layer.source,
        detail=plural(len(steps), "step") if steps else detail,
        stage_index=source,
        stage=stage.name if stage else "",
        layers=(layer.index,),
        line=stage.line if stage else None,
        target=f"stage:{source}" if stage else None,
    )


def _flaw(head: ImageHead, layer: LayerInfo) -> str:
    codes = (f.code for f in head.findings if f.facts.get("layer") == layer.index)
    flaws = (code.removeprefix(LAYER_CODE) for code in codes if code.startswith(LAYER_CODE))
    return next(flaws, "")


def _feeding_steps(head: ImageHead, layer: LayerInfo, feeds: Feeds) -> list[Instruction]:
    """Return the steps of other stages that made what ``layer`` ships, the most first."""
    if head.build is None:
        return []
    steps = {
        step.line: step
        for stage in head.build.stages
        if stage.index != layer.stage_index
        for step in stage.instructions
    }
    lines = feeds.by_layer.get(layer.index, ())
    return [steps[line] for line in lines if line in steps]


def _step_link(head: ImageHead, layer: LayerInfo, step: Instruction) -> OutlineRow:
    stage = next(s for s in head.stages if s.index == step.stage_index)
    own = f"stage:{stage.index}" if stage.in_image else f"step:{stage.index}:{step.line}"
    return OutlineRow(
        key=f"link:{layer.index}:{step.line}",
        kind=OutlineKind.LINK,
        depth=2,
        text=f"{stage.name}/{step.step}",
        detail=" ".join(step.text.split()),
        stage_index=stage.index,
        stage=stage.name,
        layers=(layer.index,),
        line=step.line,
        target=own,
        step=True,
    )


def _left(head: ImageHead, feeds: Feeds) -> Iterator[OutlineRow]:
    left = [stage for stage in head.stages if not stage.in_image]
    if not left:
        return
    yield OutlineRow(key="left", kind=OutlineKind.LEFT, depth=0, text="Not shipped", folds=True)
    for stage in left:
        yield OutlineRow(
            key=f"stage:{stage.index}",
            kind=OutlineKind.LEFT_STAGE,
            depth=1,
            text=stage.name,
            detail=stage.base,
            more="" if stage.used and stage.shipped_bytes is None else _ships(stage),
            stage_index=stage.index,
            stage=stage.name,
            size=stage.size,
            line=stage.line,
            folds=True,
        )
        yield _note(stage)
        yield from _steps(head, stage, feeds)


def _ships(stage: StageInfo) -> str:
    """Return what of a stage ships, in few words: most never open it."""
    if not stage.used:
        return "not used"
    if stage.shipped_bytes is None or stage.shipped_files is None:
        return "reading…"
    return f"ships {show_size(stage.shipped_bytes)}" if stage.shipped_files else "ships nothing"


def _note(stage: StageInfo) -> OutlineRow:
    text = _ships(stage)
    if not stage.used:
        text = f"{text} by this image"
    elif stage.shipped_bytes is not None and stage.shipped_files:
        text = f"{text} in {plural(stage.shipped_files, 'file')}"
    return OutlineRow(
        key=f"note:{stage.index}",
        kind=OutlineKind.NOTE,
        depth=2,
        text=text,
        stage_index=stage.index,
        stage=stage.name,
    )


def _steps(head: ImageHead, stage: StageInfo, feeds: Feeds) -> Iterator[OutlineRow]:
    if head.build is None:
        return
    # Where makers are unknown, none of the steps can be said to have made nothing.
    told = feeds.known and stage.name not in feeds.unknown and stage.shipped_files is not None
    for step in head.build.stages[stage.index].instructions:
        size = feeds.by_line.get(step.line)
        yield OutlineRow(
            key=f"step:{stage.index}:{step.line}",
            kind=OutlineKind.STEP,
            depth=2,
            text=" ".join(step.text.split()),
            detail=str(step.step),
            stage_index=stage.index,
            stage=stage.name,
            size=size,
            line=step.line,
            idle=told and size is None and step.source_stage is None,
        )


def _sources(shares: Iterable[ShareRow]) -> Iterator[OutlineRow]:
    for share in shares:
        if share.kind in {"context", "url", "inline", "unknown"} and share.shipped_files:
            yield OutlineRow(
                key=f"source:{share.kind}",
                kind=OutlineKind.SOURCE,
                depth=0,
                text={
                    "context": "build context",
                    "url": "fetched by ADD",
                    "inline": "written in the Dockerfile",
                }.get(share.kind, "unknown origin"),
                size=share.shipped_bytes,
                origin=OriginKind(share.kind),
            )
