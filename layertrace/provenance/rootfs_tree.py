"""What a container of an image sees, and what it saw when a step began."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.provenance.copies import Copying
from layertrace.provenance.trees import Contents, Item, Unpacked
from layertrace.rootfs.places import STRIDE, Place
from layertrace.rootfs.squash import content_number, link_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from layertrace.model.build import Instruction
    from layertrace.provenance.trees import Tree
    from layertrace.rootfs.squash import Hidden, Rootfs

_HARDLINK: Final = int(EntryKind.HARDLINK)
_KINDS: Final = tuple(EntryKind)
"""By their number: a look-up is quicker than a call."""
_MAX_FORWARD: Final = 8
"""Hard links followed to entries that stand behind them in their tar."""


class RootfsTree:
    """What a container of one image sees."""

    uploaded = False

    def __init__(
        self,
        rootfs: Rootfs,
        digest_of: Callable[[Place], str | None],
        contents: Contents[Place] | None = None,
    ) -> None:
        """Keep the file system and the ways to its contents.

        Args:
            rootfs: of the image.
            digest_of: returns the digest of the regular file at a place.
            contents: of its files, where they can be read.
        """
        self.rootfs = rootfs
        self._digest_of = digest_of
        self._contents = contents
        self._lower: dict[int, LowerTree] = {}

    def find(self, path: str) -> Item | None:
        """Return what stands at ``path``; directories no entry made count too."""
        place = self.rootfs.place(path)
        if place is not None:
            return self.item(place)
        return Item(kind=EntryKind.DIR, size=0) if path in self.children else None

    def item(self, place: Place) -> Item:
        """Return the entry at a place, seen or hidden."""
        layer, number = self.content_place(place)
        index = self.rootfs.layers[layer]
        kind = _KINDS[index.kinds[number]]
        return Item(
            kind=kind,
            size=index.sizes[number],
            mode=index.modes[number],
            uid=index.uids[number],
            gid=index.gids[number],
            mtime=index.mtimes[number],
            link_target=index.links.get(number, "") if kind is EntryKind.SYMLINK else "",
            capability=index.capabilities.get(number),
        )

    def digest(self, path: str) -> str | None:
        """Return the digest of the file at ``path``."""
        place = self.rootfs.place(path)
        return None if place is None else self.digest_at(place)

    def first_name(self, path: str) -> str | None:  # noqa: ARG002
        """Return None: in an image every name of a file counts as the file."""
        return None

    def cost(self, paths: Iterable[str]) -> int | None:
        """Return how many bytes must be read for the files at ``paths``."""
        if self._contents is None:
            return None
        return self._contents.cost(filter(None, map(self._content_of, paths)))

    def sums(self, headers: Mapping[str, Sequence[bytes]]) -> Mapping[str, Sequence[str]]:
        """Return the sums of the files at the paths; of several headers in one reading."""
        found = {path: self._content_of(path) for path in headers}
        places = {path: place for path, place in found.items() if place is not None}
        wanted: dict[Place, list[bytes]] = defaultdict(list)
        # Two paths of one file, hard links, have a header each: all are handed in together.
        for path, place in places.items():
            wanted[place] += headers[path]
        read = self._contents.sums(wanted) if self._contents is not None else {}
        sums = {place: iter(each) for place, each in read.items()}
        return {
            path: tuple(islice(sums[place], len(headers[path])))
            for path, place in places.items()
            if place in sums
        }

    def unpacked(self, path: str) -> Unpacked:  # noqa: ARG002
        """Return that nothing is: what an image holds is only ever copied."""
        return Unpacked()

    def digest_at(self, place: Place) -> str | None:
        """Return the digest of the file at a place, seen or hidden."""
        content = self.content_place(place)
        if self.rootfs.layers[content.layer].kinds[content.number] != EntryKind.FILE:
            return None
        return self._digest_of(content)

    def below(self, layer: int) -> LowerTree:
        """Return what an instruction whose layer this is found when it began."""
        if layer not in self._lower:
            self._lower[layer] = LowerTree(self, layer)
        return self._lower[layer]

    def before(self, path: str, layer: int) -> Place | None:
        """Return what a container of the layers below ``layer`` sees at ``path``."""
        packed = self.rootfs.seen.get(path)
        if packed is not None and packed // STRIDE <= layer:
            # Asked of every path that is traced, and told by the squash already.
            lower = self.rootfs.below.get(path) if packed // STRIDE == layer else packed
            return None if lower is None else Place(*divmod(lower, STRIDE))
        for place, by in self._hidden.get(path, ()):
            if place.layer < layer <= by:
                return place
        return None

    @cached_property
    def _hidden(self) -> Mapping[str, Sequence[Hidden]]:
        """Path to what of it is not seen any more."""
        hidden: defaultdict[str, list[Hidden]] = defaultdict(list)
        paths = [index.paths for index in self.rootfs.layers]
        for each in self.rootfs.hidden:
            hidden[paths[each.place.layer][each.place.number]].append(each)
        return hidden

    def is_remade(self, path: str, layer: int) -> bool:
        """Say whether a layer's directory is a new one in the place of an older."""
        return path in self._emptied[layer]

    @cached_property
    def children(self) -> Mapping[str, Sequence[str]]:
        """Directory to the names in it."""
        children: defaultdict[str, list[str]] = defaultdict(list)
        implied: set[str] = {""}
        seen = self.rootfs.seen
        for path in seen:
            while path:
                parent, _, name = path.rpartition("/")
                children[parent].append(name)
                if parent in implied or parent in seen:
                    break
                implied.add(parent)
                path = parent  # noqa: PLW2901 - climbs to the first known directory
        return children

    @cached_property
    def by_size(self) -> Mapping[int, Sequence[str]]:
        """Size to the paths of regular files that have it."""
        sizes: defaultdict[int, list[str]] = defaultdict(list)
        for path in self.rootfs.seen:
            item = self.find(path)
            if item is not None and item.kind is EntryKind.FILE:
                sizes[item.size].append(path)
        return sizes

    def _content_of(self, path: str) -> Place | None:
        place = self.rootfs.place(path)
        return None if place is None else self.content_place(place)

    def content_place(self, place: Place) -> Place:
        """Return where the content is: the same place, but for a hard link its file's.

        That may lie in a lower layer: a link is made to what stands there then.
        """
        if self.rootfs.layers[place.layer].kinds[place.number] != _HARDLINK:
            return place
        found: Place | None = place
        forward = 0
        while found is not None and forward < _MAX_FORWARD:
            index = self.rootfs.layers[found.layer]
            number = content_number(index, found.number)
            if number is not None:
                return Place(found.layer, number)
            target = link_end(index, found.number)
            if target is None:
                break
            below, later = self.before(target, found.layer), index.numbers.get(target)
            if below is None and later is not None:
                # No engine takes a link to what its tar has further on; people may look at it.
                forward += 1
                below = Place(found.layer, later)
            found = below
        return place

    @cached_property
    def _emptied(self) -> tuple[frozenset[str], ...]:
        """The directories that each layer emptied."""
        return tuple(frozenset(index.opaques) for index in self.rootfs.layers)


