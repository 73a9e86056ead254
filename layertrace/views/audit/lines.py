"""An audit as lines of text: a rule a line, and below it what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from layertrace.model.audit import Level, Status, Unit
from layertrace.views.tables import format_table
from layertrace.views.text import plural, show_name, show_size

if TYPE_CHECKING:
    from layertrace.model.audit import AuditReport, Match, RuleResult

_SHOWN: Final = 5
"""Matches of one rule that are shown unless all are asked for."""
_INDENT: Final = "      "
_WORDS: Final = {Level.ERROR: "FAIL", Level.WARNING: "WARN", Level.NOTE: "NOTE"}


def audit_lines(report: AuditReport, *, everything: bool, width: int | None) -> list[str]:
    """Return the lines, in the policy's order; ``everything`` shows every match."""
    longest = max((len(show_name(rule.id)) for rule in report.rules), default=0)
    lines: list[str] = []
    for rule in report.rules:
        lines.append(f"{_word(rule)}  {show_name(rule.id):<{longest}}  {_outcome(rule)}")
        if rule.status is Status.FAIL:
            lines += _match_lines(rule, everything=everything, width=width)
            lines.append(f"{_INDENT}fix: {show_name(rule.fix)}")
    return [*lines, "", _summary(report)]


def _word(rule: RuleResult) -> str:
    match rule.status:
        case Status.PASS:
            return "pass"
        case Status.SKIPPED:
            return "skip"
        case Status.FAIL:
            return _WORDS[rule.level]
    assert_never(rule.status)


def _outcome(rule: RuleResult) -> str:
    """Return a rule's result in words, the limit beside the value."""
    if rule.status is Status.SKIPPED:
        return show_name(rule.reason)
    excepted = f" ({len(rule.excepted):,} excepted)" if rule.excepted else ""
    if rule.unit is not Unit.MATCHES:
        value, limit = (show_amount(each, rule.unit) for each in (rule.value, rule.limit))
        return f"{value} {_sign(rule)} {limit}{excepted}"
    if rule.status is Status.PASS and not rule.matches:
        return f"{show_name(rule.asks)}{excepted}"
    limit = f", {rule.limit:,} allowed" if rule.limit else ""
    found = f"{len(rule.matches) + rule.more:,} found{limit}"
    return f"{found}; it asks that {show_name(rule.asks)}{excepted}"


def _sign(rule: RuleResult) -> str:
    """Return how the value stands to the limit; what is excepted may be over it, and pass."""
    value, limit = rule.value, rule.limit
    if not isinstance(value, int | float) or not isinstance(limit, int | float):
        return "against"
    if value > limit:
        return ">"
    return "<=" if rule.status is Status.PASS else "<"


def show_amount(amount: str | float | None, unit: Unit) -> str:
    """Return a limit or a value in its unit.

    >>> show_amount(401_400, Unit.BYTES), show_amount(12.5, Unit.PERCENT)
    ('401.4 kB', '12.5 %')
    """
    if amount is None or isinstance(amount, str):
        return show_name(amount or "-")
    match unit:
        case Unit.BYTES:
            return show_size(int(amount))
        case Unit.PERCENT:
            return f"{amount:.4g} %"
        case Unit.RATIO:
            return f"{amount:.4g}"
        case Unit.MATCHES:
            return f"{amount:,}"
    assert_never(unit)


def _match_lines(rule: RuleResult, *, everything: bool, width: int | None) -> list[str]:
    shown = rule.matches if everything else rule.matches[:_SHOWN]
    rows = [[*_place(match), _detail(match)] for match in shown]
    if all(row[:3] == ["-"] * 3 for row in rows):
        # They are about the image as a whole.
        rows = [row[3:] for row in rows]
    room = None if width is None else width - len(_INDENT)
    table = format_table(rows, align="<" * len(rows[0]), width=room) if rows else []
    lines = [f"{_INDENT}{line}" for line in table]
    more = len(rule.matches) + rule.more - len(shown)
    if more:
        what = "not listed" if everything else "--all shows them"
        lines.append(f"{_INDENT}+{more:,} more: {what}")
    return lines


def _place(match: Match) -> tuple[str, str, str]:
    """Return layer, stage and line, numbered as shown everywhere."""
    return (
        "-" if match.layer is None else f"L{match.layer + 1}",
        show_name(match.stage or "-"),
        "-" if match.line is None else f":{match.line}",
    )


def _detail(match: Match) -> str:
    path = "" if match.path is None else f"/{show_name(match.path)}  "
    removed = "" if match.visible else "removed later, still shipped: "
    return f"{path}{removed}{show_name(match.detail)}"


def _summary(report: AuditReport) -> str:
    failed = [rule for rule in report.rules if rule.status is Status.FAIL]
    skipped = sum(rule.status is Status.SKIPPED for rule in report.rules)
    by_level = [
        plural(count, level.value)
        for level in Level
        if (count := sum(rule.level is level for rule in failed))
    ]
    told = f": {', '.join(by_level)}" if by_level else ""
    also = f"; {skipped:,} skipped" if skipped else ""
    return f"{len(failed):,} of {plural(len(report.rules), 'rule')} failed{told}{also}"
