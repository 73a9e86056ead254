"""``config.history`` tied to layers and, through a Dockerfile, to instructions.

Source: OCI image-spec, ``config.md``, "history": one entry a build step, base
first; entries with ``empty_layer`` made no layer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from layertrace.model.origin import Evidence, Finding, Trust
from layertrace.provenance.alignment.base_end import (
    count_base_layers,
    count_triggers,
    find_certain_end,
    find_starts,
    is_long_before,
)
from layertrace.provenance.alignment.lineup import Difference, Records, line_up
from layertrace.provenance.alignment.squashed import (
    declared_parts,
    holds_base,
    is_joint,
    is_shared,
    is_squash,
    only_step,
    other_writers,
    without_squash,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.model.build import Build, Instruction, Stage
    from layertrace.model.image import HistoryEntry, ImageConfig
    from layertrace.provenance.alignment.lineup import Lineup
    from layertrace.provenance.alignment.spelling import Recorded

CONTRADICTED: Final = "dockerfile-contradicted"
MISMATCH: Final = "history-mismatch"
SQUASHED: Final = "squashed-layers"
ADDED: Final = "added-layers"
_OF_BASE: Final = "of the base, or made by an ONBUILD trigger of it; give --base IMAGE"
_ADDED: Final = "added to what the Dockerfile makes, by docker commit or another build"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerStep:
    """One layer and what made it."""

    layer: int
    trust: Trust
    evidence: Evidence
    recorded: Recorded | None
    """What the image's own history says; None where it has no entry for it alone."""
    created_by: str = ""
    base: bool = False
    """It came with the base image."""
    stage: Stage | None = None
    instruction: Instruction | None = None
    doubt: str = ""
    """Why nothing tells which of several things made it, in words."""
    parts: tuple[LayerStep, ...] = ()
    """Of a layer that several instructions made: each of them, in their order."""
    others: tuple[str, ...] = ()
    """What else may have written to such a layer, in words."""

    @property
    def holds_base(self) -> bool:
        """The base was squashed into this layer."""
        return not self.layer and bool(self.others)

    def part(self, line: int | None, text: str | None) -> LayerStep:
        """Return the step of one of several instructions; itself where it has no such."""
        for each in self.parts:
            found = each.instruction
            if found is not None and (found.line or None, found.text) == (line, text):
                return each
        return self


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
    known_base = count_base_layers(config, base)
    entries = sum(not entry.empty_layer for entry in config.history)
    if entries != len(config.diff_ids):
        return _unaligned(config, entries, known_base, asked=build is not None)
    if build is None:
        steps = _recorded(config, known_base=known_base)
        return Alignment(steps=steps, exact=False, findings=_squashed(steps))
    chain = build.chain(build.target if stage_index is None else stage_index)
    records = Records(without_squash(config))
    wanted = [step for stage in chain for step in stage.instructions]
    if holds_base(config):
        difference: Lineup | Difference = _line_up_whole(records, wanted, build)
    elif base is not None and known_base is None:
        difference = Difference(
            step=f"line {chain[0].line}, {chain[0].text}",
            found="layers that are not those of the base image given",
        )
    else:
        starts = find_starts(config, chain[0], base)
        difference = line_up(records, wanted, starts, build.arguments)
    if isinstance(difference, Difference):
        steps = _recorded(config, known_base=known_base, above=Trust.CONTRADICTED)
        return Alignment(steps=steps, exact=False, findings=(_contradiction(build, difference),))
    # Without a single step to compare nothing shows that this is the Dockerfile.
    known = bool(wanted) or base is not None or chain[0].base == "scratch"
    sure = known and not (holds_base(config) and any(difference.skipped))
    told = base is not None
    steps = tuple(_declared(config, records, difference, build, chain[0], sure=sure, told=told))
    findings = _squashed(steps) + _added(steps)
    return Alignment(steps=steps, exact=sure, base=chain[0], findings=findings)


def _line_up_whole(
    records: Records, wanted: Sequence[Instruction], build: Build
) -> Lineup | Difference:
    """Line up what is left of the history of a build that its base was squashed with.

    That is the end alone, and of the base nothing but the triggers that ran.
    """
    more = len(records.entries) - len(wanted)
    cut = max(-more, 0)
    found = line_up(records, wanted[cut:], (max(more, 0),), build.arguments)
    if isinstance(found, Difference) or not cut:
        return found
    first, *others = found.skipped
    return replace(found, skipped=((*wanted[:cut], *first), *others))


def _contradiction(build: Build, difference: Difference) -> Finding:
    return Finding(
        code=CONTRADICTED,
        message=f"{build.name} is not what this image was built from: "
        f"first difference at {difference.step}; the image has {difference.found}",
        facts={"declared": difference.step, "recorded": difference.found},
    )


def _unaligned(
    config: ImageConfig, entries: int, known_base: int | None, *, asked: bool
) -> Alignment:
    finding = Finding(
        code=MISMATCH,
        message=f"the image's history has {entries} entries with a layer, "
        f"the image {len(config.diff_ids)} layers: no layer can be tied to an instruction",
        facts={"entries": entries, "layers": len(config.diff_ids)},
    )
    steps = tuple(
        LayerStep(
            layer=layer,
            trust=Trust.VERIFIED if base else Trust.UNKNOWN,
            evidence=Evidence.MATCHED if base else Evidence.UNKNOWN,
            recorded=None,
            base=base,
        )
        for layer in range(len(config.diff_ids))
        for base in (layer < (known_base or 0),)
    )
    findings = (finding,) if asked or config.history else ()
    return Alignment(steps=steps, exact=False, findings=findings)


