"""What of each stage, base and context ships: every visible byte counted once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from layertrace.model.entry import EntryKind
from layertrace.model.files import ShareRow
from layertrace.model.origin import Change, OriginKind, Trust, weakest
from layertrace.model.trace import Carrier

if TYPE_CHECKING:
    from layertrace.model.files import FileTable, Label
    from layertrace.model.trace import ImageHead, StageInfo

_NAMES = {
    OriginKind.CONTEXT: "build context",
    OriginKind.URL: "URL",
    OriginKind.RUN: "RUN",
    OriginKind.WORKDIR: "WORKDIR",
    OriginKind.UNKNOWN: "unknown",
}


@dataclass(frozen=True, slots=True)
class _Key:
    kind: str
    name: str
    stage_index: int | None = None


@dataclass(slots=True)
class _Sum:
    size: int = 0
    files: int = 0
    trust: Trust = Trust.VERIFIED


def make_shares(table: FileTable, head: ImageHead) -> tuple[ShareRow, ...]:
    """Divide the visible bytes of an image by where they came from.

    A path belongs to the stage that made its bytes, to the base, the context
    or another source. What a stage was copied from but whose maker is not
    known counts for that stage, trusted no further than that.
    """
    keys = [_key(label, head) for label in table.labels]
    sums = {key: _Sum() for key in [*_stage_keys(head), *keys]}
    for (label_id, trust), (size, files) in _add_up(table).items():
        total = sums[keys[label_id]]
        total.size += size
        total.files += files
        total.trust = weakest(total.trust, trust)
    return tuple(
        _row(key, total, head)
        for key, total in sums.items()
        if total.files or key.stage_index is not None
    )


def _add_up(table: FileTable) -> dict[tuple[int, Trust], tuple[int, int]]:
    """Return bytes and number of the files that ship, by label and trust."""
    directory, removed = int(EntryKind.DIR), Change.REMOVED
    sums: dict[tuple[int, Trust], tuple[int, int]] = {}
    columns = zip(
        table.kinds, table.changes, table.label_ids, table.trusts, table.sizes, strict=True
    )
    for kind, change, label_id, trust, size in columns:
        if kind != directory and change is not removed:
            key = label_id, trust
            total, files = sums.get(key, (0, 0))
            sums[key] = total + size, files + 1
    return sums


def with_shares(head: ImageHead, shares: tuple[ShareRow, ...]) -> ImageHead:
    """Return the head with what each stage ships."""
    rows = {row.stage_index: row for row in shares if row.stage_index is not None}
    return replace(
        head,
        stages=tuple(
            replace(
                stage,
                shipped_bytes=rows[stage.index].shipped_bytes,
                shipped_files=rows[stage.index].shipped_files,
            )
            for stage in head.stages
        ),
    )


def _stage_keys(head: ImageHead) -> list[_Key]:
    return [_Key("stage", stage.name, stage.index) for stage in head.stages]


def _key(label: Label, head: ImageHead) -> _Key:
    name = label.stage or label.carried_from
    if name is not None and (label.stage is not None or label.kind is OriginKind.UNKNOWN):
        index = next((s.index for s in head.stages if s.name == name), None)
        return _Key("stage", name, index)
    if label.kind is OriginKind.BASE:
        return _Key("base", label.image or "base image")
    return _Key(label.kind.value, label.image or _NAMES.get(label.kind, label.kind.value))


def _row(key: _Key, total: _Sum, head: ImageHead) -> ShareRow:
    stage = next((s for s in head.stages if s.index == key.stage_index), None)
    base = key.kind == "base"
    own = [layer for layer in head.layers if layer.base]
    return ShareRow(
        kind=key.kind,
        name=key.name,
        stage_index=key.stage_index,
        base=stage.base if stage is not None else None,
        steps=_steps(head, stage),
        size=sum(layer.size or 0 for layer in own) if base and own else _weight(stage),
        shipped_bytes=total.size,
        shipped_files=total.files,
        trust=total.trust if total.files else Trust.UNKNOWN,
        carried_by=stage.carried_by if stage is not None else _base_carriers(head, base=base),
        in_image=stage is not None and stage.in_image,
    )


def _weight(stage: StageInfo | None) -> int | None:
    return stage.size if stage is not None else None


def _steps(head: ImageHead, stage: StageInfo | None) -> int | None:
    if stage is None or head.build is None:
        return None
    return len(head.build.stages[stage.index].instructions)


def _base_carriers(head: ImageHead, *, base: bool) -> tuple[Carrier, ...]:
    if not base:
        return ()
    return tuple(
        Carrier(layer=layer.index, line=layer.line, instruction=layer.instruction)
        for layer in head.layers
        if layer.base
    )
