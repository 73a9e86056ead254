"""Why a path is as it is, as rows: its chain, what a directory adds up to, what is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final

from layertrace.model.origin import Action, Change, Evidence, OriginKind, Trust
from layertrace.views.outline_row import layer_name, layer_text
from layertrace.views.text import plural, show_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.model.files import FileRecord, Version
    from layertrace.model.origin import Chain, Hop, Origin
    from layertrace.model.trace import ImageHead
    from layertrace.views.filetree import FileTree
    from layertrace.views.treesums import Sums


class WhyKind(Enum):
    """What a row says."""

    SUBJECT = "subject"
    HOP = "hop"
    OTHER = "other"
    """A source as good as the hop's own."""
    PART = "part"
    """What of a directory one owner made."""
    LARGEST = "largest"
    ORIGIN = "origin"
    HINT = "hint"
    """What is missing, and what would add it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhyRow:
    """One row; texts are as the image has them, not yet safe to show."""

    kind: WhyKind
    text: str
    trust: Trust | None = None
    place: str = ""
    detail: str = ""
    line: int | None = None
    stage_index: int | None = None
    size: int | None = None
    target: str | None = None
    """Key of the outline row it leads to."""
    path: str | None = None
    """Rootfs-relative path it leads to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The answer for one path."""

    path: str
    """Rootfs-relative."""
    rows: tuple[WhyRow, ...]
    trust: Trust | None
    """Of the whole answer."""
    summary: str
    """The answer in some words."""


_LARGEST: Final = 3
"""Files of a directory that are named."""
_GIVE_DOCKERFILE: Final = "give -f Dockerfile, or the build's --provenance FILE"
_NO_DOCKERFILE: Final = f"{_GIVE_DOCKERFILE}: it names stages"
"""What to do about an image whose stages nobody knows."""
_LACKING: Final = "give -f Dockerfile, which provenance of mode=min lacks"
"""The same where provenance came with the image, and does not name them."""
_OTHER_DOCKERFILE: Final = "give the Dockerfile it was built from with -f"
"""What to do where the one that was given disagrees."""
_EVIDENCE: Final = {
    Evidence.MATCHED: "by content",
    Evidence.ATTESTED: "by the builder's provenance",
    Evidence.HASHED: "by the builder's hash",
    Evidence.DECLARED: "from the Dockerfile",
    Evidence.RECORDED: "from the history",
    Evidence.UNKNOWN: "no evidence",
}


def explain_file(head: ImageHead, record: FileRecord, chain: Chain) -> Explanation:
    """Return the chain of one path, newest hop first, and what it still lacks."""
    rows = [_subject(record), *(_hop(head, hop) for hop in chain.hops)]
    rows.append(WhyRow(kind=WhyKind.ORIGIN, text=origin_words(chain.origin, chain.carried_from)))
    hint = next_step(head, chain)
    if hint:
        rows.append(WhyRow(kind=WhyKind.HINT, text=hint))
    others = [other for hop in chain.hops for other in hop.candidates]
    rows += [WhyRow(kind=WhyKind.OTHER, text=other) for other in others]
    weak = [hop for hop in chain.hops if hop.trust is chain.trust]
    evidence = weak[0].evidence if weak else Evidence.UNKNOWN
    between = ": " if evidence is Evidence.UNKNOWN else " "
    summary = f"{chain.trust}{between}{_EVIDENCE[evidence]}"
    return Explanation(path=record.path, rows=tuple(rows), trust=chain.trust, summary=summary)


def explain_removed(head: ImageHead, path: str, versions: Sequence[Version]) -> Explanation:
    """Return who wrote a path that is not in the image any more, and who removed it."""
    rows = [WhyRow(kind=WhyKind.SUBJECT, text=f"/{path}", detail="removed: not in the image")]
    for version in reversed(versions):
        layer = head.layers[version.layer]
        rows.append(
            WhyRow(
                kind=WhyKind.HOP,
                text=layer_text(layer),
                trust=layer.trust,
                place=layer_name(layer.index),
                detail=_version_words(version),
                line=layer.line,
                stage_index=layer.stage_index,
                target=f"layer:{layer.index}",
            )
        )
    written = [v for v in versions if v.change is not Change.REMOVED and v.size]
    if written:
        text = "its bytes still ship: remove it in the instruction that writes it"
        rows.append(WhyRow(kind=WhyKind.HINT, text=text))
    return Explanation(path=path, rows=tuple(rows), trust=None, summary="removed")


def explain_directory(head: ImageHead, tree: FileTree, sums: Sums, node: int) -> Explanation:
    """Return how a directory's bytes divide by owner, what is missing, and its largest files."""
    table = tree.table
    path, total, count = table.paths[node], sums.sizes[node], sums.files[node]
    detail = f"{show_size(total)}  {plural(count, 'file')}"
    rows = [WhyRow(kind=WhyKind.SUBJECT, text=f"/{path}/", detail=detail)]
    labels = sums.owner_labels(node)
    # Of one owner it is not divided.
    sizes = sums.parts.get(node, {}) if len(labels) > 1 else dict.fromkeys(labels, total)
    counts = sums.part_files.get(node) or dict.fromkeys(labels, count)
    for label in sorted(counts if count else (), key=lambda each: (-sizes.get(each, 0), each)):
        size, owner = sizes.get(label, 0), tree.owners[label]
        share = f"{100 * size / total:.1f}%" if total else ""
        rows.append(
            WhyRow(
                kind=WhyKind.PART,
                text=owner.text,
                detail=f"{plural(counts[label], 'file')}  {share}",
                size=size,
                stage_index=owner.stage_index,
                target=None if owner.stage_index is None else f"stage:{owner.stage_index}",
            )
        )
    rows += _removed_part(sums, node)
    trust = sums.trust(node) if count else None
    step = _folder_step(head, trust)
    if step:
        # Before its files: where few lines are on view it is the one to act on.
        rows.append(WhyRow(kind=WhyKind.HINT, text=step))
    rows += _largest(tree, sums, node)
    if not count:
        return Explanation(path=path, rows=tuple(rows), trust=None, summary="removed")
    words = "all verified" if trust is Trust.VERIFIED else f"{trust} at the weakest"
    return Explanation(path=path, rows=tuple(rows), trust=trust, summary=words)


