"""One layer that a RUN made: where each of its files may have come from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Action, OriginKind
from layertrace.provenance.commands import MAX_PATHS
from layertrace.provenance.hops import At
from layertrace.provenance.trees import resolve, resolve_folder
from layertrace.rootfs.places import STRIDE, Place
from layertrace.rootfs.squash import content_number, link_end

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from layertrace.layers.index import LayerIndex
    from layertrace.provenance.commands import Commands
    from layertrace.provenance.hops import TracedImage
    from layertrace.provenance.mounts import Mount
    from layertrace.provenance.rootfs_tree import RootfsTree
    from layertrace.provenance.trees import Item, Tree
    from layertrace.rootfs.squash import Rootfs

_COPIED: Final = "copied here"
_LINKED: Final = "hard-linked here"
_MOUNTED: Final = "mounted here"
_REMOVED: Final = "of the same time, which this layer removed"
_STOOD_BELOW: Final = "which this RUN may have copied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file that another may be a copy of."""

    tree: Tree
    path: str
    """In :attr:`tree`."""
    name: str
    """Of the stage, image or layer that has it, for messages."""
    how: str
    """What the RUN did with it, or may have done."""
    action: Action = Action.COPY
    start: At | None = None
    """Where its own chain goes on; None: the chain ends with it."""
    kind: OriginKind = OriginKind.UNKNOWN
    """What a chain that ends with it ends in."""
    sure: bool = True
    """More than the content speaks for it."""

    @property
    def where(self) -> str:
        """What messages call it."""
        return f"{self.name}:/{self.path}"

    @property
    def item(self) -> Item | None:
        """Its attributes."""
        return self.start.item if self.start is not None else self.tree.find(self.path)

    @property
    def digest(self) -> str | None:
        """Of its content; None where it cannot be read, or is no file's."""
        return self.start.digest if self.start is not None else self.tree.digest(self.path)

    def is_alike(self, at: At) -> bool:
        """Say whether it has the content of another file."""
        item = self.item
        if item is None or item.kind is not EntryKind.FILE or item.size != at.item.size:
            return False
        digest = self.digest
        return digest is not None and digest == at.digest


class RunLayer:
    """One layer that a RUN made, and what its files may be copies of."""

    def __init__(
        self,
        image: TracedImage,
        layer: int,
        *,
        commands: Commands,
        mounts: Sequence[Mount],
        removed: Iterable[Place],
    ) -> None:
        """Read the layer; ``removed`` is what of the layers below it took away."""
        self.mounts = mounts
        self.missing = tuple(_missing(mount) for mount in mounts if not mount.told)
        self._image, self._layer = image, layer
        self._below = _Below(image.tree, layer)
        self._copies = tuple((each, self._ends(each.destination)) for each in commands.copies)
        self._into = tuple(end for each in commands.into for end in self._ends(each))
        self._linked = _linked(image.tree, layer)
        self._pools: dict[int, Mapping[str | None, list[Candidate]]] = {}
        self._removed: defaultdict[tuple[int, int | None], list[Place]] = defaultdict(list)
        for place in removed:
            item = image.tree.item(place)
            if item.kind is EntryKind.FILE and item.size:
                self._removed[item.size, item.mtime].append(place)

    @cached_property
    def brings(self) -> bool:
        """Whether it did anything by which a file may be a copy of another."""
        return bool(self.mounts or self._copies or self._into or self._linked or self._removed)

    def may_bring(self, path: str, place: Place) -> bool:
        """Say whether a file may be a copy of another; hashes nothing."""
        if not self.brings:
            return False
        item = self._image.tree.item(place)
        if item.kind is not EntryKind.FILE or not item.size:
            return False
        if self.missing or item.size in self._sizes or (item.size, item.mtime) in self._removed:
            return True
        if self._is_guessed(path) and item.size in self._stood:
            return True
        found = (each.item for each in self.named(path, place))
        return any(other is not None and other.size == item.size for other in found)

    def named(self, path: str, place: Place) -> Iterator[Candidate]:
        """Yield what a path is a link to, and what commands of the RUN put there."""
        for name in self._linked.get(place.number, ()):
            if name != path:
                yield from self._lower(name, _LINKED)
        for name in self.sources(path):
            mounted = self._mounted(name)
            if mounted is None:
                yield from self._lower(name, _COPIED)
            elif mounted[0].tree is not None:
                yield from _in_mount(mounted[0], resolve(mounted[0].tree, mounted[1]))

    def missing_at(self, path: str) -> tuple[str, ...]:
        """Return the mounts not at hand out of which commands put a file at a path."""
        found = filter(None, map(self._mounted, self.sources(path)))
        return tuple(_missing(mount) for mount, _ in found if not mount.told)

    def alike(self, at: At) -> tuple[Candidate, ...]:
        """Return what has the content of a file, where no command names what was copied."""
        size = at.item.size
        if size not in self._pools:
            self._pools[size] = pool = defaultdict(list)
            for each in self._pool(size):
                pool[each.digest].append(each)
        alike = self._pools[size].get(at.digest, ())
        guessed = self._is_guessed(at.path)
        found = {each.where: each for each in alike if each.is_alike(at) and (each.sure or guessed)}
        for place in self._removed.get((size, at.item.mtime), ()):
            name = self._image.tree.rootfs.layers[place.layer].paths[place.number]
            for each in self._lower(name, _REMOVED, sure=False):
                if each.is_alike(at):
                    found.setdefault(each.where, each)
        return tuple(found[where] for where in sorted(found))

    @cached_property
    def _sizes(self) -> frozenset[int]:
        """The sizes of all that is mounted."""
        return frozenset[int]().union(*(mount.sizes() for mount in self.mounts))

    @cached_property
    def _stood(self) -> Mapping[int, Sequence[tuple[str, Place]]]:
        """The files that the RUN found when it began, by size."""
        stood: defaultdict[int, list[tuple[str, Place]]] = defaultdict(list)
        tree = self._image.tree
        for path, place in _seen_below(tree.rootfs, self._layer):
            item = tree.item(place)
            if item.kind is EntryKind.FILE and item.size:
                stood[item.size].append((path, place))
        return stood

    def _pool(self, size: int) -> Iterator[Candidate]:
        """Yield what may have been copied though no command names it."""
        for mount in self.mounts:
            for path in mount.with_size(size):
                yield from _in_mount(mount, path)
        for path, place in self._stood.get(size, ()) if self._into else ():
            yield self._candidate(path, place, _STOOD_BELOW, sure=False)

    def _ends(self, destination: str) -> tuple[str, ...]:
        """Return what a destination is with links followed, its last part or not."""
        ends = resolve(self._below, destination), resolve_folder(self._below, destination)
        return tuple(dict.fromkeys(ends))

    def sources(self, path: str) -> Iterator[str]:
        """Yield where commands took what stands at a path in the end, the last first."""
        found = {path: None}
        for copy, ends in reversed(self._copies):
            for known in tuple(found):
                for end in ends:
                    found |= dict.fromkeys(copy.origins_of(known, end))
            if len(found) > MAX_PATHS:
                break
        del found[path]
        yield from found

    def _is_guessed(self, path: str) -> bool:
        """Say whether commands may have put any file at a path."""
        known = (path, *self.sources(path)) if self._into else ()
        return any(
            not end or each == end or each.startswith(f"{end}/")
            for each in known
            for end in self._into
        )

    def _mounted(self, path: str) -> tuple[Mount, str] | None:
        """Return the mount that a path of the RUN lies in, the innermost, and its path there."""
        found = [
            (mount, inner) for mount in self.mounts if (inner := mount.inside(path)) is not None
        ]
        return max(found, key=lambda pair: len(pair[0].target or ""), default=None)

    def _lower(self, name: str, how: str, *, sure: bool = True) -> Iterator[Candidate]:
        """Yield the file that a path led to when the RUN began."""
        path = resolve(self._below, name)
        place = self._image.tree.before(path, self._layer)
        if place is not None:
            yield self._candidate(path, place, how, sure=sure)

    def _candidate(self, path: str, place: Place, how: str, *, sure: bool) -> Candidate:
        return Candidate(
            tree=self._image.tree,
            path=path,
            name=f"L{place.layer + 1}",
            how=how,
            start=At(image=self._image, path=path, place=place),
            sure=sure,
        )


