"""An audit as SARIF 2.1.0, for code scanning.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0 Plus Errata 01";
what GitHub takes of it: docs.github.com, "SARIF support for code scanning".
"""

from __future__ import annotations

import posixpath
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from layertrace import __version__
from layertrace.model.audit import Level, Status
from layertrace.views.audit.words import outcome, place, sentence
from layertrace.views.encode import plain, to_ascii_json, to_text
from layertrace.views.text import plural, show_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.audit import AuditReport, Excepted, Match, RuleResult
    from layertrace.model.trace import ImageHead
    from layertrace.views.encode import Json

MOST: Final = 5_000
"""Results of one run that GitHub keeps."""

_SCHEMA: Final = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVELS: Final = tuple(Level)
_FINGERPRINT: Final = "layertraceMatch/v1"
_GITHUB: Final = "primaryLocationLineHash"
"""The one fingerprint that GitHub compares; it would make one of the Dockerfile's line, and
take all that one line brought for the same."""
_REMOVED: Final = {True: "visible", False: "hidden"}


def sarif_text(report: AuditReport, head: ImageHead) -> str:
    """Return the audit as one SARIF run; the same audit gives the same text."""
    results = list(_results(report, head))
    cut = results[MOST:]
    run: Json = {
        "tool": {"driver": _driver(report)},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": list(_notifications(report, len(cut))),
            }
        ],
        "columnKind": "unicodeCodePoints",
        "properties": {
            "image": plain(head.image.reference),
            "configDigest": head.image.config.digest,
            "policy": plain(report.policy),
        },
        "results": results[:MOST],
    }
    text = to_text({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]})
    return f"{to_ascii_json(text)}\n"


def _driver(report: AuditReport) -> Json:
    return {
        "name": "layertrace",
        "semanticVersion": __version__,
        "rules": [_rule(rule) for rule in report.rules],
    }


def _rule(rule: RuleResult) -> Json:
    asks, fix = show_name(rule.asks), show_name(rule.fix)
    return {
        "id": plain(rule.id),
        "shortDescription": {"text": _message(asks)},
        "fullDescription": {"text": _message(f"It asks that {asks}.")},
        "help": {"text": _message(f"How to fix it: {fix}.")},
        "defaultConfiguration": {"level": rule.level.value},
        "properties": {"tags": ["container-image"]},
    }


def _notifications(report: AuditReport, cut: int) -> Iterator[Json]:
    for index, rule in enumerate(report.rules):
        if rule.status is Status.SKIPPED:
            yield {
                "level": "note",
                "message": {"text": _message(f"not asked: {show_name(rule.reason)}")},
                "associatedRule": {"id": plain(rule.id), "index": index},
            }
    for note in report.notes:
        yield {"level": "warning", "message": {"text": _message(show_name(note))}}
    if cut:
        yield {
            "level": "warning",
            "message": {
                "text": f"{plural(cut, 'result')} left out: more than {MOST:,} are not kept"
            },
        }


def _results(report: AuditReport, head: ImageHead) -> Iterator[Json]:
    """Yield what failed, the gravest first, then what is excepted."""
    numbered = sorted(enumerate(report.rules), key=lambda each: _LEVELS.index(each[1].level))
    seen: dict[str, int] = {}
    for index, rule in numbered:
        if rule.status is not Status.FAIL:
            continue
        for match in rule.matches:
            yield _result(report, head, index, match, seen)
        if not rule.matches:
            yield _result(report, head, index, None, seen)
    for index, rule in numbered:
        for excepted in rule.excepted:
            result = _result(report, head, index, excepted.match, seen)
            yield {**result, "suppressions": [_suppression(excepted)]}


def _result(
    report: AuditReport, head: ImageHead, index: int, match: Match | None, seen: dict[str, int]
) -> Json:
    rule = report.rules[index]
    if match is None:
        text, where = outcome(rule), ""
    else:
        text, where = sentence(match), place(match, report)
    whole = f"{text} ({where})" if where else text
    fingerprint = _fingerprint(rule, match, seen)
    return {
        "ruleId": plain(rule.id),
        "ruleIndex": index,
        "level": rule.level.value,
        "message": {"text": _message(whole)},
        "locations": [_location(report, head, match)],
        "partialFingerprints": {_FINGERPRINT: fingerprint, _GITHUB: fingerprint},
        **({} if match is None else {"properties": {"inImage": _REMOVED[match.visible]}}),
    }


def _location(report: AuditReport, head: ImageHead, match: Match | None) -> Json:
    line = None if match is None or report.dockerfile is None else match.line
    # GitHub refuses results without file and line: the first line stands for the whole.
    uri = _uri(head.image.reference if report.dockerfile is None else report.dockerfile)
    location: Json = {
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {"startLine": line or 1},
        }
    }
    logical = [] if match is None else list(_logical(match))
    return {**location, **({"logicalLocations": logical} if logical else {})}


def _logical(match: Match) -> Iterator[Json]:
    if match.path is not None:
        name = plain(match.path.rpartition("/")[2])
        yield {"name": name, "fullyQualifiedName": f"/{plain(match.path)}", "kind": "resource"}
    if match.layer is not None:
        yield {"name": f"layer {match.layer + 1}", "kind": "layer"}
    if match.stage is not None:
        yield {"name": plain(match.stage), "kind": "stage"}


def _uri(name: str) -> str:
    data = name.encode("utf-8", "surrogateescape") if name.isprintable() else plain(name).encode()
    if name.startswith("/"):
        return f"file://{quote(posixpath.normpath(data))}"
    return quote(posixpath.normpath(data)) or "Dockerfile"


def _fingerprint(rule: RuleResult, match: Match | None, seen: dict[str, int]) -> str:
    """Return what stays the same while lines and layers move; a number tells equal ones apart."""
    parts = [rule.id]
    if match is not None:
        about = match.detail if match.path is None else match.path
        parts += [about, match.stage or "", match.instruction or "", str(match.visible)]
    key = sha256("\0".join(map(plain, parts)).encode()).hexdigest()[:32]
    seen[key] = seen.get(key, 0) + 1
    return f"{key}:{seen[key]}"


def _suppression(excepted: Excepted) -> Json:
    until = "" if excepted.until is None else f" (until {excepted.until})"
    reason = f"{show_name(excepted.reason)}{until}"
    return {"kind": "external", "status": "accepted", "justification": reason}


def _message(text: str) -> str:
    """Return text in which nothing acts as a link: SARIF, 3.11.6."""
    if "](" not in text:
        return text
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
