"""The build context as the tar that the classic builder is sent."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layertrace.archive.build_context import (
    ContextFile,
    context_entry,
    ignore_matcher,
    read_file,
    walk_context,
)
from layertrace.errors import StoppedError
from layertrace.model.bundle import ContextEntry
from layertrace.model.copysum import sum_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BLOCK: Final = 512
_KINDS: Final = (
    (stat.S_ISREG, tarfile.REGTYPE),
    (stat.S_ISDIR, tarfile.DIRTYPE),
    (stat.S_ISLNK, tarfile.SYMTYPE),
    (stat.S_ISFIFO, tarfile.FIFOTYPE),
    (stat.S_ISCHR, tarfile.CHRTYPE),
    (stat.S_ISBLK, tarfile.BLKTYPE),
)


class ContextTar:
    """The context as the tar that a build is sent, and the list of what it held."""

    def __init__(self, context: Path, *, patterns: tuple[str, ...], keep: frozenset[str]) -> None:
        """Prepare to send ``context``.

        Args:
            context: the folder.
            patterns: of ``.dockerignore``.
            keep: paths the builder itself needs, sent even where ignored; it
                hides those from COPY again.
        """
        self._context = context
        self._ignored = ignore_matcher(patterns)
        self._keep = keep
        self._inodes: dict[tuple[int, int], str] = {}
        self._digests: dict[str, str] = {}
        self.entries: list[ContextEntry] = []
        """What COPY could see."""
        self.sent = 0
        """Bytes handed out so far."""
        self.stopped = False
        """Set by another thread to end the tar where it is."""

    def chunks(self, extra: Mapping[str, bytes]) -> Iterator[bytes]:
        """Yield the tar; members of ``extra`` replace files of that name.

        Raises:
            SourceError: something in the context cannot be read.
        """
        for chunk in self._members(extra):
            if self.stopped:
                raise StoppedError
            self.sent += len(chunk)
            yield chunk

    def _members(self, extra: Mapping[str, bytes]) -> Iterator[bytes]:
        for file in walk_context(self._context, self._ignored, keep=self._keep):
            if file.path not in extra:
                yield from self._member(file)
        for name, content in extra.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            yield _header(info) + content + bytes(-len(content) % _BLOCK)
            if not self._ignored.matches(name):
                self.entries.append(_extra_entry(info, content))
        yield bytes(2 * _BLOCK)

    def _member(self, file: ContextFile) -> Iterator[bytes]:
        info = self._tar_info(file)
        if info is None:
            return
        yield _header(info)
        digest = self._digests.get(info.linkname) if info.islnk() else None
        summed = _start_sum(info)
        if info.isreg():
            sha256 = hashlib.sha256()
            for chunk in read_file(file):
                sha256.update(chunk)
                summed.update(chunk)
                yield chunk
            yield bytes(-info.size % _BLOCK)
            digest = f"sha256:{sha256.hexdigest()}"
            self._digests[file.path] = digest
        copy_sum = summed.hexdigest() if digest is not None else None
        if not self._ignored.matches(file.path) and (
            entry := context_entry(file, digest, copy_sum)
        ):
            self.entries.append(entry)

    def _tar_info(self, file: ContextFile) -> tarfile.TarInfo | None:
        """Return a member owned by root, as the docker command sends it; None for a socket."""
        status = file.status
        kind = next((kind for test, kind in _KINDS if test(status.st_mode)), None)
        if kind is None:
            return None
        info = tarfile.TarInfo(file.path)
        info.type = kind
        info.mode = stat.S_IMODE(status.st_mode)
        info.mtime = int(status.st_mtime)
        if kind == tarfile.SYMTYPE:
            info.linkname = os.fspath(Path(file.source).readlink())
        elif kind == tarfile.REGTYPE:
            # Two names of one file stay that, which a COPY of both shows.
            first = self._inodes.setdefault((status.st_dev, status.st_ino), file.path)
            if first != file.path:
                info.type, info.linkname = tarfile.LNKTYPE, first
            else:
                info.size = status.st_size
        elif kind in {tarfile.CHRTYPE, tarfile.BLKTYPE}:
            info.devmajor, info.devminor = os.major(status.st_rdev), os.minor(status.st_rdev)
        return info


def _start_sum(info: tarfile.TarInfo) -> hashlib._Hash:
    """Return the sum the builder keeps of a file, its content still to come."""
    header = sum_header(
        info.name,
        mode=info.mode,
        size=info.size,
        typeflag=info.type.decode(),
        linkname=info.linkname,
    )
    return hashlib.sha256(header)


def _extra_entry(info: tarfile.TarInfo, content: bytes) -> ContextEntry:
    summed = _start_sum(info)
    summed.update(content)
    return ContextEntry(
        path=info.name,
        kind="file",
        size=info.size,
        mode=info.mode,
        mtime=int(info.mtime),
        digest=f"sha256:{hashlib.sha256(content).hexdigest()}",
        copy_sum=summed.hexdigest(),
    )


def _header(info: tarfile.TarInfo) -> bytes:
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
