"""Counting visible files that an image could do without, each byte under one rule."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final

from layertrace.analysis.leftovers.leftovers import Counted
from layertrace.analysis.leftovers.node_modules import find_development
from layertrace.analysis.leftovers.patterns import Claim, Matcher
from layertrace.analysis.leftovers.probe import find_facts
from layertrace.analysis.leftovers.rules import FOREIGN, NODE_DEV, RULES, UNSTRIPPED
from layertrace.rootfs.places import STRIDE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layertrace.analysis.leftovers.programs import Program
    from layertrace.analysis.leftovers.visible import VisibleFiles
    from layertrace.pipeline.answers import ImageTrace

_NUMBERS: Final = {rule.name: number for number, rule in enumerate(RULES)}
_EMULATORS: Final = ("usr/bin/qemu-", "usr/local/bin/qemu-")
_FOR_OTHERS: Final = ("usr/share/", "usr/lib/firmware/", "lib/firmware/")
"""Where programs lie that something else is to run than this image's processor."""
_CROSS: Final = "-linux-"
"""In the names of folders for a compiler's targets, ``/usr/aarch64-linux-gnu``."""


def count_leftovers(trace: ImageTrace, files: VisibleFiles) -> tuple[Counted, ...]:
    """Return what rules count of the files in sight.

    A file with several hard links counts where rules count all its names: else its bytes
    would stay.

    Raises:
        LayertraceError: a content that a rule asks for cannot be had.
    """
    facts = find_facts(trace, files)
    development = find_development(facts.locks, facts.versions, trace.rootfs.seen)
    matcher = Matcher(RULES, dict.fromkeys(development, _NUMBERS[NODE_DEV]))
    programs = _Programs(trace)
    tally = _Tally()
    for row, claim in enumerate(matcher.claims(files.paths)):
        if claim is not None and row in files.names:
            claim = _common(matcher.claims(files.names[row]))  # noqa: PLW2901 - that of all names
        if claim is None:
            program = facts.programs.get(row)
            if program is None:
                continue
            root = files.paths[row]
            rule, size = programs.judge(root, files.sizes[row], program)
        elif RULES[claim.rule].magic and row not in facts.genuine:
            continue
        else:
            rule, root, size = RULES[claim.rule].name, claim.root, files.sizes[row]
        tally.add(rule, root, files.places[row] // STRIDE, size)
    return tally.counted()


def _common(claims: Iterable[Claim | None]) -> Claim | None:
    """Return the first rule for all names of a file, None where one of them is no leftover."""
    found = tuple(claims)
    return None if None in found else min(filter(None, found))


class _Programs:
    """What rules say of programs and libraries."""

    def __init__(self, trace: ImageTrace) -> None:
        self._architecture = trace.sized_head.image.config.platform.architecture
        self._seen = trace.rootfs.seen

    def judge(self, path: str, size: int, program: Program) -> tuple[str, int]:
        """Return the rule that counts bytes of a program, and how many; 0 if none does."""
        if program.runs_on(self._architecture):
            return UNSTRIPPED, program.strippable
        # What is made for another processor is not this image's to strip either.
        meant = path.startswith(_FOR_OTHERS) or _CROSS in path or self._emulates
        return FOREIGN, 0 if meant else size

    @cached_property
    def _emulates(self) -> bool:
        return any(path.startswith(_EMULATORS) for path in self._seen)


class _Tally:
    """Bytes by rule, and there by path and by layer."""

    def __init__(self) -> None:
        self._paths: defaultdict[str, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._layers: defaultdict[str, defaultdict[int, int]] = defaultdict(
            lambda: defaultdict(int)
        )

    def add(self, rule: str, path: str, layer: int, size: int) -> None:
        """Count bytes of a path that a layer holds."""
        if not size:
            return
        self._paths[rule][path] += size
        self._layers[rule][layer] += size

    def counted(self) -> tuple[Counted, ...]:
        """Return what was counted."""
        return tuple(Counted(rule, self._paths[rule], self._layers[rule]) for rule in self._paths)