def _declared(  # noqa: PLR0913
    config: ImageConfig,
    records: Records,
    lineup: Lineup,
    build: Build,
    base: Stage,
    *,
    sure: bool,
    told: bool,
) -> Iterator[LayerStep]:
    """Yield the layers of a history that a Dockerfile fits; ``told``: the base is known."""
    layer = 0
    first = lineup.start - count_triggers(records, lineup, told=base.triggers)
    certain = first if told or first < lineup.start else find_certain_end(records, first)
    for position, entry in enumerate(config.history):
        if entry.empty_layer:
            continue
        number = position - lineup.start
        instruction = (
            lineup.instructions[number] if 0 <= number < len(lineup.instructions) else None
        )
        if position < first:
            trust = Trust.VERIFIED if sure and position < certain else Trust.INFERRED
            step = _step(records, layer, position, trust)
            doubtful = position >= certain and not is_long_before(records, position, first)
            yield _doubted(step, _OF_BASE) if doubtful else _inherited(step, base)
        elif number < 0:
            yield replace(_step(records, layer, position, Trust.INFERRED), stage=base)
        elif instruction is None and number < len(lineup.instructions):
            yield _doubted(_step(records, layer, position, Trust.UNKNOWN), _ADDED)
        elif instruction is None or is_shared(records, position, lineup.skipped[number]):
            parts = tuple(_parts(records, lineup, build, layer, position, sure=sure))
            others = other_writers(records, lineup, base, position, told=told)
            yield _joint(layer, entry, parts, others)
        else:
            trust = Trust.INFERRED if instruction.unresolved else Trust.VERIFIED
            yield replace(
                _step(records, layer, position, trust),
                evidence=Evidence.DECLARED,
                stage=build.stages[instruction.stage_index],
                instruction=instruction,
            )
        layer += 1


def _recorded(
    config: ImageConfig, *, known_base: int | None, above: Trust = Trust.INFERRED
) -> tuple[LayerStep, ...]:
    """Return the layers by the image's own history alone.

    ``above`` is what the layers above a known base are trusted to be.
    """
    records = Records(config)
    steps: list[LayerStep] = []
    for position, entry in enumerate(config.history):
        if entry.empty_layer:
            continue
        layer = len(steps)
        if layer < (known_base or 0):
            step = _step(records, layer, position, Trust.VERIFIED)
            steps.append(replace(step, base=True, evidence=Evidence.MATCHED))
        elif is_squash(entry) or is_joint(records, position):
            alone = only_step(records, position)
            parts = () if alone is None else (_step(records, layer, alone, above),)
            steps.append(_joint(layer, entry, parts))
        else:
            steps.append(_step(records, layer, position, above))
    return tuple(steps)


def _step(records: Records, layer: int, position: int, trust: Trust) -> LayerStep:
    return LayerStep(
        layer=layer,
        trust=trust,
        evidence=Evidence.RECORDED,
        recorded=records.recorded[position],
        created_by=records.entries[position].created_by,
    )


def _inherited(step: LayerStep, base: Stage) -> LayerStep:
    return replace(step, base=True, stage=base, evidence=Evidence.DECLARED)


def _doubted(step: LayerStep, doubt: str) -> LayerStep:
    return replace(step, trust=Trust.UNKNOWN, evidence=Evidence.UNKNOWN, doubt=doubt)


def _joint(
    layer: int, entry: HistoryEntry, parts: tuple[LayerStep, ...], others: tuple[str, ...] = ()
) -> LayerStep:
    """Return a layer that holds the work of several instructions; of one alone, its own."""
    if len(parts) == 1 and not others:
        return replace(parts[0], created_by=entry.created_by)
    return LayerStep(
        layer=layer,
        trust=Trust.UNKNOWN,
        evidence=Evidence.UNKNOWN,
        recorded=None,
        created_by=entry.created_by,
        parts=parts,
        others=others,
    )


def _parts(  # noqa: PLR0913 - what a history and a Dockerfile are
    records: Records, lineup: Lineup, build: Build, layer: int, position: int, *, sure: bool
) -> Iterator[LayerStep]:
    """Yield the instructions whose work is in one layer, as far as they change files."""
    for part in declared_parts(records, lineup, position):
        instruction = part.instruction
        is_sure = sure and part.recorded and not instruction.unresolved
        trust = Trust.VERIFIED if is_sure else Trust.INFERRED
        step = _step(records, layer, part.position, trust)
        yield replace(
            step,
            evidence=Evidence.DECLARED,
            recorded=step.recorded if part.recorded else None,
            stage=build.stages[instruction.stage_index],
            instruction=instruction,
        )


def _squashed(steps: Sequence[LayerStep]) -> tuple[Finding, ...]:
    joint = [step.layer for step in steps if step.recorded is None]
    if not joint:
        return ()
    shown = ", ".join(f"L{layer + 1}" for layer in joint)
    parted = all(steps[layer].parts for layer in joint)
    known = "known only as far as content tells" if parted else "not known"
    return (
        Finding(
            code=SQUASHED,
            message=f"{shown} holds the work of several instructions: "
            f"which of them made a file there is {known}",
            facts={"layers": joint},
        ),
    )


def _added(steps: Sequence[LayerStep]) -> tuple[Finding, ...]:
    added = [step.layer for step in steps if step.doubt == _ADDED]
    if not added:
        return ()
    shown = ", ".join(f"L{layer + 1}" for layer in added)
    message = f"{shown} was {_ADDED}: no instruction of it made the files there"
    return (Finding(code=ADDED, message=message, facts={"layers": added}),)
