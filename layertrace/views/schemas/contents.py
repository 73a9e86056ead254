"""The JSON Schema of two versions of one file: ``diff OLD NEW PATH --json``."""

from __future__ import annotations

from layertrace.analysis.contents.elf_tables import ElfKind
from layertrace.analysis.contents.kinds import Kind
from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change
from layertrace.views.schemas.parts import (
    COUNT,
    FLAG,
    NUMBER,
    TEXT,
    Schema,
    document,
    image,
    list_of,
    named,
    object_of,
    one_of,
    or_null,
)


def content_schema() -> Schema:
    """Return that of the whole document."""
    words: Schema = {"enum": ["added", "removed", "modified", "metadata", "type", "same"]}
    finding = object_of(code=TEXT, message=TEXT, side={"enum": ["old", "new"]})
    data = object_of(
        optional={"path_b64": TEXT},
        old_image=image(),
        new_image=image(),
        path=TEXT,
        change=words,
        **named(or_null(_held()), "old", "new"),
        attributes=list_of(_attribute()),
        same_content=FLAG,
        compared_bytes=or_null(COUNT),
        unpacked=or_null(_kind()),
        same_unpacked=FLAG,
        content=or_null({"oneOf": [_text(), _elf(), _archive(), _bytes(), _withheld()]}),
    )
    return document("diff-path", "diff PATH --json", findings=list_of(finding), data=data)


def _kind() -> Schema:
    return {"enum": [kind.value for kind in Kind]}


def _held() -> Schema:
    return object_of(
        optional={"link_target_b64": TEXT},
        type={"enum": [kind.word for kind in EntryKind]},
        size=COUNT,
        **named(or_null(NUMBER), "mode", "uid", "gid", "mtime"),
        **named(or_null(TEXT), "link_target", "encoding", "interpreter"),
        content_type=or_null(_kind()),
    )


def _attribute() -> Schema:
    value: Schema = {"type": ["string", "integer", "boolean", "null"]}
    return object_of(name=TEXT, old=value, new=value)


def _text() -> Schema:
    line = object_of(mark={"enum": [" ", "-", "+"]}, text=TEXT, ended=FLAG)
    counts = ("old_start", "old_count", "new_start", "new_count")
    hunk = object_of(**named(COUNT, *counts), lines=list_of(line))
    return object_of(
        type={"const": "text"},
        **named(COUNT, "old_lines", "new_lines", "added", "removed", "hidden_values"),
        **named(FLAG, "shown", "shortest"),
        hunks=list_of(hunk),
    )


def _elf() -> Schema:
    file = object_of(
        kind={"enum": [kind.value for kind in ElfKind]},
        machine=TEXT,
        bits={"enum": [32, 64]},
        endian={"enum": ["little", "big"]},
        **named(or_null(TEXT), "soname", "interpreter", "build_id"),
        **named(FLAG, "stripped", "complete"),
        **named(COUNT, "symbol_bytes", "debug_bytes"),
        needed=list_of(TEXT),
    )
    section = object_of(name=TEXT, **named(or_null(COUNT), "old", "new"))
    return object_of(
        type={"const": "elf"},
        **named(or_null(file), "old", "new"),
        facts=list_of(_attribute()),
        **named(list_of(TEXT), "needed_added", "needed_removed"),
        sections=list_of(section),
        same_sections=COUNT,
    )


def _archive() -> Schema:
    member = object_of(
        optional={"path_b64": TEXT},
        path=TEXT,
        change=one_of(Change),
        **named(or_null(COUNT), "old", "new"),
    )
    counts = ("old_members", "new_members", "added", "removed", "modified", "metadata")
    return object_of(
        type={"const": "archive"}, **named(COUNT, *counts), complete=FLAG, members=list_of(member)
    )


def _bytes() -> Schema:
    row = object_of(offset=COUNT, **named(TEXT, "old", "new"))
    return object_of(
        type={"const": "bytes"},
        **named(COUNT, "first", "differing", "compared"),
        rows=list_of(row),
    )


def _withheld() -> Schema:
    return object_of(type={"const": "withheld"}, reason=TEXT)
