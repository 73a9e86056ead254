"""What a container sees, written to a folder: which paths, in which order, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from layertrace.archive.target.target_names import holds_name
from layertrace.archive.target.target_tree import Attributes
from layertrace.errors import LayerError, StoppedError
from layertrace.model.entry import EntryKind
from layertrace.provenance.trees import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from layertrace.archive.target.target_tree import TargetTree
    from layertrace.pipeline.handing import Parts
    from layertrace.pipeline.stored_image import StoredImage
    from layertrace.provenance.rootfs_tree import RootfsTree
    from layertrace.rootfs.places import Place

T = TypeVar("T")

DEVICES: Final = "devices and named pipes"
LOST_LINKS: Final = "hard links to no file of the image"
NAMES: Final = "names that this system cannot write, with what lies below them"

_IMPLICIT_MODE: Final = 0o755
"""Of a directory that no entry made, as engines make it."""
_SPECIAL: Final = frozenset({EntryKind.CHAR, EntryKind.BLOCK, EntryKind.FIFO})


@dataclass(slots=True, kw_only=True)
class Chosen:
    """Paths of an image's final file system, to be written; filled by :class:`Extractor`."""

    folders: dict[str, None] = field(default_factory=dict)
    """Each after the one it lies in; the root is not among them."""
    files: dict[Place, list[str]] = field(default_factory=dict)
    """By where their content is: all names of one file."""
    links: list[str] = field(default_factory=list)
    """Symbolic ones."""
    skipped: dict[str, list[str]] = field(default_factory=dict)
    """Why, and what is left out for it."""
    walked: set[str] = field(default_factory=set)
    """What was looked at, the root (``""``) too."""

    @property
    def others(self) -> Iterator[str]:
        """Every path that is no folder."""
        yield from self.links
        for names in self.files.values():
            yield from names


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How paths are written."""

    progress: Callable[[int, int], None]
    """Told the bytes written so far, and how many there are."""
    stop: Callable[[], bool]
    """Asked as often; True ends the work."""


class Extractor:
    """Chooses paths of one image, and writes them."""

    def __init__(self, tree: RootfsTree, stored: StoredImage) -> None:
        """Keep the file system, and where its contents are."""
        self._tree = tree
        self._stored = stored

    def require(self, paths: Iterable[str], unread: Sequence[int]) -> None:
        """Refuse paths on which layers that could not be read may have a word to say.

        Raises:
            LayerError: there are such paths.
        """
        for path in paths if unread else ():
            place = self._tree.rootfs.place(path)
            whole = place is not None and self._tree.item(place).kind is not EntryKind.DIR
            if place is None or not whole or self._tree.content_place(place).layer <= unread[-1]:
                names = ", ".join(f"L{number + 1}" for number in unread)
                raise LayerError(
                    f"what the image has at /{path} is not known",
                    why=f"{names} could not be read to the end",
                    hint="nothing was written; cat writes a file that can be read",
                )

    def choose(self, paths: Iterable[str]) -> Chosen:
        """Return what there is at and below ``paths``, which the image has.

        The folders they lie in come with them.
        """
        chosen = Chosen()
        for path in paths:
            above = path
            folders = []
            while above := above.rpartition("/")[0]:
                folders.append(above)
            unfit = next((f for f in reversed(folders) if not _fits(f)), None)
            if unfit is not None:
                _skip(chosen, NAMES, unfit)
                continue
            chosen.folders.update(dict.fromkeys(reversed(folders)))
            self._choose_below(chosen, path)
        return chosen

    def size(self, chosen: Chosen) -> int:
        """Return the bytes of all files, each once, without holes."""
        return sum(map(self._stored_size, chosen.files))

    def write(self, chosen: Chosen, target: TargetTree, how: Writing) -> None:
        """Write what was chosen, each layer read once.

        Raises:
            UsageError: something is there that must not be replaced; nothing was written.
            StorageError: the disk is full, or will not have it.
            LayertraceError: a content cannot be had.
            StoppedError: the user said so.
        """
        target.check(chosen.folders, chosen.others)
        made = [path for path in _watched(chosen.folders, how) if target.make_folder(path)]
        _Files(self._tree, target, how, self.size(chosen)).write(chosen, self._stored)
        for path in _watched(chosen.links, how):
            item = self._item(path)
            target.make_link(path, item.link_target, _attributes(item))
        # A folder's time is that of the last thing made in it, and its mode may forbid that.
        for path in _watched(reversed(made), how):
            target.finish_folder(path, _attributes(self._item(path)))
        root = self._tree.rootfs.place("")
        if "" in chosen.walked and root is not None and target.is_new:
            target.finish_folder("", _attributes(self._tree.item(root)))

    def _choose_below(self, chosen: Chosen, top: str) -> None:
        todo = [top]
        while todo:
            path = todo.pop()
            if path in chosen.walked:
                continue
            chosen.walked.add(path)
            if not _fits(path):
                _skip(chosen, NAMES, path)
            elif (item := self._item(path)).kind is EntryKind.DIR and self._is_linked(path):
                # No system makes a directory a second name.
                _skip(chosen, LOST_LINKS, path)
            elif item.kind is EntryKind.DIR:
                if path:
                    chosen.folders[path] = None
                below = sorted(self._tree.children.get(path, ()), reverse=True)
                todo += (f"{path}/{name}" for name in below) if path else below
            else:
                self._choose_one(chosen, path, item)

    def _choose_one(self, chosen: Chosen, path: str, item: Item) -> None:
        place = self._tree.rootfs.place(path)
        if item.kind is EntryKind.SYMLINK:
            chosen.links.append(path)
        elif item.kind in _SPECIAL or place is None:
            _skip(chosen, DEVICES, path)
        elif item.kind is EntryKind.HARDLINK:
            _skip(chosen, LOST_LINKS, path)
        else:
            chosen.files.setdefault(self._tree.content_place(place), []).append(path)

    def _is_linked(self, path: str) -> bool:
        place = self._tree.rootfs.place(path)
        if place is None:
            return False
        return self._tree.rootfs.layers[place.layer].kinds[place.number] == EntryKind.HARDLINK

    def _item(self, path: str) -> Item:
        return self._tree.find(path) or Item(kind=EntryKind.DIR, size=0)

    def _stored_size(self, place: Place) -> int:
        index = self._tree.rootfs.layers[place.layer]
        parts = index.sparse.get(place.number)
        return index.sizes[place.number] if parts is None else sum(size for _, size in parts)


class _Files:
    """The regular files of one extraction."""

    def __init__(self, tree: RootfsTree, target: TargetTree, how: Writing, total: int) -> None:
        self._tree = tree
        self._target = target
        self._how = how
        self._done = 0
        self._total = total
        self._names: dict[Place, list[str]] = {}

    def write(self, chosen: Chosen, stored: StoredImage) -> None:
        self._names = chosen.files
        with_content = []
        for place in _watched(chosen.files, self._how):
            if self._tree.item(place).size:
                with_content.append(place)
            else:
                self.take(place, iter(()))
        stored.hand_out(with_content, self.take, stop=self._how.stop)

    def take(self, place: Place, parts: Parts) -> None:
        """Write one file, under all of its names."""
        item = self._tree.item(place)
        self._target.write_file(
            self._names[place], self._counted(parts), item.size, _attributes(item)
        )

    def _counted(self, parts: Parts) -> Parts:
        _look(self._how)
        for offset, piece in parts:
            yield offset, piece
            self._done += len(piece)
            self._how.progress(self._done, self._total)
            _look(self._how)


def _watched(paths: Iterable[T], how: Writing) -> Iterator[T]:
    for path in paths:
        _look(how)
        yield path


def _look(how: Writing) -> None:
    if how.stop():
        raise StoppedError


def _fits(path: str) -> bool:
    """Say whether this system can write the last part of a path."""
    return not path or holds_name(path.rpartition("/")[2])


def _skip(chosen: Chosen, why: str, path: str) -> None:
    chosen.skipped.setdefault(why, []).append(path)


def _attributes(item: Item) -> Attributes:
    """Return what an item is to have; of a directory that no entry made, what is usual."""
    if item.mode is None or item.uid is None or item.gid is None:
        return Attributes(mode=_IMPLICIT_MODE)
    return Attributes(mode=item.mode, mtime=item.mtime, uid=item.uid, gid=item.gid)
