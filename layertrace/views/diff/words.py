"""Causes of changes in words."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from layertrace.model.difference import Why
from layertrace.views.text import plural, show_name, show_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.model.difference import Argument, Cause, Counts, Maker, Part
    from layertrace.model.packages import PackageChange

_DIGEST: Final = 19
_PACKAGES: Final = 8
_NAMES: Final = 8
"""Names of one sort that are told."""


def cause_text(cause: Cause) -> str:
    """Return why paths changed, as one line that is safe to show."""
    old, new = cause.old, cause.new
    either = new or old
    if cause.why is Why.UNKNOWN or either is None:
        return f"unknown{_layers(either)}" if either is not None else "unknown"
    if either.base:
        return _base_text(old, new)
    if old is None or new is None:
        return f"{'removed' if new is None else 'added'}: {_maker_text(either)}"
    here = _maker_text(new)
    texts = {
        Why.RESULT: f"same instruction, other result: {here}",
        Why.CONTEXT: f"build context: {here}",
        Why.ARGUMENT: f"build argument {_arguments(cause.arguments)}: {here}",
        Why.LEFT_BEHIND: f"left behind in stage {show_name(new.stage or '?')}: {here}",
        Why.SHIPPED: f"shipped now, left behind before: {here}",
    }
    return texts.get(cause.why) or f"changed: {_maker_text(old)} → {here}"


def _base_text(old: Maker | None, new: Maker | None) -> str:
    either = new or old
    stage = f" of stage {show_name(either.stage)}" if either and either.stage else ""
    if old is None or new is None:
        word = "removed" if new is None else "added"
        return f"base image{stage} {word}: {_base_name(either)}{_layers(either)}"
    before, after = _base_name(old), _base_name(new)
    if before == after and old.digest != new.digest and old.digest and new.digest:
        before, after = (f"{before}@{m.digest[:_DIGEST]}…" for m in (old, new) if m.digest)
    names = before if before == after else f"{before} → {after}"
    spans = f"{_span(old)} → {_span(new)}" if _span(old) != _span(new) else _span(old)
    same = " built anew" if before == after else ""
    return f"base image{stage} {names}{same}" + (f" ({spans})" if spans else "")


def _base_name(maker: Maker | None) -> str:
    return show_name(maker.image) if maker is not None and maker.image else "(name not known)"


def _maker_text(maker: Maker) -> str:
    text = show_name(maker.instruction or "(not recorded)")
    places = []
    if maker.line is not None:
        places.append(f"line {maker.line}")
    if maker.stage is not None:
        places.append(f"stage {show_name(maker.stage)}")
    if not places and maker.layers:
        places.append(_span(maker))
    return f"{text} ({', '.join(places)})" if places else text


def _span(maker: Maker) -> str:
    if not maker.layers:
        return ""
    first, last = maker.layers[0] + 1, maker.layers[-1] + 1
    return f"L{first}" if first == last else f"L{first}-L{last}"


def _layers(maker: Maker | None) -> str:
    span = _span(maker) if maker is not None else ""
    return f" ({span})" if span else ""


def _arguments(arguments: Sequence[Argument]) -> str:
    texts = []
    for each in arguments:
        values = f" {each.old} → {each.new}" if each.old and each.new else ""
        texts.append(f"{show_name(each.name)}{values}")
    return ", ".join(texts)


def counts_text(counts: Counts) -> str:
    """Return how many paths changed, by the marks of all views.

    >>> from layertrace.model.difference import Counts
    >>> counts_text(Counts(added=612, modified=218, metadata=1))
    '+612 ~218 m1'
    """
    marks = {
        "+": counts.added,
        "-": counts.removed,
        "~": counts.modified,
        "t": counts.retyped,
        "m": counts.metadata,
    }
    return " ".join(f"{mark}{count:,}" for mark, count in marks.items() if count) or "none"


def delta_text(size: int) -> str:
    """Return a difference in size, its sign always shown.

    >>> delta_text(23_800_000), delta_text(-14_100), delta_text(0)
    ('+23.8 MB', '-14.1 kB', '0 B')
    """
    return f"+{show_size(size)}" if size > 0 else show_size(size)


def package_texts(changes: Sequence[PackageChange]) -> list[str]:
    """Return which packages have another version, came and went; none where there are none."""
    moved = [
        f"{show_name(c.old.name)} {show_name(c.old.version)} → {show_name(c.new.version)}"
        for c in changes
        if c.old is not None and c.new is not None
    ]
    come = [f"+{show_name(c.new.name)}" for c in changes if c.old is None and c.new is not None]
    gone = [f"-{show_name(c.old.name)}" for c in changes if c.new is None and c.old is not None]
    words = (("changed", moved), ("added", come), ("removed", gone))
    return [f"{len(some):,} {word}: {_some(some)}" for word, some in words if some]


def _some(texts: Sequence[str]) -> str:
    more = [f"{len(texts) - _PACKAGES:,} more"] if len(texts) > _PACKAGES else []
    return ", ".join([*texts[:_PACKAGES], *more])


def part_texts(parts: Sequence[Part]) -> list[tuple[int, str]]:
    """Return, for each sort of what changed for one cause, its bytes and what it is."""
    sorts: defaultdict[str, list[Part]] = defaultdict(list)
    for part in parts:
        sorts[part.sort].append(part)
    rows = []
    for sort, some in sorts.items():
        total = sum(part.counts.bytes_delta for part in some)
        paths = sum(part.counts.paths for part in some)
        rows.append((total, f"{sort}, {plural(paths, 'path')}{_largest(some)}"))
    return sorted(rows, key=lambda row: -abs(row[0]))


def _named(part: Part) -> str:
    """Return a part by its name, with its bytes if it has more or fewer than it had."""
    delta = part.counts.bytes_delta
    return f"{show_name(part.name)} {delta_text(delta)}" if delta else show_name(part.name)


def _largest(parts: Sequence[Part]) -> str:
    named = [part for part in parts if part.name]
    shown = [_named(part) for part in named[:_NAMES]]
    if len(named) > _NAMES:
        shown.append(f"{len(named) - _NAMES:,} more")
    return f": {', '.join(shown)}" if shown else ""
