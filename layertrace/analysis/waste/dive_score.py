"""An image's efficiency as dive 0.13 scores it, for people who compare.

Of each path, the least that any layer holds at it against all that layers hold at it. That
is no measure of waste: the bytes of a removed directory count at its own path alone, so
they add to both sides, and a file that a larger one replaced is taken for the one that is
needed. What looks odd below is what dive does: an image may even score less than nothing.

Source: dive, ``dive/filetree/efficiency.go`` and ``file_tree.go``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.layers.whiteout import PREFIX
from layertrace.model.entry import EntryKind
from layertrace.rootfs.squash import directories, with_parents

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from layertrace.layers.index import LayerIndex

_DIR: Final = int(EntryKind.DIR)


class _Node(NamedTuple):
    size: int
    is_dir: bool


_IMPLIED: Final = _Node(0, is_dir=False)
"""What dive takes a directory for that a layer has no entry for."""
_UNSET: Final = -1
"""The least size of a path that none was found of; dive adds it up like any other."""


def dive_efficiency(layers: Sequence[LayerIndex]) -> float:
    """Return what dive prints as ``efficiency``: 1 is the best."""
    least: dict[str, int] = {}
    total = 0
    stack = _Stack({path for index in layers for path in index.whiteouts})
    for number, index in enumerate(layers):
        if not number:
            stack.put(index)
        total += _count(index, stack, least)
        stack.take(index)
    return sum(least.values()) / total if total else 1.0


def _count(index: LayerIndex, stack: _Stack, least: dict[str, int]) -> int:
    """Add a layer to the least size of each path; return what all in it weighs.

    Counted is what nothing stands below in this layer, markers too. At a marker that
    removes nothing dive leaves the layer.
    """
    absent = (path for path in index.whiteouts if path not in stack.nodes)
    last = min(absent, key=_marker_order, default=None)
    end = None if last is None else _marker_order(last)
    sizes = _entries(index)
    if end is not None:
        sizes = {path: size for path, size in sizes.items() if _order(path) < end}
    total = _lower(least, sizes)
    reached = (path for path in index.whiteouts if end is None or _marker_order(path) < end)
    total += _lower(least, {path: stack.weigh(path) for path in reached})
    stack.weights.clear()
    if last is not None:
        least.setdefault(last, _UNSET)
    return total


def _lower(least: dict[str, int], sizes: dict[str, int]) -> int:
    total = sum(sizes.values())
    for path in least.keys() & sizes.keys():
        if least[path] != _UNSET:
            sizes[path] = min(least[path], sizes[path])
    least |= sizes
    return total


def _entries(index: LayerIndex) -> dict[str, int]:
    parents = _folders(index)
    # Of an opaque marker there is no trace, of the directories it names there is.
    sizes = {**dict.fromkeys(index.opaques, 0), **dict(zip(index.paths, index.sizes, strict=True))}
    for path in parents & sizes.keys():
        del sizes[path]
    return sizes


def _folders(index: LayerIndex) -> set[str]:
    return with_parents(index.parents | directories((*index.whiteouts, *index.opaques)))


def _order(path: str) -> list[bytes]:
    """Return what the paths of one layer are sorted by: name by name, by bytes."""
    return path.encode("utf-8", "surrogateescape").split(b"/")


def _marker_order(path: str) -> list[bytes]:
    *parents, name = _order(path)
    return [*parents, PREFIX.encode() + name]


class _Stack:
    """The layers so far on top of each other, as far as a marker of any layer reaches."""

    def __init__(self, targets: set[str]) -> None:
        self.nodes: dict[str, _Node] = {}
        self.weights: dict[str, int] = {}
        """Of nodes with all below them, for as long as nothing changes."""
        self._children: dict[str, set[str]] = {}
        self._reached: dict[str, bool] = {"": "" in targets}
        self._targets = targets

    def take(self, index: LayerIndex) -> None:
        """Put a layer on top."""
        # Nodes go on in the order of their names, a marker with its prefix: some come
        # before what their own layer has at the path, some after.
        late = [path for path in index.whiteouts if _is_late(path)]
        self._remove(set(index.whiteouts).difference(late))
        self.put(index)
        self._remove(late)

    def put(self, index: LayerIndex) -> None:
        """Put what a layer has on top, but not what it removes."""
        if not self._targets:
            return
        reached = {path for path in _folders(index) if self._is_reached(path)}
        for path in (*reached, *filter(self._is_reached, index.opaques)):
            self._add(path, _IMPLIED)
        for path in self._told(index, reached):
            number = index.numbers[path]
            self._add(path, _Node(index.sizes[number], index.kinds[number] == _DIR))

    def _told(self, index: LayerIndex, reached: set[str]) -> Iterable[str]:
        """Return the paths of a layer that markers name, or that lie in what they reach."""
        named = index.numbers.keys() & self._targets
        if reached:
            named.update(path for path in index.paths if path.rpartition("/")[0] in reached)
        return named

    def weigh(self, path: str) -> int:
        """Return what a marker for a path is taken to weigh: nothing, but for a directory."""
        if not self.nodes[path].is_dir:
            return 0
        for each in reversed(self._below(path)):
            if each not in self.weights:
                children = self._children.get(each, ())
                below = sum(self.weights[child] for child in children)
                self.weights[each] = self.nodes[each].size + below
        return self.weights[path]

    def _add(self, path: str, node: _Node) -> None:
        if path not in self.nodes:
            self._children.setdefault(path.rpartition("/")[0], set()).add(path)
        self.nodes[path] = node

    def _remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            if path in self.nodes:
                self._children[path.rpartition("/")[0]].discard(path)
                for each in self._below(path):
                    del self.nodes[each]
                    self._children.pop(each, None)

    def _below(self, path: str) -> list[str]:
        """Return a node and all below it, each after what it lies in; none of known weight."""
        found = [path]
        for each in found:
            if each not in self.weights:
                found += self._children.get(each, ())
        return found

    def _is_reached(self, path: str) -> bool:
        """Say whether a marker of some layer names the path, or a directory above it."""
        chain: list[str] = []
        while path not in self._reached:
            chain.append(path)
            path = path.rpartition("/")[0]
        reached = self._reached[path]
        for each in reversed(chain):
            reached = reached or each in self._targets
            self._reached[each] = reached
        return reached


def _is_late(path: str) -> bool:
    return _order(path) < _marker_order(path)
