"""What came of an audit's rules, taken together."""

from __future__ import annotations

import pytest

from layertrace.model.audit import AuditReport, Level, RuleResult, Status


def _report(level: Level, status: Status) -> AuditReport:
    rule = RuleResult(
        id="max-size", level=level, status=status, asks="a", fix="b", limit=1, value=2
    )
    return AuditReport(policy="default", dockerfile=None, rules=(rule,))


@pytest.mark.parametrize(
    ("level", "status", "fails"),
    [
        (Level.ERROR, Status.FAIL, [True, True, True]),
        (Level.WARNING, Status.FAIL, [False, True, True]),
        (Level.NOTE, Status.FAIL, [False, False, True]),
        (Level.ERROR, Status.PASS, [False, False, False]),
        (Level.ERROR, Status.SKIPPED, [False, False, False]),
    ],
)
def test_fails_at_counts_what_matters_as_much_or_more(
    level: Level, status: Status, fails: list[bool]
) -> None:
    """An error fails at every level, a note only where notes are asked for."""
    report = _report(level, status)
    assert [report.fails_at(each) for each in Level] == fails
    assert report.failed is fails[0]
