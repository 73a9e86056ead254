"""A layer that several instructions made together: which of them a path is of.

What a COPY put somewhere is known from its source: the newest whose source has that
content made the path, whatever ran before or after. A RUN may make anything: it is named
where it alone is left. Where several are left nothing chooses between them: all are told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Action, Evidence, Hop, OriginKind, Trust, weakest
from layertrace.provenance.brought import unexplained
from layertrace.provenance.hops import At, TracedImage, Trail, describe_change, make_hop, origin_at
from layertrace.provenance.moved import COPIES, Moves, Ways, with_candidates
from layertrace.provenance.parts import Part, parts_of
from layertrace.provenance.writes import Wrote, workdir_made

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from layertrace.model.build import Stage
    from layertrace.provenance.trees import Item, Tree


class Joint:
    """The layers of one tracer's images that several instructions made."""

    def __init__(self, ways: Ways) -> None:
        """Keep the ways on; a layer is read when it is asked about."""
        self._ways = ways
        self._moves = Moves(ways)
        self._parts: dict[tuple[int, int], tuple[Part, ...]] = {}
        """By the identity of the image, which lives as long as this, and layer."""
        self._whole: dict[int, TracedImage] = {}
        """The image that a part's is made of, by the identity of the part's."""

    def trail(self, at: At) -> Trail:
        """Trace a path of such a layer."""
        at = At(image=self._whole.get(id(at.image), at.image), path=at.path, place=at.place)
        if at.item.kind is EntryKind.DIR:
            return self._directory(at)
        return self._file(at)

    def _file(self, at: At) -> Trail:
        """Trace a file: walk the instructions back to the one that surely wrote there."""
        makers: list[Part] = []
        for part in reversed(self._parts_of(at)):
            wrote = self._wrote(part, at)
            if wrote is Wrote.SAME:
                # What a RUN wrote again is what a COPY brought all the same.
                copies = [each for each in makers if each.instruction.keyword != "RUN"]
                return self._one_of(at, [*copies, part], ())
            if wrote is Wrote.OTHER:
                return self._after(part, makers, at)
            if wrote is not Wrote.NOTHING:
                makers.append(part)
            if wrote is Wrote.SURELY:
                return self._one_of(at, makers, ())
        if all(part.instruction.keyword == "RUN" for part in makers):
            told = self._rewritten(at, makers) or self._of_base(at)
            if told is not None:
                return told
        return self._after(None, makers, at)

    def _after(self, last: Part | None, makers: Sequence[Part], at: At) -> Trail:
        """Trace a file that is not what the last COPY that is known had brought.

        Args:
            last: that COPY; None: none has brought any.
            makers: what may have written it since, the newest first.
            at: the file.
        """
        if all(part.instruction.keyword == "RUN" for part in makers):
            moved = self._moves.trail(at, self._parts_of(at), makers)
            if moved is not None:
                return _weakened(moved)
        if last is not None and not makers:
            # What stands at the source contradicts it.
            return self._by(last, at)
        return self._one_of(at, makers, self._others(at) if last is None else ())

    def _directory(self, at: At) -> Trail:
        """Trace a directory, which is of the first instruction that made it."""
        older = _older(at)
        if older is not None and not at.image.tree.is_remade(at.path, at.place.layer):
            return self._ways.trace(older).after(_changed(at, older))
        squashed = self._of_base(at)
        if squashed is not None:
            return squashed
        parts = self._parts_of(at)
        makers: list[Part] = []
        for part in parts:
            wrote = self._wrote(part, at)
            if wrote is not Wrote.NOTHING:
                makers.append(part)
            if wrote is Wrote.SAME:
                break
        trail = self._one_of(at, makers, self._others(at))
        # A RUN may have removed it and made it anew.
        ran = any(part.instruction.keyword == "RUN" for part in parts)
        return _weakened(trail) if ran else trail

    def _wrote(self, part: Part, at: At) -> Wrote:
        """Say what an instruction wrote at a path."""
        instruction = part.instruction
        if instruction.keyword == "RUN":
            return Wrote.PERHAPS
        if instruction.keyword in COPIES:
            return self._ways.copied(part, at)
        if at.item.kind is not EntryKind.DIR:
            return Wrote.NOTHING
        return workdir_made(at, instruction, part.image.tree.below(at.place.layer))

    def _by(self, part: Part, at: At) -> Trail:
        """Trace what one instruction alone can have written."""
        trail = self._ways.written(part.at(at), part.instruction)
        if trail.origin.kind is OriginKind.URL:
            return _weakened(trail)
        if trail.origin.kind is not OriginKind.RUN or len(trail.hops) > 1:
            return trail
        detail = f"nothing else in L{at.place.layer + 1} can have made it"
        return _weakened(replace(trail, hops=(replace(trail.hops[0], detail=detail),)))

    def _one_of(self, at: At, makers: Sequence[Part], others: tuple[str, ...]) -> Trail:
        """Trace what one of some instructions made, or perhaps something else."""
        if len(makers) == 1 and not others:
            return self._by(makers[0], at)
        shown = (*(part.words for part in makers), *others)
        if not shown:
            return unexplained(at, f"no instruction in L{at.place.layer + 1} writes it")
        detail = f"L{at.place.layer + 1} is of several instructions: nothing tells which made it"
        return with_candidates(unexplained(at, detail), shown)

    def _rewritten(self, at: At, makers: Sequence[Part]) -> Trail | None:
        """Trace a file whose content the layer only repeats."""
        older = _older(at)
        if older is None or not _is_same(older.item, at, lambda: older.digest):
            return None
        hop = _changed(makers[0].at(at) if len(makers) == 1 else at, older)
        shown = tuple(part.words for part in makers) if len(makers) > 1 else ()
        return self._ways.trace(older).after(replace(hop, candidates=shown))

    def _of_base(self, at: At) -> Trail | None:
        """Trace what a base that was squashed into the layer has at the path, too."""
        base, tree = self._squashed_base(at)
        item = tree.find(at.path) if tree is not None else None
        if base is None or tree is None or item is None:
            return None
        if not _is_same(item, at, lambda: tree.digest(at.path)):
            return None
        hop = replace(
            make_hop(at, Action.INHERIT, f"the same is in base {base.base}"),
            trust=Trust.INFERRED,
            evidence=Evidence.MATCHED,
            stage=base.name,
            stage_index=base.index,
            line=base.line,
            instruction=base.text,
        )
        origin = replace(origin_at(hop, OriginKind.BASE, path=hop.path), image=base.base)
        return Trail(hops=(hop,), origin=origin)

    def _others(self, at: At) -> tuple[str, ...]:
        """Return what else may have written a path, no instruction being sure to have.

        Not a base at hand: it has nothing like that there.
        """
        if self._squashed_base(at)[1] is not None and self._of_base(at) is None:
            return ()
        return at.step.others

    def _squashed_base(self, at: At) -> tuple[Stage | None, Tree | None]:
        base = at.image.alignment.base
        if base is None or not at.step.holds_base:
            return None, None
        return base, self._ways.images.get(base.base)

    def _parts_of(self, at: At) -> tuple[Part, ...]:
        key = (id(at.image), at.place.layer)
        if key not in self._parts:
            self._parts[key] = parts = tuple(parts_of(at.image, at.place.layer))
            self._whole |= {id(part.image): at.image for part in parts}
        return self._parts[key]


def _older(at: At) -> At | None:
    """Return what stood at a path below the layer."""
    place = at.image.tree.before(at.path, at.place.layer)
    if place is None:
        return None
    older = replace(at, place=place)
    return older if older.item.kind is at.item.kind else None


def _is_same(before: Item, at: At, digest: Callable[[], str | None]) -> bool:
    """Say whether a path has the content that it had before, or elsewhere."""
    after = at.item
    if before.kind is not after.kind:
        return False
    if after.kind is EntryKind.DIR:
        return True
    if before.size != after.size or before.link_target != after.link_target:
        return False
    return after.kind is not EntryKind.FILE or digest() == at.digest


def _changed(at: At, older: At) -> Hop:
    """Return the hop of what the layer gave other attributes alone."""
    hop = make_hop(at, Action.METADATA, describe_change(older.item, at.item))
    return replace(hop, trust=Trust.INFERRED, evidence=Evidence.DECLARED)


def _weakened(trail: Trail) -> Trail:
    hop = trail.hops[0]
    return replace(
        trail, hops=(replace(hop, trust=weakest(Trust.INFERRED, hop.trust)), *trail.hops[1:])
    )
