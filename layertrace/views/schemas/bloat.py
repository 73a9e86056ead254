"""The schema of what an image ships for nothing."""

from __future__ import annotations

from layertrace.model.waste import Cause
from layertrace.views.schemas.parts import (
    COUNT,
    DIGEST,
    FLAG,
    TEXT,
    Schema,
    list_of,
    named,
    object_of,
    of_image,
    or_null,
)


def bloat() -> Schema:
    """Return that of ``bloat --json``."""
    group = object_of(
        cause={"enum": [cause.value for cause in Cause]},
        bytes=COUNT,
        written_by=_step(),
        undone_by=_step(),
        path_count=COUNT,
        paths=list_of(_path(bytes=COUNT)),
        advice=TEXT,
    )
    leftover = object_of(
        rule=TEXT,
        bytes=COUNT,
        written_by=list_of(_step(base=FLAG, bytes=COUNT)),
        path_count=COUNT,
        paths=list_of(_path(bytes=COUNT)),
        advice=TEXT,
    )
    duplicate = object_of(
        digest=DIGEST, size=COUNT, bytes=COUNT, path_count=COUNT, paths=list_of(_path())
    )
    data = object_of(
        dive_efficiency={"type": "number", "maximum": 1},
        causes=object_of(**named(COUNT, *(cause.value for cause in Cause))),
        groups=list_of(group),
        maybe=list_of(leftover),
        duplicates=list_of(duplicate),
        **named(COUNT, "wasted_bytes", "stored_bytes", "visible_bytes"),
        **named(COUNT, "group_count", "maybe_count", "duplicate_count"),
    )
    return of_image("bloat", data)


def _path(**more: Schema) -> Schema:
    return object_of(optional={"path_b64": TEXT}, path=TEXT, **more)


def _step(**more: Schema) -> Schema:
    return object_of(
        layer=COUNT,
        line=or_null(COUNT),
        **named(or_null(TEXT), "stage", "instruction"),
        **more,
    )
