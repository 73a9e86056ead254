"""Which of several images is the stage that a ``COPY --from`` took from.

An engine keeps what its classic builder made of every stage, of this build and of
others of the same Dockerfile. Instructions that agree make an image a candidate; what
was copied decides: the builder's own hash recomputes out of the true one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.model.image import ImageConfig, Platform
from layertrace.provenance.alignment.agreement import agrees
from layertrace.provenance.alignment.lineup import Records
from layertrace.provenance.compare import Likeness
from layertrace.provenance.copyhash import CopyHash, read_hash
from layertrace.provenance.hops import At
from layertrace.provenance.rootfs_tree import RootfsTree
from layertrace.provenance.sources import find_source
from layertrace.provenance.stages.lent import Borrowed, Lent
from layertrace.rootfs.places import Place

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from layertrace.model.build import Build, Instruction
    from layertrace.model.image import HistoryEntry
    from layertrace.provenance.alignment.history import LayerStep
    from layertrace.provenance.alignment.spelling import Recorded
    from layertrace.provenance.copyhash import Owners
    from layertrace.provenance.hops import TracedImage
    from layertrace.provenance.trees import Contents

_LOOKED_AT: Final = 500
"""Files of a copy whose times are compared, where its hash tells of the contents."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A layer that a ``COPY --from`` made, in an image at hand."""

    image: TracedImage
    contents: Contents[Place]
    """Of the image."""
    step: LayerStep
    instruction: Instruction
    made: int | None
    """When, in seconds; None where the history does not tell."""

    @property
    def hash(self) -> str | None:
        """What the classic builder left of the copy."""
        return read_hash(self.step.recorded)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How well a candidate explains what was copied."""

    proven: tuple[LayerStep, ...]
    """Copies whose hash recomputes out of it; of contents, not of empty files alone."""
    same: bool
    """All that was looked at is as it stands there, its times too."""
    places: tuple[int, ...]
    """The layers in which what was copied stands there."""


def carried_from(
    image: TracedImage, contents: Contents[Place], config: ImageConfig, stage: int
) -> tuple[Carried, ...]:
    """Return what an image's layers copied out of a stage."""
    return tuple(
        Carried(
            image=image,
            contents=contents,
            step=step,
            instruction=step.instruction,
            made=made_at(config, step.layer),
        )
        for step in image.alignment.steps
        if step.instruction is not None and step.instruction.source_stage == stage
    )


def made_at(config: ImageConfig, layer: int) -> int | None:
    """Return when a layer was made, in seconds; None where the history does not tell.

    >>> from layertrace.model.image import HistoryEntry
    >>> config = ImageConfig(
    ...     digest="", platform=Platform(os="", architecture=""), diff_ids=("sha256:0",),
    ...     history=(HistoryEntry(created="1970-01-02T00:00:00.25Z"),),
    ... )
    >>> made_at(config, 0)
    86400
    """
    entries = [entry for entry in config.history if not entry.empty_layer]
    try:
        return int(datetime.fromisoformat(entries[layer].created).timestamp())
    except (IndexError, ValueError, OverflowError):
        return None


def fitting_ends(
    history: Sequence[HistoryEntry], build: Build, stage: int, *, classic: bool
) -> frozenset[int]:
    """Return after how many entries of a history a stage's image may have been made.

    The entries before end with the stage's instructions, as far as they can be told.

    Args:
        history: base first.
        build: the Dockerfile.
        stage: its index.
        classic: the classic builder made it, else BuildKit.
    """
    chain = build.chain(stage)
    unknown = Platform(os="", architecture="")
    records = Records(ImageConfig(digest="", platform=unknown, diff_ids=(), history=tuple(history)))
    wanted = [step for each in chain for step in each.instructions]
    starts = {
        end: _start(records, end, wanted, build.arguments, classic=classic)
        for end in range(1, len(history) + 1)
    }
    on_nothing = chain[0].base == "scratch"
    return frozenset(
        end for end, start in starts.items() if start is not None and (start == 0) is on_nothing
    )


def _start(
    records: Records,
    end: int,
    wanted: Sequence[Instruction],
    given: Mapping[str, str],
    *,
    classic: bool,
) -> int | None:
    """Return where the entries of the wanted instructions begin, None where they are others."""
    for instruction in reversed(wanted):
        # A working directory that the base may have set is not known here.
        if (
            end > 0
            and _is_by(records.recorded[end - 1], classic=classic)
            and agrees(
                records.recorded[end - 1],
                instruction,
                shell=records.shells[end - 1],
                given=given,
            )
        ):
            end -= 1
        elif instruction.keyword != "ONBUILD":
            # BuildKit records none.
            return None
    return end


