"""What an audit's formats for other programs say of a match, in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.model.audit import Status, Unit
from layertrace.views.audit.lines import show_amount
from layertrace.views.text import show_name

if TYPE_CHECKING:
    from layertrace.model.audit import AuditReport, Match, RuleResult


def outcome(rule: RuleResult) -> str:
    """Return what came of a rule: how many matches, or its value against the limit."""
    if rule.status is Status.SKIPPED:
        return show_name(rule.reason)
    if rule.unit is not Unit.MATCHES:
        limit = show_amount(rule.limit, rule.unit)
        return f"{show_amount(rule.value, rule.unit)}, limit {limit}"
    found = f"{len(rule.matches) + rule.more:,} found"
    return f"{found}, {rule.limit:,} allowed" if rule.limit else found


def place(match: Match, report: AuditReport) -> str:
    """Return where a match is from: layer, stage, and the line to change; may be empty.

    Layers are counted from 1, as all views do.
    """
    words = []
    if match.layer is not None:
        words.append(f"layer {match.layer + 1}")
    if match.stage is not None:
        words.append(f"stage {show_name(match.stage)}")
    if match.line is not None:
        words.append(f"{show_name(report.dockerfile or 'Dockerfile')}:{match.line}")
    return ", ".join(words)


def sentence(match: Match) -> str:
    """Return what a match is: its path and what is wrong with it."""
    path = "" if match.path is None else f"/{show_name(match.path)}: "
    removed = "" if match.visible else " (removed by a later layer, still shipped)"
    return f"{path}{show_name(match.detail)}{removed}"
