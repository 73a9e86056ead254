"""A policy's rules, asked of an image one by one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, assert_never

from layertrace.analysis.audit.catalog import BY_ID
from layertrace.analysis.audit.exemptions import Exemptions
from layertrace.analysis.audit.hiding import hide_in_report
from layertrace.analysis.audit.policy import Budget, Deny, ShipsOnly
from layertrace.analysis.audit.rules.own import judge_budget, judge_deny, judge_ships_only
from layertrace.analysis.audit.subject import Subject
from layertrace.model.audit import AuditReport, RuleResult, Status, Unit

if TYPE_CHECKING:
    from datetime import date

    from layertrace.analysis.audit.kinds import Verdict
    from layertrace.analysis.audit.policy import OwnRule, Policy, Setting
    from layertrace.model.audit import Match
    from layertrace.pipeline.answers import ImageTrace


MOST: Final = 10_000
"""Matches of a rule that are listed; all are counted."""


def needs_origins(policy: Policy) -> bool:
    """Say whether a rule asks where files came from: only then has a walk to hash."""
    return bool(policy.own) or any(BY_ID[each.id].origins for each in policy.settings)


def run_audit(trace: ImageTrace, policy: Policy, today: date) -> AuditReport:
    """Ask the rules of a policy; nothing is worked out that none of them asks for.

    Args:
        trace: the image; walked with hashing where :func:`needs_origins` says so.
        policy: what to ask.
        today: the day that exceptions end by.

    Raises:
        LayertraceError: a content that a rule asks for cannot be had.
    """
    subject = Subject(trace)
    exemptions = Exemptions(policy.exemptions, today)
    rules = [_ask(subject, setting, exemptions) for setting in policy.settings]
    rules += [_ask_own(subject, rule, exemptions) for rule in policy.own]
    build = subject.build
    report = AuditReport(
        policy=policy.name,
        dockerfile=None if build is None else build.name,
        rules=tuple(rules),
        notes=exemptions.unused(policy.ids),
    )
    # Any rule may quote an instruction that a secret stands in.
    return hide_in_report(report)


def _ask(subject: Subject, setting: Setting, exemptions: Exemptions) -> RuleResult:
    kind = BY_ID[setting.id]
    verdict = kind.judge(subject, setting)
    if kind.layers:
        verdict = _of_what_was_read(subject, verdict)
    matches, excepted = exemptions.sift(kind.id, verdict.matches)
    failed = _fails(setting.limit if kind.unit is Unit.MATCHES else 0, matches)
    status = _status(verdict, failed=failed)
    return RuleResult(
        id=kind.id,
        level=setting.level,
        status=status,
        asks=kind.asks,
        fix=kind.fix,
        limit=setting.limit,
        value=_value(verdict, matches, status),
        matches=matches[:MOST],
        more=max(len(matches) - MOST, 0),
        excepted=excepted,
        reason=verdict.skipped if status is Status.SKIPPED else "",
        unit=kind.unit,
    )


def _ask_own(subject: Subject, rule: OwnRule, exemptions: Exemptions) -> RuleResult:
    limit, unit = 0, Unit.MATCHES
    match rule:
        case Deny():
            verdict, limit = judge_deny(subject, rule), rule.limit
            asks = f"no more than {limit:,} paths match {rule.files.text}"
            asks = asks if limit else f"no path matches {rule.files.text}"
            fix = "do not copy or make it, or remove it in the same RUN"
        case Budget():
            verdict, limit = judge_budget(subject, rule), rule.max_size
            unit = Unit.BYTES
            asks = f"what matches {rule.files.text} weighs no more than the limit"
            fix = "copy less of it, or raise the budget"
        case ShipsOnly():
            verdict = judge_ships_only(subject, rule)
            asks = f"of stage {rule.stage} only {', '.join(rule.paths) or 'nothing'} ships"
            fix = f"name in COPY --from={rule.stage} just what is to ship"
        case _:
            assert_never(rule)
    verdict = _of_what_was_read(subject, verdict)
    matches, excepted = exemptions.sift(rule.id, verdict.matches)
    failed = _fails(limit if unit is Unit.MATCHES else 0, matches)
    status = _status(verdict, failed=failed)
    return RuleResult(
        id=rule.id,
        level=rule.level,
        status=status,
        asks=asks,
        fix=rule.fix or fix,
        limit=limit,
        value=_value(verdict, matches, status),
        matches=matches[:MOST],
        more=max(len(matches) - MOST, 0),
        excepted=excepted,
        reason=verdict.skipped if status is Status.SKIPPED else "",
        unit=unit,
    )


def _of_what_was_read(subject: Subject, verdict: Verdict) -> Verdict:
    """Return a verdict that does not pass where layers are missing: they may hold anything."""
    names = ", ".join(f"L{number + 1}" for number in subject.trace.damaged)
    if not names or verdict.skipped:
        return verdict
    return replace(verdict, skipped=f"{names} could not be read to the end")


def _fails(limit: float | None, matches: tuple[Match, ...]) -> bool:
    """Say whether more was found than is allowed; what is excepted is not among it."""
    return len(matches) > (limit or 0)


def _status(verdict: Verdict, *, failed: bool) -> Status:
    if failed:
        return Status.FAIL
    return Status.SKIPPED if verdict.skipped else Status.PASS


def _value(verdict: Verdict, matches: tuple[Match, ...], status: Status) -> int | float | None:
    if status is Status.SKIPPED:
        return None
    return len(matches) if verdict.value is None else verdict.value
