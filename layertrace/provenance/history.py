"""``config.history`` lined up with layers and with a Dockerfile.

Source: OCI image-spec, ``config.md``, "history": one entry a build step, base
first; entries with ``empty_layer`` made no layer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layertrace.model.origin import Evidence, Finding, Trust
from layertrace.provenance.agreement import agrees
from layertrace.provenance.spelling import Recorded, read_created_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.model.build import Build, Instruction, Stage
    from layertrace.model.image import HistoryEntry, ImageConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStep:
    """One layer and what made it."""

    layer: int
    trust: Trust
    evidence: Evidence
    recorded: Recorded | None
    """What the image's own history says; None where it has no entry for it."""
    created_by: str = ""
    base: bool = False
    """It came with the base image."""
    stage: Stage | None = None
    instruction: Instruction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Every layer of one image tied to its instruction, as far as that is known."""

    steps: tuple[LayerStep, ...]
    """Base first, one a layer."""
    exact: bool
    """Every entry above the base matches the Dockerfile, one by one."""
    base: Stage | None = None
    """The stage whose FROM names the base image."""
    findings: tuple[Finding, ...] = ()

    @property
    def contradicted(self) -> bool:
        """The Dockerfile given is not the one the image was built from."""
        return any(finding.code == CONTRADICTED for finding in self.findings)


CONTRADICTED = "dockerfile-contradicted"
MISMATCH = "history-mismatch"


def align(
    config: ImageConfig,
    build: Build | None,
    *,
    stage_index: int | None = None,
    base: ImageConfig | None = None,
) -> Alignment:
    """Tie the layers of an image to the instructions that made them.

    Args:
        config: of the image.
        build: the Dockerfile, where there is one.
        stage_index: the stage the image is of; default the build's target.
        base: configuration of the external image the stage's chain starts from.
    """
    entries = [entry for entry in config.history if not entry.empty_layer]
    if len(entries) != len(config.diff_ids):
        return _unaligned(config, len(entries))
    if build is None:
        return Alignment(
            steps=_recorded(config, known_base=_base_layers(config, base)), exact=False
        )
    chain = build.chain(build.target if stage_index is None else stage_index)
    wanted = [(stage, step) for stage in chain for step in stage.instructions]
    history = _without_added_labels(config.history, wanted)
    difference = _first_difference(history, wanted, base, scratch=chain[0].base == "scratch")
    if base is not None and _base_layers(config, base) is None:
        difference = difference or _Difference(
            step=f"line {chain[0].line}, {chain[0].text}",
            found="layers that are not those of the base image given",
        )
    if difference is not None:
        finding = Finding(
            code=CONTRADICTED,
            message=f"{build.name} is not what this image was built from: "
            f"first difference at {difference.step}; the image has {difference.found}",
            facts={"declared": difference.step, "recorded": difference.found},
        )
        steps = _recorded(config, known_base=_base_layers(config, base), above=Trust.CONTRADICTED)
        return Alignment(steps=steps, exact=False, findings=(finding,))
    return Alignment(steps=_declared(history, wanted, chain[0]), exact=True, base=chain[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Difference:
    step: str
    found: str


def _unaligned(config: ImageConfig, entries: int) -> Alignment:
    finding = Finding(
        code=MISMATCH,
        message=f"the image's history has {entries} entries with a layer, "
        f"the image {len(config.diff_ids)} layers: no layer can be tied to an instruction",
        facts={"entries": entries, "layers": len(config.diff_ids)},
    )
    steps = tuple(
        LayerStep(layer=layer, trust=Trust.UNKNOWN, evidence=Evidence.UNKNOWN, recorded=None)
        for layer in range(len(config.diff_ids))
    )
    return Alignment(steps=steps, exact=False, findings=(finding,) if entries else ())


def _base_layers(config: ImageConfig, base: ImageConfig | None) -> int | None:
    """Return how many layers the given base has; None if they are not this image's lowest."""
    if base is None or config.diff_ids[: len(base.diff_ids)] != base.diff_ids:
        return None
    return len(base.diff_ids)


