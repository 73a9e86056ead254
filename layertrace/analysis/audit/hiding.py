"""What an audit quotes of an image, without the secrets in it.

Instructions and history entries are quoted beside every match, whichever rule it is of, and
a secret in one of them is what the audit warns of.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from layertrace.analysis.secrets.texts import hide_secrets

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.model.audit import AuditReport, Match, RuleResult
    from layertrace.model.origin import Finding
    from layertrace.model.trace import Carrier, ImageHead, LayerInfo, StageInfo

    Hide = Callable[[str], str]
    Quoting = TypeVar("Quoting", Match, LayerInfo, Carrier)


def hide_in_report(report: AuditReport) -> AuditReport:
    """Return a report whose matches quote no value of a secret."""
    hide = cache(hide_secrets)
    return replace(report, rules=tuple(_hide_in_rule(rule, hide) for rule in report.rules))


def hide_in_head(head: ImageHead) -> ImageHead:
    """Return what is known of an image, the values of secrets left out of what it quotes."""
    hide = cache(hide_secrets)
    return replace(
        head,
        layers=tuple(_hide_in_layer(layer, hide) for layer in head.layers),
        stages=tuple(_hide_in_stage(stage, hide) for stage in head.stages),
        findings=hide_in_findings(head.findings),
    )


def hide_in_findings(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return findings that quote no value of a secret."""
    return tuple(
        replace(
            finding,
            message=hide_secrets(finding.message),
            facts={
                key: hide_secrets(fact) if isinstance(fact, str) else fact
                for key, fact in finding.facts.items()
            },
        )
        for finding in findings
    )


def _hide_in_rule(rule: RuleResult, hide: Hide) -> RuleResult:
    return replace(
        rule,
        matches=tuple(_hide_in_match(match, hide) for match in rule.matches),
        excepted=tuple(
            replace(each, match=_hide_in_match(each.match, hide)) for each in rule.excepted
        ),
    )


def _hide_in_match(match: Match, hide: Hide) -> Match:
    quoted = _hide_instruction(match, hide)
    detail = hide(match.detail)
    return quoted if detail == match.detail else replace(quoted, detail=detail)


def _hide_in_layer(layer: LayerInfo, hide: Hide) -> LayerInfo:
    source = None if layer.source is None else hide(layer.source)
    quoted = _hide_instruction(layer, hide)
    return replace(quoted, created_by=hide(layer.created_by), source=source)


def _hide_in_stage(stage: StageInfo, hide: Hide) -> StageInfo:
    carriers = tuple(_hide_instruction(carrier, hide) for carrier in stage.carried_by)
    return replace(stage, carried_by=carriers, base=hide(stage.base))


def _hide_instruction(each: Quoting, hide: Hide) -> Quoting:
    shown = None if each.instruction is None else hide(each.instruction)
    return each if shown == each.instruction else replace(each, instruction=shown)
