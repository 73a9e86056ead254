"""What the JSON Schemas of several commands share."""

from __future__ import annotations

from typing import Final

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Action, Change, Evidence, OriginKind, Trust
from layertrace.model.packages import PackageKind

Schema = dict[str, object]

TEXT: Final[Schema] = {"type": "string"}
FLAG: Final[Schema] = {"type": "boolean"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
NUMBER: Final[Schema] = {"type": "integer"}
DIGEST: Final[Schema] = {
    "type": "string",
    "pattern": "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$",
}
DRAFT: Final[Schema] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def document(name: str, command: str, **fields: Schema) -> Schema:
    """Return the schema of a whole document: its name, its tool, and ``fields``."""
    return {
        **DRAFT,
        "title": f"layertrace {command}",
        **object_of(
            schema={"const": f"layertrace.{name}/1"},
            tool=object_of(name={"const": "layertrace"}, version=TEXT),
            **fields,
        ),
    }


def of_image(name: str, data: Schema) -> Schema:
    """Return the schema of what a command tells of one image."""
    return document(name, f"{name} --json", image=image(), findings=findings(), data=data)


def findings() -> Schema:
    """Return that of what is strange about an image."""
    return list_of(object_of(code=TEXT, message=TEXT))


def object_of(*, optional: Schema | None = None, **required: Schema) -> Schema:
    """Return an object's schema: more fields may appear at any time."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
    }


def list_of(item: Schema) -> Schema:
    """Return the schema of an array."""
    return {"type": "array", "items": item}


def or_null(schema: Schema) -> Schema:
    """Return the schema of something that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def one_of(words: type[Trust | Evidence | Action | OriginKind | Change]) -> Schema:
    """Return the schema of a word of an enumeration."""
    return {"enum": [word.value for word in words]}


def named(schema: Schema, *names: str) -> dict[str, Schema]:
    """Return one schema under several names."""
    return dict.fromkeys(names, schema)


def carriers() -> Schema:
    """Return that of ``carried_by``."""
    fields = object_of(layer=COUNT, line=or_null(COUNT), instruction=or_null(TEXT))
    return list_of(fields)


def image() -> Schema:
    """Return that of an image head."""
    return object_of(
        reference=TEXT,
        config_digest=or_null(TEXT),
        manifest_digest=or_null(DIGEST),
        platform=TEXT,
        size=COUNT,
        layers=list_of(layer()),
        stages=list_of(stage()),
    )


def layer() -> Schema:
    """Return that of one layer of an image head."""
    return object_of(
        optional={"lines": list_of(COUNT)},
        index=COUNT,
        diff_id=or_null(DIGEST),
        digest=or_null(DIGEST),
        size=COUNT,
        files=COUNT,
        wasted=COUNT,
        base=FLAG,
        stage=or_null(TEXT),
        stage_index=or_null(COUNT),
        line=or_null(COUNT),
        instruction=or_null(TEXT),
        created_by=TEXT,
        source=or_null(TEXT),
        evidence=one_of(Evidence),
        trust=one_of(Trust),
    )


def stage() -> Schema:
    """Return that of one stage of an image head."""
    return object_of(
        **{"from": TEXT},
        index=COUNT,
        name=TEXT,
        line=COUNT,
        used=FLAG,
        in_image=FLAG,
        shipped_bytes=COUNT,
        shipped_files=COUNT,
        size=or_null(COUNT),
        carried_by=carriers(),
    )


def origin() -> Schema:
    """Return that of a file's origin."""
    return object_of(
        optional={"path_b64": TEXT},
        kind=one_of(OriginKind),
        line=or_null(COUNT),
        stage_index=or_null(COUNT),
        **named(or_null(TEXT), "stage", "instruction", "path", "image"),
    )


def package() -> dict[str, Schema]:
    """Return those of the fields that every package has."""
    return {
        "kind": {"enum": [kind.value for kind in PackageKind]},
        **named(TEXT, "name", "version"),
    }


def record() -> Schema:
    """Return that of a file record."""
    return object_of(
        optional={
            "path_b64": TEXT,
            "link_target_b64": TEXT,
            "package": or_null(object_of(**package())),
        },
        path=TEXT,
        implicit=FLAG,
        type={"enum": [kind.word for kind in EntryKind]},
        size=COUNT,
        **named(or_null(NUMBER), "mode", "uid", "gid", "mtime"),
        link_target=or_null(TEXT),
        digest=or_null(DIGEST),
        layer=or_null(COUNT),
        change=one_of(Change),
        stage=or_null(TEXT),
        stage_index=or_null(COUNT),
        carried_from=or_null(TEXT),
        origin=origin(),
        trust=one_of(Trust),
    )