class LowerTree:
    """What a container of an image's lower layers sees, as far as it is asked for."""

    def __init__(self, tree: RootfsTree, layer: int) -> None:
        """Keep the image and the layer that is not in it any more."""
        self._tree = tree
        self._layer = layer
        self._found: dict[str, Item | None] = {}
        self._copyings: dict[tuple[int, int], Copying] = {}
        """By the identity of what they are of, which they keep alive."""

    def copying(self, instruction: Instruction, source: Tree | None) -> Copying:
        """Return the COPY of a source that found this; one for all the paths it wrote."""
        key = id(instruction), id(source)
        if key not in self._copyings:
            self._copyings[key] = Copying(instruction=instruction, image=self, source=source)
        return self._copyings[key]

    def find(self, path: str) -> Item | None:
        """Return what stands at ``path``; directories no entry made count too."""
        if path not in self._found:
            self._found[path] = self._look_up(path)
        return self._found[path]

    def _look_up(self, path: str) -> Item | None:
        place = self._tree.before(path, self._layer)
        if place is not None:
            return self._tree.item(place)
        return Item(kind=EntryKind.DIR, size=0) if self._is_implied(path) else None

    def _is_implied(self, path: str) -> bool:
        start = f"{path}/" if path else ""
        return any(
            other.startswith(start) and self._tree.before(other, self._layer) is not None
            for index in self._tree.rootfs.layers[: self._layer]
            for other in index.paths
        )
