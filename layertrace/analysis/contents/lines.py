"""Which lines of two texts differ, in a time that no text can make long.

``difflib`` alone takes a time that grows with the square of the length, and more where lines
repeat: minutes for two files of 20,000 closing braces. So a text is first divided at the lines
that stand once in either, in the order they share (what Bram Cohen called patience), then again
between those; what is left without such a line is small or repeats, and gets as much of
``difflib`` as a fixed budget pays for. Beyond it a part counts as replaced whole: still a
difference that turns the one text into the other, only not the shortest.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_DEPTH: Final = 12
_BUDGET: Final = 20_000_000
"""Steps of ``difflib``, of which a machine takes some ten millions a second."""


class Region(NamedTuple):
    """Lines ``[old, old_end)`` of the one that became ``[new, new_end)`` of the other."""

    old: int
    old_end: int
    new: int
    new_end: int


class _Span(NamedTuple):
    old: int
    old_end: int
    new: int
    new_end: int
    depth: int = 0


def changed_regions(old: Sequence[str], new: Sequence[str]) -> tuple[tuple[Region, ...], bool]:
    """Return what differs, in order, and whether nothing was taken for replaced to save time.

    >>> changed_regions(["a", "b", "c"], ["a", "x", "c", "d"])[0]
    (Region(old=1, old_end=2, new=1, new_end=2), Region(old=3, old_end=3, new=3, new_end=4))
    """
    matcher = _Matcher(old, new)
    matches = matcher.run()
    return tuple(_between(matches, len(old), len(new))), matcher.budget >= 0


def _between(matches: Iterable[tuple[int, int]], olds: int, news: int) -> list[Region]:
    regions: list[Region] = []
    at, beside = 0, 0
    for old, new in [*matches, (olds, news)]:
        if old > at or new > beside:
            regions.append(Region(at, old, beside, new))
        at, beside = old + 1, new + 1
    return regions


class _Matcher:
    """Pairs of equal lines, both sides rising."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        # Numbers compare at once, however long the lines are.
        numbers: dict[str, int] = {}
        self._old = [numbers.setdefault(line, len(numbers)) for line in old]
        self._new = [numbers.setdefault(line, len(numbers)) for line in new]
        self._found: list[tuple[int, int]] = []
        self.budget = _BUDGET

    def run(self) -> list[tuple[int, int]]:
        todo = [_Span(0, len(self._old), 0, len(self._new))]
        while todo:
            span = self._trim(todo.pop())
            if span.old == span.old_end or span.new == span.new_end:
                continue
            anchors = self._anchors(span) if span.depth < _DEPTH else []
            if anchors:
                self._found += anchors
                todo += _gaps(span, anchors)
            else:
                self._compare(span)
        return sorted(self._found)

    def _trim(self, span: _Span) -> _Span:
        """Match what begins alike and what ends alike."""
        a, b, found = self._old, self._new, self._found
        old, old_end, new, new_end, depth = span
        while old < old_end and new < new_end and a[old] == b[new]:
            found.append((old, new))
            old, new = old + 1, new + 1
        while old < old_end and new < new_end and a[old_end - 1] == b[new_end - 1]:
            old_end, new_end = old_end - 1, new_end - 1
            found.append((old_end, new_end))
        return _Span(old, old_end, new, new_end, depth)

    def _anchors(self, span: _Span) -> list[tuple[int, int]]:
        """Return the longest rising row of lines that stand once on each side."""
        here = _once(self._old, span.old, span.old_end)
        there = _once(self._new, span.new, span.new_end)
        pairs = sorted((at, there[line]) for line, at in here.items() if line in there)
        return _longest_rising(pairs)

    def _compare(self, span: _Span) -> None:
        old = self._old[span.old : span.old_end]
        new = self._new[span.new : span.new_end]
        counts = Counter(new)
        equal = sum(counts[line] for line in old)
        self._spend_on(old, new, span, (equal + len(old)) * min(len(old), len(new), equal + 1))

    def _spend_on(self, old: list[int], new: list[int], span: _Span, cost: int) -> None:
        if self.budget < 0 or cost > self.budget:
            self.budget = -1
            return
        self.budget -= cost
        matcher = SequenceMatcher(None, old, new, autojunk=False)
        for block in matcher.get_matching_blocks():
            at, beside = span.old + block.a, span.new + block.b
            self._found += ((at + step, beside + step) for step in range(block.size))


def _gaps(span: _Span, anchors: list[tuple[int, int]]) -> list[_Span]:
    gaps: list[_Span] = []
    old, new = span.old, span.new
    for at, beside in [*anchors, (span.old_end, span.new_end)]:
        if at > old and beside > new:
            gaps.append(_Span(old, at, new, beside, span.depth + 1))
        old, new = at + 1, beside + 1
    return gaps


def _once(lines: list[int], start: int, end: int) -> dict[int, int]:
    """Return the lines that stand once, and where."""
    places: dict[int, int] = {}
    for at in range(start, end):
        line = lines[at]
        places[line] = -1 if line in places else at
    return {line: at for line, at in places.items() if at >= 0}


def _longest_rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    tops: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for number, (_, new) in enumerate(pairs):
        pile = bisect_left(tops, new)
        before.append(ends[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [new]
        ends[pile : pile + 1] = [number]
    row: list[tuple[int, int]] = []
    number = ends[-1] if ends else -1
    while number >= 0:
        row.append(pairs[number])
        number = before[number]
    return row[::-1]
