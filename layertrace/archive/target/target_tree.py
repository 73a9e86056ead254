"""Files, folders and links written below one folder: all of them, or none.

What stands there already is kept, or put aside until everything is written.
Whatever ends the work early, what it made is removed, what it put aside is put
back, and nothing else is touched.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Self

from layertrace.archive.target.target_folder import HANDLES, TargetFolder
from layertrace.archive.target.target_journal import Journal
from layertrace.archive.target.target_names import disk_name
from layertrace.errors import ExistsError, StorageError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType


_NEW: Final = (
    os.O_RDWR
    | os.O_CREAT
    | os.O_EXCL
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)
_PRIVATE: Final = 0o700
"""Of a folder that is being filled: its own mode may forbid that."""
_SPECIAL: Final = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX
_PIECE: Final = 1 << 20
_SHOWN: Final = 3
"""Paths that a message names."""
_NO_LINKS: Final = frozenset(
    {errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EXDEV, errno.EINVAL}
)
"""What systems say that cannot make a hard link, or not one more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributes:
    """What a path has besides its content."""

    mode: int
    mtime: int | None = None
    """None: now."""
    uid: int = -1
    """-1: as the system sets it."""
    gid: int = -1

    @property
    def times(self) -> tuple[int, int] | None:
        """When it was read and written last, as the system takes them."""
        return None if self.mtime is None else (self.mtime, self.mtime)


