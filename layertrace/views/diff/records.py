"""A difference as JSON: CONTRACT.md, section 4, ``diff.data``; written in pieces."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from layertrace.analysis.difference.compare import pair_findings
from layertrace.model.difference import Attribute, DiffKind
from layertrace.views.diff.words import cause_text
from layertrace.views.encode import (
    document,
    finding_json,
    image_json,
    path_json,
    plain,
    to_line,
    to_text,
)
from layertrace.views.output import write_json
from layertrace.views.recordlines import record_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.difference import (
        Cause,
        Counts,
        Difference,
        Maker,
        Weight,
    )
    from layertrace.model.packages import PackageChange
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.views.encode import Json

_AT_ONCE: Final = 500
"""Records in one piece of text."""


def print_difference(
    old: ImageTrace, new: ImageTrace, difference: Difference, *, expr: str | None
) -> None:
    """Print the envelope, its files some at a time."""
    text = to_text(_envelope(old, new, difference, expr))
    # The last of the data: nothing but brackets follows.
    opening, _, closing = text.rpartition("]")
    write_json(opening)
    lines = file_json_lines(old, new, difference)
    comma = ""
    while some := list(islice(lines, _AT_ONCE)):
        write_json(f"{comma}\n      " + ",\n      ".join(some))
        comma = ","
    write_json("\n    " * bool(comma) + f"]{closing}\n")


def file_json_lines(old: ImageTrace, new: ImageTrace, difference: Difference) -> Iterator[str]:
    """Yield each of ``files[]`` on one line."""
    changes = difference.changes
    ours = record_lines(old, [row for row in changes.old_rows if row >= 0])
    theirs = record_lines(new, [row for row in changes.new_rows if row >= 0])
    back = {come: gone for gone, come in changes.renames.items()}
    for number, path in enumerate(changes.paths):
        before = next(ours) if changes.old_rows[number] >= 0 else "null"
        after = next(theirs) if changes.new_rows[number] >= 0 else "null"
        own: Json = {
            **path_json("path", f"/{path}"),
            "change": DiffKind(changes.kinds[number]).word,
            "bytes_delta": changes.bytes_deltas[number],
            "cause": changes.causes[number],
            "attributes": list(Attribute(changes.attributes[number]).words),
        }
        if number in changes.renames:
            own |= path_json("renamed_to", f"/{changes.paths[changes.renames[number]]}")
        elif number in back:
            own |= path_json("renamed_from", f"/{changes.paths[back[number]]}")
        yield f'{to_line(own)[:-1]},"old":{before},"new":{after}}}'


def _envelope(old: ImageTrace, new: ImageTrace, difference: Difference, expr: str | None) -> Json:
    sides = {"old": old.head, "new": new.head}
    findings = [
        {**finding_json(finding), "side": side}
        for side, head in sides.items()
        for finding in head.findings
    ]
    findings += [finding_json(finding) for finding in pair_findings(old, new)]
    data: Json = {
        **{side: image_json(head) for side, head in sides.items()},
        "size_delta": difference.stored_delta,
        "visible_delta": difference.visible_delta,
        "wasted_delta": difference.wasted_delta,
        "weights": {"old": _weight_json(difference.old), "new": _weight_json(difference.new)},
        "filter": None if expr is None else plain(expr),
        "total": _counts_json(difference.total),
        "chosen": _counts_json(difference.counts),
        "renamed": len(difference.changes.renames),
        "causes": [_cause_json(cause) for cause in difference.causes],
        "packages": [_package_json(change) for change in difference.packages],
        "files": [],
    }
    return document("diff", image=data["new"], findings=findings, data=data)


def _weight_json(weight: Weight) -> Json:
    return {"visible": weight.visible, "stored": weight.stored, "wasted": weight.wasted}


def _counts_json(counts: Counts) -> Json:
    return {
        "bytes_delta": counts.bytes_delta,
        "added": counts.added,
        "removed": counts.removed,
        "modified": counts.modified,
        "metadata": counts.metadata,
        "type": counts.retyped,
    }


def _cause_json(cause: Cause) -> Json:
    return {
        "cause": cause_text(cause),
        "kind": cause.kind.value,
        "why": cause.why.value,
        **_counts_json(cause.counts),
        "old": _maker_json(cause.old),
        "new": _maker_json(cause.new),
        "arguments": [plain(each.name) for each in cause.arguments],
        "parts": [
            {"sort": part.sort, "name": plain(part.name), **_counts_json(part.counts)}
            for part in cause.parts
        ],
    }


def _package_json(change: PackageChange) -> Json:
    package = change.package
    return {
        "kind": package.kind.value,
        "name": plain(package.name),
        "architecture": plain(package.architecture),
        **path_json("path", None if package.path is None else f"/{package.path}"),
        "old": None if change.old is None else plain(change.old.version),
        "new": None if change.new is None else plain(change.new.version),
    }


def _maker_json(maker: Maker | None) -> Json | None:
    if maker is None:
        return None
    return {
        "base": maker.base,
        "stage": None if maker.stage is None else plain(maker.stage),
        "stage_index": maker.stage_index,
        "line": maker.line,
        "instruction": None if maker.instruction is None else plain(maker.instruction),
        "layers": list(maker.layers),
        "image": None if maker.image is None else plain(maker.image),
        "digest": maker.digest,
    }
