"""An image layout that is a folder."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from layertrace.archive.blob import Region
from layertrace.archive.regions import RegionStore, open_file, unreadable
from layertrace.errors import ArchiveError
from layertrace.model.limits import DEFAULTS

if TYPE_CHECKING:
    from pathlib import Path

    from layertrace.model.limits import Limits


class FolderStore(RegionStore):
    """An OCI image layout as a folder; no link leads out of it."""

    looks_like_image = True

    def __init__(self, folder: Path, limits: Limits = DEFAULTS) -> None:
        """Look at nothing but names, sizes and times.

        Raises:
            SourceError: the folder may not be read.
        """
        self.name = str(folder)
        self.limits = limits
        self._open: dict[str, Region] = {}
        try:
            self._folder = folder.resolve()
            self._names = tuple(sorted(path.name for path in self._folder.iterdir()))
            self.witness = _witness(self._folder)
        except OSError as error:
            raise unreadable(folder, error) from error

    def has(self, blob: str) -> bool:
        """Say whether there is a regular file of that name inside the folder."""
        return self._path(blob) is not None

    def names(self) -> tuple[str, ...]:
        """Return the names in the top folder."""
        return self._names

    def blobs(self) -> tuple[str, ...]:
        """Return the names of the files in the folder of each algorithm."""
        files = sorted((self._folder / "blobs").glob("*/*"))
        return tuple(f"blobs/{path.parent.name}/{path.name}" for path in files)

    def region(self, blob: str) -> Region:
        """Open the file and return all of it."""
        if blob not in self._open:
            path = self._path(blob)
            if path is None:
                raise ArchiveError(f"{self.name} has no file {blob}, which its manifest names")
            fd = open_file(path)
            self._open[blob] = Region(fd=fd, offset=0, size=os.fstat(fd).st_size)
        return self._open[blob]

    def close(self) -> None:
        """Close the files opened so far."""
        for region in self._open.values():
            os.close(region.fd)
        self._open.clear()

    def _path(self, blob: str) -> Path | None:
        try:
            path = (self._folder / blob).resolve()
            inside = path.is_relative_to(self._folder) and path.is_file()
        except (OSError, RuntimeError, ValueError):
            # A circle of links (RuntimeError before Python 3.13), a name too
            # long for any disk, or one with a NUL byte.
            return None
        return path if inside else None


def _witness(folder: Path) -> str:
    """Return what changes with any file of a layout."""
    files = (folder / "index.json", folder / "manifest.json", *(folder / "blobs").glob("*/*"))
    sha256 = hashlib.sha256(os.fsencode(folder))
    for path in sorted(files):
        with suppress(OSError):
            status = path.stat()
            facts = (path.name, status.st_ino, status.st_size, status.st_mtime_ns)
            sha256.update(repr(facts).encode())
    return f"folder:{sha256.hexdigest()}"
