"""What each directory of a file tree adds up to, within one scope.

Columns like the tree itself: about 34 bytes a path, made in some passes over
it, leaves first. They run in a thread, so none of them calls a function a path.
"""

from __future__ import annotations

from array import array
from heapq import heappop, heappush
from itertools import compress
from typing import TYPE_CHECKING, Final

from layertrace.model.origin import Trust
from layertrace.views.filetree import NO_LAYER, Mark

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.views.filetree import FileTree, Scope

SEVERAL_LAYERS: Final = -2
"""Of a directory whose files lie in more than one layer."""

_TRUSTS: Final = tuple(Trust)
_REMOVED: Final = int(Mark.REMOVED)
_UNTOUCHED_BIT: Final = 1 << Mark.UNTOUCHED
_QUIET: Final = frozenset({int(Mark.UNTOUCHED), int(Mark.METADATA)})
"""Marks of a directory that say nothing of its contents."""


class Sums:
    """What lies below every path of a tree, for one scope; only read."""

    chosen: bytearray
    """1 for a path of the scope."""
    present: bytearray
    """1 for those and the directories above them."""
    sizes: array[int]
    """Bytes that ship, at and below each path."""
    lost: array[int]
    """Bytes of removed files, which ship nevertheless."""
    files: array[int]
    """Shipped files at and below each path."""
    spans: array[int]
    """Present paths at and below each path."""
    layers: array[int]
    trusts: bytearray
    """Ranks of the weakest trust."""
    marks: bytearray
    owner_sets: array[int]
    """Into ``owners``."""
    owners: tuple[tuple[int, ...], ...]
    """The distinct sets of owners; a label stands for its owner."""
    parts: dict[int, dict[int, int]]
    """Of a directory of several owners: label to bytes that ship, one label an owner."""
    part_files: dict[int, dict[int, int]]
    """The same for how many files ship."""
    largest: array[int]
    """The largest file that ships at or below each path, the first of several; -1: none."""

    def __init__(self, tree: FileTree, scope: Scope) -> None:
        """Choose the scope's paths and add them up, leaves first."""
        self.scope = scope
        self.chosen = _choose(tree, scope)
        self.present = _with_ancestors(tree, self.chosen)
        nodes = list(compress(range(len(tree)), self.present))
        nodes.reverse()
        _add_bytes(tree, self, nodes)
        _add_marks(tree, self, nodes)
        _add_owners(tree, self, nodes)
        self.parts = _divided(tree, self, nodes, self.sizes)
        self.part_files = _divided(tree, self, nodes, self.files)
        _add_largest(tree, self, nodes)
        roots = [node for node in tree.children(-1) if self.present[node]]
        self.total_size = sum(self.sizes[node] for node in roots)
        self.total_lost = sum(self.lost[node] for node in roots)
        self.total_files = sum(self.files[node] for node in roots)

    def trust(self, node: int) -> Trust:
        """Return the weakest trust at and below ``node``."""
        return _TRUSTS[self.trusts[node]]

    def largest_files(self, tree: FileTree, node: int, count: int) -> list[int]:
        """Return the largest files that ship below ``node``, of several alike the first.

        Only what is listed beside one of them is looked at, not all that lies below.
        """
        sizes = tree.table.sizes
        found: list[int] = []
        waiting = [(0, 0, node)]
        while waiting and len(found) < count:
            _, _, top = heappop(waiting)
            if top != node and not tree.is_dir[top]:
                found.append(top)
                continue
            for child in tree.children(top):
                if (file := self.largest[child]) >= 0:
                    heappush(waiting, (-sizes[file], file, child))
        return found

    def owner_labels(self, node: int) -> tuple[int, ...]:
        """Return one label for each owner of what lies at and below ``node``."""
        return self.owners[self.owner_sets[node]]


def _choose(tree: FileTree, scope: Scope) -> bytearray:
    table = tree.table
    chosen = bytearray(b"\x01" * len(tree))
    if scope.layers is not None:
        # The last place stands for -1, an implicit directory, which no layer holds.
        top = max(table.layers, default=0)
        wanted = [layer in scope.layers for layer in range(top + 1)] + [False]
        chosen = bytearray(map(wanted.__getitem__, table.layers))
    if (scope.stage, scope.kind, scope.line) != (None, None, None):
        taken = [scope.takes(label) for label in table.labels]
        chosen = bytearray(map(int.__and__, chosen, map(taken.__getitem__, table.label_ids)))
    return chosen


def _with_ancestors(tree: FileTree, chosen: bytearray) -> bytearray:
    present = bytearray(chosen)
    if not all(chosen):
        for node in compress(range(len(tree)), chosen):
            for parent in tree.ancestors(node):
                if present[parent]:
                    break
                present[parent] = 1
    return present


def _scope_marks(tree: FileTree, sums: Sums) -> list[int]:
    """Return each path's own mark within the scope."""
    below, removed = sums.scope.below, _REMOVED
    return [
        mark if chosen and layer != NO_LAYER and (mark == removed or layer not in below) else 0
        for mark, chosen, layer in zip(tree.marks, sums.chosen, tree.table.layers, strict=True)
    ]


