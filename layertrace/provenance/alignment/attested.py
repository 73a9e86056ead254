"""The builder's own provenance walked from the result down: which step made each layer.

Layers are assigned by position, never by digest: identical layers repeat, and
the digests a provenance holds are the builder's, not always the image's.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from layertrace.model.attestation import Edge, StepKind, Wire
from layertrace.model.origin import Evidence, Trust
from layertrace.provenance.alignment.history import MISMATCH

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from layertrace.model.attestation import Attestation, BuildStep, LineRange
    from layertrace.model.build import Build, Instruction, Stage
    from layertrace.model.image import Image
    from layertrace.provenance.alignment.history import Alignment, LayerStep

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
    """Return the steps whose results lie on each other to make ``top``, lowest first."""
    done: list[BuildStep] = []
    todo: list[Edge] = [top]
    # A graph that goes round would never end, one of merges would branch without end.
    for _ in range(MAX_STEPS):
        if not todo:
            return reversed(done)
        edge = todo.pop()
        step = steps.get(edge.step)
        if step is None:
            raise UnreadableGraphError(edge.step)
        if step.kind is StepKind.MERGE:
            # The first input is the lower one; each later one lies on it.
            todo += [_input(step, wire.input) for wire in step.wires]
            continue
        done.append(step)
        below = _below(step, edge.output)
        if below is not None:
            todo.append(below)
    raise UnreadableGraphError(top.step)


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
        action = wire.input - len(step.inputs)
        if action < 0:
            return wire
        if action >= len(step.wires):
            break
        wire = step.wires[action]
    raise UnreadableGraphError(step.id)


def _input(step: BuildStep, number: int) -> Edge:
    if not 0 <= number < len(step.inputs):
        raise UnreadableGraphError(step.id)
    return step.inputs[number]


def tie(
    alignment: Alignment, layers: tuple[AttestedLayer, ...], build: Build, *, bound: bool
) -> Alignment | int:
    """Add a builder's word to what the image's own history says.

    Args:
        alignment: by history, with the Dockerfile that the provenance holds.
        layers: by the provenance.
        build: that Dockerfile.
        bound: the provenance is known to be of this very image.

    Returns:
        The alignment with what the provenance adds; where it cannot be of this
        image, the first layer that says so.
    """
    chain = build.chain(build.target)
    weaver = _Weaver(build, sure=bound or alignment.exact)
    steps: list[LayerStep] = []
    for step, layer in zip(alignment.steps, layers, strict=True):
        tied = weaver.step(step, layer)
        if tied is None:
            return step.layer
        steps.append(tied)
    return replace(
        alignment,
        steps=tuple(steps),
        exact=all(s.trust is Trust.VERIFIED for s in steps),
        base=chain[0],
        # That the history ties no layer to an instruction does not matter now.
        findings=tuple(f for f in alignment.findings if f.code != MISMATCH),
    )


class _Weaver:
    """Takes layers base first; where history is silent, lines are taken in their order."""

    def __init__(self, build: Build, *, sure: bool) -> None:
        chain = build.chain(build.target)
        self._base = chain[0]
        self._order = [(stage, step) for stage in chain for step in stage.instructions]
        self._next = 0
        self._trust = Trust.VERIFIED if sure else Trust.INFERRED

    def step(self, step: LayerStep, layer: AttestedLayer) -> LayerStep | None:
        """Return a layer's step with the provenance's word; None where they disagree."""
        lines = {r.first for r in layer.lines if r.file == 0}
        if layer.base or (layer.lines and not lines):
            # What another Dockerfile made lies below this one's FROM, too.
            return self._inherited(step)
        if step.instruction is not None:
            if step.instruction.line not in lines:
                return None
            self._pass(step.instruction)
            return self._sure(step)
        found = self._find(lines)
        if found is not None:
            return replace(self._sure(step), base=False, stage=found[0], instruction=found[1])
        if self._base.line in lines:
            # An ONBUILD trigger: made here, its text only in the image's history.
            return replace(self._sure(step), base=False, stage=self._base)
        return None if lines or step.base or step.doubt else step

    def _inherited(self, step: LayerStep) -> LayerStep | None:
        if step.instruction is not None or self._next:
            return None
        return replace(self._sure(step), base=True, stage=self._base)

    def _sure(self, step: LayerStep) -> LayerStep:
        kept = step.trust if step.trust is Trust.VERIFIED else self._trust
        return replace(step, evidence=Evidence.ATTESTED, trust=kept, doubt="")

    def _find(self, lines: set[int]) -> tuple[Stage, Instruction] | None:
        for number in range(self._next, len(self._order)):
            if self._order[number][1].line in lines:
                self._next = number + 1
                return self._order[number]
        return None

    def _pass(self, instruction: Instruction) -> None:
        # Not the very object: the history may have added its working directory.
        wanted = (instruction.line, instruction.text)
        left = [(step.line, step.text) for _, step in self._order[self._next :]]
        self._next += left.index(wanted) + 1 if wanted in left else 0


def with_triggers(build: Build, attestation: Attestation) -> Build:
    """Return the provenance's own build, its stages with what their bases' ONBUILD made.

    The triggers' text is in the base image alone; the graph has their steps, on the
    line of FROM.
    """
    stages = []
    for stage in build.stages:
        known = stage.base_stage is not None or any(s.triggered for s in stage.instructions)
        made = 0 if known else _made_at(attestation, stage.line)
        stages.append(replace(stage, triggers=made) if made else stage)
    return replace(build, stages=tuple(stages))


def _made_at(attestation: Attestation, line: int) -> int:
    """Return how many layers above a source were made at a line."""

    def is_there(step: BuildStep) -> bool:
        places = {(each.file, each.first) for each in step.lines}
        return step.kind is not StepKind.SOURCE and (0, line) in places

    steps = {step.id: step for step in attestation.steps}
    most = 0
    for step in filter(is_there, attestation.steps):
        for output in {wire.output for wire in step.wires if wire.output >= 0}:
            with suppress(UnreadableGraphError):
                most = max(most, sum(map(is_there, _chain(steps, Edge(step.id, output)))))
    return most


def is_of(attestation: Attestation, image: Image) -> bool:
    """Say whether a provenance names this very image, or all of its layers."""
    if image.manifest_digest is not None and image.manifest_digest in attestation.subjects:
        return True
    stored = tuple(layer.digest for layer in image.layers)
    # Other builds may share single layers: empty ones, and those of the base.
    return bool(stored) and any(
        chain in {stored, image.config.diff_ids} for chain in attestation.chains
    )
