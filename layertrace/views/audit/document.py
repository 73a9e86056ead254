"""An audit as JSON: CONTRACT.md 4, ``audit.data``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.views.encode import path_json, plain

if TYPE_CHECKING:
    from layertrace.model.audit import AuditReport, Excepted, Level, Match, RuleResult
    from layertrace.views.encode import Json


def audit_json(report: AuditReport, fail_on: Level) -> Json:
    """Return ``data``."""
    return {
        "policy": plain(report.policy),
        "dockerfile": None if report.dockerfile is None else plain(report.dockerfile),
        "fail_on": fail_on.value,
        "failed": report.fails_at(fail_on),
        "rules": [_rule(rule) for rule in report.rules],
        "notes": [plain(note) for note in report.notes],
    }


def _rule(rule: RuleResult) -> Json:
    return {
        "id": plain(rule.id),
        "level": rule.level.value,
        "status": rule.status.value,
        "asks": plain(rule.asks),
        "fix": plain(rule.fix),
        "unit": rule.unit.value,
        "limit": rule.limit,
        "value": rule.value,
        "reason": plain(rule.reason) or None,
        "more": rule.more,
        "matches": [_match(match) for match in rule.matches],
        "excepted": [_excepted(each) for each in rule.excepted],
    }


def _match(match: Match) -> Json:
    return {
        **path_json("path", None if match.path is None else f"/{match.path}"),
        "layer": match.layer,
        "stage": match.stage,
        "line": match.line,
        "instruction": None if match.instruction is None else plain(match.instruction),
        "visible": match.visible,
        "detail": plain(match.detail),
    }


def _excepted(each: Excepted) -> Json:
    return {**_match(each.match), "reason": plain(each.reason), "until": each.until}
