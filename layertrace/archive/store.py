"""Where an image's files lie: an archive or a layout folder, opened by what is in it."""

from __future__ import annotations

import os
import stat
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

from layertrace.archive.compression import MAGIC_SIZE, PIECE, Compression, sniff, unpack
from layertrace.archive.folder_store import FolderStore
from layertrace.archive.regions import open_file, unreadable
from layertrace.archive.spool import spool
from layertrace.archive.tar_store import TarStore
from layertrace.errors import ArchiveError
from layertrace.model.limits import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from layertrace.model.limits import Limits

    Watch = Callable[[int, int | None], bool]
    """Told how many bytes of an archive were put on disk, or unpacked, and of how many where
    that is known; True ends it."""


class BlobStore(Protocol):
    """The named files of an archive or layout."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    @property
    def limits(self) -> Limits:
        """How much it may hold."""
        ...

    def has(self, blob: str) -> bool:
        """Say whether there is a file of that name."""
        ...

    def size(self, blob: str) -> int:
        """Return how many bytes the file has.

        Raises:
            ArchiveError: there is none, or the archive ends before it does.
        """
        ...

    def read(self, blob: str, *, limit: int) -> bytes:
        """Return the whole of a small file.

        Raises:
            ArchiveError: it is missing or cut short.
            LimitError: it is larger than ``limit`` bytes.
        """
        ...


def open_store(
    path: Path, limits: Limits = DEFAULTS, watch: Watch | None = None
) -> TarStore | FolderStore:
    """Open a file or folder by what is in it, packed archives too.

    Raises:
        SourceError: there is nothing at ``path``, or it may not be read.
        ArchiveError: it is not an archive.
        StorageError: there is no room to unpack it.
    """
    try:
        is_folder = path.is_dir()
    except OSError as error:
        raise unreadable(path, error) from error
    if is_folder:
        return FolderStore(path, limits)
    file = os.fdopen(open_file(path), "rb", buffering=0)
    return open_tar(file, name=str(path), limits=limits, watch=watch)


def open_tar(
    file: BinaryIO, *, name: str, limits: Limits = DEFAULTS, watch: Watch | None = None
) -> TarStore:
    """Open an archive from an open file; one that is packed or a pipe is spooled to disk.

    ``file`` is closed before this returns; the store keeps its own handle.

    Raises:
        ArchiveError: it is empty or not a tar.
        LimitError: it unpacks to more than any archive.
        StorageError: there is no room to unpack it.
        StoppedError: ``watch`` said so.
    """
    with ExitStack() as files:
        plain, damage = files.enter_context(file), ""
        status = os.fstat(file.fileno())
        witness = f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"
        if not stat.S_ISREG(status.st_mode):
            arrived, _ = _arrived(plain, name, limits, watch)
            plain = files.enter_context(arrived)
            # Nothing tells whether the next stream holds the same.
            witness = f"spool:{uuid4()}"
        head = plain.read(MAGIC_SIZE)
        plain.seek(0)
        if not head:
            raise ArchiveError(f"{name} is empty", hint="save the image again")
        if sniff(head) is not Compression.NONE:
            unpacked, damage = _unpacked(plain, name, limits, watch)
            plain = files.enter_context(unpacked)
        own = os.fdopen(os.dup(plain.fileno()), "rb", buffering=0)
        return TarStore(own, name=name, witness=witness, damage=damage, limits=limits)


def _arrived(
    file: BinaryIO, name: str, limits: Limits, watch: Watch | None
) -> tuple[BinaryIO, str]:
    """Put what comes through a pipe on disk; how much that will be nobody can tell."""
    done = 0

    def counted() -> Iterator[bytes]:
        nonlocal done
        for piece in _pieces(file):
            done += len(piece)
            yield piece

    return spool(counted(), name, limits, lambda: watch is not None and watch(done, None))


def _unpacked(
    file: BinaryIO, name: str, limits: Limits, watch: Watch | None
) -> tuple[BinaryIO, str]:
    """Unpack a file to disk; how far that is, its packed bytes tell."""
    total = os.fstat(file.fileno()).st_size

    def stop() -> bool:
        return watch is not None and watch(file.tell(), total)

    return spool(unpack(_pieces(file), name, limits), name, limits, stop)


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece
