"""Two versions of a file as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from layertrace.analysis.contents.values import (
    BytesDifference,
    ElfDifference,
    ListDifference,
    TextDifference,
    Withheld,
)
from layertrace.views.contents.words import status
from layertrace.views.encode import document, finding_json, image_json, path_json, plain

if TYPE_CHECKING:
    from layertrace.analysis.contents.elf import Elf
    from layertrace.analysis.contents.values import (
        AttributeChange,
        Body,
        ContentDifference,
        Held,
        Hunk,
    )
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.views.encode import Json


def content_document(
    old: ImageTrace, new: ImageTrace, path: str, difference: ContentDifference
) -> Json:
    """Return the whole document."""
    sides = {"old": old.sized_head, "new": new.sized_head}
    findings = [
        {**finding_json(finding), "side": side}
        for side, head in sides.items()
        for finding in head.findings
    ]
    data: Json = {
        **{f"{side}_image": image_json(head) for side, head in sides.items()},
        **content_json(path, difference),
    }
    return document("diff-path", findings=findings, data=data)


def content_json(path: str, difference: ContentDifference) -> Json:
    """Return what differs of one path."""
    kind = difference.unpacked
    return {
        **path_json("path", f"/{path}"),
        "change": status(difference),
        "old": _held(difference.old),
        "new": _held(difference.new),
        "attributes": [_attribute(each) for each in difference.attributes],
        "same_content": difference.same,
        "compared_bytes": difference.compared,
        "unpacked": None if kind is None else kind.value,
        "same_unpacked": difference.same_unpacked,
        "content": None if difference.body is None else _body(difference.body),
    }


def _held(held: Held | None) -> Json | None:
    if held is None:
        return None
    item, nature = held.item, held.nature
    return {
        "type": item.kind.word,
        "size": item.size,
        "mode": item.mode,
        "uid": item.uid,
        "gid": item.gid,
        "mtime": item.mtime,
        **path_json("link_target", item.link_target or None),
        "content_type": None if nature is None else nature.kind.value,
        "encoding": None if nature is None else nature.encoding,
        "interpreter": None if nature is None else _text(nature.interpreter),
    }


def _attribute(change: AttributeChange) -> Json:
    old, new = (_text(v) if isinstance(v, str) else v for v in (change.old, change.new))
    return {"name": change.name, "old": old, "new": new}


def _body(body: Body) -> Json:
    match body:
        case TextDifference():
            return _text_json(body)
        case ElfDifference():
            return _elf_json(body)
        case ListDifference():
            return _list_json(body)
        case BytesDifference():
            return _bytes_json(body)
        case Withheld():
            return {"type": "withheld", "reason": body.reason}
    assert_never(body)


def _text_json(body: TextDifference) -> Json:
    return {
        "type": "text",
        "old_lines": body.old_lines,
        "new_lines": body.new_lines,
        "added": body.added,
        "removed": body.removed,
        "shown": body.shown,
        "shortest": body.shortest,
        "hidden_values": body.hidden,
        "hunks": [_hunk(hunk) for hunk in body.hunks],
    }


def _hunk(hunk: Hunk) -> Json:
    return {
        "old_start": hunk.old_start,
        "old_count": hunk.old_count,
        "new_start": hunk.new_start,
        "new_count": hunk.new_count,
        "lines": [
            {"mark": line.mark, "text": plain(line.text), "ended": line.ended}
            for line in hunk.lines
        ],
    }


def _elf_json(body: ElfDifference) -> Json:
    return {
        "type": "elf",
        "old": None if body.old is None else _elf(body.old),
        "new": None if body.new is None else _elf(body.new),
        "facts": [_attribute(each) for each in body.facts],
        "needed_added": [plain(name) for name in body.needed_added],
        "needed_removed": [plain(name) for name in body.needed_removed],
        "sections": [
            {"name": plain(each.name), "old": each.old, "new": each.new} for each in body.sections
        ],
        "same_sections": body.same_sections,
    }


def _elf(file: Elf) -> Json:
    return {
        "kind": file.kind.value,
        "machine": file.machine,
        "bits": file.bits,
        "endian": file.endian,
        "soname": _text(file.soname),
        "interpreter": _text(file.interpreter),
        "build_id": file.build_id,
        "stripped": file.stripped,
        "symbol_bytes": file.symbol_bytes,
        "debug_bytes": file.debug_bytes,
        "complete": file.complete,
        "needed": [plain(name) for name in file.needed],
    }


def _list_json(body: ListDifference) -> Json:
    return {
        "type": "archive",
        "old_members": body.old_members,
        "new_members": body.new_members,
        "added": body.added,
        "removed": body.removed,
        "modified": body.modified,
        "metadata": body.metadata,
        "complete": body.complete,
        "members": [
            {
                **path_json("path", each.path),
                "change": each.change.value,
                "old": each.old,
                "new": each.new,
            }
            for each in body.changes
        ],
    }


def _bytes_json(body: BytesDifference) -> Json:
    return {
        "type": "bytes",
        "first": body.first,
        "differing": body.differing,
        "compared": body.compared,
        "rows": [
            {"offset": row.offset, "old": row.old.hex(), "new": row.new.hex()} for row in body.rows
        ],
    }


def _text(text: str | None) -> str | None:
    return None if text is None else plain(text)
