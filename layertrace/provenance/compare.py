"""Whether a copied path is what stands at its source: content first, then attributes.

What builders keep was measured on BuildKit 0.32 and 20.10, the classic builder and
buildah: content, whole-second time, mode and capabilities; owners from a stage.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from layertrace.model.entry import EntryKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.model.build import Instruction
    from layertrace.provenance.trees import Item


class Likeness(Enum):
    """How a copy compares to its source, best first."""

    SAME = 0
    CONTENT = 1
    """Same content, other attributes."""
    OTHER = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The outcome, and in words what differs."""

    likeness: Likeness
    detail: str


def compare(
    copied: Item,
    source: Item,
    instruction: Instruction,
    *,
    digests: Callable[[], tuple[str | None, str | None]],
    top: bool,
) -> Comparison:
    """Compare a copied path with its source.

    Args:
        copied: what stands in the image.
        source: what stands at the source path.
        instruction: the COPY, whose flags say which attributes it changed.
        digests: the content digests of both, asked for only when sizes agree.
        top: it is the directory a COPY writes to, whose attributes are the builder's own.
    """
    if copied.kind is not source.kind:
        return Comparison(
            likeness=Likeness.OTHER, detail=f"a {source.kind.word} there, a {copied.kind.word} here"
        )
    if copied.kind is EntryKind.SYMLINK:
        same = copied.link_target == source.link_target
        return _judge(same, "same link target", "another link target", [])
    if copied.kind is EntryKind.DIR:
        differing = [] if top else _differing(copied, source, instruction)
        return _judge(True, "directory at the source too", "", differing)  # noqa: FBT003
    if copied.kind is not EntryKind.FILE:
        return _judge(True, f"{copied.kind.word} at the source too", "", [])  # noqa: FBT003
    if copied.size != source.size:
        return Comparison(
            likeness=Likeness.OTHER, detail=f"{source.size:,} bytes there, {copied.size:,} here"
        )
    ours, theirs = digests()
    same = ours is not None and ours == theirs
    return _judge(
        same, "same sha256", "other content there", _differing(copied, source, instruction)
    )


def _judge(same: bool, good: str, bad: str, differing: list[str]) -> Comparison:  # noqa: FBT001
    if not same:
        return Comparison(likeness=Likeness.OTHER, detail=bad)
    if differing:
        return Comparison(
            likeness=Likeness.CONTENT, detail=f"{good}, but another {' and '.join(differing)}"
        )
    return Comparison(likeness=Likeness.SAME, detail=good)


def _differing(copied: Item, source: Item, instruction: Instruction) -> list[str]:
    """Name the attributes that COPY should have kept and that differ."""
    flags = instruction.flags
    differing = []
    # Changing the owner clears setuid and setgid with some builders.
    kept = 0o1777 if "chown" in flags else 0o7777
    modes = None in {copied.mode, source.mode} or _masked(copied, kept) == _masked(source, kept)
    if "chmod" not in flags and not modes:
        differing.append("mode")
    owned = (copied.uid, copied.gid) != (source.uid, source.gid)
    if "chown" not in flags and source.uid is not None and owned:
        differing.append("owner")
    # Builders disagree on directories' times; files keep theirs, whole seconds.
    is_file = copied.kind is EntryKind.FILE
    if is_file and source.mtime is not None and copied.mtime != source.mtime:
        differing.append("time")
    if is_file and "chown" not in flags and copied.capability != source.capability:
        differing.append("capabilities")
    return differing


def _masked(item: Item, bits: int) -> int:
    return (item.mode or 0) & bits
