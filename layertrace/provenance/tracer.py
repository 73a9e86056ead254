"""The tracer: a path's chain, hop by hop, from the final image to where its bytes were made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.model.entry import EntryKind
from layertrace.model.origin import (
    Action,
    Chain,
    Evidence,
    Hop,
    Origin,
    OriginKind,
    Trust,
    weakest,
)
from layertrace.provenance.brought import Runs, unexplained
from layertrace.provenance.copyhash import Owners
from layertrace.provenance.hops import (
    At,
    TracedImage,
    Trail,
    describe_change,
    inherited,
    make_hop,
    written,
)
from layertrace.provenance.joint import Joint
from layertrace.provenance.mounts import Mountable
from layertrace.provenance.moved import Ways
from layertrace.provenance.outside import (
    UNKNOWN,
    from_document,
    from_outside,
    from_url,
    made_on_the_way,
)
from layertrace.provenance.proofs import Proofs
from layertrace.provenance.sources import Made, copy_hop, find_source, fits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from layertrace.model.build import Build, Instruction, Stage
    from layertrace.provenance.alignment.history import LayerStep
    from layertrace.provenance.trees import Tree
    from layertrace.rootfs.places import Place

FINAL: Final = "final"
_COPIES: Final = frozenset({"COPY", "ADD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """All there is to trace with; each part may be missing."""

    build: Build | None = None
    stages: Mapping[int, TracedImage] = field(default_factory=dict)
    """By stage index."""
    context: Tree | None = None
    images: Mapping[str, Tree] = field(default_factory=dict)
    """External images that a COPY --from names, or whose files a layer holds among others."""
    by_name: frozenset[str] = frozenset()
    """Those found by that name, which may have meant another when the build ran."""
    owners: Callable[[], Owners] = Owners
    """Looks up what this host calls owners; few questions need it."""
    proven: Sequence[LayerStep] = ()
    """Copies whose hash was seen to recompute out of the stages here."""


class Shared(Enum):
    """Which paths of a layer cannot but have one and the same answer."""

    BY_ALL = "by all"
    BY_NEW = "by new"
    """By those that replaced nothing."""
    BY_NONE = "by none"
    """None, or which of them are has to be asked of each path."""


class Verdict(NamedTuple):
    """Where a path's chain ends, and how surely."""

    origin: Origin
    trust: Trust
    carried_from: str | None


