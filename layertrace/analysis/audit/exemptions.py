"""A policy's exceptions, applied to what rules found."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from layertrace.analysis.audit.globs import PathSet
from layertrace.model.audit import Excepted

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from layertrace.analysis.audit.policy import Exemption
    from layertrace.model.audit import Match


class Exemptions:
    """The exceptions of a policy on one day, and which of them were of use."""

    def __init__(self, exemptions: Iterable[Exemption], today: date) -> None:
        """Keep them, their globs read."""
        self._today = today
        self._known = [
            (each, None if each.path is None else PathSet([each.path])) for each in exemptions
        ]
        self._used: set[int] = set()

    def sift(
        self, rule: str, matches: Iterable[Match]
    ) -> tuple[tuple[Match, ...], tuple[Excepted, ...]]:
        """Return the matches that count, and those that are excepted.

        What only an exception that has expired is for counts, and says so.
        """
        counted: list[Match] = []
        excepted: list[Excepted] = []
        known = [each for each in enumerate(self._known) if each[1][0].rule in {rule, None}]
        for match in matches:
            fitting = [
                (number, exemption)
                for number, (exemption, paths) in known
                if paths is None or (match.path is not None and match.path in paths)
            ]
            self._used.update(number for number, _ in fitting)
            alive = [each for _, each in fitting if not self._is_over(each)]
            if alive:
                until = alive[0].until
                ends = None if until is None else until.isoformat()
                excepted.append(Excepted(match=match, reason=alive[0].reason, until=ends))
            elif fitting:
                counted.append(_expired(match, fitting[0][1]))
            else:
                counted.append(match)
        return tuple(counted), tuple(excepted)

    def unused(self, asked: Iterable[str]) -> tuple[str, ...]:
        """Return, in words, what no match of the rules asked is an exception to."""
        rules = set(asked)
        return tuple(
            f"nothing needs the exception for {_words(exemption)}: {exemption.reason}"
            for number, (exemption, _) in enumerate(self._known)
            if number not in self._used and (exemption.rule is None or exemption.rule in rules)
        )

    def _is_over(self, exemption: Exemption) -> bool:
        return exemption.until is not None and exemption.until < self._today


def _expired(match: Match, exemption: Exemption) -> Match:
    words = f"the exception ended on {exemption.until}: {exemption.reason}"
    return replace(match, detail=f"{match.detail}; {words}")


def _words(exemption: Exemption) -> str:
    return " ".join(filter(None, (exemption.rule, exemption.path)))
