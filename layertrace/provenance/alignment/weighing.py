"""The builder's provenance weighed against the image's history and a Dockerfile given.

The provenance holds the Dockerfile that was built, ``--from`` included, which no
history keeps: a given one that differs from it is wrong, however well it fits
the history. But a provenance that does not fit the history is of another image.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

from layertrace.model.origin import Evidence, Finding, Trust
from layertrace.provenance.alignment.attested import attested_layers, tie
from layertrace.provenance.alignment.history import CONTRADICTED
from layertrace.provenance.alignment.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.attestation import Attestation
    from layertrace.model.build import Build, Instruction, Stage
    from layertrace.provenance.alignment.history import Alignment, LayerStep


PROVENANCE_CONTRADICTED: Final = "provenance-contradicted"


def weigh(
    attestation: Attestation, *, own: Reading, given: Reading | None, plain: Alignment, bound: bool
) -> Reading:
    """Return the Dockerfile to go by, and the layers by all there is.

    Args:
        attestation: with a graph.
        own: by the Dockerfile that the provenance holds.
        given: by the Dockerfile that the user gave.
        plain: by the history alone.
        bound: the provenance is known to be of this very image.
    """
    tied = _tie(attestation, own, bound=bound)
    if isinstance(tied, str):
        finding = Finding(
            code=PROVENANCE_CONTRADICTED,
            message=f"{attestation.document} is not of this image: {tied}",
        )
        instead = given or Reading(build=None, alignment=plain)
        return replace(instead, alignment=_doubted(instead.alignment, finding))
    if given is None or given.build is None or own.build is None:
        return Reading(build=own.build, alignment=tied)
    if given.alignment.contradicted:
        return given
    difference = first_difference(given.build, own.build)
    if difference is None:
        build = _with_triggers(given.build, own.build)
        return Reading(build=build, alignment=_translated(tied, build, own.build))
    declared, built = difference
    finding = Finding(
        code=CONTRADICTED,
        message=f"{given.build.name} is not what this image was built from: "
        f"first difference at {declared}; the provenance has {built}",
        facts={"declared": declared, "attested": built},
    )
    return Reading(build=given.build, alignment=_doubted(plain, finding))


def _tie(attestation: Attestation, own: Reading, *, bound: bool) -> Alignment | str:
    """Return the layers by the provenance, or why it cannot be this image's."""
    count = len(own.alignment.steps)
    layers = attested_layers(attestation, count)
    if layers is None:
        return f"it cannot have made {count} layers"
    for finding in own.alignment.findings:
        if finding.code == CONTRADICTED:
            declared, recorded = finding.facts.get("declared"), finding.facts.get("recorded")
            return f"first difference at {declared}; the image has {recorded}"
    if own.build is None:
        return own.alignment
    tied = tie(own.alignment, layers, own.build, bound=bound)
    if not isinstance(tied, int):
        return tied
    lines = ", ".join(str(r.first) for r in layers[tied].lines) or "none: it is of the base"
    return f"first difference at layer {tied}, for which it has line {lines}"


def _doubted(alignment: Alignment, finding: Finding) -> Alignment:
    """Return an alignment that other evidence disagrees with; only what was compared stands."""
    return replace(
        alignment,
        exact=False,
        steps=tuple(
            step if step.evidence is Evidence.MATCHED else replace(step, trust=Trust.CONTRADICTED)
            for step in alignment.steps
        ),
        findings=(*alignment.findings, finding),
    )


def _with_triggers(given: Build, own: Build) -> Build:
    """Return a Dockerfile of other lines with what the builder told of its stages."""
    told = {one: own.stages[other].triggers for one, other in _pairs(given, own)}
    stages = (replace(each, triggers=told.get(each.index, 0)) for each in given.stages)
    return replace(given, stages=tuple(stages))


def _translated(tied: Alignment, given: Build, own: Build) -> Alignment:
    """Return the layers tied to the same instructions of a Dockerfile of other lines."""
    stages = dict(_pairs(given, own))
    twins = {own_index: given.stages[index] for index, own_index in stages.items()}

    def twin(step: LayerStep) -> LayerStep:
        if step.stage is None:
            return step
        stage = twins[step.stage.index]
        if step.instruction is None:
            return replace(step, stage=stage)
        own_steps = own.stages[step.stage.index].instructions
        number = next(n for n, each in enumerate(own_steps) if _is_same(each, step.instruction))
        # The working directory may be the history's word.
        instruction = replace(stage.instructions[number], workdir=step.instruction.workdir)
        return replace(step, stage=stage, instruction=instruction)

    base = None if tied.base is None else twins[tied.base.index]
    return replace(tied, steps=tuple(map(twin, tied.steps)), base=base)


def _is_same(one: Instruction, other: Instruction) -> bool:
    return (one.line, one.step, one.text) == (other.line, other.step, other.text)


def first_difference(given: Build, own: Build) -> tuple[str, str] | None:
    """Return the first line of ``given`` that asks for something else, and what ``own`` asks.

    Only what the target needs counts, neither comments nor the names of stages.
    """
    found: list[tuple[int, str, str]] = []
    paired: dict[int, int] = {}
    for one, other in _pairs(given, own):
        stage, twin = given.stages[one], own.stages[other]
        if paired.setdefault(one, other) != other or _start(stage) != _start(twin):
            found.append((stage.line, _stage_words(stage), _stage_words(twin)))
        for step, same in zip_longest(stage.instructions, twin.instructions):
            if step is None or same is None or _sense(step) != _sense(same):
                line = step.line if step is not None else stage.end_line
                found.append((line, _step_words(step, stage), _step_words(same, twin)))
                break
    return min(found)[1:] if found else None


def _pairs(given: Build, own: Build) -> Iterator[tuple[int, int]]:
    """Yield the stages of two builds that stand for each other, from the targets on."""
    todo = [(given.target, own.target)]
    seen: set[tuple[int, int]] = set()
    while todo:
        pair = todo.pop(0)
        if pair in seen:
            continue
        seen.add(pair)
        yield pair
        one, other = given.stages[pair[0]], own.stages[pair[1]]
        found = [(one.base_stage, other.base_stage)]
        for step, same in zip(one.instructions, other.instructions, strict=False):
            found.append((step.source_stage, same.source_stage))
            found += zip(step.mount_stages, same.mount_stages, strict=False)
        todo += [(a, b) for a, b in found if a is not None and b is not None]


def _start(stage: Stage) -> tuple[object, ...]:
    return (stage.base_stage is None, stage.base_stage is not None or stage.base, stage.platform)


def _sense(step: Instruction) -> tuple[object, ...]:
    """Return what an instruction asks for; its stages are compared on their own."""
    return (
        step.keyword,
        step.args,
        {key: value for key, value in step.flags.items() if key != "from"},
        tuple((doc.name, doc.content, doc.expand) for doc in step.heredocs),
        step.json_form,
        step.source_stage is None,
        step.source_image,
        step.source_context,
    )


def _stage_words(stage: Stage) -> str:
    return f"line {stage.line}, {stage.text}"


def _step_words(step: Instruction | None, stage: Stage) -> str:
    if step is None:
        return f"no more steps in stage {stage.name}"
    return f"line {step.line}, {step.text}"
