"""What was made in a folder, and what had to make way: to be taken back, or left for good."""

from __future__ import annotations

import os
import secrets
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layertrace.archive.target.target_folder import Spot, TargetFolder


class Journal:
    """The changes of one run below one folder."""

    def __init__(self, folder: TargetFolder) -> None:
        """Begin with nothing."""
        self._folder = folder
        self.in_the_way: set[str] = set()
        """Paths of what stands where something is to be made."""
        self.made: dict[str, tuple[int, bool]] = {}
        """Path to inode, and whether it is a folder, in the order they were made."""
        self._aside: list[tuple[str, str]] = []
        """What was there, and where it is until the end."""

    def note(self, path: str, spot: Spot) -> int:
        """Remember what was made; return its inode."""
        found = os.stat(spot.name, dir_fd=spot.folder, follow_symlinks=False)
        self.made[path] = found.st_ino, stat.S_ISDIR(found.st_mode)
        return found.st_ino

    def make_way(self, path: str) -> None:
        """Rename what stands in the way of ``path``, in its own folder."""
        if path not in self.in_the_way:
            return
        parent, slash, _ = path.rpartition("/")
        aside = f"{parent}{slash}.layertrace-{secrets.token_hex(8)}.old"
        self._rename(path, aside)
        self._aside.append((path, aside))
        self.in_the_way.remove(path)

    def settle(self) -> None:
        """Remove what made way.

        Raises:
            StorageError: something cannot be removed.
        """
        for path, aside in self._aside:
            with self._folder.errors(path):
                self._remove(aside, folder=False)

    def undo(self) -> None:
        """Remove what was made, and put back what made way."""
        for path, (inode, is_folder) in reversed(self.made.items()):
            # What is not ours any more, or cannot be removed, is left.
            with suppress(OSError):
                found = self._folder.status(path)
                if found is not None and found.st_ino == inode:
                    self._remove(path, folder=is_folder)
        for path, aside in reversed(self._aside):
            with suppress(OSError):
                if self._folder.status(path) is None:
                    self._rename(aside, path)

    def _rename(self, old: str, new: str) -> None:
        # Both are in one folder, so the second look finds it open.
        source, target = self._folder.at(old), self._folder.at(new)
        os.rename(source.name, target.name, src_dir_fd=source.folder, dst_dir_fd=target.folder)

    def _remove(self, path: str, *, folder: bool) -> None:
        spot = self._folder.at(path)
        (os.rmdir if folder else os.unlink)(spot.name, dir_fd=spot.folder)
