"""The tracer: a path's chain, hop by hop, from the final image to where its bytes were made."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
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
from layertrace.provenance.hops import (
    At,
    TracedImage,
    Trail,
    describe_change,
    inherited,
    make_hop,
    origin_at,
    written,
)
from layertrace.provenance.sources import copy_hop, find_source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layertrace.model.build import Build, Instruction, Stage
    from layertrace.provenance.history import LayerStep
    from layertrace.provenance.trees import Tree
    from layertrace.rootfs.squash import Place

FINAL: Final = "final"
_URL_STARTS: Final = ("http://", "https://", "git@", "git://", "ssh://")
_ARCHIVE_ENDS: Final = (".tar", ".tgz", ".tbz", ".txz", ".gz", ".bz2", ".xz", ".zst")
_COPIES: Final = frozenset({"COPY", "ADD"})
_UNKNOWN: Final = Origin(kind=OriginKind.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """All there is to trace with; each part may be missing."""

    build: Build | None = None
    stages: Mapping[int, TracedImage] = field(default_factory=dict)
    """By stage index."""
    context: Tree | None = None
    images: Mapping[str, Tree] = field(default_factory=dict)
    """External images that a COPY --from names."""


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
        self._uniform: dict[int, Chain] = {}

    def chain(self, path: str) -> Chain | None:
        """Return the chain of a path of the final image; None if it is not there."""
        tree = self._final.tree
        place = tree.rootfs.place(path)
        if place is None:
            if tree.find(path) is None:
                return None
            return Chain(hops=(), origin=_UNKNOWN, trust=Trust.UNKNOWN)
        trail = self._trace(At(image=self._final, path=path, place=place))
        return Chain(
            hops=trail.hops,
            origin=trail.origin,
            trust=weakest(*(hop.trust for hop in trail.hops)),
            carried_from=self._carrier(trail),
        )

    def verdict(self, path: str, place: Place) -> Verdict:
        """Return what :meth:`chain` ends in, for one seen path, without its hops.

        Far cheaper for the many paths of a layer that share one answer.
        """
        if not self.is_uniform(path, place):
            chain = self.chain(path)
            if chain is None:
                return Verdict(_UNKNOWN, Trust.UNKNOWN, None)
            return Verdict(chain.origin, chain.trust, chain.carried_from)
        chain = self._uniform.get(place.layer) or self.chain(path)
        if chain is None:
            return Verdict(_UNKNOWN, Trust.UNKNOWN, None)
        self._uniform[place.layer] = chain
        origin = chain.origin
        if origin.path is not None:
            origin = replace(origin, path=f"/{path}")
        return Verdict(origin, chain.trust, chain.carried_from)

    def is_uniform(self, path: str, place: Place) -> bool:
        """Say whether such paths of its layer all have one and the same answer.

        True for what a RUN without mounts made anew, and for all of the base:
        there is nothing to look up for the single path.
        """
        step = self._final.alignment.steps[place.layer]
        if step.base:
            return True
        if path in self._final.tree.rootfs.below:
            return False
        if step.instruction is not None:
            return step.instruction.keyword == "RUN" and not _binds(step.instruction)
        return True

    def _carrier(self, trail: Trail) -> str | None:
        """Return the stage that the newest COPY of a trail took from."""
        build = self._known.build
        for hop in trail.hops:
            if hop.action is Action.COPY and hop.place == FINAL and hop.layer is not None:
                instruction = self._final.alignment.steps[hop.layer].instruction
                if build is None or instruction is None or instruction.source_stage is None:
                    return None
                return build.stages[instruction.source_stage].name
        return None

    def _trace(self, at: At) -> Trail:
        step = at.step
        if step.base:
            return inherited(at)
        older = _rewritten(at)
        if older is not None:
            detail = describe_change(older.item, at.item)
            return self._trace(older).after(make_hop(at, Action.METADATA, detail))
        if step.instruction is None:
            return _recorded(at)
        if step.instruction.keyword in _COPIES:
            return self._copied(at, step.instruction)
        if step.instruction.keyword == "RUN":
            return self._made(at, step.instruction)
        return written(at, OriginKind.WORKDIR, "made on the way")

    def _made(self, at: At, instruction: Instruction) -> Trail:
        """Trace what a RUN wrote: made by it, unless it came out of a mount."""
        binds = _binds(instruction)
        if not binds or at.item.kind is not EntryKind.FILE or not at.item.size:
            older = at.image.tree.before(at.path, at.place.layer)
            detail = "created here" if older is None else f"other content than L{older.layer + 1}'s"
            return written(at, OriginKind.RUN, detail)
        for index in instruction.mount_stages:
            stage = self._known.stages.get(index)
            found = _same_content(at, stage) if stage is not None else None
            if found is not None:
                detail = f"same sha256 at {found.image.name}:/{found.path}, mounted here"
                hop = replace(make_hop(at, Action.MOUNT, detail), evidence=Evidence.MATCHED)
                return self._trace(found).after(hop)
        known = all(index in self._known.stages for index in instruction.mount_stages)
        if known and len(binds) == len(instruction.mount_stages):
            return written(at, OriginKind.RUN, "created here; nothing it mounts has such content")
        detail = "this RUN mounts files that are not at hand: made here, or copied from there"
        hop = replace(
            make_hop(at, Action.WRITE, detail), trust=Trust.UNKNOWN, evidence=Evidence.UNKNOWN
        )
        return Trail(hops=(hop,), origin=_UNKNOWN)

    def _copied(self, at: At, instruction: Instruction) -> Trail:
        if instruction.source_stage is not None:
            return self._from_stage(at, instruction, instruction.source_stage)
        if instruction.source_image is not None:
            tree = self._known.images.get(instruction.source_image)
            return _from_outside(at, instruction, tree, OriginKind.IMAGE)
        if instruction.heredocs:
            return _inline(at, instruction)
        sources = instruction.args[:-1]
        if instruction.keyword == "ADD" and all(s.startswith(_URL_STARTS) for s in sources):
            trail = written(at, OriginKind.URL, "fetched by ADD")
            return replace(trail, origin=replace(trail.origin, path=" ".join(sources)))
        return _from_outside(at, instruction, self._known.context, OriginKind.CONTEXT)

    def _from_stage(self, at: At, instruction: Instruction, index: int) -> Trail:
        source = self._known.stages.get(index)
        copy = find_source(at, instruction, source.tree if source is not None else None)
        if copy.on_the_way:
            return written(at, OriginKind.WORKDIR, "made on the way")
        if self._known.build is None:
            return _recorded(at)
        stage = self._known.build.stages[index]
        hop = copy_hop(at, copy, stage.name)
        if source is None:
            return self._beyond(hop, copy.paths, stage)
        start = source.tree.rootfs.place(copy.found) if copy.found is not None else None
        if copy.found is None or start is None:
            return Trail(hops=(hop,), origin=_UNKNOWN)
        return self._trace(At(image=source, path=copy.found, place=start)).after(hop)

    def _beyond(self, hop: Hop, paths: Sequence[str], stage: Stage) -> Trail:
        """End a chain at a stage whose image is not at hand."""
        told = Hop(
            place=stage.name,
            layer=None,
            action=Action.WRITE,
            path=f"/{paths[0]}" if len(paths) == 1 else "",
            trust=Trust.UNKNOWN,
            evidence=Evidence.UNKNOWN,
            detail=f"which step made it is not known; give --stage {stage.name}=IMAGE",
            stage=stage.name,
            stage_index=stage.index,
            candidates=self._makers(stage),
        )
        return Trail(hops=(hop, told), origin=_UNKNOWN)

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
        return older
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
    if keyword == "RUN":
        return written(at, OriginKind.RUN, "by the image's history alone")
    if keyword == "WORKDIR":
        return written(at, OriginKind.WORKDIR, "made on the way")
    if keyword and at.image.alignment.contradicted:
        detail = f"history does not name the source of a {keyword}, and no Dockerfile fits"
    elif keyword:
        detail = f"history does not name the source of a {keyword}; give -f Dockerfile"
    else:
        detail = "the image's history does not say what made this layer"
    hop = make_hop(at, Action.WRITE, detail)
    hop = replace(hop, trust=weakest(Trust.UNKNOWN, hop.trust))
    return Trail(hops=(hop,), origin=_UNKNOWN)


def _inline(at: At, instruction: Instruction) -> Trail:
    if at.item.kind is EntryKind.DIR:
        return written(at, OriginKind.WORKDIR, "made on the way")
    trail = written(at, OriginKind.INLINE, "a heredoc of this line")
    digests = {
        f"sha256:{hashlib.sha256(document.content.encode()).hexdigest()}"
        for document in instruction.heredocs
    }
    hop = trail.hops[0]
    if at.digest in digests:
        hop = replace(hop, evidence=Evidence.MATCHED, detail="same content as the heredoc there")
    else:
        hop = replace(hop, trust=weakest(Trust.INFERRED, hop.trust))
    return replace(trail, hops=(hop,))


def _from_outside(at: At, instruction: Instruction, tree: Tree | None, kind: OriginKind) -> Trail:
    """Trace a copy from the build context or an external image: the chain ends there."""
    copy = find_source(at, instruction, tree)
    if copy.on_the_way:
        return written(at, OriginKind.WORKDIR, "made on the way")
    archives = [s for s in instruction.args[:-1] if s.lower().endswith(_ARCHIVE_ENDS)]
    if copy.found is None and instruction.keyword == "ADD" and archives:
        # ADD unpacks a local archive: the path is inside it, not in the context.
        copy = replace(copy, comparison=None, paths=tuple(archives))
    hop = copy_hop(at, copy, instruction.source_image or "the build context")
    source = copy.found
    if source is None and len(copy.paths) == 1:
        source = copy.paths[0]
    if source is not None and kind is OriginKind.IMAGE:
        source = f"/{source}"
    origin = replace(origin_at(hop, kind, path=source), image=instruction.source_image)
    return Trail(hops=(hop,), origin=origin)


def _same_content(at: At, stage: TracedImage) -> At | None:
    """Return a file of ``stage`` with this file's content."""
    for path in stage.tree.by_size.get(at.item.size, ()):
        place = stage.tree.rootfs.place(path)
        if place is not None and stage.tree.digest_at(place) == at.digest:
            return At(image=stage, path=path, place=place)
    return None


def _is_run(step: LayerStep) -> bool:
    if step.instruction is not None:
        return step.instruction.keyword == "RUN"
    return step.recorded is not None and step.recorded.keyword == "RUN"


def _binds(instruction: Instruction) -> tuple[str, ...]:
    """Return a RUN's mounts that can hand it files: bind mounts, the default type."""
    mounts = instruction.flags.get("mount", ())
    return tuple(m for m in mounts if "type=" not in m or "type=bind" in m)
