"""A policy's own rules, in the filter language."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from layertrace.analysis.audit.globs import PathSet
from layertrace.analysis.audit.kinds import Verdict
from layertrace.analysis.audit.rules.origins import NO_DOCKERFILE, NOT_BUILT
from layertrace.analysis.audit.subject import counted
from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change, OriginKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.analysis.audit.policy import Budget, Deny, ShipsOnly
    from layertrace.analysis.audit.subject import Subject
    from layertrace.filters.language import Filter
    from layertrace.model.audit import Match

_DIR: Final = int(EntryKind.DIR)
_STAGES: Final = re.compile(r"(?:^|[\s|!\-])stage:(?:\"([^\"]*)\"|'([^']*)'|([^\s|\"']+))")


def judge_deny(subject: Subject, rule: Deny) -> Verdict:
    """Find what matches the filter."""
    lacking = _lacking_for(subject, rule.files)
    if lacking:
        return Verdict(skipped=lacking)
    table = subject.trace.table
    rows = _rows(subject, rule.files, removed=rule.removed)
    return Verdict(
        matches=tuple(_at(subject, row, counted(table.sizes[row], "byte")) for row in rows),
        skipped=_untold_for(subject, rule.files),
    )


def judge_budget(subject: Subject, rule: Budget) -> Verdict:
    """Weigh what matches the filter; over its budget the largest files are named first."""
    lacking = _lacking_for(subject, rule.files)
    if lacking:
        return Verdict(skipped=lacking)
    sizes = subject.trace.table.sizes
    rows = [row for row in _rows(subject, rule.files, removed=False) if sizes[row]]
    value = sum(sizes[row] for row in rows)
    if value <= rule.max_size:
        return Verdict(value=value, skipped=_untold_for(subject, rule.files))
    rows.sort(key=lambda row: -sizes[row])
    matches = tuple(_at(subject, row, counted(sizes[row], "byte")) for row in rows)
    return Verdict(value=value, matches=matches)


def judge_ships_only(subject: Subject, rule: ShipsOnly) -> Verdict:
    """Find what was made in a stage, or copied out of it, besides the paths allowed."""
    lacking = _lacking(subject, [("", "", rule.stage)])
    if lacking:
        return Verdict(skipped=lacking)
    table, allowed = subject.trace.table, PathSet(rule.paths)
    name = rule.stage.lower()
    numbers = {str(stage.index): stage.name for stage in subject.head.stages}
    name = numbers.get(name, name)
    of_stage = {
        number
        for number, label in enumerate(table.labels)
        if name in {label.stage, label.carried_from}
    }
    rows = (
        row
        for row, label in enumerate(table.label_ids)
        if label in of_stage
        # The folders on the way to what is allowed come along with it.
        and table.kinds[row] != _DIR
        and table.changes[row] is not Change.REMOVED
        and table.paths[row] not in allowed
    )
    matches = tuple(_at(subject, row, f"from stage {name}") for row in rows)
    return Verdict(matches=matches, skipped=_untold(subject, but=name))


def _rows(subject: Subject, files: Filter, *, removed: bool) -> Iterator[int]:
    table = subject.trace.table
    for row in files.rows(table, subject.facts):
        if removed or table.changes[row] is not Change.REMOVED:
            yield row


def _at(subject: Subject, row: int, detail: str) -> Match:
    table = subject.trace.table
    visible = table.changes[row] is not Change.REMOVED
    # Of a folder that no entry made the layer is that of nothing in particular.
    layer = max(table.layers[row], 0)
    return subject.match(table.paths[row], layer, detail, visible=visible)


def _untold_for(subject: Subject, files: Filter) -> str:
    return _untold(subject) if _STAGES.search(files.text) else ""


def _untold(subject: Subject, but: str = "") -> str:
    """Return why it is not known of all files which stage made them, ``""`` where it is.

    What was copied out of the stage ``but`` is known well enough.
    """
    missing = {
        label.carried_from
        for label in subject.trace.table.labels
        if label.kind is OriginKind.UNKNOWN and label.carried_from not in {None, but}
    }
    named = ", ".join(sorted(filter(None, missing)))
    return f"the images of these stages are not at hand, give --stage: {named}" if named else ""


def _lacking_for(subject: Subject, files: Filter) -> str:
    """Return why a filter's question has no answer; ``""`` where it has one."""
    terms = [term for some in files.alternatives for term in some]
    if any(term.key == "pkg" for term in terms) and not subject.facts.packages().packages:
        return "no database of packages was found in the image"
    lacking = _lacking(subject, _STAGES.findall(files.text))
    # What nobody knows the stage of is not of it, and would match wrongly.
    negated = any(term.key == "stage" and term.negated for term in terms)
    return lacking or (_untold(subject) if negated else "")


def _lacking(subject: Subject, stages: list[tuple[str, str, str]]) -> str:
    """Return why a question about these stages has no answer; ``""`` where it has one."""
    wanted = ["".join(found) for found in stages]
    if not wanted:
        return ""
    if subject.head.build is None:
        return NO_DOCKERFILE
    if subject.build is None:
        return NOT_BUILT
    names = [stage.name for stage in subject.head.stages]
    known = {name.lower() for name in names} | {str(number) for number in range(len(names))}
    for name in wanted:
        if name.lower() not in known:
            near = get_close_matches(name.lower(), names, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            return f"the Dockerfile has no stage {name}: {hint}"
    return ""