class _Below:
    """What stood at a path when a RUN began: as much as following links takes."""

    def __init__(self, tree: RootfsTree, layer: int) -> None:
        self._tree = tree
        self._layer = layer
        self._found: dict[str, Item | None] = {}

    def find(self, path: str) -> Item | None:
        """Return what stood at ``path``; None for directories no entry made, too."""
        if path not in self._found:
            place = self._tree.before(path, self._layer)
            self._found[path] = self._tree.item(place) if place is not None else None
        return self._found[path]


def removed_files(rootfs: Rootfs) -> Mapping[int, Sequence[Place]]:
    """Return, for each layer, what it took away of those below and put nothing in the place of."""
    removed: defaultdict[int, list[Place]] = defaultdict(list)
    for place, by in rootfs.hidden:
        index = rootfs.layers[place.layer]
        if index.paths[place.number] not in rootfs.layers[by].numbers:
            removed[by].append(place)
    return removed


def _seen_below(rootfs: Rootfs, layer: int) -> Iterator[tuple[str, Place]]:
    """Yield every entry that a container of the layers below ``layer`` sees."""
    for path, packed in rootfs.seen.items():
        place = Place(*divmod(packed, STRIDE))
        if place.layer < layer:
            yield path, place
    for place, by in rootfs.hidden:
        if place.layer < layer <= by:
            yield rootfs.layers[place.layer].paths[place.number], place


def _linked(tree: RootfsTree, layer: int) -> Mapping[int, Sequence[str]]:
    """Return the names in lower layers of files that a layer's hard links share.

    A link to a file of a lower layer takes the file along into its own layer.
    """
    index = tree.rootfs.layers[layer]
    linked: dict[int, Sequence[str]] = {}
    groups: defaultdict[int, set[int]] = defaultdict(set)
    for number in index.links:
        if index.kinds[number] == EntryKind.HARDLINK:
            content = content_number(index, number)
            if content is not None:
                groups[content] |= {content, number}
            else:
                linked[number] = _outer_end(index, number)
    for members in groups.values():
        names = sorted(index.paths[number] for number in members)
        names = [name for name in names if tree.before(name, layer) is not None]
        linked |= dict.fromkeys(members, names) if names else {}
    return linked


def _outer_end(index: LayerIndex, number: int) -> Sequence[str]:
    end = link_end(index, number)
    return () if end is None else (end,)


def _in_mount(mount: Mount, path: str) -> Iterator[Candidate]:
    """Yield a file of a mount by its path in the mount's tree; none where none stands there."""
    start = None
    if mount.stage is not None:
        place = mount.stage.tree.rootfs.place(path)
        start = None if place is None else At(image=mount.stage, path=path, place=place)
    if mount.tree is not None and (start is not None or mount.stage is None):
        yield Candidate(
            tree=mount.tree,
            path=path,
            name=mount.name,
            how=_MOUNTED,
            action=Action.MOUNT,
            start=start,
            kind=mount.kind,
        )


def _missing(mount: Mount) -> str:
    return f"{mount.name} (give {mount.hint})"
