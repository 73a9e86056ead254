"""An audit as GitHub annotations: workflow commands, a line each.

Source: docs.github.com, "Workflow commands for GitHub Actions"; actions/toolkit,
``packages/core/src/command.ts`` for what is to be escaped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.model.audit import Level, Status
from layertrace.views.audit.words import outcome, place, sentence
from layertrace.views.text import show_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.audit import AuditReport, Match, RuleResult
    from layertrace.model.trace import ImageHead

_COMMANDS: Final = {Level.ERROR: "error", Level.WARNING: "warning", Level.NOTE: "notice"}
_SHOWN: Final = 5
_DATA: Final = (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"))
_PROPERTY: Final = (*_DATA, (":", "%3A"), (",", "%2C"))


def github_text(report: AuditReport, head: ImageHead) -> str:
    """Return an annotation for each rule that failed and each Dockerfile line it is about.

    GitHub shows ten of a kind a step: what one line did is therefore one annotation.
    """
    lines = [
        _command(report, head, rule, matches)
        for rule in report.rules
        if rule.status is Status.FAIL
        for matches in _by_line(rule)
    ]
    return "".join(f"{line}\n" for line in lines)


def _by_line(rule: RuleResult) -> Iterator[list[Match]]:
    groups: dict[int | None, list[Match]] = {}
    for match in rule.matches:
        groups.setdefault(match.line, []).append(match)
    yield from groups.values() if groups else [[]]


def _command(report: AuditReport, head: ImageHead, rule: RuleResult, matches: list[Match]) -> str:
    line = matches[0].line if matches else None
    properties = []
    if report.dockerfile is not None and line is not None:
        properties = [f"file={_escape(report.dockerfile, _PROPERTY)}", f"line={line}"]
    title = f"{rule.id}: {head.image.reference}"
    properties.append(f"title={_escape(title, _PROPERTY)}")
    told = [_told(match, report) for match in matches[:_SHOWN]] or [outcome(rule)]
    if len(matches) > _SHOWN:
        told.append(f"and {len(matches) - _SHOWN:,} more")
    text = "%0A".join(_escape(each, _DATA) for each in (*told, f"fix: {rule.fix}"))
    return f"::{_COMMANDS[rule.level]} {','.join(properties)}::{text}"


def _told(match: Match, report: AuditReport) -> str:
    where = place(match, report)
    return f"{sentence(match)} ({where})" if where else sentence(match)


def _escape(text: str, table: tuple[tuple[str, str], ...]) -> str:
    shown = show_name(text)
    for character, code in table:
        shown = shown.replace(character, code)
    return shown