class TargetTree:
    """A folder that is written into."""

    def __init__(
        self,
        root: Path,
        *,
        force: bool = False,
        special: bool = False,
        owners: bool = False,
        handles: bool = HANDLES,
    ) -> None:
        """Prepare; nothing is touched before the ``with`` block.

        Args:
            root: made if it is not there, with the folders above it.
            force: replace files and links; folders are never replaced.
            special: keep the setuid, setgid and sticky bits.
            owners: give everything its owner, which root alone may.
            handles: open everything relative to open folders.
        """
        self._root = root
        self._force = force
        self._bits = 0o7777 if special else 0o7777 & ~_SPECIAL
        self._owners = owners
        self._handles = handles
        self._folder: TargetFolder
        self._journal: Journal
        self._above: list[Path] = []
        """The root, if it was made, and before it the folders above it that were."""
        self._narrow: list[tuple[str, int]] = []
        """Folders whose mode keeps their own owner out, the deepest first."""

    def __enter__(self) -> Self:
        try:
            self._make_root()
            self._folder = TargetFolder(self._root, handles=self._handles)
            self._journal = Journal(self._folder)
        except BaseException:
            self._remove_root()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._settle()
            else:
                self._undo()
        finally:
            self._folder.close()

    @property
    def is_new(self) -> bool:
        """The root was not there before."""
        return bool(self._above)

    def check(self, folders: Iterable[str], others: Iterable[str]) -> None:
        """Look whether paths can be written, before the first is.

        Args:
            folders: each after the one it lies in.
            others: of any other kind.

        Raises:
            UsageError: something is there and must not be replaced.
        """
        there = {""}
        in_the_way: list[str] = []
        for path in folders:
            found = self._standing(path, there)
            if found is not None and stat.S_ISDIR(found):
                there.add(path)
            elif found is not None:
                in_the_way.append(path)
        for path in others:
            found = self._standing(path, there)
            if found is not None and stat.S_ISDIR(found):
                raise UsageError(
                    f"{self._root / path}: is a folder, where the image has none",
                    hint="folders are never replaced: name another one with -o",
                )
            if found is not None:
                in_the_way.append(path)
        if in_the_way and not self._force:
            raise self._exist(sorted(in_the_way))
        self._journal.in_the_way.update(in_the_way)

    def make_folder(self, path: str) -> bool:
        """Make a folder, private until :meth:`finish_folder`; False: it was there."""
        with self._folder.errors(path):
            self._journal.make_way(path)
            spot = self._folder.at(path)
            try:
                os.mkdir(spot.name, _PRIVATE, dir_fd=spot.folder)
            except FileExistsError:
                if not self._folder.is_folder(path):
                    raise
                return False
            self._journal.note(path, spot)
        return True

    def finish_folder(self, path: str, attributes: Attributes) -> None:
        """Give a folder its attributes, after everything in it has its own."""
        mode = attributes.mode & self._bits
        if mode & _PRIVATE != _PRIVATE:
            # Nothing could be taken back from in there: that comes at the very end.
            self._narrow.append((path, mode))
            attributes = replace(attributes, mode=mode | _PRIVATE)
        with self._folder.errors(path), self._folder.opened(path) as folder:
            self._dress(folder, attributes)

    def write_file(
        self,
        names: Sequence[str],
        parts: Iterable[tuple[int, bytes]],
        size: int,
        attributes: Attributes,
    ) -> None:
        """Write a file of ``size`` bytes under all of its names.

        What ``parts``, offset and bytes, leave out is a hole. Where there can be
        no hard links, each name is a file of its own.
        """
        path, *others = names
        with ExitStack() as closing:
            with self._folder.errors(path):
                self._journal.make_way(path)
                spot = self._folder.at(path)
                file = os.open(spot.name, _NEW, 0o600, dir_fd=spot.folder)
                # Open to the end: so long, no other file can have its inode.
                closing.callback(os.close, file)
                inode = self._journal.note(path, spot)
            end = 0
            for offset, piece in parts:
                with self._folder.errors(path):
                    if offset != end:
                        os.lseek(file, offset, os.SEEK_SET)
                    _write_all(file, piece)
                end = offset + len(piece)
            with self._folder.errors(path):
                if end < size:
                    os.ftruncate(file, size)
                # Systems that cannot open folders take no open file here either.
                self._dress(file if self._handles else self._folder.at(path).name, attributes)
            for other in others:
                with self._folder.errors(other):
                    self._journal.make_way(other)
                    linked = self._link(path, other, inode)
                if not linked:
                    os.lseek(file, 0, os.SEEK_SET)
                    self.write_file([other], _parts_of(file), size, attributes)

    def make_link(self, path: str, target: str, attributes: Attributes) -> None:
        """Make a symbolic link: text, which nothing here follows."""
        with self._folder.errors(path):
            self._journal.make_way(path)
            spot = self._folder.at(path)
            text = disk_name(target)
            os.symlink(text, spot.name, dir_fd=spot.folder)
            self._journal.note(path, spot)
            if self._owners:
                owner = attributes.uid, attributes.gid
                os.chown(spot.name, *owner, dir_fd=spot.folder, follow_symlinks=False)
            if os.utime in os.supports_follow_symlinks:
                times = attributes.times
                with suppress(OSError, OverflowError):
                    os.utime(spot.name, times, dir_fd=spot.folder, follow_symlinks=False)

    def _link(self, path: str, other: str, inode: int) -> bool:
        """Give a file a second name; False where that cannot be."""
        with self._folder.held(path) as source:
            spot = self._folder.at(other)
            try:
                os.link(
                    source.name,
                    spot.name,
                    src_dir_fd=source.folder,
                    dst_dir_fd=spot.folder,
                    follow_symlinks=False,
                )
            except OSError as error:
                if error.errno in _NO_LINKS:
                    return False
                raise
            if self._journal.note(other, spot) != inode:
                # Somebody put another file in the place of ours.
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))
        return True

    def _dress(self, place: int | str | bytes, attributes: Attributes) -> None:
        if self._owners:
            os.chown(place, attributes.uid, attributes.gid)
        # After the owner, whose change takes special bits away.
        os.chmod(place, attributes.mode & self._bits)  # noqa: PTH101 - or an open file
        # A time that the system cannot hold is no reason to give up.
        with suppress(OSError, OverflowError):
            os.utime(place, attributes.times)

    def _standing(self, path: str, there: set[str]) -> int | None:
        """Return the mode of what stands at a path of a folder that is there."""
        if path.rpartition("/")[0] not in there:
            return None
        with self._folder.errors(path):
            found = self._folder.status(path)
        return None if found is None else found.st_mode

    def _exist(self, paths: Sequence[str]) -> ExistsError:
        shown = ", ".join(paths[:_SHOWN])
        more = f" and {len(paths) - _SHOWN:,} more" if len(paths) > _SHOWN else ""
        verb = "exists" if len(paths) == 1 else "exist"
        return ExistsError(
            f"{shown}{more} {verb} already in {self._root}",
            why="nothing was written",
            hint="--force replaces files and links; or name another folder with -o",
        )

    def _settle(self) -> None:
        """Take the last steps, after which there is no way back."""
        try:
            for path, mode in self._narrow:
                with self._folder.errors(path), self._folder.opened(path) as folder:
                    os.chmod(folder, mode)  # noqa: PTH101 - an open folder
        except BaseException:
            self._undo()
            raise
        self._journal.settle()

    def _undo(self) -> None:
        self._journal.undo()
        self._folder.close()
        self._remove_root()

    def _make_root(self) -> None:
        missing = []
        place = self._root
        while not os.path.lexists(place):
            missing.append(place)
            place = place.parent
        if not place.is_dir():
            raise UsageError(f"{place}: is no folder")
        for each in reversed(missing):
            try:
                each.mkdir()
            except OSError as error:
                why = error.strerror or str(error)
                raise StorageError(f"{each}: cannot be made", why=why) from error
            self._above.append(each)

    def _remove_root(self) -> None:
        for each in reversed(self._above):
            with suppress(OSError):
                each.rmdir()


def _write_all(file: int, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[os.write(file, view) :]


def _parts_of(file: int) -> Iterator[tuple[int, bytes]]:
    """Yield what a file holds; a piece of nothing but zeros is left out, to be a hole."""
    position = 0
    while piece := os.read(file, _PIECE):
        if piece.count(0) < len(piece):
            yield position, piece
        position += len(piece)
