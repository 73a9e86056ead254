"""The schemas of an audit's result, and of the policy it goes by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.analysis.audit.catalog import RULES
from layertrace.model.audit import Level, Status, Unit
from layertrace.views.schemas.parts import (
    COUNT,
    DRAFT,
    FLAG,
    TEXT,
    Schema,
    list_of,
    named,
    object_of,
    of_image,
    or_null,
)

if TYPE_CHECKING:
    from layertrace.analysis.audit.kinds import RuleKind

_LEVEL: Final[Schema] = {"enum": [level.value for level in Level]}
_SWITCH: Final[Schema] = {"enum": [*(level.value for level in Level), "off"]}
_FULL: Final[Schema] = {"type": "string", "pattern": "\\S"}
_SIZE: Final[Schema] = {
    "anyOf": [
        COUNT,
        {"type": "string", "pattern": "^ *[0-9]*\\.?[0-9]+ *([kKmMgGtT][iI]?)?[bB]? *$"},
    ]
}


def audit() -> Schema:
    """Return that of ``audit --json``."""
    number = or_null({"type": "number"})
    rule = object_of(
        id=TEXT,
        level=_LEVEL,
        status={"enum": [status.value for status in Status]},
        unit={"enum": [unit.value for unit in Unit]},
        limit=number,
        value=number,
        reason=or_null(TEXT),
        more=COUNT,
        matches=list_of(_match()),
        excepted=list_of(_match(reason=TEXT, until=or_null(TEXT))),
        **named(TEXT, "asks", "fix"),
    )
    data = object_of(
        policy=TEXT,
        dockerfile=or_null(TEXT),
        fail_on=_LEVEL,
        failed=FLAG,
        rules=list_of(rule),
        notes=list_of(TEXT),
    )
    return of_image("audit", data)


def _match(**more: Schema) -> Schema:
    return object_of(
        optional={"path_b64": TEXT},
        visible=FLAG,
        detail=TEXT,
        **named(or_null(TEXT), "path", "stage", "instruction"),
        **named(or_null(COUNT), "layer", "line"),
        **more,
    )


def policy() -> Schema:
    """Return that of ``layertrace.toml``, its dates as text."""
    rules: Schema = {
        name: {"anyOf": [_SWITCH, _options(kind)], "description": kind.asks}
        for kind in RULES
        for name in (kind.id, *kind.names)
    }
    audit_section = _closed(
        {
            "fail-on": _LEVEL,
            "defaults": FLAG,
            "rules": _closed(rules),
            "rule": list_of({"anyOf": [_deny(), _budget(), _ships_only()]}),
            "except": list_of(_exemption()),
        }
    )
    return {**DRAFT, "title": "layertrace.toml", **_closed({"audit": audit_section})}


def _options(kind: RuleKind) -> Schema:
    limits: dict[Unit, Schema] = {
        Unit.BYTES: _SIZE,
        Unit.MATCHES: COUNT,
        Unit.PERCENT: {"type": "number", "minimum": 0, "maximum": 100},
        Unit.RATIO: {"type": "number", "minimum": 0, "maximum": 1},
    }
    known: dict[str, Schema] = {
        "limit": limits[kind.unit],
        "allow": list_of(_FULL),
        "base": FLAG,
        "strict": FLAG,
    }
    return _closed({"level": _SWITCH, **{key: known[key] for key in sorted(kind.options)}})


def _own(*, optional: Schema | None = None, **required: Schema) -> Schema:
    more = {"level": _SWITCH, "fix": _FULL, **(optional or {})}
    return _closed({"id": _FULL, **required, **more}, required=["id", *required])


def _deny() -> Schema:
    return _own(deny=_FULL, optional={"limit": COUNT, "removed": FLAG})


def _budget() -> Schema:
    return _own(files=_FULL, **{"max-size": _SIZE})


def _ships_only() -> Schema:
    return _own(stage=_FULL, only=list_of(_FULL))


def _exemption() -> Schema:
    keys: Schema = {
        "rule": _FULL,
        "path": _FULL,
        "reason": _FULL,
        "until": {"format": "date", **TEXT},
    }
    either = [{"required": ["rule"]}, {"required": ["path"]}]
    return {**_closed(keys, required=["reason"]), "anyOf": either}


def _closed(properties: Schema, required: list[str] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": required or [],
        "additionalProperties": False,
    }
