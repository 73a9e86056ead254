"""Layers folded into the file system a container sees.

The fold goes from the top layer down: the first entry met for a path is the
one a container sees, so nothing is ever taken back, and what upper layers
remove is looked up once a directory instead of searched for.

Source: OCI image-spec, layer.md, "Applying Changesets".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.model.entry import EntryKind
from layertrace.rootfs.places import STRIDE, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from layertrace.layers.index import LayerIndex

_DIR: Final = int(EntryKind.DIR)
_HARDLINK: Final = int(EntryKind.HARDLINK)
_MAX_LINKS: Final = 64
_NEVER: Final = 1 << 30
"""A layer above every layer: nothing hides the path."""


class Hidden(NamedTuple):
    """An entry that is stored but not seen."""

    place: Place
    by: int
    """The lowest layer above it that removed, replaced or overwrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rootfs:
    """What the layers make together."""

    layers: tuple[LayerIndex, ...]
    """Base first."""
    seen: Mapping[str, int]
    """Path to packed place, for every path an entry made and a container sees."""
    below: Mapping[str, int]
    """For a seen path that replaced one: the packed place of what it replaced."""
    hidden: tuple[Hidden, ...]
    """Every entry that is not seen, in no order to rely on."""
    promoted: Mapping[str, int]
    """Hard links that alone keep a hidden file's content in sight: path to the
    number, in the link's own layer, of the entry that holds the content."""

    def place(self, path: str) -> Place | None:
        """Return where a path's seen entry is; None for implicit and absent ones."""
        packed = self.seen.get(path)
        return None if packed is None else Place(*divmod(packed, STRIDE))

    def versions(self, path: str) -> Iterator[Place]:
        """Yield every entry any layer has for ``path``, base first."""
        for layer, index in enumerate(self.layers):
            number = index.numbers.get(path)
            if number is not None:
                yield Place(layer, number)


def squash(layers: Sequence[LayerIndex]) -> Rootfs:
    """Fold layers, base first, into what a container sees."""
    fold = _Fold(layers)
    for layer in range(len(layers) - 1, -1, -1):
        fold.add(layer, layers[layer])
    return Rootfs(
        layers=tuple(layers),
        seen=fold.seen,
        below=fold.below,
        hidden=tuple(fold.hidden),
        promoted=_promote(layers, fold.seen),
    )


