"""An audit as JUnit XML: a rule is a test case.

Source: the schema that Jenkins' xUnit plugin publishes, ``junit-10.xsd``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from layertrace.model.audit import Level, Status
from layertrace.views.audit.words import outcome, place, sentence
from layertrace.views.text import show_name

if TYPE_CHECKING:
    from layertrace.model.audit import AuditReport, RuleResult
    from layertrace.model.trace import ImageHead


def junit_text(report: AuditReport, head: ImageHead, least: Level = Level.ERROR) -> str:
    """Return the audit as XML in ASCII.

    Args:
        report: what was found.
        head: of the image.
        least: from this level on, a rule that fails is a failed test; below, one that passes
            and says what it found.
    """
    levels = list(Level)[: list(Level).index(least) + 1]
    failed = [r for r in report.rules if r.status is Status.FAIL and r.level in levels]
    skipped = [rule for rule in report.rules if rule.status is Status.SKIPPED]
    counts = {"tests": str(len(report.rules)), "failures": str(len(failed)), "errors": "0"}
    root = ET.Element("testsuites", {"name": "layertrace audit", **counts})
    suite = ET.SubElement(
        root,
        "testsuite",
        {"name": show_name(head.image.reference), **counts, "skipped": str(len(skipped))},
    )
    for rule in report.rules:
        _add_case(suite, report, rule, failed=rule in failed)
    ET.indent(root)
    # ASCII alone, so that no terminal or locale can spoil it.
    body = ET.tostring(root, encoding="us-ascii", xml_declaration=False).decode("ascii")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _add_case(suite: ET.Element, report: AuditReport, rule: RuleResult, *, failed: bool) -> None:
    names = {"name": show_name(rule.id), "classname": "layertrace.audit"}
    case = ET.SubElement(suite, "testcase", names)
    if rule.status is Status.SKIPPED:
        ET.SubElement(case, "skipped", {"message": show_name(rule.reason)})
    elif failed:
        about = {"type": rule.level.value, "message": outcome(rule)}
        ET.SubElement(case, "failure", about).text = _lines(report, rule)
    elif rule.status is Status.FAIL:
        ET.SubElement(case, "system-out").text = f"{rule.level.value}: {_lines(report, rule)}"


def _lines(report: AuditReport, rule: RuleResult) -> str:
    lines = [f"{outcome(rule)}; it asks that {show_name(rule.asks)}"]
    for match in rule.matches:
        where = place(match, report)
        lines.append(f"{sentence(match)}{f' [{where}]' if where else ''}")
    lines += [f"fix: {show_name(rule.fix)}", *_excepted(rule)]
    return "\n".join(lines)


def _excepted(rule: RuleResult) -> list[str]:
    return [
        f"excepted: {sentence(each.match)}: {show_name(each.reason)}"
        + ("" if each.until is None else f" (until {each.until})")
        for each in rule.excepted
    ]
