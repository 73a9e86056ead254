"""What is known of an image before its layers are walked, as values for views."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from layertrace.model.entry import EntryKind
from layertrace.model.origin import weakest
from layertrace.model.trace import Carrier, ImageHead, LayerInfo, StageInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.layers.index import LayerIndex
    from layertrace.model.build import Build
    from layertrace.model.image import Image
    from layertrace.model.origin import Finding
    from layertrace.provenance.alignment.history import Alignment, LayerStep


def make_head(
    image: Image, build: Build | None, alignment: Alignment, findings: Sequence[Finding]
) -> ImageHead:
    """Return the head of an image; sizes are None until its layers are walked."""
    fits = build is not None and not alignment.contradicted
    return ImageHead(
        image=image,
        layers=tuple(_layer(image, step, build if fits else None) for step in alignment.steps),
        stages=_stages(build, alignment) if build is not None else (),
        build=build,
        findings=(*alignment.findings, *findings),
    )


def _layer(image: Image, step: LayerStep, build: Build | None) -> LayerInfo:
    ref = image.layers[step.layer]
    instruction, parts = step.instruction, step.parts
    # Where another stage, or the base, has a share in a layer, it is nobody's alone.
    stages = {part.stage.index: part.stage for part in parts if part.stage and not step.others}
    stage = stages.popitem()[1] if len(stages) == 1 else step.stage
    source_stage = instruction.source_stage if instruction is not None else None
    source = (instruction.source_image or instruction.source_context) if instruction else None
    if source_stage is not None and build is not None:
        source = build.stages[source_stage].name
    text = instruction.text if instruction is not None else None
    if step.base and stage is not None:
        text = stage.text
    elif text is None and step.recorded is not None and step.recorded.keyword:
        text = step.recorded.text
    line = instruction.line if instruction is not None else None
    if instruction is None and stage is not None and not parts:
        # Of the base, or an ONBUILD trigger of it: both are the doing of FROM.
        line = stage.line
    return LayerInfo(
        index=step.layer,
        diff_id=ref.diff_id,
        digest=ref.digest,
        created_by=step.created_by,
        base=step.base,
        trust=weakest(*(part.trust for part in parts)) if parts else step.trust,
        evidence=parts[0].evidence if parts else step.evidence,
        stage=stage.name if stage is not None else None,
        stage_index=stage.index if stage is not None else None,
        step=instruction.step if instruction is not None else None,
        line=line,
        lines=tuple(part.instruction.line for part in parts if part.instruction is not None),
        instruction=text,
        source=source,
        source_stage=source_stage,
    )


def _stages(build: Build, alignment: Alignment) -> tuple[StageInfo, ...]:
    chain = {stage.index for stage in build.chain(build.target)}
    used = build.used()
    return tuple(
        StageInfo(
            index=stage.index,
            name=stage.name,
            base=stage.base,
            line=stage.line,
            in_image=stage.index in chain,
            used=stage.index in used,
            carried_by=carriers(alignment, stage.index),
        )
        for stage in build.stages
    )


def carriers(alignment: Alignment, stage_index: int) -> tuple[Carrier, ...]:
    """Return the layers of the final image that took files out of a stage."""
    return tuple(
        Carrier(layer=step.layer, line=step.instruction.line, instruction=step.instruction.text)
        for each in alignment.steps
        for step in each.parts or (each,)
        if step.instruction is not None
        and (
            step.instruction.source_stage == stage_index
            or stage_index in step.instruction.mount_stages
        )
    )


def with_sizes(head: ImageHead, indexes: Sequence[LayerIndex], visible: Sequence[int]) -> ImageHead:
    """Return the head with what each layer weighs, and what of that nobody sees.

    Args:
        head: of the image.
        indexes: of its layers.
        visible: of each layer the bytes that a container sees.
    """
    layers = tuple(
        replace(
            layer,
            diff_id=layer.diff_id or index.diff_id,
            size=index.stored_bytes,
            files=count_files(index),
            wasted=index.stored_bytes - visible[layer.index],
        )
        for layer, index in zip(head.layers, indexes, strict=True)
    )
    total = sum(index.stored_bytes for index in indexes)
    return replace(head, layers=layers, size=total)


def count_files(index: LayerIndex) -> int:
    """Return how many entries of a layer are not directories."""
    return len(index) - index.kinds.count(int(EntryKind.DIR))


def with_findings(head: ImageHead, findings: Sequence[Finding]) -> ImageHead:
    """Return the head with more findings."""
    return replace(head, findings=(*head.findings, *findings))
