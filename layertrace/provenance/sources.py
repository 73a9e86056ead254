"""Where a copied path came from: the source found and compared, as far as it is at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Action, Evidence, Trust, weakest
from layertrace.provenance.compare import Comparison, Likeness, compare
from layertrace.provenance.copies import copied_from, destinations
from layertrace.provenance.hops import make_hop
from layertrace.provenance.trees import resolve

if TYPE_CHECKING:
    from layertrace.model.build import Instruction
    from layertrace.model.origin import Hop
    from layertrace.provenance.hops import At
    from layertrace.provenance.trees import Tree

_TRUSTS: Final = {
    Likeness.SAME: Trust.VERIFIED,
    Likeness.CONTENT: Trust.INFERRED,
    Likeness.OTHER: Trust.CONTRADICTED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Where a copied path came from."""

    paths: tuple[str, ...]
    """Source paths it may have had, the likeliest first."""
    found: str | None = None
    """The one that stands in the source tree."""
    comparison: Comparison | None = None
    """None when there is no source tree to compare with."""
    on_the_way: bool = False
    """A directory that COPY made itself, to put its sources in."""


def find_source(at: At, instruction: Instruction, tree: Tree | None) -> Copy:
    """Find what a COPY put at a path, and compare the two where ``tree`` is at hand."""
    paths = copied_from(instruction, at.path, image=at.image.tree, source=tree)
    is_directory = at.item.kind is EntryKind.DIR
    top = at.path in destinations(instruction, at.image.tree)
    if is_directory and (not paths or (top and tree is None)):
        return Copy(paths=(), on_the_way=True)
    if tree is None:
        return Copy(paths=paths)
    compared = [c for c in (_compare(at, instruction, tree, p, top=top) for p in paths) if c]
    if compared:
        return min(compared, key=_distance)
    if is_directory:
        return Copy(paths=(), on_the_way=True)
    missing = Comparison(likeness=Likeness.OTHER, detail="not there")
    return Copy(paths=paths, comparison=missing)


def _compare(at: At, instruction: Instruction, tree: Tree, path: str, *, top: bool) -> Copy | None:
    copied, source = at.item, tree.find(path)
    if source is not None and source.kind is EntryKind.SYMLINK and copied.kind is not source.kind:
        # COPY follows a link that is itself the source.
        path = resolve(tree, path)
        source = tree.find(path)
    if source is None:
        return None
    comparison = compare(
        copied,
        source,
        instruction,
        digests=lambda: (at.digest, tree.digest(path)),
        top=top,
    )
    return Copy(paths=(path,), found=path, comparison=comparison)


def _distance(copy: Copy) -> int:
    return copy.comparison.likeness.value if copy.comparison is not None else len(Likeness)


def copy_hop(at: At, copy: Copy, where: str) -> Hop:
    """Return the hop of a copy out of ``where``: a stage, an image or the context."""
    hop = make_hop(at, Action.COPY, "")
    shown = f"{where}:/{copy.paths[0]}" if len(copy.paths) == 1 else where
    if copy.comparison is None:
        return replace(
            hop,
            trust=weakest(Trust.INFERRED, hop.trust),
            evidence=Evidence.DECLARED,
            detail=f"from {shown}, not compared",
            candidates=tuple(f"/{p}" for p in copy.paths) if len(copy.paths) > 1 else (),
        )
    trust = _TRUSTS[copy.comparison.likeness]
    return replace(
        hop,
        trust=weakest(trust, hop.trust),
        evidence=Evidence.DECLARED if trust is Trust.CONTRADICTED else Evidence.MATCHED,
        detail=f"{copy.comparison.detail} ({shown})",
    )