def _folder_step(head: ImageHead, trust: Trust | None) -> str:
    if trust is Trust.CONTRADICTED and head.build is not None:
        return _OTHER_DOCKERFILE
    if trust is Trust.UNKNOWN and head.build is None:
        return _LACKING if head.provenance_min else _NO_DOCKERFILE
    return ""


def _removed_part(sums: Sums, node: int) -> Iterator[WhyRow]:
    if sums.lost[node]:
        detail = "still ships, hidden"
        yield WhyRow(kind=WhyKind.PART, text="removed", detail=detail, size=sums.lost[node])


def _largest(tree: FileTree, sums: Sums, node: int) -> Iterator[WhyRow]:
    table = tree.table
    for row in sums.largest_files(tree, node, _LARGEST):
        if table.sizes[row]:
            path = table.paths[row]
            yield WhyRow(kind=WhyKind.LARGEST, text=f"/{path}", size=table.sizes[row], path=path)


def origin_words(origin: Origin, carried_from: str | None = None) -> str:
    """Return where the bytes came from, in one line."""
    at = f" at line {origin.line}" if origin.line else ""
    command = _one_line(origin.instruction)
    stage = f" in stage {origin.stage}" if origin.stage else ""
    unknown = "not known: no evidence leads further"
    if carried_from is not None:
        unknown = f"carried from stage {carried_from}; what made it there is not known"
    words = {
        OriginKind.RUN: f"made by `{command or 'a RUN'}`{stage}",
        OriginKind.CONTEXT: f"from the build context: {origin.path or '(file not known)'}",
        OriginKind.URL: f"fetched by `{command}`",
        OriginKind.INLINE: f"written in the Dockerfile itself{at}",
        OriginKind.BASE: f"from the base image {origin.image or '(not named)'}",
        OriginKind.IMAGE: f"from image {origin.image or '(not named)'}: {origin.path or '?'}",
        OriginKind.WORKDIR: f"a directory that an instruction made on the way{at}",
        OriginKind.UNKNOWN: unknown,
    }
    return words[origin.kind]