def _add_bytes(tree: FileTree, sums: Sums, nodes: list[int]) -> None:
    """Sum sizes and counts; ``nodes`` are the present ones, leaves first."""
    parents, is_dir, chosen, own_marks = tree.parents, tree.is_dir, sums.chosen, tree.marks
    # Lists: an array makes a new int at every look, and this is the slowest pass.
    sizes, lost, files = [0] * len(tree), [0] * len(tree), [0] * len(tree)
    spans, own_sizes = [0] * len(tree), tree.table.sizes
    for node in nodes:
        parent = parents[node]
        size, count = sizes[node], files[node]
        if chosen[node] and not is_dir[node]:
            if own_marks[node] == _REMOVED:
                lost[node] += own_sizes[node]
            else:
                sizes[node] = size = size + own_sizes[node]
                files[node] = count = count + 1
        spans[node] = span = spans[node] + 1
        if parent >= 0:
            spans[parent] += span
            if count:
                sizes[parent] += size
                files[parent] += count
            if lost[node]:
                lost[parent] += lost[node]
    sums.sizes, sums.lost = array("q", sizes), array("q", lost)
    sums.files, sums.spans = array("I", files), array("I", spans)


def _add_marks(tree: FileTree, sums: Sums, nodes: list[int]) -> None:
    """Give each path its mark, a directory also for what changed below it."""
    parents, layers = tree.parents, tree.table.layers
    sums.marks = marks = bytearray(len(tree))
    own_marks = _scope_marks(tree, sums)
    found = bytearray(len(tree))
    for node in nodes:
        mark, below = own_marks[node], found[node]
        if mark in _QUIET and below & ~(_UNTOUCHED_BIT | 1 << mark):
            # No layer made an implicit directory: it is what its contents are.
            mark = int(Mark.MODIFIED)
            if layers[node] == NO_LAYER and below & (below - 1) == 0:
                mark = below.bit_length() - 1
        marks[node] = mark
        parent = parents[node]
        if parent >= 0:
            found[parent] |= below | 1 << mark


def _add_owners(tree: FileTree, sums: Sums, nodes: list[int]) -> None:
    """Give each directory the owners, layer and weakest trust of its files.

    One that holds none keeps its own, and does not count further up: an empty
    directory that WORKDIR made does not make two owners of its parent.
    """
    table, parents, is_dir = tree.table, tree.parents, tree.is_dir
    files = sums.files.tolist()
    sums.trusts = trusts = bytearray(len(tree))
    sums.layers = layers = array("h", bytes(2 * len(tree)))
    own_trusts, own_layers, label_ids = tree.trusts, table.layers, table.label_ids
    bits = _owner_bits(tree)
    masks = [0] * len(tree)
    for node in nodes:
        if not files[node] or not is_dir[node]:
            trusts[node] = own_trusts[node]
            layers[node] = own_layers[node]
            masks[node] = bits[label_ids[node]]
        parent = parents[node]
        if parent >= 0 and files[node]:
            if not masks[parent]:
                layers[parent] = layers[node]
            elif layers[parent] != layers[node]:
                layers[parent] = SEVERAL_LAYERS
            masks[parent] |= masks[node]
            if trusts[node] > trusts[parent]:  # noqa: PLR1730 - a call to max costs more than the rest
                trusts[parent] = trusts[node]
    sums.owner_sets, sums.owners = _share(tree, masks)


def _divided(
    tree: FileTree, sums: Sums, nodes: list[int], amounts: Sequence[int]
) -> dict[int, dict[int, int]]:
    """Divide the amounts of each directory of several owners among them."""
    parents, sets = tree.parents, sums.owner_sets
    # One label or none: of a directory of one owner, all is that owner's.
    single = [labels[0] if len(labels) == 1 else None for labels in sums.owners]
    mixed = [len(labels) > 1 for labels in sums.owners]
    parts: dict[int, dict[int, int]] = {}
    for node in nodes:
        parent = parents[node]
        if parent < 0 or not amounts[node] or not mixed[sets[parent]]:
            continue
        whole = parts.setdefault(parent, {})
        label = single[sets[node]]
        own = parts.get(node, {}) if label is None else {label: amounts[node]}
        for owner, amount in own.items():
            whole[owner] = whole.get(owner, 0) + amount
    return parts


def _add_largest(tree: FileTree, sums: Sums, nodes: list[int]) -> None:
    """Find the largest file at and below each path, so that nobody looks through all."""
    parents, is_dir, sizes, files = tree.parents, tree.is_dir, tree.table.sizes, sums.files
    largest = [-1] * len(tree)
    for node in nodes:
        if not files[node]:
            continue
        if not is_dir[node]:
            largest[node] = node
        parent, found = parents[node], largest[node]
        # Leaves come first, and of them the last: of several alike, the first is left.
        if parent >= 0 and (largest[parent] < 0 or sizes[found] >= sizes[largest[parent]]):
            largest[parent] = found
    sums.largest = array("i", largest)


def _owner_bits(tree: FileTree) -> list[int]:
    first: dict[str, int] = {}
    return [1 << first.setdefault(owner.text, row) for row, owner in enumerate(tree.owners)]


def _share(tree: FileTree, masks: list[int]) -> tuple[array[int], tuple[tuple[int, ...], ...]]:
    """Keep each distinct set of owners once: there are few, however many files."""
    numbers: dict[int, int] = {}
    sets = array("I", [numbers.setdefault(mask, len(numbers)) for mask in masks])
    labels = range(len(tree.owners))
    return sets, tuple(tuple(row for row in labels if mask >> row & 1) for mask in numbers)
