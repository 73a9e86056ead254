"""Whose each file is: the paths that packages list, as they are in the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.rootfs.places import STRIDE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from layertrace.rootfs.squash import Rootfs

_MAX_LINKS: Final = 40
_MAX_PATH: Final = 4_096
_DIR: Final = int(EntryKind.DIR)
_SYMLINK: Final = int(EntryKind.SYMLINK)


class RealPaths:
    """Finds listed paths in an image where folders on the way may have become links.

    ``/bin/ls`` of a list is ``/usr/bin/ls`` where ``/bin`` is a link to ``/usr/bin``.
    """

    def __init__(self, rootfs: Rootfs, follow: Callable[[str], str]) -> None:
        """Keep the image.

        Args:
            rootfs: of it.
            follow: returns where a path leads with every link followed.
        """
        self._seen = rootfs.seen
        self._kinds = [index.kinds for index in rootfs.layers]
        self._follow = follow
        self._links: dict[str, str] = {}

    def kind(self, path: str) -> int | None:
        """Return what stands at a path; None for nothing, and for what no entry made."""
        packed = self._seen.get(path)
        return None if packed is None else self._kinds[packed // STRIDE][packed % STRIDE]

    def file(self, path: str) -> str | None:
        """Return where a listed file is; None: it is not in the image, or is a directory."""
        for _ in range(_MAX_LINKS):
            kind = self.kind(path)
            if kind is not None:
                return None if kind == _DIR else path
            link = self._first_link(path)
            if link is None:
                return None
            if link not in self._links:
                self._links[link] = self._follow(link)
            path = f"{self._links[link]}{path[len(link) :]}".lstrip("/")
        return None

    def _first_link(self, path: str) -> str | None:
        end = path.find("/") if len(path) <= _MAX_PATH else -1
        while end >= 0:
            if self.kind(path[:end]) == _SYMLINK:
                return path[:end]
            end = path.find("/", end + 1)
        return None


class Claims:
    """Which number each path belongs to; the first to claim one has it."""

    def __init__(self, paths: RealPaths) -> None:
        """Keep the way to where listed paths are."""
        self._paths = paths
        self.owners: dict[str, int] = {}

    def claim(self, number: int, listed: Iterable[str]) -> None:
        """Give a package the files that it lists."""
        for path in listed:
            real = self._paths.file(path)
            if real is not None:
                self.owners.setdefault(real, number)

    def claim_below(self, roots: Mapping[str, int], paths: Iterable[str]) -> None:
        """Give each file that is nobody's yet to the nearest of the folders it lies in.

        Args:
            roots: folder to the package that is all of it.
            paths: of the image.
        """
        nearest: dict[str, int] = {"": -1}
        for path in paths if roots else ():
            if path in self.owners:
                continue
            folder = path.rpartition("/")[0]
            number = nearest.get(folder)
            if number is None:
                number = _climb(folder, roots, nearest)
            if number >= 0 and self._paths.kind(path) != _DIR:
                self.owners[path] = number


def _climb(folder: str, roots: Mapping[str, int], nearest: dict[str, int]) -> int:
    """Return the nearest root above or at a folder, and keep it for all between."""
    passed = []
    while folder not in nearest and folder not in roots:
        passed.append(folder)
        folder = folder.rpartition("/")[0]
    number = roots.get(folder)
    number = nearest[folder] if number is None else number
    nearest.update(dict.fromkeys([folder, *passed], number))
    return number
