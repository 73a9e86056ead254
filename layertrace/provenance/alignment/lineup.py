"""History entries lined up with a Dockerfile's instructions, one by one.

Where the base image ends in a history is known only if the base is: else the
place is looked for at which everything above agrees, or nearly everything.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from layertrace.provenance.alignment.agreement import DEFAULT_SHELL, agrees, completed
from layertrace.provenance.alignment.spelling import read_created_by

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from layertrace.model.build import Instruction
    from layertrace.model.image import ImageConfig
    from layertrace.provenance.alignment.spelling import Recorded

LAYER_KEYWORDS: Final = frozenset({"RUN", "COPY", "ADD", "WORKDIR"})
"""What may change the file system; no builder makes a layer for anything else."""
KANIKO: Final = "kaniko"
BUILDKIT: Final = "buildkit."
"""How a comment of BuildKit's begins."""
BUILDAH: Final = "FROM "
"""How a comment of buildah's begins: with what the step was built on."""
_SLACK: Final = 40
"""Entries beyond twice the Dockerfile's length that a wrong one is compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineup:
    """A Dockerfile that fits a history."""

    start: int
    """The entries before this one are the base's."""
    instructions: tuple[Instruction | None, ...]
    """For each entry from ``start`` on; None for a label that the command line added.
    Where the Dockerfile does not tell the working directory, the history may have."""
    skipped: tuple[tuple[Instruction, ...], ...]
    """For each, the instructions since the one before that left no entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """The first step of a Dockerfile that is not the history's."""

    step: str
    found: str


class Records:
    """A history taken apart, and what holds at each of its entries."""

    def __init__(self, config: ImageConfig) -> None:
        """Read every entry once."""
        history = config.history
        self.entries = history
        self.recorded = [read_created_by(entry) for entry in history]
        self.shells = list(accumulate(self.recorded, _next_shell, initial=DEFAULT_SHELL))
        self.workdirs = [self._first_workdir(config)]
        for recorded in self.recorded:
            self.workdirs.append(_next_workdir(self.workdirs[-1], recorded))
        self.by_kaniko = any(entry.author == KANIKO for entry in history)
        self.by_buildah = any(entry.comment.startswith(BUILDAH) for entry in history)

    def _first_workdir(self, config: ImageConfig) -> str | None:
        """Return the lowest entry's working directory, where it never changed."""
        changes = any(each.keyword == "WORKDIR" for each in self.recorded)
        return None if changes else config.working_dir or "/"

    def placed(self, instruction: Instruction, position: int) -> Instruction:
        """Return an instruction with the words and the working directory the history gives it."""
        instruction = completed(self.recorded[position], instruction)
        if instruction.workdir is not None:
            return instruction
        return replace(instruction, workdir=self.workdirs[position])

    def agree(self, position: int, instruction: Instruction, given: Collection[str]) -> bool:
        """Say whether an entry can be what an instruction left."""
        return agrees(
            self.recorded[position],
            self.placed(instruction, position),
            shell=self.shells[position],
            given=given,
        )


def line_up(
    records: Records,
    wanted: Sequence[Instruction],
    starts: Sequence[int] | None,
    given: Collection[str],
) -> Lineup | Difference:
    """Line a history up with a Dockerfile's instructions.

    Args:
        records: the history.
        wanted: the instructions of the whole chain of stages.
        starts: where the base may end; None: anywhere.
        given: names of the build arguments that were given.
    """
    count = len(records.entries)
    if starts is None:
        first = max(count - 2 * len(wanted) - _SLACK, 0)
        if records.by_kaniko:
            first = next(n for n, e in enumerate(records.entries) if e.author == KANIKO)
        starts = [first] if records.by_kaniko else range(first, count + 1)
    table = [
        [records.agree(position, instruction, given) for instruction in wanted]
        for position in range(min(starts, default=count), count)
    ]
    aligner = _Aligner(records, wanted, table)
    gaps: dict[int, Difference] = {}
    # The latest start that fits leaves the fewest entries to labels added on
    # the command line.
    for start in reversed(starts):
        found = aligner.from_start(start)
        if isinstance(found, Lineup):
            return found
        gaps[start] = found
    return gaps[aligner.nearest(starts)]