def _without_added_labels(
    history: tuple[HistoryEntry, ...], wanted: list[tuple[Stage, Instruction]]
) -> tuple[HistoryEntry, ...]:
    """Drop the LABEL that the classic builder adds last for ``docker build --label``."""
    if not history or (wanted and wanted[-1][1].keyword == "LABEL"):
        return history
    last = history[-1]
    if last.empty_layer and read_created_by(last).keyword == "LABEL":
        return history[:-1]
    return history


def _first_difference(
    history: tuple[HistoryEntry, ...],
    wanted: list[tuple[Stage, Instruction]],
    base: ImageConfig | None,
    *,
    scratch: bool,
) -> _Difference | None:
    """Compare history and instructions one by one, from the base's end on."""
    instructions = [instruction for _, instruction in wanted]
    if scratch:
        return _difference_from(history, instructions)
    if base is not None and base.history:
        return _difference_from(history[len(base.history) :], instructions)
    start = len(history) - len(wanted)
    if start >= 0 and _difference_from(history[start:], instructions) is None:
        return None
    # Where the base ends is not known, only that it is not there: the longest
    # run of steps that do agree tells best where the two part.
    runs = [(_run(history[i:], instructions), -i) for i in range(len(history))]
    best = -max(runs, default=(0, 0))[1]
    return _difference_from(history[best:], instructions)


def _run(above: Sequence[HistoryEntry], instructions: Sequence[Instruction]) -> int:
    """Return how many first steps agree."""
    pairs = enumerate(zip(above, instructions, strict=False))
    differing = (n for n, (e, i) in pairs if not agrees(read_created_by(e), i))
    return next(differing, min(len(above), len(instructions)))


def _difference_from(
    above: Sequence[HistoryEntry], instructions: Sequence[Instruction]
) -> _Difference | None:
    """Return the first step in which the entries above the base are not the instructions."""
    agreeing = _run(above, instructions)
    if agreeing < len(instructions):
        instruction = instructions[agreeing]
        found = read_created_by(above[agreeing]).text if agreeing < len(above) else "no such step"
        return _Difference(step=f"line {instruction.line}, {instruction.text}", found=found)
    if agreeing < len(above):
        extra = read_created_by(above[agreeing])
        return _Difference(step="the end", found=f"one more step, {extra.text}")
    return None


def _declared(
    history: tuple[HistoryEntry, ...], wanted: list[tuple[Stage, Instruction]], base: Stage
) -> tuple[LayerStep, ...]:
    """Return the layers of a history whose last entries are ``wanted``."""
    start = len(history) - len(wanted)
    steps: list[LayerStep] = []
    for position, entry in enumerate(history):
        if entry.empty_layer:
            continue
        stage, instruction = (base, None) if position < start else wanted[position - start]
        guessed = instruction is not None and bool(instruction.unresolved)
        steps.append(
            LayerStep(
                layer=len(steps),
                trust=Trust.INFERRED if guessed else Trust.VERIFIED,
                evidence=Evidence.DECLARED,
                recorded=read_created_by(entry),
                created_by=entry.created_by,
                base=instruction is None,
                stage=stage,
                instruction=instruction,
            )
        )
    return tuple(steps)


def _recorded(
    config: ImageConfig, *, known_base: int | None, above: Trust = Trust.INFERRED
) -> tuple[LayerStep, ...]:
    """Return the layers by the image's own history alone.

    ``above`` is what the layers above a known base are trusted to be.
    """
    entries = [entry for entry in config.history if not entry.empty_layer]
    return tuple(
        LayerStep(
            layer=layer,
            trust=Trust.VERIFIED if layer < (known_base or 0) else above,
            evidence=Evidence.MATCHED if layer < (known_base or 0) else Evidence.RECORDED,
            recorded=read_created_by(entry),
            created_by=entry.created_by,
            base=layer < (known_base or 0),
        )
        for layer, entry in enumerate(entries)
    )
