"""What the rules of a policy found, a group a rule: the rows of ``audit``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from layertrace.model.audit import Level, Status
from layertrace.views.lists.rows import Column, Field, Group, Listing, ListRow, Role
from layertrace.views.outline_row import layer_name
from layertrace.views.text import plural

if TYPE_CHECKING:
    from layertrace.model.audit import AuditReport, Match, RuleResult

_COLUMNS: Final = (
    Column(title="", width=4),
    Column(title="Lyr", width=4),
    Column(title="Line", width=5, right=True, need=1),
    Column(title="Rule, path"),
)
_FAILED: Final = {Level.ERROR: "FAIL", Level.WARNING: "WARN", Level.NOTE: "NOTE"}
_ORDER: Final = {Status.FAIL: 0, Status.SKIPPED: 1, Status.PASS: 2}
_LEVELS: Final = tuple(Level)


def list_audit(report: AuditReport) -> Listing:
    """Return every rule, those that failed first, with what each does not want."""
    rules = sorted(report.rules, key=lambda r: (_ORDER[r.status], _LEVELS.index(r.level)))
    failed = sum(rule.status is Status.FAIL for rule in rules)
    words = "may not ship" if report.failed else "may ship"
    return Listing(
        title="Audit",
        columns=_COLUMNS,
        groups=[_group(rule) for rule in rules],
        summary=f"{failed:,} of {plural(len(rules), 'rule')} failed: {words} by {report.policy}",
        empty="the policy has no rule",
    )


def _group(rule: RuleResult) -> Group:
    word, role = {
        Status.PASS: ("pass", Role.GOOD),
        Status.SKIPPED: ("skip", Role.DIM),
        Status.FAIL: (_FAILED[rule.level], Role.WARNING),
    }[rule.status]
    failed = rule.status is Status.FAIL
    words = {Status.SKIPPED: f"not asked: {rule.reason}", Status.PASS: rule.asks}
    text = f"{rule.id}: {words.get(rule.status, f'asks that {rule.asks}')}"
    note = f"{text} → {rule.fix}" if failed else text
    blank = Field(text="")
    fields = (Field(text=word, role=role), blank, blank, Field(text=text, role=Role.STRONG))
    return Group(
        head=ListRow(fields=fields, note=note),
        count=len(rule.matches) if failed else 0,
        item=partial(_item, rule),
        path=partial(_path, rule),
        name=text,
    )


def _path(rule: RuleResult, number: int) -> str | None:
    return rule.matches[number].path


def _item(rule: RuleResult, number: int) -> ListRow:
    match: Match = rule.matches[number]
    what = "" if match.path is None else f"/{match.path}  "
    gone = "" if match.visible else "  (removed later, still ships)"
    fields = (
        Field(text=""),
        Field(text="" if match.layer is None else layer_name(match.layer), role=Role.DIM),
        Field(text="" if match.line is None else f":{match.line}", role=Role.DIM),
        Field(text=f"{what}{match.detail}{gone}"),
    )
    return ListRow(
        fields=fields,
        path=match.path,
        layer=match.layer,
        line=match.line,
        note=f"{match.detail}{gone} → {rule.fix}",
    )
