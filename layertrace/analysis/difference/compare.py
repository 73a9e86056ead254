"""Two images compared: what differs, why, and what it adds up to."""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from layertrace.analysis.difference.causes import attribute
from layertrace.analysis.difference.pairs import find_pairs
from layertrace.analysis.difference.renames import find_renames
from layertrace.analysis.difference.sides import Side
from layertrace.analysis.difference.sorts import Sorter
from layertrace.analysis.packages.changes import package_changes
from layertrace.analysis.packages.table import read_packages
from layertrace.model.difference import (
    Cause,
    Changes,
    Difference,
    DiffKind,
    Part,
    Weight,
    make_counts,
)
from layertrace.model.origin import Finding, OriginKind
from layertrace.model.packages import PackageTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.analysis.difference.causes import Reason
    from layertrace.analysis.difference.pairs import Pairs
    from layertrace.analysis.difference.sorts import Sort
    from layertrace.pipeline.answers import ImageTrace

_NONE: Final = PackageTable()
_BYTES: Final = -1
"""In a count of kinds: the bytes."""


class Comparison:
    """Two images, compared once; asked as often as somebody chooses other paths."""

    def __init__(
        self,
        old: ImageTrace,
        new: ImageTrace,
        *,
        times: bool = True,
    ) -> None:
        """Compare them.

        Args:
            old: the one image.
            new: the other.
            times: a path that differs in its time alone is a change.

        Raises:
            LayertraceError: a content cannot be had.
        """
        self.old, self.new = old, new
        ours, theirs = Side(old), Side(new)
        pairs = find_pairs(ours, theirs, times=times)
        paths = _paths(ours, theirs, pairs)
        self._reasons, self._causes = attribute(ours, theirs, pairs, paths)
        self._weights = (
            Weight(visible=ours.visible, stored=ours.stored),
            Weight(visible=theirs.visible, stored=theirs.stored),
        )
        self._changes = Changes(
            paths=paths,
            old_rows=_rows(ours, pairs.old),
            new_rows=_rows(theirs, pairs.new),
            kinds=bytes(pairs.kinds),
            attributes=bytes(pairs.attributes),
            bytes_deltas=pairs.deltas,
            causes=self._causes,
            renames=find_renames(ours, theirs, pairs, paths),
        )
        # Databases of packages are files: where none differs, no package does.
        tables = (read_packages(old), read_packages(new)) if paths else (_NONE, _NONE)
        self._packages = package_changes(*tables)
        self._sorters = Sorter(old, tables[0]), Sorter(new, tables[1])

    @property
    def changes(self) -> Changes:
        """Every change, its cause not yet in the order of what is shown."""
        return self._changes

    def difference(self, numbers: Sequence[int] | None = None) -> Difference:
        """Return all changes with their causes, or those chosen by number, in order."""
        changes = self._changes if numbers is None else _chosen(self._changes, numbers)
        causes, order = self._make_causes(changes)
        ranked = array("i", (order[number] for number in changes.causes))
        return Difference(
            old=self._weights[0],
            new=self._weights[1],
            changes=_with_causes(changes, ranked),
            causes=causes,
            counts=changes.counts(),
            total=self._changes.counts(),
            packages=self._packages,
        )

    def _make_causes(self, changes: Changes) -> tuple[tuple[Cause, ...], dict[int, int]]:
        """Return the causes of some changes, and the number of each reason among them."""
        sums: defaultdict[int, defaultdict[Sort, Counter[int]]]
        sums = defaultdict(lambda: defaultdict(Counter))
        for number, reason in enumerate(changes.causes):
            part = sums[reason][self._sort(changes, number)]
            part[changes.kinds[number]] += 1
            part[_BYTES] += changes.bytes_deltas[number]
        made = {reason: _cause(self._reasons[reason], sums[reason]) for reason in sums}
        ranked = sorted(made, key=lambda reason: (*_size(made[reason]), reason))
        order = {reason: number for number, reason in enumerate(ranked)}
        return tuple(made[reason] for reason in ranked), order

    def _sort(self, changes: Changes, number: int) -> Sort:
        removed = changes.kinds[number] == DiffKind.REMOVED
        trace = self.old if removed else self.new
        row = changes.old_rows[number] if removed else changes.new_rows[number]
        table = trace.table
        label = table.labels[table.label_ids[row]]
        sorter = self._sorters[0 if removed else 1]
        return sorter.sort(changes.paths[number], context=label.kind is OriginKind.CONTEXT)


def pair_findings(old: ImageTrace, new: ImageTrace) -> tuple[Finding, ...]:
    """Return what is strange about comparing just these two."""
    one, two = (str(each.sized_head.image.config.platform) for each in (old, new))
    if one == two:
        return ()
    message = f"the images are of two platforms, {one} and {two}: nearly everything may differ"
    return (Finding(code="two-platforms", message=message),)


def _cause(reason: Reason, sums: dict[Sort, Counter[int]]) -> Cause:
    parts = [
        Part(sort=sort.sort, name=sort.name, counts=make_counts(kinds[_BYTES], kinds))
        for sort, kinds in sums.items()
    ]
    parts.sort(key=lambda part: (*_size(part), part.sort, part.name))
    total: Counter[int] = Counter()
    for kinds in sums.values():
        # Not "+=": that drops what is below zero.
        total.update(kinds)
    return Cause(
        kind=reason.kind,
        why=reason.why,
        counts=make_counts(total[_BYTES], total),
        old=reason.old,
        new=reason.new,
        arguments=reason.arguments,
        parts=tuple(parts),
    )


def _size(part: Cause | Part) -> tuple[int, int]:
    return -abs(part.counts.bytes_delta), -part.counts.paths


def _paths(old: Side, new: Side, pairs: Pairs) -> list[str]:
    ours, theirs = old.table.paths, new.table.paths
    return [
        ours[old.rows[a]] if a >= 0 else theirs[new.rows[b]]
        for a, b in zip(pairs.old, pairs.new, strict=True)
    ]


def _rows(side: Side, numbers: Sequence[int]) -> array[int]:
    return array("q", (side.rows[number] if number >= 0 else -1 for number in numbers))


def _chosen(changes: Changes, numbers: Sequence[int]) -> Changes:
    place = {number: position for position, number in enumerate(numbers)}
    return Changes(
        paths=[changes.paths[n] for n in numbers],
        old_rows=array("q", (changes.old_rows[n] for n in numbers)),
        new_rows=array("q", (changes.new_rows[n] for n in numbers)),
        kinds=bytes(changes.kinds[n] for n in numbers),
        attributes=bytes(changes.attributes[n] for n in numbers),
        bytes_deltas=array("q", (changes.bytes_deltas[n] for n in numbers)),
        causes=array("i", (changes.causes[n] for n in numbers)),
        renames={
            place[gone]: place[come]
            for gone, come in changes.renames.items()
            if gone in place and come in place
        },
    )


def _with_causes(changes: Changes, causes: array[int]) -> Changes:
    return Changes(
        paths=changes.paths,
        old_rows=changes.old_rows,
        new_rows=changes.new_rows,
        kinds=changes.kinds,
        attributes=changes.attributes,
        bytes_deltas=changes.bytes_deltas,
        causes=causes,
        renames=changes.renames,
    )