class Tracer:
    """Answers for one final image."""

    def __init__(self, final: TracedImage, knowledge: Knowledge) -> None:
        """Keep what there is; every answer is worked out when asked for."""
        self._final = final
        self._known = knowledge
        self._runs = Runs(
            Mountable(
                build=knowledge.build,
                stages=knowledge.stages,
                context=knowledge.context,
                images=knowledge.images,
                by_name=knowledge.by_name,
            )
        )
        self._uniform: dict[int, Chain] = {}
        self._shared: dict[int, Shared] = {}
        self._proofs = Proofs(knowledge.owners, knowledge.proven)
        self._joint = Joint(
            Ways(
                trace=self._trace,
                written=self._written,
                source=self._source,
                runs=self._runs,
                stages=knowledge.stages,
                images=knowledge.images,
                by_name=knowledge.by_name,
            )
        )

    def chain(self, path: str) -> Chain | None:
        """Return the chain of a path of the final image; None if it is not there."""
        tree = self._final.tree
        place = tree.rootfs.place(path)
        if place is None:
            if tree.find(path) is None:
                return None
            return Chain(hops=(), origin=UNKNOWN, trust=Trust.UNKNOWN)
        chain = self._chain(path, place)
        return replace(chain, hops=tuple(map(self._confirmed, chain.hops)))

    def _chain(self, path: str, place: Place) -> Chain:
        trail = self._trace(At(image=self._final, path=path, place=place))
        return Chain(
            hops=trail.hops,
            origin=trail.origin,
            trust=weakest(*(hop.trust for hop in trail.hops)),
            carried_from=self._carrier(trail),
        )

    def _confirmed(self, hop: Hop) -> Hop:
        """Return a hop with the builder's own hash as its evidence, where it has one."""
        stages = (stage for stage in self._known.stages.values() if stage.name == hop.place)
        image = self._final if hop.place == FINAL else next(stages, None)
        if image is None or hop.layer is None:
            return hop
        step = image.alignment.steps[hop.layer].part(hop.line, hop.instruction)
        instruction = step.instruction
        if instruction is None or instruction.keyword not in _COPIES:
            return hop
        if (instruction.line or None) != hop.line:
            # Of a stage that is called as the final image is.
            return hop
        return self._proofs.confirm(hop, step, self._source(instruction))

    def _source(self, instruction: Instruction) -> Tree | None:
        """Return what a COPY took from, where that is at hand."""
        if instruction.source_stage is not None:
            stage = self._known.stages.get(instruction.source_stage)
            return stage.tree if stage is not None else None
        if instruction.source_image is not None:
            return self._known.images.get(instruction.source_image)
        return self._known.context if instruction.source_context is None else None

    def verdict(self, path: str, place: Place) -> Verdict:
        """Return what :meth:`chain` ends in, for one seen path, without its hops.

        Far cheaper for the many paths of a layer that share one answer.
        """
        if not self.is_uniform(path, place):
            chain = self._chain(path, place)
            return Verdict(chain.origin, chain.trust, chain.carried_from)
        chain = self._uniform.get(place.layer) or self._chain(path, place)
        self._uniform[place.layer] = chain
        origin = chain.origin
        if origin.path is not None:
            origin = replace(origin, path=f"/{path}")
        return Verdict(origin, chain.trust, chain.carried_from)

    def is_uniform(self, path: str, place: Place) -> bool:
        """Say whether such paths of its layer all have one and the same answer.

        True for what a RUN cannot but have made itself, and for all of the base:
        there is nothing to look up for the single path.
        """
        shared = self.shared(place.layer)
        if shared is Shared.BY_ALL or path in self._final.tree.rootfs.below:
            return shared is Shared.BY_ALL
        if shared is Shared.BY_NEW:
            return True
        step = self._final.alignment.steps[place.layer]
        if step.parts or not _is_run(step):
            return False
        return not self._runs.may_bring(self._final, path, place)

    def shared(self, layer: int) -> Shared:
        """Return which paths of a layer share an answer whatever they are."""
        if layer not in self._shared:
            self._shared[layer] = self._find_shared(layer)
        return self._shared[layer]

    def _find_shared(self, layer: int) -> Shared:
        step = self._final.alignment.steps[layer]
        if step.base or step.doubt:
            return Shared.BY_ALL
        if step.parts:
            return Shared.BY_NONE
        if _is_run(step):
            brings = self._runs.may_bring_any(self._final, layer)
            return Shared.BY_NONE if brings else Shared.BY_NEW
        if step.instruction is None:
            workdir = step.recorded is not None and step.recorded.keyword == "WORKDIR"
            return Shared.BY_NONE if workdir else Shared.BY_NEW
        return Shared.BY_NONE

    def _carrier(self, trail: Trail) -> str | None:
        """Return the stage that the newest COPY of a trail took from."""
        build = self._known.build
        for hop in trail.hops:
            if hop.action is Action.COPY and hop.place == FINAL and hop.layer is not None:
                step = self._final.alignment.steps[hop.layer]
                instruction = step.part(hop.line, hop.instruction).instruction
                if instruction is not None and instruction.keyword == "RUN":
                    # It copied what another step had brought.
                    continue
                if instruction is None or instruction.source_stage is None:
                    return None
                if build is None:
                    return self._known.stages[instruction.source_stage].name
                return build.stages[instruction.source_stage].name
        return None

    def _trace(self, at: At) -> Trail:
        step = at.step
        if step.base:
            return inherited(at)
        if step.doubt:
            return unexplained(at, step.doubt)
        if step.parts:
            return self._joint.trail(at)
        older = _rewritten(at)
        if older is not None:
            detail = describe_change(older.item, at.item)
            return self._trace(older).after(make_hop(at, Action.METADATA, detail))
        if step.instruction is None:
            return self._made(at) if _is_run(step) else _recorded(at)
        return self._written(at, step.instruction)

    def _written(self, at: At, instruction: Instruction) -> Trail:
        """Trace what the instruction of its own layer wrote."""
        if instruction.keyword in _COPIES:
            return self._copied(at, instruction)
        if instruction.keyword == "RUN":
            return self._made(at)
        if at.item.kind is EntryKind.DIR:
            return made_on_the_way(at)
        return unexplained(at, f"a {instruction.keyword} makes directories only")

    def _made(self, at: At) -> Trail:
        """Trace what a RUN wrote: made by it, unless it brought it from elsewhere."""
        brought = self._runs.trail(at, self._trace)
        if brought is not None:
            return brought
        older = at.image.tree.before(at.path, at.place.layer)
        if at.step.instruction is None:
            detail = "by the image's history alone"
        elif self._runs.mounts(at.image, at.place.layer) and at.item.size:
            detail = "created here; nothing it mounts has such content"
        elif older is None:
            detail = "created here"
        else:
            detail = f"other content than L{older.layer + 1}'s"
        return written(at, OriginKind.RUN, detail)

    def _copied(self, at: At, instruction: Instruction) -> Trail:
        document = from_document(at, instruction)
        if document is not None:
            return document
        if instruction.source_stage is not None:
            return self._from_stage(at, instruction, instruction.source_stage)
        tree = self._source(instruction)
        if instruction.source_image is not None:
            by_name = instruction.source_image in self._known.by_name
            tree = tree if not by_name or fits(at, instruction, tree) else None
            return from_outside(at, instruction, tree, OriginKind.IMAGE, self._proofs)
        fetched = from_url(at, instruction)
        if fetched is not None:
            return fetched
        return from_outside(at, instruction, tree, OriginKind.CONTEXT, self._proofs)

    def _from_stage(self, at: At, instruction: Instruction, index: int) -> Trail:
        source = self._known.stages.get(index)
        tree = source.tree if source is not None else None
        copy = find_source(at, instruction, tree)
        if copy.made is Made.YES:
            return made_on_the_way(at)
        build = self._known.build
        stage = build.stages[index] if build is not None else None
        name = source.name if source is not None else stage.name if stage is not None else None
        if name is None:
            return _recorded(at)
        hop = self._proofs.improve(copy_hop(at, copy, name), at, copy, tree)
        if source is None:
            return self._beyond(hop, copy.path, stage) if stage is not None else _recorded(at)
        # Other content than the stage's: whatever made that, it did not make this.
        if copy.found is None or hop.trust is Trust.CONTRADICTED:
            hop = replace(hop, trust=weakest(Trust.UNKNOWN, hop.trust))
            return Trail(hops=(hop,), origin=UNKNOWN)
        start = source.tree.rootfs.place(copy.found)
        if start is None:
            # A directory that no entry of the stage made.
            return made_on_the_way(at) if copy.top else unexplained(at, hop.detail)
        return self._trace(At(image=source, path=copy.found, place=start)).after(hop)

    def _beyond(self, hop: Hop, path: str | None, stage: Stage) -> Trail:
        """End a chain at a stage whose image is not at hand."""
        told = Hop(
            place=stage.name,
            layer=None,
            action=Action.WRITE,
            path=f"/{path}" if path is not None else "",
            trust=Trust.UNKNOWN,
            evidence=Evidence.UNKNOWN,
            detail=f"which step made it is not known; give --stage {stage.name}=IMAGE",
            stage=stage.name,
            stage_index=stage.index,
            candidates=self._makers(stage),
        )
        return Trail(hops=(hop, told), origin=UNKNOWN)

    def _makers(self, stage: Stage) -> tuple[str, ...]:
        """List what may have written to a stage, newest first."""
        chain = self._known.build.chain(stage.index) if self._known.build is not None else ()
        makers = [
            f"{own.name}/{step.step} :{step.line} {step.text}"
            for own in reversed(chain)
            for step in reversed(own.instructions)
            if step.keyword in {"RUN", *_COPIES}
        ]
        if chain and chain[0].base != "scratch":
            makers.append(f"base {chain[0].base} :{chain[0].line}")
        return tuple(makers)