def _is_by(recorded: Recorded, *, classic: bool) -> bool:
    """Say whether an entry may be of the classic builder, or of BuildKit."""
    return recorded.keyword == "" or recorded.classic is classic


def fit(
    candidates: Sequence[TracedImage], carried: Sequence[Carried], owners: Owners
) -> tuple[Fit | None, ...]:
    """Return how well each image explains all that was copied from one stage.

    Its files are not read: where they have the digest of what was copied, their
    contents are those of the copy, which is read once for all candidates.

    Returns:
        For each candidate; None where a copy shows that it is another image.
    """
    lent = Lent((each.contents, each.image.tree, each.step.layer) for each in carried)
    trials = [_Trial(each, carried, lent, owners) for each in candidates]
    for trial in trials:
        trial.hashes()
        if not trial.borrowed.refuted:
            lent.want(trial.borrowed.wanted)
    lent.read()
    return tuple(trial.judge() for trial in trials)


def is_proof(fit: Fit, carried: Sequence[Carried]) -> bool:
    """Say whether that much makes an image the stage."""
    if any(each.hash for each in carried):
        return bool(fit.proven)
    return fit.same


def is_whole(fit: Fit, carried: Sequence[Carried]) -> bool:
    """Say whether no other image can be a better answer."""
    return fit.same and len(fit.proven) == sum(each.hash is not None for each in carried)


def best(fits: Sequence[Fit]) -> int | None:
    """Return which of several that are proven is the stage; None where they disagree.

    The first of those that are equally good and tell of what was copied the same.

    >>> best([Fit(proven=(), same=False, places=(1,)), Fit(proven=(), same=True, places=(2,))])
    1
    >>> best([Fit(proven=(), same=True, places=(1,)), Fit(proven=(), same=True, places=(2,))])
    """
    ranks = [(len(each.proven), each.same) for each in fits]
    equal = [number for number, rank in enumerate(ranks) if rank == max(ranks)]
    return equal[0] if len({fits[number].places for number in equal}) == 1 else None


class _Trial:
    """One candidate."""

    def __init__(
        self, candidate: TracedImage, carried: Sequence[Carried], lent: Lent, owners: Owners
    ) -> None:
        tree = candidate.tree
        self._carried = carried
        self.borrowed = Borrowed(tree, lent)
        self._tree = RootfsTree(tree.rootfs, tree.digest_at, self.borrowed)
        self._hashes = [CopyHash(each.instruction, self._tree, owners) for each in carried]

    def hashes(self) -> list[bool]:
        """Return which hashes recompute; the first time this only finds out what to read."""
        return [
            each.hash is not None and bool(copy.cost) and copy.recomputes(each.hash)
            for each, copy in zip(self._carried, self._hashes, strict=True)
        ]

    def judge(self) -> Fit | None:
        """Return how well it fits; None where it is another image."""
        if self.borrowed.refuted:
            return None
        places: list[int] = []
        same, contents = True, 0
        hashed = self.hashes()
        proven = tuple(e.step for e, one in zip(self._carried, hashed, strict=True) if one)
        for each, is_proven in zip(self._carried, hashed, strict=True):
            limit = _LOOKED_AT if is_proven else None
            for found, likeness, size in islice(self._compared(each), limit):
                if likeness is Likeness.OTHER:
                    return None
                same = same and likeness is Likeness.SAME
                contents += size
                place = self._tree.rootfs.place(found)
                places.append(-1 if place is None else place.layer)
        # Empty files are alike everywhere.
        return Fit(proven=proven, same=same and contents > 0, places=tuple(places))

    def _compared(self, carried: Carried) -> Iterator[tuple[str, Likeness, int]]:
        """Yield each path that was copied: its source, how alike they are, and its size."""
        layer = carried.step.layer
        index = carried.image.tree.rootfs.layers[layer]
        for path, number in index.numbers.items():
            at = At(image=carried.image, path=path, place=Place(layer, number))
            item = at.item
            if item.kind is EntryKind.DIR:
                continue
            copy = find_source(at, carried.instruction, self._tree)
            if copy.comparison is None or copy.found is None:
                yield "", Likeness.OTHER, item.size
            else:
                yield copy.found, copy.comparison.likeness, item.size
