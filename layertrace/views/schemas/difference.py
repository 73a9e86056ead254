"""The JSON Schema of what ``diff`` tells."""

from __future__ import annotations

from layertrace.model.difference import Attribute, CauseKind, DiffKind, Why
from layertrace.model.packages import PackageKind
from layertrace.views.schemas.parts import (
    COUNT,
    FLAG,
    NUMBER,
    TEXT,
    Schema,
    document,
    findings,
    image,
    list_of,
    named,
    object_of,
    or_null,
    record,
)


def difference() -> Schema:
    """Return the schema of ``layertrace diff OLD NEW --json``."""
    weight = object_of(**named(COUNT, "visible", "stored", "wasted"))
    data = object_of(
        **named(image(), "old", "new"),
        **named(NUMBER, "size_delta", "visible_delta", "wasted_delta"),
        weights=object_of(old=weight, new=weight),
        filter=or_null(TEXT),
        total=_counts(),
        chosen=_counts(),
        renamed=COUNT,
        causes=list_of(_cause()),
        packages=list_of(_package()),
        files=list_of(_file()),
    )
    return document("diff", "diff --json", image=image(), findings=findings(), data=data)


def _counts(**more: Schema) -> Schema:
    kinds = named(COUNT, *(kind.word for kind in DiffKind))
    return object_of(bytes_delta=NUMBER, **kinds, **more)


def _cause() -> Schema:
    maker = object_of(
        base=FLAG,
        layers=list_of(COUNT),
        digest=or_null(TEXT),
        **named(or_null(TEXT), "stage", "instruction", "image"),
        **named(or_null(COUNT), "stage_index", "line"),
    )
    return _counts(
        cause=TEXT,
        kind={"enum": [kind.value for kind in CauseKind]},
        why={"enum": [why.value for why in Why]},
        old=or_null(maker),
        new=or_null(maker),
        arguments=list_of(TEXT),
        parts=list_of(_counts(sort=TEXT, name=TEXT)),
    )


def _package() -> Schema:
    return object_of(
        optional={"path_b64": TEXT},
        kind={"enum": [kind.value for kind in PackageKind]},
        name=TEXT,
        architecture=TEXT,
        **named(or_null(TEXT), "path", "old", "new"),
    )


def _file() -> Schema:
    words = [str(each.name).lower() for each in Attribute]
    names = ("path_b64", "renamed_to", "renamed_from", "renamed_to_b64", "renamed_from_b64")
    return object_of(
        optional=dict.fromkeys(names, TEXT),
        path=TEXT,
        change={"enum": [kind.word for kind in DiffKind]},
        bytes_delta=NUMBER,
        cause=COUNT,
        attributes=list_of({"enum": words}),
        **named(or_null(record()), "old", "new"),
    )
