"""JSON Schemas of every command's output, published by ``layertrace schema NAME``.

Source: JSON Schema, draft 2020-12.
"""

from __future__ import annotations

import difflib
from typing import Final

from layertrace.errors import UsageError
from layertrace.model.entry import EntryKind
from layertrace.model.origin import Action, Change, Evidence, OriginKind, Trust
from layertrace.model.verification import BlobKind

Schema = dict[str, object]

_TEXT: Final[Schema] = {"type": "string"}
_FLAG: Final[Schema] = {"type": "boolean"}
_COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
_NUMBER: Final[Schema] = {"type": "integer"}
_DIGEST: Final[Schema] = {
    "type": "string",
    "pattern": "^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$",
}


def json_schema(name: str) -> Schema:
    """Return the schema of ``layertrace NAME --json``; ``record`` is a line of ``--jsonl``.

    Raises:
        UsageError: there is no such schema.
    """
    if name == "record":
        return {**_DRAFT, "title": "layertrace files --jsonl", **_record()}
    if name in _DATA:
        of_image = {"image": _image(), "findings": _list(_object(code=_TEXT, message=_TEXT))}
        return _document(name, f"{name} --json", **of_image, data=_list(_DATA[name]()))
    if name == "verify":
        found = _list(_object(code=_TEXT, message=_TEXT))
        of_image = {"image": _or_null(_image()), "findings": found}
        return _document(name, "verify --json", **of_image, data=_verification())
    if name == "cache":
        return _document(name, "cache list --json", path=_TEXT, data=_list(_kept()))
    if name == "doctor":
        return _document(name, "doctor --json", data=_list(_check()))
    known = [*_DATA, "verify", "cache", "doctor", "record"]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
    raise UsageError(f"there is no schema {name}", hint=hint)


def _document(name: str, command: str, **fields: Schema) -> Schema:
    return {
        **_DRAFT,
        "title": f"layertrace {command}",
        **_object(
            schema={"const": f"layertrace.{name}/1"},
            tool=_object(name={"const": "layertrace"}, version=_TEXT),
            **fields,
        ),
    }


_DRAFT: Final[Schema] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}


