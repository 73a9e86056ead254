"""What an entry's tar header says of the paths that are listed, in one pass over columns."""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change
from layertrace.pipeline.contents import show_digest
from layertrace.rootfs.places import STRIDE, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from layertrace.layers.index import LayerIndex
    from layertrace.model.files import FileTable
    from layertrace.pipeline.stored_image import StoredImage
    from layertrace.provenance.rootfs_tree import RootfsTree
    from layertrace.provenance.trees import Item

_FILE: Final = int(EntryKind.FILE)
_SYMLINK: Final = int(EntryKind.SYMLINK)
_HARDLINK: Final = int(EntryKind.HARDLINK)
_KINDS: Final = tuple(EntryKind)


class Details(NamedTuple):
    """The part of a :class:`FileRecord` that the entry itself tells."""

    kind: EntryKind
    implicit: bool
    size: int
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    mtime: int | None = None
    link_target: str | None = None
    digest: str | None = None


IMPLICIT: Final = Details(EntryKind.DIR, implicit=True, size=0)
"""A directory that no entry made, only what lies below it."""


def first_entries(layers: Iterable[LayerIndex]) -> Iterator[int]:
    """Yield, of each layer, the number of its first entry among those of all; then how many."""
    return accumulate(map(len, layers), initial=0)


class Detailer:
    """Looks at the entries of one image."""

    def __init__(self, tree: RootfsTree, stored: StoredImage) -> None:
        """Keep where entries and what is known of their contents are."""
        self._tree = tree
        self._stored = stored
        self._firsts = [*first_entries(tree.rootfs.layers)]

    def rows(self, table: FileTable, rows: Iterable[int]) -> Iterator[Details]:
        """Yield the details of rows of a table; nothing is hashed for it."""
        entries, layers, changes = table.entries, table.layers, table.changes
        columns = [
            (first, i.kinds, i.sizes, i.modes, i.uids, i.gids, i.mtimes, i.links, known)
            for i, first, known in zip(
                self._tree.rootfs.layers, self._firsts, self._stored.known_digests(), strict=False
            )
        ]
        removed = Change.REMOVED
        for row in rows:
            if entries[row] < 0 or changes[row] is removed:
                yield self._unseen(table, row)
                continue
            layer = layers[row]
            first, kinds, sizes, modes, uids, gids, mtimes, links, known = columns[layer]
            number = entries[row] - first
            kind = kinds[number]
            if kind == _HARDLINK:
                yield self.at(table.paths[row], Place(layer, number))
                continue
            yield Details(
                _KINDS[kind],
                False,  # noqa: FBT003 - a call by name costs three times as much
                sizes[number],
                modes[number],
                uids[number],
                gids[number],
                mtimes[number],
                links.get(number) if kind == _SYMLINK else None,
                show_digest(known[number]) if number in known and kind == _FILE else None,
            )

    def at(self, path: str, place: Place) -> Details:
        """Return the details of the entry at a place that a path is seen with."""
        item, (kind, target) = self._tree.item(place), self._link(path, place)
        digest = self._stored.known_digest(self._tree.content_place(place))
        return _of_item(item, kind)._replace(link_target=target, digest=digest)

    def item(self, table: FileTable, row: int) -> Item | None:
        """Return the entry behind a row, of a removed path the last; None for an implicit one."""
        entry = table.entries[row]
        if entry < 0:
            return None
        layer = bisect_right(self._firsts, entry) - 1
        return self._tree.item(Place(layer, entry - self._firsts[layer]))

    def _unseen(self, table: FileTable, row: int) -> Details:
        kind = EntryKind(table.kinds[row])
        item = self.item(table, row)
        if item is None:
            return IMPLICIT._replace(kind=kind, size=table.sizes[row])
        return _of_item(item, kind)._replace(
            size=table.sizes[row], link_target=item.link_target or None
        )

    def _link(self, path: str, place: Place) -> tuple[EntryKind, str | None]:
        """Return the kind people see and, of a link, its target.

        A hard link is one to another name of its file that a container sees.
        """
        index = self._tree.rootfs.layers[place.layer]
        kind, target = EntryKind(index.kinds[place.number]), index.links.get(place.number)
        if kind is EntryKind.SYMLINK:
            return kind, target
        if kind is not EntryKind.HARDLINK or path in self._tree.rootfs.promoted:
            return self._tree.item(place).kind, None
        content = self._tree.content_place(place)
        named = self._tree.rootfs.place(target or "")
        if content == place or (named and self._tree.content_place(named) == content):
            return kind, f"/{target}"
        # That path is gone since, or is another file: the names left are of one file still.
        first = self._first_names[content]
        return (kind, f"/{first}") if first != path else (self._tree.item(place).kind, None)

    @cached_property
    def _first_names(self) -> dict[Place, str]:
        """A name for each file that has hard links: its own where that is seen, else a link's."""
        rootfs = self._tree.rootfs
        names: dict[Place, str] = {}
        for path, number in rootfs.promoted.items():
            names[Place(rootfs.seen[path] // STRIDE, number)] = path
        links = (
            (index.paths[number], Place(layer, number))
            for layer, index in enumerate(rootfs.layers)
            for number in index.links
            if index.kinds[number] == _HARDLINK
        )
        for path, place in sorted(links):
            if rootfs.place(path) == place:
                content = self._tree.content_place(place)
                own = rootfs.layers[content.layer].paths[content.number]
                names.setdefault(content, own if rootfs.place(own) == content else path)
        return names


def _of_item(item: Item, kind: EntryKind) -> Details:
    return Details(
        kind,
        implicit=False,
        size=item.size,
        mode=item.mode,
        uid=item.uid,
        gid=item.gid,
        mtime=item.mtime,
    )