class _Aligner:
    def __init__(
        self, records: Records, wanted: Sequence[Instruction], table: Sequence[Sequence[bool]]
    ) -> None:
        self._records = records
        self._wanted = wanted
        self._table = table
        self._offset = len(records.entries) - len(table)

    def from_start(self, start: int) -> Lineup | Difference:
        """Line up the entries from ``start`` on, as far as the first that differs."""
        count = len(self._records.entries)
        position = start
        passed: list[Instruction] = []
        found: list[Instruction | None] = []
        skipped: list[tuple[Instruction, ...]] = []
        for number, instruction in enumerate(self._wanted):
            if position < count and self._table[position - self._offset][number]:
                found.append(self._records.placed(instruction, position))
                skipped.append(tuple(passed))
                passed.clear()
                position += 1
            elif instruction.triggered and self._records.by_buildah:
                # Of an image's triggers buildah runs all, of a stage's none.
                continue
            elif self._may_lack(instruction):
                passed.append(instruction)
            else:
                step = f"line {instruction.line}, {instruction.text}"
                return Difference(step=step, found=self._shown(position) or "no such step")
        while position < count and (
            self._is_added_label(position) or self._is_added_layer(position, start)
        ):
            found.append(None)
            skipped.append(())
            position += 1
        if position < count:
            return Difference(step="the end", found=f"one more step, {self._shown(position)}")
        return Lineup(start=start, instructions=tuple(found), skipped=tuple(skipped))

    def nearest(self, starts: Sequence[int]) -> int:
        """Return the start from which the fewest steps differ.

        A step of the Dockerfile that the base would have to hold counts as a
        difference too: it was moved rather than left to the base.
        """
        if len(starts) == 1:
            return starts[0]
        distances = self._distances()
        moved = [
            any(
                agree and instruction.keyword in LAYER_KEYWORDS
                for agree, instruction in zip(row, self._wanted, strict=True)
            )
            for row in self._table
        ]
        below = list(accumulate(moved, lambda total, one: total + 1.5 * one, initial=0.0))
        return min(
            reversed(starts),
            key=lambda start: distances[start - self._offset] + below[start - self._offset],
        )

    def _distances(self) -> list[int]:
        """Return, for each start, how many steps to add, drop or change make all agree."""
        above = list(range(len(self._wanted), -1, -1))
        distances = [above[0]]
        for row in reversed(self._table):
            line = [above[-1] + 1]
            for number in range(len(self._wanted) - 1, -1, -1):
                change = above[number + 1] + (not row[number])
                line.append(min(change, above[number] + 1, line[-1] + 1))
            above = line[::-1]
            distances.append(above[0])
        return distances[::-1]

    def _may_lack(self, instruction: Instruction) -> bool:
        """Say whether an instruction may have left no entry at all.

        BuildKit records no ONBUILD; kaniko nothing that changed no file.
        """
        return instruction.keyword == "ONBUILD" or self._records.by_kaniko

    def _is_added_label(self, position: int) -> bool:
        """The classic builder adds a LABEL for each ``docker build --label``."""
        entry, recorded = self._records.entries[position], self._records.recorded[position]
        return entry.empty_layer and recorded.keyword == "LABEL"

    def _is_added_layer(self, position: int, start: int) -> bool:
        """Say whether a layer was put upon the finished build, as ``docker commit`` does.

        It records the container's command; among the classic builder's entries that
        looks like a RUN, which the Dockerfile then lacks.
        """
        entry, recorded = self._records.entries[position], self._records.recorded[position]
        if entry.empty_layer or recorded.keyword not in {"RUN", ""}:
            return False
        by_buildkit = self._records.entries[start].comment.startswith(BUILDKIT)
        return by_buildkit and not entry.comment.startswith(BUILDKIT)

    def _shown(self, position: int) -> str:
        """Return what an entry says, ``""`` behind the last."""
        if position == len(self._records.entries):
            return ""
        return self._records.recorded[position].text or "a step that it does not name"


def _next_shell(shell: str, recorded: Recorded) -> str:
    if recorded.keyword != "SHELL":
        return shell
    return " ".join(recorded.rest.strip("[]").replace('"', "").replace(",", " ").split())


def _next_workdir(workdir: str | None, recorded: Recorded) -> str | None:
    if recorded.keyword != "WORKDIR":
        return workdir
    return recorded.rest if recorded.rest.startswith("/") else None
