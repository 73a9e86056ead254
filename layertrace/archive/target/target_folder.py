"""Paths below one folder of the user's disk, none of which leads out of it.

Where the system can (Linux, macOS), every part of a path is opened relative to
the open folder above it and never through a link: what stands in the folder, or
is put there meanwhile, cannot lead elsewhere. Where it cannot (Windows), every
part is looked at before each step.
"""

from __future__ import annotations

import errno
import os
import stat
from collections import OrderedDict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.archive.target.target_names import disk_name, holds_name
from layertrace.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NEEDED: Final = {os.link, os.mkdir, os.open, os.rename, os.rmdir, os.stat, os.symlink, os.unlink}
HANDLES: Final = os.supports_dir_fd >= _NEEDED and hasattr(os, "O_NOFOLLOW")
"""This system opens files relative to an open folder."""
# Those that Windows lacks are not needed where parts are looked at one by one.
_FOLDER: Final = (
    os.O_RDONLY
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
)
_OPEN: Final = 64
"""Folders kept open at a time; a path may have more parts than a process may open files."""


class Spot(NamedTuple):
    """A path as system calls take it: a name, and the open folder it is in."""

    name: str | bytes
    folder: int | None
    """None: the name is a whole path."""


class TargetFolder:
    """A folder that stays the one it was when it was opened."""

    def __init__(self, root: Path, *, handles: bool = HANDLES) -> None:
        """Open ``root``, a link to a folder too.

        Raises:
            StorageError: it is none, or may not be opened.
        """
        self.root = root
        self._handles = handles
        self._open: OrderedDict[str, int] = OrderedDict()
        self._top = -1
        with self.errors(""):
            if handles:
                # By the user's own word it may be a link; nothing below it may.
                self._top = os.open(root, _FOLDER & ~os.O_NOFOLLOW)

    def at(self, path: str) -> Spot:
        """Return where system calls find ``path``, relative and of clean parts.

        Raises:
            OSError: a folder on the way is not there, or is no folder but a link.
        """
        parent, slash, name = path.rpartition("/")
        if slash and not parent:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if self._handles:
            return Spot(_name(name), self._folder(parent))
        return Spot(self._checked(parent, name), None)

    @contextmanager
    def held(self, path: str) -> Iterator[Spot]:
        """Give the same, good for as long as the block lasts, whatever is opened in it."""
        spot = self.at(path)
        if spot.folder is None:
            yield spot
            return
        folder = os.dup(spot.folder)
        try:
            yield Spot(spot.name, folder)
        finally:
            os.close(folder)

    def status(self, path: str) -> os.stat_result | None:
        """Return what stands at ``path`` itself; None: nothing."""
        spot = self.at(path)
        try:
            return os.stat(spot.name, dir_fd=spot.folder, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def is_folder(self, path: str) -> bool:
        """Say whether a real folder stands at ``path``."""
        found = self.status(path)
        return found is not None and stat.S_ISDIR(found.st_mode)

    @contextmanager
    def opened(self, path: str) -> Iterator[int | str]:
        """Give what stands for a folder in calls that change its attributes: an open file.

        Where folders cannot be opened, its path.
        """
        if not self._handles:
            yield self._checked(path, "")
            return
        yield self._folder(path)

    def forget(self) -> None:
        """Open every folder anew when it is needed next."""
        while self._open:
            os.close(self._open.popitem()[1])

    def close(self) -> None:
        """Close every folder."""
        self.forget()
        if self._top >= 0:
            os.close(self._top)
            self._top = -1

    @contextmanager
    def errors(self, path: str) -> Iterator[None]:
        """Word what the system says of ``path``.

        Raises:
            StorageError: a call in the block failed.
        """
        try:
            yield
        except (OSError, OverflowError) as error:
            number = error.errno if isinstance(error, OSError) else None
            raise StorageError(
                f"{self.root / path}: cannot be written",
                why=os.strerror(number) if number else str(error),
                hint="what was written before is removed again",
            ) from error

    def _folder(self, path: str) -> int:
        """Return a folder, open; opened by the parts below the nearest that is."""
        if not path:
            return self._top
        missing: list[str] = []
        above = path
        while above and above not in self._open:
            missing.append(above)
            above = above.rpartition("/")[0]
        handle = self._open[above] if above else self._top
        for each in reversed(missing):
            handle = os.open(_name(each.rpartition("/")[2]), _FOLDER, dir_fd=handle)
            self._open[each] = handle
            if len(self._open) > _OPEN:
                os.close(self._open.popitem(last=False)[1])
        self._open.move_to_end(path)
        return handle

    def _checked(self, parent: str, name: str) -> str:
        """Return the whole path of what stands in ``parent``, which no link is part of."""
        place = os.fspath(self.root)
        for part in parent.split("/") if parent else ():
            place = os.path.join(place, os.fsdecode(_name(part)))  # noqa: PTH118 - exact names
            if not stat.S_ISDIR(os.lstat(place).st_mode):
                raise OSError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        return os.path.join(place, os.fsdecode(_name(name))) if name else place  # noqa: PTH118


def _name(part: str) -> str | bytes:
    """Return one part of a path as the system takes it; never one that leads up or away."""
    if not holds_name(part):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return disk_name(part)
