"""Stages and layers as one outline: the layers of the image under who wrote them.

The rows are few (an image has at most some hundred layers), so they are values,
built anew whenever the image is known better.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from layertrace.model.origin import OriginKind
from layertrace.views.filetree import Scope
from layertrace.views.text import plural, show_command, show_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from layertrace.model.trace import ImageHead, LayerInfo, ShareRow, StageInfo


class OutlineKind(Enum):
    """What a row of the outline stands for."""

    IMAGE = "image"
    BASE = "base"
    STAGE = "stage"
    LOOSE = "loose"
    """Layers that no stage is known to have written."""
    LAYER = "layer"
    LINK = "link"
    """Under a COPY --from: the stage or image it copied from."""
    LEFT = "left"
    """Above the stages that are not shipped."""
    LEFT_STAGE = "left-stage"
    STEP = "step"
    NOTE = "note"
    SOURCE = "source"
    """A place outside every stage: the build context, a URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineRow:
    """One row; texts are as the image has them, not yet safe to show."""

    key: str
    """Stable while the image is better known: ``layer:3``, ``stage:0``."""
    kind: OutlineKind
    depth: int
    text: str
    detail: str = ""
    stage_index: int | None = None
    stage: str = ""
    layers: tuple[int, ...] = ()
    size: int | None = None
    reading: bool = False
    """Its size is not known yet but will be."""
    line: int | None = None
    folds: bool = False
    target: str | None = None
    """Key of the row a link leads to."""
    origin: OriginKind | None = None


def layer_name(index: int) -> str:
    """Return how a layer of the final image is called, base first from 1.

    >>> layer_name(0)
    'L1'
    """
    return f"L{index + 1}"


def layer_text(layer: LayerInfo) -> str:
    """Return the instruction that made ``layer``, as well as it is known.

    Of a base layer that is what its own builder recorded: the Dockerfile at
    hand says ``FROM`` for all of them.
    """
    recorded = show_command(layer.created_by)
    text = recorded if layer.base else layer.instruction
    return " ".join((text or recorded or layer.instruction or "(nothing recorded)").split())


def build_outline(head: ImageHead, shares: Sequence[ShareRow] = ()) -> tuple[OutlineRow, ...]:
    """Return every row, in preorder, unfolded."""
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
    for _, group in sorted(_groups(head), key=lambda pair: pair[0]):
        rows.extend(group)
    rows.extend(_left(head))
    rows.extend(_sources(shares))
    return tuple(rows)


def layer_scope(head: ImageHead, row: OutlineRow, *, upto: bool) -> Scope:
    """Return which files the row at the cursor asks for.

    Args:
        head: the image.
        row: the row.
        upto: for a row that stands for layers, also show what lies below them.
    """
    if row.kind in {OutlineKind.IMAGE, OutlineKind.LEFT}:
        base = frozenset(layer.index for layer in head.layers if layer.base)
        return Scope(title="final image", below=base)
    if row.kind is OutlineKind.SOURCE:
        return Scope(title=f"from {row.text}", kind=row.origin)
    if row.kind in {OutlineKind.LEFT_STAGE, OutlineKind.STEP, OutlineKind.NOTE}:
        return Scope(title=f"from stage {row.stage}", stage=(row.stage_index or 0, row.stage))
    name = _layers_name(row.layers)
    if row.kind is OutlineKind.STAGE:
        name = f"stage {row.text}"
    elif row.kind is OutlineKind.BASE:
        name = f"base {row.text}"
    if upto and row.layers:
        below = frozenset(range(row.layers[0]))
        layers = frozenset(range(row.layers[-1] + 1))
        return Scope(title=f"up to {layer_name(row.layers[-1])}", layers=layers, below=below)
    return Scope(title=name, layers=frozenset(row.layers))


