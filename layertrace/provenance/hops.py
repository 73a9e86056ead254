"""One move of a file in words: the pieces every chain is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from layertrace.model.origin import Action, Hop, Origin, OriginKind, Trust

if TYPE_CHECKING:
    from layertrace.provenance.alignment.history import Alignment, LayerStep
    from layertrace.provenance.rootfs_tree import RootfsTree
    from layertrace.provenance.trees import Item
    from layertrace.rootfs.places import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class TracedImage:
    """The final image or a stage's: its files, and what made its layers."""

    name: str
    """``final`` or the stage's name, as hops call it."""
    tree: RootfsTree
    alignment: Alignment
    base_reference: str | None = None
    """What its base image is called where no Dockerfile says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class At:
    """A path's entry in one layer of one image: where a chain stands."""

    image: TracedImage
    path: str
    place: Place

    @property
    def step(self) -> LayerStep:
        """What made the layer."""
        return self.image.alignment.steps[self.place.layer]

    @property
    def item(self) -> Item:
        """The entry's attributes."""
        return self.image.tree.item(self.place)

    @property
    def digest(self) -> str | None:
        """Of the content of a regular file."""
        return self.image.tree.digest_at(self.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """Hops newest first, and where they end."""

    hops: tuple[Hop, ...]
    origin: Origin

    def after(self, hop: Hop) -> Trail:
        """Return the trail with a newer hop before it."""
        return replace(self, hops=(hop, *self.hops))


def make_hop(at: At, action: Action, detail: str) -> Hop:
    """Return a hop in one layer, as sure as the layer is of its instruction."""
    step = at.step
    instruction, recorded = step.instruction, step.recorded
    text = instruction.text if instruction is not None else None
    if text is None and recorded is not None and not step.base:
        text = recorded.text
    # A copy that a hash alone tells of stands in no Dockerfile: its line is 0.
    line = instruction.line or None if instruction is not None else None
    if instruction is None and step.stage is not None:
        # An ONBUILD trigger of the base, or the base itself: FROM's doing.
        line = step.stage.line
    return Hop(
        place=at.image.name,
        layer=at.place.layer,
        action=action,
        path=f"/{at.path}",
        trust=step.trust,
        evidence=step.evidence,
        detail=detail,
        stage=step.stage.name if step.stage is not None else None,
        stage_index=step.stage.index if step.stage is not None else None,
        line=line,
        instruction=text,
    )


def origin_at(hop: Hop, kind: OriginKind, *, path: str | None) -> Origin:
    """Return the origin that a chain's last hop is."""
    return Origin(
        kind=kind,
        stage=hop.stage,
        stage_index=hop.stage_index,
        line=hop.line,
        instruction=hop.instruction,
        path=path,
    )


def written(at: At, kind: OriginKind, detail: str) -> Trail:
    """Return the trail of bytes that this layer's own instruction made."""
    hop = make_hop(at, Action.WRITE, detail)
    return Trail(hops=(hop,), origin=origin_at(hop, kind, path=hop.path))


def inherited(at: At) -> Trail:
    """Return the trail of what came with the base image."""
    stage = at.step.stage
    reference = stage.base if stage is not None else at.image.base_reference
    digest = stage.base_digest if stage is not None else None
    detail = f"base {reference}" if reference else "base image"
    if digest is not None and not detail.endswith(digest):
        detail = f"{detail}@{digest}"
    if at.step.trust is Trust.INFERRED:
        detail = f"{detail}; give --base IMAGE to be sure"
    hop = replace(
        make_hop(at, Action.INHERIT, detail),
        instruction=stage.text if stage is not None else None,
    )
    origin = replace(origin_at(hop, OriginKind.BASE, path=hop.path), image=reference)
    return Trail(hops=(hop,), origin=origin)


def describe_change(before: Item, after: Item) -> str:
    """Say what a rewrite without new content changed."""
    changes = []
    if before.mode != after.mode:
        changes.append(f"mode {before.mode or 0:04o} → {after.mode or 0:04o}")
    if (before.uid, before.gid) != (after.uid, after.gid):
        changes.append(f"owner {before.uid}:{before.gid} → {after.uid}:{after.gid}")
    if before.mtime != after.mtime:
        changes.append("time")
    return ("same content; " + ", ".join(changes)) if changes else "listed again, unchanged"
