"""Where an image's files lie: an archive indexed once by offset, or a layout folder."""

from __future__ import annotations

import os
import posixpath
import shutil
import stat
import tarfile
import tempfile
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final, Protocol

from layertrace.archive.blob import PIECE, Compression, Region, sniff, unpack
from layertrace.errors import ArchiveError, LayertraceError, SourceError, StorageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

MAX_MEMBERS: Final = 200_000
"""Files in an archive; an image has some hundreds at most."""
_MAX_LINKS: Final = 8


class BlobStore(Protocol):
    """The named files of an archive or layout."""

    @property
    def name(self) -> str:
        """For messages."""
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
            ArchiveError: it is missing, cut short or larger than ``limit`` bytes.
        """
        ...


class _RegionStore(ABC):
    """A store whose files are regions of files on disk."""

    name: str
    witness: str
    """Changes whenever the stored bytes may have changed."""

    @abstractmethod
    def region(self, blob: str) -> Region:
        """Return where the file's bytes are.

        Raises:
            ArchiveError: there is none, or the archive ends before it does.
        """

    def size(self, blob: str) -> int:
        """Return how many bytes the file has."""
        return self.region(blob).size

    def read(self, blob: str, *, limit: int) -> bytes:
        """Return the whole of a small file."""
        region = self.region(blob)
        if region.size > limit:
            raise ArchiveError(f"{blob} in {self.name} has {region.size:,} bytes; limit {limit:,}")
        return region.read_at(0, region.size)


class FolderStore(_RegionStore):
    """An OCI image layout as a folder; no link leads out of it."""

    def __init__(self, folder: Path) -> None:
        """Look at nothing yet."""
        self.name = str(folder)
        self._folder = folder.resolve()
        self._open: dict[str, Region] = {}
        index = self._folder / "index.json"
        status = index.stat() if index.exists() else self._folder.stat()
        self.witness = f"{self._folder}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"

    def has(self, blob: str) -> bool:
        """Say whether there is a regular file of that name inside the folder."""
        return self._path(blob) is not None

    def names(self) -> tuple[str, ...]:
        """Return the names in the top folder."""
        return tuple(sorted(path.name for path in self._folder.iterdir()))

    def region(self, blob: str) -> Region:
        """Open the file and return all of it."""
        if blob not in self._open:
            path = self._path(blob)
            if path is None:
                raise ArchiveError(f"{self.name} has no file {blob}, which its manifest names")
            fd = _open_file(path)
            self._open[blob] = Region(fd=fd, offset=0, size=os.fstat(fd).st_size)
        return self._open[blob]

    def close(self) -> None:
        """Close the files opened so far."""
        for region in self._open.values():
            os.close(region.fd)
        self._open.clear()

    def _path(self, blob: str) -> Path | None:
        path = (self._folder / blob).resolve()
        if not path.is_relative_to(self._folder) or not path.is_file():
            return None
        return path


class TarStore(_RegionStore):
    """An archive of an image; its members are found once, by offset."""

    def __init__(self, file: BinaryIO, *, name: str) -> None:
        """Index the tar in ``file``, which must be a plain, seekable one.

        Raises:
            ArchiveError: it is not a tar.
        """
        self.name = name
        self._file = file
        status = os.fstat(file.fileno())
        self._size = status.st_size
        self.witness = f"{status.st_dev}:{status.st_ino}:{status.st_size}:{status.st_mtime_ns}"
        self._regions: dict[str, Region] = {}
        self._links: dict[str, str] = {}
        self._cut_short = False
        self._index()

    def has(self, blob: str) -> bool:
        """Say whether there is a file (or a link to one) of that name."""
        return self._resolve(blob) in self._regions

    def names(self) -> tuple[str, ...]:
        """Return the names of all regular files, in their order."""
        return tuple(self._regions)

    def region(self, blob: str) -> Region:
        """Return where the file lies in the archive."""
        region = self._regions.get(self._resolve(blob))
        if region is None:
            why = "the archive is cut short" if self._cut_short else ""
            raise ArchiveError(f"{self.name} has no file {blob}, which its manifest names", why=why)
        if region.offset + region.size > self._size:
            raise ArchiveError(
                f"{self.name} is cut short: it ends inside {blob}",
                why=f"{self._size:,} bytes, {region.offset + region.size:,} needed",
                hint="save or copy the image again",
            )
        return region

    @property
    def cut_short(self) -> bool:
        """The archive ends before its end marker."""
        return self._cut_short

    def close(self) -> None:
        """Close the archive."""
        self._file.close()

    def _index(self) -> None:
        try:
            # The handle is ours to keep: regions read from it later.
            tar = tarfile.open(fileobj=self._file, mode="r:", errors="surrogateescape")  # noqa: SIM115
        except tarfile.TarError as error:
            raise ArchiveError(
                f"{self.name} is not an image archive", why=f"not a tar file: {error}"
            ) from error
        try:
            self._add_members(tar)
        except (tarfile.TarError, ValueError, RecursionError, OverflowError):
            # What stands before the damage is still good; whoever asks for
            # more is told that the archive is cut short.
            self._cut_short = True

    def _add_members(self, tar: tarfile.TarFile) -> None:
        end = 0
        for count, member in enumerate(tar):
            if count >= MAX_MEMBERS:
                raise ArchiveError(f"{self.name} has more than {MAX_MEMBERS:,} files")
            name = posixpath.normpath(member.name).lstrip("/")
            if member.isreg():
                self._regions[name] = Region(
                    fd=self._file.fileno(), offset=member.offset_data, size=member.size
                )
                end = member.offset_data + member.size
            elif member.issym():
                self._links[name] = posixpath.normpath(
                    posixpath.join(posixpath.dirname(name), member.linkname)
                )
            elif member.islnk():
                self._links[name] = posixpath.normpath(member.linkname).lstrip("/")
        if end > self._size:
            self._cut_short = True

    def _resolve(self, blob: str) -> str:
        name = posixpath.normpath(blob).lstrip("/")
        for _ in range(_MAX_LINKS):
            if name in self._regions or name not in self._links:
                return name
            name = self._links[name]
        return name


def open_store(path: Path) -> TarStore | FolderStore:
    """Open a file or folder by what is in it, packed archives too.

    Raises:
        SourceError: there is nothing at ``path``, or it may not be read.
        ArchiveError: it is not an archive.
    """
    if path.is_dir():
        return FolderStore(path)
    fd = _open_file(path)
    file = os.fdopen(fd, "rb", buffering=0)
    return open_tar(file, name=str(path))


def open_tar(file: BinaryIO, *, name: str) -> TarStore:
    """Open an archive from an open file; one that is packed or a pipe is spooled to disk.

    Raises:
        ArchiveError: it is empty or not a tar.
        StorageError: there is no room to unpack it.
    """
    plain: BinaryIO = file
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        plain = _spool(iter(lambda: file.read(PIECE), b""), name)
    head = plain.read(8)
    plain.seek(0)
    if not head:
        raise ArchiveError(f"{name} is empty", hint="save the image again")
    if sniff(head) is not Compression.NONE:
        packed = plain
        plain = _spool(unpack(iter(lambda: packed.read(PIECE), b""), name), name)
    return TarStore(plain, name=name)


def _spool(pieces: Iterator[bytes], name: str) -> BinaryIO:
    """Return the bytes in a temporary file that vanishes with its last use."""
    try:
        # Closed with the store; a with-block would end its life here.
        spool = tempfile.TemporaryFile(prefix="layertrace-", buffering=0)  # noqa: SIM115
    except OSError as error:
        raise _no_room(name, error) from error
    try:
        for piece in pieces:
            _write_all(spool.fileno(), piece)
    except OSError as error:
        spool.close()
        raise _no_room(name, error) from error
    except LayertraceError:
        spool.close()
        raise
    spool.seek(0)
    return spool


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _no_room(name: str, error: OSError) -> StorageError:
    free = shutil.disk_usage(tempfile.gettempdir()).free
    return StorageError(
        f"cannot unpack {name} to read it: {error.strerror or error}",
        why=f"{tempfile.gettempdir()} has {free:,} bytes free",
        hint="set TMPDIR to a larger disk, or unpack the archive first",
    )


def _open_file(path: Path) -> int:
    try:
        return os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except FileNotFoundError as error:
        raise SourceError(f"{path} does not exist") from error
    except OSError as error:
        raise SourceError(f"cannot read {path}", why=error.strerror or str(error)) from error