def empty_words(head: ImageHead, row: OutlineRow) -> str:
    """Return why the scope of a row holds no file, and what that means."""
    if row.kind in {OutlineKind.LEFT_STAGE, OutlineKind.STEP, OutlineKind.NOTE}:
        return f"nothing made in stage {row.stage} is in the image"
    if row.kind is OutlineKind.SOURCE:
        return f"nothing came from there: {row.text}"
    if not row.layers:
        return f"{row.text} wrote no layer: its instructions only set the configuration"
    if len(row.layers) == 1:
        layer = head.layers[row.layers[0]]
        if not layer.files:
            return f"the layer is empty: `{layer_text(layer)}` changed no file"
    return "nothing of it is left in the image: later layers replaced or removed all of it"


def _layers_name(layers: Sequence[int]) -> str:
    if not layers:
        return "no layer"
    first, last = layer_name(layers[0]), layer_name(layers[-1])
    return first if len(layers) == 1 else f"{first}-{last}"


def _groups(head: ImageHead) -> Iterator[tuple[float, list[OutlineRow]]]:
    """Yield each group of rows with where its first layer stands."""
    base = [layer for layer in head.layers if layer.base]
    if base:
        yield -1, _group(head, OutlineKind.BASE, base, None)
    place = -1.0
    for stage in head.stages:
        if stage.in_image:
            layers = [n for n in head.layers if not n.base and n.stage_index == stage.index]
            # A stage that wrote no layer stands after the one it starts from.
            place = layers[0].index if layers else place + 0.01
            yield place, _group(head, OutlineKind.STAGE, layers, stage)
    known = {stage.index for stage in head.stages if stage.in_image}
    loose = [n for n in head.layers if not n.base and n.stage_index not in known]
    if loose:
        yield loose[0].index, _group(head, OutlineKind.LOOSE, loose, None)


def _group(
    head: ImageHead, kind: OutlineKind, layers: Sequence[LayerInfo], stage: StageInfo | None
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
        detail=_layers_name(indexes) if kind is OutlineKind.BASE else "",
        stage_index=stage.index if stage else None,
        stage=stage.name if stage else "",
        layers=indexes,
        size=None if reading else sum(sizes),
        reading=reading,
        line=line,
        folds=bool(layers),
    )
    return [row, *(below for layer in layers for below in _layer_rows(head, layer))]


def _layer_rows(head: ImageHead, layer: LayerInfo) -> Iterator[OutlineRow]:
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
    )
    if layer.source is None:
        return
    source = layer.source_stage
    stage = next((s for s in head.stages if s.index == source), None)
    yield OutlineRow(
        key=f"link:{layer.index}",
        kind=OutlineKind.LINK,
        depth=2,
        text=stage.name if stage else layer.source,
        detail=stage.base if stage else "image",
        stage_index=source,
        stage=stage.name if stage else "",
        layers=(layer.index,),
        line=stage.line if stage else None,
        target=f"stage:{source}" if stage else None,
    )


def _left(head: ImageHead) -> Iterator[OutlineRow]:
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
            stage_index=stage.index,
            stage=stage.name,
            size=stage.size,
            line=stage.line,
            folds=True,
        )
        yield _note(stage)
        yield from _steps(head, stage)


def _note(stage: StageInfo) -> OutlineRow:
    if not stage.used:
        text = "not used by this image"
    elif stage.shipped_bytes is None or stage.shipped_files is None:
        text = "reading…"
    elif stage.shipped_files == 0:
        text = "ships nothing"
    else:
        files = plural(stage.shipped_files, "file")
        text = f"ships {show_size(stage.shipped_bytes)} in {files}"
    return OutlineRow(
        key=f"note:{stage.index}",
        kind=OutlineKind.NOTE,
        depth=2,
        text=text,
        stage_index=stage.index,
        stage=stage.name,
    )


def _steps(head: ImageHead, stage: StageInfo) -> Iterator[OutlineRow]:
    if head.build is None:
        return
    for step in head.build.stages[stage.index].instructions:
        yield OutlineRow(
            key=f"step:{stage.index}:{step.line}",
            kind=OutlineKind.STEP,
            depth=2,
            text=" ".join(step.text.split()),
            detail=str(step.step),
            stage_index=stage.index,
            stage=stage.name,
            line=step.line,
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