@dataclass(slots=True)
class _Fold:
    layers: Sequence[LayerIndex]
    seen: dict[str, int] = field(default_factory=dict)
    below: dict[str, int] = field(default_factory=dict)
    hidden: list[Hidden] = field(default_factory=list)
    removed: dict[str, int] = field(default_factory=dict)
    """Path to the lowest layer so far that removed it and all below it."""
    opaque: dict[str, int] = field(default_factory=dict)
    """Directory to the lowest layer so far that removed its children."""
    walls: dict[str, int] = field(default_factory=dict)
    """Path of a hidden entry to the lowest layer so far in which it was no directory."""
    nearest: dict[str, int] = field(default_factory=dict)
    """Path to the lowest layer so far that has a hidden entry for it."""
    folders: dict[str, int] = field(default_factory=dict)
    """Path to the lowest layer so far that has an entry below it."""

    def add(self, layer: int, index: LayerIndex) -> None:
        """Put one more layer under those added before."""
        if self.seen or self.removed or self.opaque:
            self._add_below(layer, index)
        else:
            self.seen = dict(_places(layer, index))
            if layer:
                self.folders = dict.fromkeys(with_parents(index.parents), layer)
        for path in index.whiteouts:
            self.removed[path] = layer
        for path in index.opaques:
            self.opaque[path] = layer

    def _add_below(self, layer: int, index: LayerIndex) -> None:
        """Add what nearly all entries are in one go: of their paths no layer above says anything.

        The others are added one by one.
        """
        seen = self.seen
        hiders: dict[str, int] = {}
        for directory in index.parents:
            self._hider(directory, hiders)
        others = self._told_of(index, hiders)
        above = {path: seen.get(path) for path in others}
        seen.update(_places(layer, index))
        places = {path: Place(*divmod(seen[path], STRIDE)) for path in others}
        for path, packed in above.items():
            if packed is None:
                del seen[path]
            else:
                seen[path] = packed
        for path, place in places.items():
            hider = hiders[path.rpartition("/")[0]]
            is_directory = index.kinds[place.number] == _DIR
            self._add_covered(place, path, hider, is_directory=is_directory)
        self.folders.update(dict.fromkeys(hiders, layer))

    def _told_of(self, index: LayerIndex, hiders: Mapping[str, int]) -> set[str]:
        """Return the paths of a layer of which layers above it say something."""
        # A set of the paths only for what is small beside them: it is walked through there.
        told = self.seen.keys() & index.paths
        paths = set(index.paths)
        for others in (self.removed, self.nearest, self.folders):
            told |= paths.intersection(others)
        hiding = {path for path in index.parents if hiders[path] != _NEVER}
        if hiding:
            told.update(path for path in paths if path.rpartition("/")[0] in hiding)
        return told

    def _add_covered(self, place: Place, path: str, hider: int, *, is_directory: bool) -> None:
        """Put an entry under what layers above say of its path or of what it lies in."""
        if not is_directory:
            # What a layer puts below a path makes that path a directory.
            hider = min(hider, self.folders.get(path, _NEVER))
        # The root lies in no directory: nothing but another root hides it.
        hider = min(hider, self.removed.get(path, _NEVER)) if path else _NEVER
        top = self.seen.get(path)
        covered = self.nearest.get(path, _NEVER if top is None else top // STRIDE)
        packed = place.layer * STRIDE + place.number
        if top is not None and hider >= covered == top // STRIDE:
            self.below[path] = packed
        hider = min(hider, covered)
        if hider == _NEVER:
            self.seen[path] = packed
            return
        self.hidden.append(Hidden(place, hider))
        self.nearest[path] = place.layer
        if not is_directory:
            self.walls[path] = place.layer

    def _hider(self, directory: str, hiders: dict[str, int]) -> int:
        """Return the lowest layer so far that hides what lies in ``directory``."""
        chain: list[str] = []
        while directory not in hiders:
            chain.append(directory)
            if not directory:
                break
            directory = directory.rpartition("/")[0]
        hider = hiders.get(directory, _NEVER)
        for path in reversed(chain):
            hider = min(
                hider,
                self.removed.get(path, _NEVER),
                self.opaque.get(path, _NEVER),
                self._wall(path),
            )
            hiders[path] = hider
        return hider

    def _wall(self, path: str) -> int:
        """Return the lowest layer so far in which ``path`` is not a directory."""
        layer = self.walls.get(path, _NEVER)
        top = self.seen.get(path)
        if top is not None and self.layers[top // STRIDE].kinds[top % STRIDE] != _DIR:
            layer = min(layer, top // STRIDE)
        return layer


def directories(paths: Iterable[str]) -> set[str]:
    """Return every directory that some of ``paths`` lie in, the root among them."""
    return with_parents({path.rpartition("/")[0] for path in paths})


def with_parents(directories: Iterable[str]) -> set[str]:
    """Return some directories and every one that they lie in, the root among them."""
    found: set[str] = set()
    for directory in directories:
        parent = directory
        while parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return found


def _places(layer: int, index: LayerIndex) -> Iterator[tuple[str, int]]:
    """Yield every path of a layer with its packed place."""
    first = layer * STRIDE
    return zip(index.paths, range(first, first + len(index)), strict=True)


def _promote(layers: Sequence[LayerIndex], seen: Mapping[str, int]) -> dict[str, int]:
    """Find the hard links that stand alone for a file no longer in sight.

    A layer that removes or replaces one name of a file leaves its other names,
    and with them the content, where they are.
    """
    promoted: dict[str, int] = {}
    for layer, index in enumerate(layers):
        kept: set[int] = set()
        links = (number for number in index.links if index.kinds[number] == _HARDLINK)
        for number in sorted(links, key=index.paths.__getitem__):
            path = index.paths[number]
            if seen.get(path) != layer * STRIDE + number:
                continue
            content = content_number(index, number)
            if content is None or seen.get(index.paths[content]) == layer * STRIDE + content:
                continue
            if content not in kept:
                kept.add(content)
                promoted[path] = content
    return promoted


def content_number(index: LayerIndex, number: int) -> int | None:
    """Return the entry that holds a hard link's content, in the same layer.

    None where the chain of links leads out of the layer, or is too long.
    """
    found = _follow(index, number)
    return found if isinstance(found, int) else None


def link_end(index: LayerIndex, number: int) -> str | None:
    """Return the path outside the layer that a chain of hard links ends at.

    An entry of the layer may have that path too, further on in its tar: a link is
    made to what is there already. None where the chain ends in the layer, or is too long.
    """
    found = _follow(index, number)
    return found if isinstance(found, str) else None


def _follow(index: LayerIndex, number: int) -> int | str | None:
    for _ in range(_MAX_LINKS):
        if index.kinds[number] != _HARDLINK:
            return number
        target = index.links.get(number, "")
        found = index.numbers.get(target)
        if found is None or found >= number:
            return target
        number = found
    return None
