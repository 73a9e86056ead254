"""An audit as Markdown, for a comment on a pull request.

Source: GitHub Flavored Markdown, 6.1 (code spans) and 4.10 (tables).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from layertrace.model.audit import Level, Status
from layertrace.views.audit.words import outcome, place, sentence
from layertrace.views.text import plural, show_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.audit import AuditReport, RuleResult
    from layertrace.model.trace import ImageHead

_MARKS: Final = {Level.ERROR: "**fail**", Level.WARNING: "warning", Level.NOTE: "note"}
_SHOWN: Final = 10
_RUNS: Final = re.compile("`+")
_PLAIN: Final = re.compile(r"(?:[A-Za-z0-9 ,.;()'\"/=%-]|: )*")
_LONGEST: Final = 60_000
"""Characters; GitHub takes no comment of more than 65,536."""


def markdown_text(report: AuditReport, head: ImageHead, least: Level = Level.ERROR) -> str:
    """Return what failed as a table, then match by match; whatever passed is a count.

    From level ``least`` on, a rule that fails stops the image.
    """
    failed = [rule for rule in report.rules if rule.status is Status.FAIL]
    skipped = [rule for rule in report.rules if rule.status is Status.SKIPPED]
    passed = len(report.rules) - len(failed) - len(skipped)
    word = "may not ship" if report.fails_at(least) else "may ship"
    counts = f"{plural(len(failed), 'rule')} failed, {passed:,} passed, {len(skipped):,} skipped"
    lines = [
        f"## {code(show_name(head.image.reference))} {word}",
        "",
        f"{counts}; policy {code(show_name(report.policy))}.",
    ]
    if failed:
        lines += ["", "| Rule | | Found |", "| --- | --- | --- |"]
        lines += [f"| {_cell(rule.id)} | {_MARKS[rule.level]} | {_cell(outcome(rule))} |"
                  for rule in failed]  # fmt: skip
    room = _LONGEST - sum(map(len, lines))
    for rule in failed:
        section = list(_section(report, rule))
        room -= sum(len(line) + 1 for line in section)
        if room < 0:
            lines += ["", "The rest is left out: comments have a limit."]
            break
        lines += section
    lines += _skipped_lines(skipped) if room >= 0 else []
    return "\n".join([*lines, ""])


def code(text: str) -> str:
    """Return text as a code span, in which nothing is a link, a mention or HTML.

    >>> code("a`b"), code("@all <img>")
    ('`` a`b ``', '`@all <img>`')
    """
    if not text.strip():
        return f"`'{text}'`"
    longest = max(map(len, _RUNS.findall(text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest or text[0] == " " or text[-1] == " " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _cell(text: str) -> str:
    # A bar ends a cell even in a code span, unless a backslash is before it.
    return code(show_name(text)).replace("|", "\\|")


def _prose(text: str) -> str:
    """Return a sentence as it is where nothing in it can act, else as a code span."""
    shown = show_name(text)
    return shown if _PLAIN.fullmatch(shown) and "www." not in shown else code(shown)


def _section(report: AuditReport, rule: RuleResult) -> Iterator[str]:
    yield from ("", f"### {code(show_name(rule.id))}", "")
    yield from (f"It asks that {_prose(rule.asks)}.", "")
    for match in rule.matches[:_SHOWN]:
        where = place(match, report)
        yield f"- {code(sentence(match))}{f' · {code(where)}' if where else ''}"
    if len(rule.matches) > _SHOWN:
        yield f"- … and {len(rule.matches) - _SHOWN:,} more"
    if rule.excepted:
        yield f"- {len(rule.excepted):,} excepted by the policy"
    yield from ("", f"Fix: {_prose(rule.fix)}")


def _skipped_lines(skipped: list[RuleResult]) -> list[str]:
    if not skipped:
        return []
    rows = [f"- {code(show_name(r.id))}: {_prose(r.reason)}" for r in skipped]
    return ["", "Skipped:", "", *rows]
