"""Where a copied path came from: the source found and compared, as far as it is at hand."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Action, Evidence, Trust, weakest
from layertrace.provenance.compare import Comparison, Likeness, compare
from layertrace.provenance.hops import make_hop
from layertrace.provenance.trees import resolve, resolve_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.model.build import Instruction
    from layertrace.model.origin import Hop
    from layertrace.provenance.copies import Copying
    from layertrace.provenance.hops import At
    from layertrace.provenance.trees import Item, Tree

_TRUSTS: Final = {
    Likeness.SAME: Trust.VERIFIED,
    Likeness.CONTENT: Trust.INFERRED,
    Likeness.OTHER: Trust.CONTRADICTED,
}


_IGNORE_FILE: Final = ".dockerignore"
_ADDED: Final = len("\n.dockerfile.\n") + 20


class Made(Enum):
    """Whether a COPY made a directory itself, to put its sources in."""

    NO = 0
    YES = 1
    PERHAPS = 2
    """Or it is a copy of a directory: the source is not at hand to tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """Where a copied path came from."""

    paths: tuple[str, ...]
    """Source paths it may have had, the likeliest first."""
    complete: bool = True
    """It had one of ``paths``, and no other."""
    found: str | None = None
    """The one that stands in the source tree, links on the way followed."""
    comparison: Comparison | None = None
    """None when there is nothing to compare with."""
    made: Made = Made.NO
    top: bool = False
    """It is the directory that the COPY writes to."""
    member: str = ""
    """Of an archive that ADD unpacked: the path in it."""

    @property
    def path(self) -> str | None:
        """The one source path it had; None where that is not known."""
        if self.found is not None:
            return self.found
        return self.paths[0] if self.complete and len(self.paths) == 1 else None


def copying_at(at: At, instruction: Instruction, tree: Tree | None) -> Copying:
    """Return the COPY that made a layer, with the image as it found it."""
    return at.image.tree.below(at.place.layer).copying(instruction, tree)


def find_source(at: At, instruction: Instruction, tree: Tree | None) -> Copy:
    """Find what a COPY put at a path, and compare the two where ``tree`` is at hand."""
    copying = copying_at(at, instruction, tree)
    is_directory = at.item.kind is EntryKind.DIR
    if is_directory and copying.leads_to(at.path):
        return Copy(paths=(), made=Made.YES)
    sources = copying.sources(at.path)
    unsure = Copy(paths=sources.paths, complete=sources.complete)
    top = at.path in copying.destinations
    if tree is None:
        # What is made to put files in and what is copied as a directory look alike.
        doubtful = is_directory and (top or not copying.destinations)
        return replace(unsure, made=Made.PERHAPS) if doubtful else unsure
    copies = (_compare(at, instruction, tree, path, top=top) for path in sources.paths)
    there = (copy for copy in copies if copy is not None)
    found = _maker_of_directory(list(there)) if is_directory else next(there, None)
    if found is not None:
        return found
    if is_directory and top:
        return Copy(paths=(), made=Made.YES)
    if instruction.unresolved or not sources.complete:
        return unsure
    missing = Comparison(likeness=Likeness.OTHER, detail="not there")
    return replace(unsure, comparison=missing)


def _maker_of_directory(copies: Sequence[Copy]) -> Copy | None:
    """Return the copy that made a directory of all that were merged into it, the last first.

    BuildKit keeps the attributes of the first, the classic builder takes those of the last:
    so they tell which it was.
    """
    alike = [c for c in copies if c.comparison and c.comparison.likeness is Likeness.SAME]
    return next(reversed(alike or copies), None)


def fits(at: At, instruction: Instruction, tree: Tree | None) -> bool:
    """Say whether a path can come out of a tree, which may be another than was copied from."""
    comparison = find_source(at, instruction, tree).comparison
    return comparison is not None and comparison.likeness is not Likeness.OTHER


def _compare(at: At, instruction: Instruction, tree: Tree, path: str, *, top: bool) -> Copy | None:
    copied, real = at.item, resolve_folder(tree, path)
    source = tree.find(real)
    if source is not None and source.kind is EntryKind.SYMLINK and copied.kind is not source.kind:
        # COPY follows a link that is itself the source.
        real = resolve(tree, real)
        source = tree.find(real)
    if source is None:
        return None
    comparison = compare(
        copied,
        source,
        instruction,
        digests=lambda: (at.digest, tree.digest(real)),
        top=top,
    )
    if tree.uploaded and real == _IGNORE_FILE and _is_amended(at, source):
        detail = "with the name of a Dockerfile outside the context added, as the client does"
        comparison = Comparison(likeness=Likeness.CONTENT, detail=detail)
    return Copy(paths=(path,), found=real, comparison=comparison, top=top)


def _is_amended(at: At, source: Item) -> bool:
    """Say whether the classic builder's client can have added a line to the ignore file.

    It sends a Dockerfile from elsewhere as ``.dockerfile.<20 digits>``, which it has
    ignored. Source: docker/cli, ``AddDockerfileToBuildContext``.
    """
    recorded, copied = at.step.recorded, at.item
    is_classic = recorded is not None and recorded.classic
    same_kind = copied.kind is source.kind is EntryKind.FILE
    return is_classic and same_kind and copied.size == source.size + _ADDED


def copy_hop(at: At, copy: Copy, where: str) -> Hop:
    """Return the hop of a copy out of ``where``: a stage, an image or the context."""
    hop = make_hop(at, Action.COPY, "")
    shown = where if copy.path is None else f"{where}:/{copy.path}"
    if copy.member:
        shown = f"{copy.member} in {shown}"
    if copy.comparison is None:
        return replace(
            hop,
            trust=weakest(Trust.INFERRED, hop.trust),
            evidence=Evidence.DECLARED,
            detail=f"from {shown}, not compared",
            candidates=() if copy.path is not None else tuple(f"/{p}" for p in copy.paths),
        )
    trust = _TRUSTS[copy.comparison.likeness]
    return replace(
        hop,
        trust=weakest(trust, hop.trust),
        evidence=Evidence.DECLARED if trust is Trust.CONTRADICTED else Evidence.MATCHED,
        detail=f"{copy.comparison.detail} ({shown})",
    )
