"""The builder's own provenance walked from the result down: which step made each layer.

Layers are assigned by position, never by digest: identical layers repeat, and
the digests a provenance holds are the builder's, not always the image's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from layertrace.model.attestation import Edge, StepKind, Wire
from layertrace.model.origin import Evidence, Finding, Trust

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from layertrace.model.attestation import Attestation, BuildStep, LineRange
    from layertrace.model.build import Build, Instruction, Stage
    from layertrace.provenance.history import Alignment, LayerStep

PROVENANCE_CONTRADICTED: Final = "provenance-contradicted"
MAX_STEPS: Final = 100_000
"""Edges walked; the longest chain of real builds has some hundreds."""


class UnreadableGraphError(ValueError):
    """The graph does not lead from its result down to a base."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestedLayer:
    """One layer and the step that made it."""

    step: str
    base: bool
    """It came with the image the chain starts from."""
    lines: tuple[LineRange, ...]
    source: str = ""
    """Of a base: the image's identifier."""


def attested_layers(attestation: Attestation, count: int) -> tuple[AttestedLayer, ...] | None:
    """Return what made each of ``count`` layers, base first.

    None where the provenance has no graph (``mode=min``), or one that cannot
    be of an image with so many layers.
    """
    if not attestation.steps:
        return None
    steps = {step.id: step for step in attestation.steps}
    terminal = attestation.steps[-1]
    if terminal.kind is not StepKind.TERMINAL or not terminal.inputs:
        return None
    try:
        chain = list(_chain(steps, terminal.inputs[0]))
    except UnreadableGraphError:
        return None
    bases = [step for step in chain if step.kind is StepKind.SOURCE]
    missing = count - (len(chain) - len(bases))
    if missing < 0 or (missing and not bases):
        return None
    layers: list[AttestedLayer] = []
    for step in chain:
        if step.kind is StepKind.SOURCE:
            layers += [_layer(step, base=True)] * missing
            missing = 0
        else:
            layers.append(_layer(step, base=False))
    return tuple(layers)


def _layer(step: BuildStep, *, base: bool) -> AttestedLayer:
    return AttestedLayer(step=step.id, base=base, lines=step.lines, source=step.source)


def _chain(steps: Mapping[str, BuildStep], top: Edge) -> Iterator[BuildStep]:
    """Yield the steps whose results lie on each other to make ``top``, lowest first."""
    done: list[BuildStep] = []
    todo: list[Edge] = [top]
    while todo:
        edge = todo.pop()
        step = steps.get(edge.step)
        if step is None or len(done) > MAX_STEPS:
            raise UnreadableGraphError(edge.step)
        if step.kind is StepKind.MERGE:
            # The first input is the lower one; each later one lies on it.
            todo += [_input(step, wire.input) for wire in step.wires]
            continue
        done.append(step)
        below = _below(step, edge.output)
        if below is not None:
            todo.append(below)
    return reversed(done)


def _below(step: BuildStep, output: int) -> Edge | None:
    """Return the edge a step's output was made on; None where it starts from nothing."""
    if step.kind is StepKind.SOURCE:
        return None
    if step.kind not in {StepKind.FILE, StepKind.EXEC}:
        raise UnreadableGraphError(step.id)
    wire = _wire_of(step, output)
    if step.kind is StepKind.FILE:
        wire = _first_action(step, wire)
    return None if wire.input < 0 else _input(step, wire.input)


def _wire_of(step: BuildStep, output: int) -> Wire:
    for wire in step.wires:
        if wire.output == output:
            return wire
    raise UnreadableGraphError(step.id)


def _first_action(step: BuildStep, wire: Wire) -> Wire:
    """Follow a file operation's actions back to the one that reads a real input."""
    for _ in step.wires:
        if wire.input < len(step.inputs):
            return wire
        action = wire.input - len(step.inputs)
        if action >= len(step.wires):
            break
        wire = step.wires[action]
    if wire.input < len(step.inputs):
        return wire
    raise UnreadableGraphError(step.id)


def _input(step: BuildStep, number: int) -> Edge:
    if not 0 <= number < len(step.inputs):
        raise UnreadableGraphError(step.id)
    return step.inputs[number]


def attest(
    alignment: Alignment, layers: tuple[AttestedLayer, ...], build: Build, *, own_file: bool
) -> Alignment:
    """Weigh a builder's provenance against what history and Dockerfile say.

    Args:
        alignment: by history.
        layers: by the provenance.
        build: the Dockerfile in use.
        own_file: it is the very text the provenance holds, so lines compare.

    Returns:
        The alignment with ``attested`` where both agree, what the provenance
        adds where history alone says nothing, and a finding where they differ.
    """
    if not own_file:
        return alignment
    chain = build.chain(build.target)
    by_line = {step.line: (stage, step) for stage in chain for step in stage.instructions}
    steps: list[LayerStep] = []
    differing: list[int] = []
    for step, layer in zip(alignment.steps, layers, strict=True):
        attested = _attested_step(step, layer, by_line, chain[0])
        if attested is None:
            differing.append(step.layer)
        steps.append(attested or step)
    if not differing:
        exact = alignment.exact or all(s.base or s.instruction is not None for s in steps)
        return replace(alignment, steps=tuple(steps), exact=exact, base=chain[0])
    finding = Finding(
        code=PROVENANCE_CONTRADICTED,
        message=f"the builder's provenance and the image's history part at layer {differing[0]}: "
        f"the provenance has line {_shown_lines(layers[differing[0]])}",
        facts={"layers": differing},
    )
    return replace(alignment, findings=(*alignment.findings, finding))


def _attested_step(
    step: LayerStep,
    layer: AttestedLayer,
    by_line: Mapping[int, tuple[Stage, Instruction]],
    base: Stage,
) -> LayerStep | None:
    """Return a layer's step with the provenance's word added; None where they disagree."""
    lines = {r.first for r in layer.lines if r.file == 0}
    sure = replace(step, evidence=Evidence.ATTESTED, trust=Trust.VERIFIED)
    if layer.base:
        return replace(sure, base=True, stage=base) if step.instruction is None else None
    if step.instruction is not None:
        # A trigger of the base carries the lines of FROM.
        fits = step.instruction.line in lines or step.instruction.triggered
        return sure if fits else None
    found = next((by_line[line] for line in sorted(lines) if line in by_line), None)
    if found is not None:
        return replace(sure, base=False, stage=found[0], instruction=found[1])
    if base.line in lines:
        # An ONBUILD trigger: made here, its text only in the image's history.
        return replace(step, base=False, stage=base, evidence=Evidence.ATTESTED)
    return step if step.instruction is None and not step.base else None


def _shown_lines(layer: AttestedLayer) -> str:
    return ", ".join(str(r.first) for r in layer.lines) or "none: it is of the base"
