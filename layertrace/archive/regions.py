"""What archives and folders have in common: files that are regions of files on disk."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from layertrace.errors import LimitError, SourceError

if TYPE_CHECKING:
    from pathlib import Path

    from layertrace.archive.blob import Region
    from layertrace.model.limits import Limits


BLOB_PREFIX: Final = "blobs/sha256/"
"""What the names of blobs begin with, in a layout and in what newer engines save."""
TRACE_MEMBER: Final = "layertrace/trace.json"
"""What makes an archive a trace archive."""


class RegionStore(ABC):
    """A store whose files are regions of files on disk."""

    name: str
    witness: str
    """Changes whenever the stored bytes may have changed."""

    limits: Limits
    """How much it may hold."""
    damage: str = ""
    """Why files may be missing."""
    unpacking: str = ""
    """What went wrong when it was unpacked."""
    looks_like_image: bool
    """Its names are those of an image's files, not of a file system's."""

    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Return the names of files, all of them or those on top."""

    @abstractmethod
    def blobs(self) -> tuple[str, ...]:
        """Return the names of files that lie where blobs do."""

    @abstractmethod
    def region(self, blob: str) -> Region:
        """Return where the file's bytes are.

        Raises:
            ArchiveError: there is none, or the archive ends before it does.
        """

    def readable(self, blob: str) -> Region:
        """Return where the bytes are that can be read: not all, where the archive is cut short.

        Raises:
            ArchiveError: there are none.
        """
        return self.region(blob)

    def size(self, blob: str) -> int:
        """Return how many bytes the file has."""
        return self.readable(blob).size

    def read(self, blob: str, *, limit: int) -> bytes:
        """Return the whole of a small file."""
        region = self.region(blob)
        if region.size > limit:
            raise LimitError(
                f"{blob} in {self.name} has {region.size:,} bytes, more than {limit:,}",
                limit="json",
                allowed=self.limits.json,
            )
        return region.read_at(0, region.size)


def open_file(path: Path) -> int:
    """Open a file to be read; return its descriptor.

    Raises:
        SourceError: there is none, or it may not be read.
    """
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except OSError as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: OSError) -> SourceError:
    """Return the error that says why a file or folder cannot be read."""
    if isinstance(error, FileNotFoundError):
        hint = "look at its path; docker-daemon:NAME names an image of the engine"
        return SourceError(f"{path} does not exist", hint=hint)
    return SourceError(f"cannot read {path}", why=error.strerror or str(error))