def _object(*, optional: Schema | None = None, **required: Schema) -> Schema:
    """Return an object's schema: more fields may appear at any time."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
    }


def _list(item: Schema) -> Schema:
    return {"type": "array", "items": item}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _one_of(words: type[Trust | Evidence | Action | OriginKind | Change]) -> Schema:
    return {"enum": [word.value for word in words]}


def _named(schema: Schema, *names: str) -> dict[str, Schema]:
    return dict.fromkeys(names, schema)


def _carriers() -> Schema:
    fields = _object(layer=_COUNT, line=_or_null(_COUNT), instruction=_or_null(_TEXT))
    return _list(fields)


def _image() -> Schema:
    return _object(
        reference=_TEXT,
        config_digest=_or_null(_TEXT),
        manifest_digest=_or_null(_DIGEST),
        platform=_TEXT,
        size=_COUNT,
        layers=_list(_layer()),
        stages=_list(_stage()),
    )


def _layer() -> Schema:
    return _object(
        optional={"lines": _list(_COUNT)},
        index=_COUNT,
        diff_id=_or_null(_DIGEST),
        digest=_or_null(_DIGEST),
        size=_COUNT,
        files=_COUNT,
        wasted=_COUNT,
        base=_FLAG,
        stage=_or_null(_TEXT),
        stage_index=_or_null(_COUNT),
        line=_or_null(_COUNT),
        instruction=_or_null(_TEXT),
        created_by=_TEXT,
        source=_or_null(_TEXT),
        evidence=_one_of(Evidence),
        trust=_one_of(Trust),
    )


def _stage() -> Schema:
    return _object(
        **{"from": _TEXT},
        index=_COUNT,
        name=_TEXT,
        line=_COUNT,
        used=_FLAG,
        in_image=_FLAG,
        shipped_bytes=_COUNT,
        shipped_files=_COUNT,
        size=_or_null(_COUNT),
        carried_by=_carriers(),
    )


def _share() -> Schema:
    return _object(
        **{"from": _or_null(_TEXT)},
        kind=_TEXT,
        name=_TEXT,
        stage_index=_or_null(_COUNT),
        steps=_or_null(_COUNT),
        size=_or_null(_COUNT),
        shipped_bytes=_COUNT,
        shipped_files=_COUNT,
        stays_behind=_or_null(_COUNT),
        trust=_one_of(Trust),
        carried_by=_carriers(),
    )


def _origin() -> Schema:
    return _object(
        optional={"path_b64": _TEXT},
        kind=_one_of(OriginKind),
        line=_or_null(_COUNT),
        stage_index=_or_null(_COUNT),
        **_named(_or_null(_TEXT), "stage", "instruction", "path", "image"),
    )


def _record() -> Schema:
    return _object(
        optional={"path_b64": _TEXT, "link_target_b64": _TEXT},
        path=_TEXT,
        implicit=_FLAG,
        type={"enum": [kind.word for kind in EntryKind]},
        size=_COUNT,
        **_named(_or_null(_NUMBER), "mode", "uid", "gid", "mtime"),
        link_target=_or_null(_TEXT),
        digest=_or_null(_DIGEST),
        layer=_or_null(_COUNT),
        change=_one_of(Change),
        stage=_or_null(_TEXT),
        stage_index=_or_null(_COUNT),
        carried_from=_or_null(_TEXT),
        origin=_origin(),
        trust=_one_of(Trust),
    )


def _hop() -> Schema:
    return _object(
        optional={"candidates": _list(_TEXT), "path_b64": _TEXT},
        place=_TEXT,
        action=_one_of(Action),
        trust=_one_of(Trust),
        evidence=_one_of(Evidence),
        detail=_TEXT,
        **_named(_or_null(_TEXT), "stage", "instruction", "path"),
        **_named(_or_null(_COUNT), "layer", "stage_index", "line"),
    )


def _version() -> Schema:
    return _object(
        layer=_COUNT,
        change=_one_of(Change),
        digest=_or_null(_DIGEST),
        **_named(_or_null(_COUNT), "size", "mode"),
    )


def _why() -> Schema:
    return _object(
        optional={"path_b64": _TEXT},
        path=_TEXT,
        record=_record(),
        hops=_list(_hop()),
        history=_list(_version()),
        shares=_list(_part()),
    )


def _part() -> Schema:
    return _object(
        kind=_TEXT,
        name=_TEXT,
        stage_index=_or_null(_COUNT),
        bytes=_COUNT,
        files=_COUNT,
        trust=_one_of(Trust),
    )


def _folder() -> Schema:
    return _object(
        optional={"path_b64": _TEXT},
        path=_TEXT,
        type={"enum": [kind.word for kind in EntryKind]},
        depth=_COUNT,
        size=_COUNT,
        files=_COUNT,
        owners=_list(_TEXT),
    )


def _verification() -> Schema:
    found = _list(_object(code=_TEXT, message=_TEXT))
    blob = _object(
        optional={"name_b64": _TEXT},
        kind={"enum": [kind.value for kind in BlobKind]},
        name=_TEXT,
        images=_list(_TEXT),
        layer=_or_null(_COUNT),
        size=_or_null(_COUNT),
        digest=_or_null(_DIGEST),
        diff_id=_or_null(_DIGEST),
        ok=_FLAG,
        problems=found,
        notes=found,
    )
    return _object(ok=_FLAG, images=_list(_TEXT), blobs=_list(blob))


def _kept() -> Schema:
    return _object(kind=_TEXT, key=_TEXT, verified=_FLAG, size=_COUNT, used=_TEXT)


def _check() -> Schema:
    return _object(name=_TEXT, ok=_FLAG, detail=_TEXT)


_DATA: Final = {
    "why": _why,
    "files": _record,
    "layers": _layer,
    "stages": _share,
    "tree": _folder,
}