def next_step(head: ImageHead, chain: Chain) -> str:
    """Return what would make a weak answer stronger; empty when nothing would."""
    if chain.trust is Trust.VERIFIED:
        return ""
    if chain.trust is Trust.CONTRADICTED:
        return f"{_OTHER_DOCKERFILE}: the evidence disagrees"
    if head.build is None:
        return f"trace stops here: {_LACKING if head.provenance_min else _GIVE_DOCKERFILE}"
    weak = (hop for hop in chain.hops if hop.trust is not Trust.VERIFIED and _can_gain(hop))
    hop = next(weak, None)
    if hop is not None and hop.action is Action.INHERIT:
        return f"--base IMAGE would verify it (the image {_base_of(head, hop)})"
    if hop is not None:
        return _copy_hint(head, chain, hop)
    source = chain.carried_from if chain.origin.kind is OriginKind.UNKNOWN else None
    return f"trace stops here: --stage {source}=IMAGE would lead further" if source else ""


def _can_gain(hop: Hop) -> bool:
    """Say whether an image or a context would show more of a hop than there is."""
    if hop.action in {Action.COPY, Action.MOUNT} and hop.evidence is Evidence.MATCHED:
        # What a RUN copied was found without being told where to look: that is all there is.
        return not (hop.instruction or "").startswith("RUN")
    return hop.action in {Action.COPY, Action.MOUNT, Action.INHERIT}


def _copy_hint(head: ImageHead, chain: Chain, hop: Hop) -> str:
    layer = head.layers[hop.layer] if hop.place == "final" and hop.layer is not None else None
    source = layer.source if layer is not None else None
    last = hop is chain.hops[-1]
    if source is None and last and chain.origin.kind is OriginKind.CONTEXT:
        return "--context DIR would verify it (the build context)"
    if source is None:
        after = chain.hops[chain.hops.index(hop) + 1 :]
        source = after[0].stage if after else chain.carried_from
    if source is None:
        return ""
    return f"--stage {source}=IMAGE would verify it (an image of that stage)"


def _base_of(head: ImageHead, hop: Hop) -> str:
    stage = next((s for s in head.stages if s.index == hop.stage_index), None)
    stage = stage or next((s for s in head.stages if s.in_image), None)
    return stage.base if stage else "its FROM"


def _subject(record: FileRecord) -> WhyRow:
    parts = [show_size(record.size)] if record.kind.word in {"file", "hardlink"} else []
    parts.append(record.kind.word if not parts else "")
    if record.mode is not None:
        parts += [f"{record.mode:04o}", f"{record.uid}:{record.gid}"]
    if record.link_target:
        parts.append(f"→ {record.link_target}")
    if record.digest:
        parts.append(f"{record.digest[:19]}…")
    slash = "/" if record.kind.word == "dir" else ""
    return WhyRow(
        kind=WhyKind.SUBJECT,
        text=f"/{record.path}{slash}",
        detail="  ".join(part for part in parts if part),
    )


def _hop(head: ImageHead, hop: Hop) -> WhyRow:
    final = hop.place == "final"
    target = None if hop.stage_index is None else f"stage:{hop.stage_index}"
    if final and hop.layer is not None:
        place, target = layer_name(hop.layer), f"layer:{hop.layer}"
    else:
        step = _step(head, hop)
        place = hop.stage or hop.place
        if step is not None:
            place = f"{place}/{step}"
            target = f"step:{hop.stage_index}:{hop.line}" if not final else target
    text = _one_line(hop.instruction)
    if not text and final and hop.layer is not None:
        text = layer_text(head.layers[hop.layer])
    row = WhyRow(
        kind=WhyKind.HOP,
        text=text or _ACTIONS[hop.action],
        trust=hop.trust,
        place=place,
        detail=hop.detail,
        line=hop.line,
        stage_index=hop.stage_index,
        target=target,
    )
    return row if hop.action is not Action.INHERIT else replace(row, stage_index=None)


_ACTIONS: Final = {
    Action.WRITE: "written",
    Action.METADATA: "metadata changed",
    Action.COPY: "copied",
    Action.MOUNT: "copied from a mount",
    Action.INHERIT: "in the base image",
}


def _step(head: ImageHead, hop: Hop) -> int | None:
    if head.build is None or hop.stage_index is None or hop.line is None:
        return None
    steps: Iterator[int] = (
        step.step
        for step in head.build.stages[hop.stage_index].instructions
        if step.line == hop.line
    )
    return next(steps, None)


def _version_words(version: Version) -> str:
    if version.change is Change.REMOVED:
        return "removed"
    size = "" if version.size is None else f" {show_size(version.size)}"
    return f"{version.change.value}{size}"


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