def _rewritten(at: At) -> At | None:
    """Return the older entry of a path whose content this layer only repeats."""
    place = at.image.tree.before(at.path, at.place.layer)
    if place is None:
        return None
    older = At(image=at.image, path=at.path, place=place)
    before, after = older.item, at.item
    if before.kind is not after.kind:
        return None
    if after.kind is EntryKind.DIR:
        return None if at.image.tree.is_remade(at.path, at.place.layer) else older
    # A COPY of what was there already is a copy all the same: its bytes came
    # from its source.
    if not _is_run(at.step) or before.size != after.size:
        return None
    if before.link_target != after.link_target:
        return None
    return older if older.digest == at.digest else None


def _recorded(at: At) -> Trail:
    """Say what the image's own history says, where no Dockerfile is at hand."""
    keyword = at.step.recorded.keyword if at.step.recorded is not None else ""
    if keyword == "WORKDIR" and at.item.kind is EntryKind.DIR:
        return made_on_the_way(at)
    if keyword and at.image.alignment.contradicted:
        detail = f"history does not name the source of a {keyword}, and no Dockerfile fits"
    elif keyword:
        detail = f"history does not name the source of a {keyword}; give -f Dockerfile"
    else:
        detail = "the image's history does not say what made this layer"
    return unexplained(at, detail)


def _is_run(step: LayerStep) -> bool:
    if step.instruction is not None:
        return step.instruction.keyword == "RUN"
    return step.recorded is not None and step.recorded.keyword == "RUN"
