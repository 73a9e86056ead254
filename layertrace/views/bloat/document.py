"""What an image ships for nothing, as JSON: CONTRACT.md, section 4, ``bloat.data``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.views.bloat.words import count_causes
from layertrace.views.encode import path_json, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.model.waste import Bloat, Duplicate, Leftover, Step, WastedPath, WasteGroup
    from layertrace.views.bloat.words import Bounds
    from layertrace.views.encode import Json


def bloat_json(bloat: Bloat, bounds: Bounds) -> Json:
    """Return ``data``; sums and counts are of all, listed or not."""
    return {
        "wasted_bytes": bloat.wasted_bytes,
        "stored_bytes": bloat.stored_bytes,
        "visible_bytes": bloat.visible_bytes,
        "dive_efficiency": bloat.dive_efficiency,
        "causes": {cause.value: size for cause, size in count_causes(bloat).items()},
        "group_count": len(bloat.groups),
        "groups": [_group(each, bounds) for each in bloat.groups[: bounds.rows]],
        "maybe_count": len(bloat.maybe),
        "maybe": [_leftover(each, bounds) for each in bloat.maybe[: bounds.rows]],
        "duplicate_count": len(bloat.duplicates),
        "duplicates": [_duplicate(each, bounds) for each in bloat.duplicates[: bounds.rows]],
    }


def _group(group: WasteGroup, bounds: Bounds) -> Json:
    return {
        "cause": group.cause.value,
        "bytes": group.bytes,
        "written_by": _step(group.written_by),
        "undone_by": _step(group.undone_by),
        "path_count": len(group.paths),
        "paths": _paths(group.paths, bounds),
        "advice": plain(group.advice),
    }


def _leftover(leftover: Leftover, bounds: Bounds) -> Json:
    return {
        "rule": leftover.rule,
        "bytes": leftover.bytes,
        "written_by": [
            {**_step(share.step), "base": share.base, "bytes": share.bytes}
            for share in leftover.written_by
        ],
        "path_count": len(leftover.paths),
        "paths": _paths(leftover.paths, bounds),
        "advice": plain(leftover.advice),
    }


def _duplicate(duplicate: Duplicate, bounds: Bounds) -> Json:
    return {
        "digest": duplicate.digest,
        "size": duplicate.size,
        "bytes": duplicate.bytes,
        "path_count": len(duplicate.paths),
        "paths": [path_json("path", f"/{path}") for path in duplicate.paths[: bounds.paths]],
    }


def _paths(paths: Sequence[WastedPath], bounds: Bounds) -> list[Json]:
    return [
        {**path_json("path", f"/{each.path}"), "bytes": each.bytes}
        for each in paths[: bounds.paths]
    ]


def _step(step: Step) -> Json:
    return {
        "layer": step.layer,
        "stage": None if step.stage is None else plain(step.stage),
        "line": step.line,
        "instruction": None if step.instruction is None else plain(step.instruction),
    }
