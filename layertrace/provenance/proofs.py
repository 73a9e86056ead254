"""What the classic builder's hashes prove of copies: source and path, whatever the times are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from layertrace.model.origin import Action, Evidence, Trust, weakest
from layertrace.provenance.compare import Likeness
from layertrace.provenance.copyhash import CopyHash, Owners, read_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from layertrace.model.build import Instruction
    from layertrace.model.origin import Hop
    from layertrace.provenance.alignment.history import LayerStep
    from layertrace.provenance.hops import At
    from layertrace.provenance.sources import Copy
    from layertrace.provenance.trees import Tree

MAX_UNASKED: Final = 16 << 20
"""Bytes that are read to name better evidence for what is verified already."""
_SHOWN: Final = 12


class Proofs:
    """The hashes of one final image and its stages, each worked out once, when asked for."""

    def __init__(self, host: Callable[[], Owners], proven: Sequence[LayerStep] = ()) -> None:
        """Keep what is known before any is worked out.

        Args:
            host: tells this host's names of owners: it may be the one that built.
            proven: steps whose hash was seen to recompute.
        """
        self._host = host
        self._hashes: dict[int, CopyHash] = {}
        """By the identity of the step, which lives as long as the image it is of."""
        self._answers = {id(step): True for step in proven}

    def improve(self, hop: Hop, at: At, copy: Copy, tree: Tree | None) -> Hop:
        """Return the hop of a copy, better where nothing but the hash can verify it.

        A cached step keeps the times its source had when it first ran, and what
        ADD unpacked cannot be compared: no time is in the hash, and the archive is.
        """
        step, comparison = at.step, copy.comparison
        if tree is None or (comparison is None and not _is_unpacked(step.instruction, copy)):
            return hop
        if comparison is not None and comparison.likeness is not Likeness.CONTENT:
            return hop
        answer = self._recomputes(step, tree, limit=None)
        if answer is None:
            return hop
        if answer:
            return replace(
                hop,
                trust=weakest(Trust.VERIFIED, step.trust),
                evidence=Evidence.HASHED,
                detail=_proved(hop, step),
            )
        return replace(hop, detail=f"{hop.detail}; {_shown(step)} does not recompute")

    def confirm(self, hop: Hop, step: LayerStep, tree: Tree | None) -> Hop:
        """Return the hop of a copy that was compared, with the hash where that costs little."""
        if hop.action is not Action.COPY or hop.evidence is not Evidence.MATCHED or tree is None:
            return hop
        if not self._recomputes(step, tree, limit=MAX_UNASKED):
            return hop
        return replace(hop, evidence=Evidence.HASHED, detail=_proved(hop, step))

    def _recomputes(self, step: LayerStep, tree: Tree, *, limit: int | None) -> bool | None:
        """Say whether a step's hash is that of a copy out of a tree; None: not to be had."""
        recorded = read_hash(step.recorded)
        if recorded is None or step.instruction is None:
            return None
        key = id(step)
        if key not in self._answers:
            if key not in self._hashes:
                self._hashes[key] = CopyHash(step.instruction, tree, self._host())
            cost = self._hashes[key].cost
            if cost is None or (limit is not None and cost > limit):
                return None
            self._answers[key] = self._hashes[key].recomputes(recorded)
            # All its paths are of no use any more.
            del self._hashes[key]
        return self._answers[key]


def _is_unpacked(instruction: Instruction | None, copy: Copy) -> bool:
    """Say whether a path is taken for one out of an archive that ADD unpacked."""
    return instruction is not None and instruction.keyword == "ADD" and copy.path is not None


def _proved(hop: Hop, step: LayerStep) -> str:
    return f"{hop.detail.removesuffix(', not compared')}; {_shown(step)} recomputes"


def _shown(step: LayerStep) -> str:
    kind, _, digest = (read_hash(step.recorded) or "").partition(":")
    keyword = step.recorded.keyword if step.recorded is not None else ""
    return f"{keyword} hash {kind}:{digest[:_SHOWN]}"
