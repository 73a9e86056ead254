"""JSON Schemas of every command's output, published by ``layertrace schema NAME``.

Source: JSON Schema, draft 2020-12.
"""

from __future__ import annotations

import difflib
from typing import Final

from layertrace.errors import UsageError
from layertrace.model.entry import EntryKind
from layertrace.model.origin import Action, Change, Evidence, Trust
from layertrace.model.verification import BlobKind
from layertrace.views.schemas.contents import content_schema
from layertrace.views.schemas.difference import difference
from layertrace.views.schemas.parts import (
    COUNT,
    DIGEST,
    DRAFT,
    FLAG,
    TEXT,
    Schema,
    carriers,
    document,
    findings,
    image,
    layer,
    list_of,
    named,
    object_of,
    of_image,
    one_of,
    or_null,
    package,
    record,
)


def json_schema(name: str) -> Schema:
    """Return the schema of ``layertrace NAME --json``; ``record`` is a line of ``--jsonl``.

    Raises:
        UsageError: there is no such schema.
    """
    if name in _DATA:
        return of_image(name, list_of(_DATA[name]()))
    if name in _OTHERS:
        return _OTHERS[name]()
    known = [*_DATA, *_OTHERS]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
    raise UsageError(f"there is no schema {name}", hint=hint)


def _share() -> Schema:
    return object_of(
        **{"from": or_null(TEXT)},
        kind=TEXT,
        name=TEXT,
        stage_index=or_null(COUNT),
        steps=or_null(COUNT),
        size=or_null(COUNT),
        shipped_bytes=COUNT,
        shipped_files=COUNT,
        stays_behind=or_null(COUNT),
        trust=one_of(Trust),
        carried_by=carriers(),
    )


def _hop() -> Schema:
    return object_of(
        optional={"candidates": list_of(TEXT), "path_b64": TEXT},
        place=TEXT,
        action=one_of(Action),
        trust=one_of(Trust),
        evidence=one_of(Evidence),
        detail=TEXT,
        **named(or_null(TEXT), "stage", "instruction", "path"),
        **named(or_null(COUNT), "layer", "stage_index", "line"),
    )


def _version() -> Schema:
    return object_of(
        layer=COUNT,
        change=one_of(Change),
        digest=or_null(DIGEST),
        **named(or_null(COUNT), "size", "mode"),
    )


def _why() -> Schema:
    return object_of(
        optional={"path_b64": TEXT},
        path=TEXT,
        record=record(),
        package=or_null(_owner()),
        hops=list_of(_hop()),
        history=list_of(_version()),
        shares=list_of(_part()),
    )


def _owner() -> Schema:
    version = object_of(layer=COUNT, version=or_null(TEXT))
    return object_of(
        optional={"path_b64": TEXT},
        **package(),
        **named(or_null(TEXT), "architecture", "path"),
        first_layer=or_null(COUNT),
        versions=list_of(version),
    )


def _part() -> Schema:
    return object_of(
        kind=TEXT,
        name=TEXT,
        stage_index=or_null(COUNT),
        bytes=COUNT,
        files=COUNT,
        trust=one_of(Trust),
    )


def _folder() -> Schema:
    return object_of(
        optional={"path_b64": TEXT},
        path=TEXT,
        type={"enum": [kind.word for kind in EntryKind]},
        depth=COUNT,
        size=COUNT,
        files=COUNT,
        owners=list_of(TEXT),
    )


def _verify() -> Schema:
    found = list_of(object_of(code=TEXT, message=TEXT))
    blob = object_of(
        optional={"name_b64": TEXT},
        kind={"enum": [kind.value for kind in BlobKind]},
        name=TEXT,
        images=list_of(TEXT),
        layer=or_null(COUNT),
        size=or_null(COUNT),
        digest=or_null(DIGEST),
        diff_id=or_null(DIGEST),
        ok=FLAG,
        problems=found,
        notes=found,
    )
    data = object_of(ok=FLAG, images=list_of(TEXT), blobs=list_of(blob))
    return document(
        "verify", "verify --json", image=or_null(image()), findings=findings(), data=data
    )


def _cache() -> Schema:
    kept = object_of(kind=TEXT, key=TEXT, verified=FLAG, size=COUNT, used=TEXT)
    return document("cache", "cache list --json", path=TEXT, data=list_of(kept))


def _doctor() -> Schema:
    check = object_of(name=TEXT, ok=FLAG, detail=TEXT)
    return document("doctor", "doctor --json", data=list_of(check))


def _record() -> Schema:
    return {**DRAFT, "title": "layertrace files --jsonl", **record()}


_DATA: Final = {
    "why": _why,
    "files": record,
    "layers": layer,
    "stages": _share,
    "tree": _folder,
}


def _audit() -> Schema:
    # The rules are in it: few ask for them.
    from layertrace.views.schemas.audit import audit  # noqa: PLC0415

    return audit()


def _policy() -> Schema:
    from layertrace.views.schemas.audit import policy  # noqa: PLC0415

    return policy()


def _bloat() -> Schema:
    from layertrace.views.schemas.bloat import bloat  # noqa: PLC0415

    return bloat()


_OTHERS: Final = {
    "bloat": _bloat,
    "verify": _verify,
    "cache": _cache,
    "doctor": _doctor,
    "record": _record,
    "diff": difference,
    "diff-path": content_schema,
    "audit": _audit,
    "policy": _policy,
}
