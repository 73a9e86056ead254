"""An archive of an image: a tar that is indexed once, by offset."""

from __future__ import annotations

import io
import os
import posixpath
import re
import tarfile
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from layertrace.archive.blob import Region
from layertrace.archive.regions import RegionStore
from layertrace.errors import ArchiveError, LimitError
from layertrace.model.limits import DEFAULTS
from layertrace.model.pax import PaxGuard

if TYPE_CHECKING:
    from typing import BinaryIO

    from layertrace.model.limits import Limits

MAX_UNLIKELY: Final = 4096
"""Members none of which is called as in an image: what follows is a file system's too."""
WHOLE: Final = "\0"
"""The name of the archive's own file, which may be a layer; no member can have it."""
_LIKELY: Final = re.compile(
    r"blobs(?:/sha\d+|\Z)|oci-layout\Z|(?:sha256:)?[0-9a-f]{64}(?:\Z|[/.])|[^/]+/layer\.tar\Z"
)
_DAMAGE: Final = (tarfile.TarError, ValueError, IndexError, RecursionError, OverflowError)
"""What tarfile raises at headers that are damaged, or end too soon."""
_HEADERS: Final = 640
"""Bytes of headers that a member of an archive has at most, all taken together."""


class TarStore(RegionStore):
    """An archive of an image; its members are found once, by offset."""

    def __init__(
        self,
        file: BinaryIO,
        *,
        name: str,
        witness: str,
        damage: str = "",
        limits: Limits = DEFAULTS,
    ) -> None:
        """Index the tar in ``file``, which must be a plain, seekable one, the store's to close.

        Args:
            file: the tar.
            name: for messages.
            witness: changes whenever the tar may have.
            damage: what went wrong when it was unpacked.
            limits: how much it may hold.

        Raises:
            ArchiveError: it is not a tar.
            LimitError: it holds more.
        """
        self.name = name
        self.limits = limits
        self.witness = witness
        self.looks_like_image = False
        self.unpacking = damage
        """What went wrong when the tar was unpacked."""
        self.damage = damage
        """Why members may be missing, where the tar does not end as it should."""
        self.is_unended = False
        """It ends behind a member, without the mark that says so."""
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        self._regions: dict[str, Region] = {}
        self._links: dict[str, str] = {}
        self._members = 0
        self._end = 0
        """Where the end mark stands."""
        try:
            self._index()
        except ArchiveError:
            self.close()
            raise

    def has(self, blob: str) -> bool:
        """Say whether there is a file (or a link to one) of that name."""
        return self._resolve(blob) in self._regions

    def names(self) -> tuple[str, ...]:
        """Return the names of all regular files, in their order."""
        return tuple(self._regions)

    def blobs(self) -> tuple[str, ...]:
        """Return the names of the files below ``blobs``."""
        return tuple(name for name in self._regions if name.startswith("blobs/"))

    def readable(self, blob: str) -> Region:
        """Return where the file lies in the archive, or as much of it as there is."""
        if blob == WHOLE:
            return Region(fd=self._file.fileno(), offset=0, size=self._size)
        region = self._regions.get(self._resolve(blob))
        if region is None:
            raise ArchiveError(
                f"{self.name} has no file {blob}, which its manifest names", why=self.damage
            )
        left = max(self._size - region.offset, 0)
        return replace(region, size=min(region.size, left))

    def region(self, blob: str) -> Region:
        """Return where the file lies in the archive."""
        cut = self.readable(blob)
        region = self._regions.get(self._resolve(blob), cut)
        if region.offset + region.size > self._size:
            raise ArchiveError(
                f"{self.name} is cut short: it ends inside {blob}",
                why=f"{self._size:,} bytes, {region.offset + region.size:,} needed",
                hint="save or copy the image again",
            )
        return region

    def is_whole(self, blob: str) -> bool:
        """Say whether the archive goes on to the end of a file that it has."""
        region = self._regions.get(self._resolve(blob))
        return region is not None and region.offset + region.size <= self._size

    def has_trailing_data(self) -> bool:
        """Say whether anything but zeros follows the end mark."""
        region = self.readable(WHOLE)
        rest = replace(region, offset=self._end, size=region.size - self._end)
        return any(piece.strip(b"\0") for piece in rest.pieces())

    def close(self) -> None:
        """Close the archive."""
        self._file.close()

    def _index(self) -> None:
        headers = cast("BinaryIO", _HeaderFile(self._file.fileno(), self.name, self.limits))
        guard = PaxGuard()
        end = 0
        try:
            with tarfile.open(fileobj=headers, mode="r:", errors="surrogateescape") as tar:
                while (member := tar.next()) is not None:
                    # A member keeps a copy of all global headers before it.
                    vars(tar)["members"].clear()
                    guard.apply(len(tar.pax_headers))
                    self._add(member)
                    if self._members > MAX_UNLIKELY and not self.looks_like_image:
                        return
                end = tar.offset
        except _DAMAGE as error:
            # What stands before the damage is still good; whoever asks for
            # more is told why it is not there.
            if not (self._members or self._is_tar()):
                why = self.unpacking or f"not a tar file: {error}"
                raise ArchiveError(
                    f"{self.name} is not an image archive",
                    why=why,
                    hint="docker save, skopeo copy and buildx --output write one",
                ) from error
            self.damage = self.damage or f"the archive is cut short or damaged: {error}"
        else:
            self._end = end
            mark = os.pread(self._file.fileno(), tarfile.BLOCKSIZE, end)
            if len(mark) < tarfile.BLOCKSIZE:
                self.is_unended = not self.damage and end == self._size
                self.damage = self.damage or "the archive is cut short: it has no end mark"
            elif mark.strip(b"\0"):
                self.damage = (
                    self.damage or f"the archive is damaged: no tar header at byte {end:,}"
                )

    def _is_tar(self) -> bool:
        """Say whether the first block is a header, whatever comes after it."""
        try:
            tarfile.TarInfo.frombuf(
                os.pread(self._file.fileno(), tarfile.BLOCKSIZE, 0), "utf-8", "surrogateescape"
            )
        except (tarfile.TarError, ValueError):
            return False
        return True

    def _add(self, member: tarfile.TarInfo) -> None:
        if len(self._regions) + len(self._links) >= self.limits.members:
            raise _too_many(self.name, self.limits)
        self._members += 1
        name = posixpath.normpath(member.name).lstrip("/")
        self.looks_like_image = self.looks_like_image or _LIKELY.match(name) is not None
        # Of several members with one name the last counts, as in extraction.
        self._regions.pop(name, None)
        self._links.pop(name, None)
        if member.issym():
            self._links[name] = posixpath.normpath(
                posixpath.join(posixpath.dirname(name), member.linkname)
            )
        elif member.islnk():
            self._links[name] = posixpath.normpath(member.linkname).lstrip("/")
        elif member.isreg() and not member.issparse():
            self._regions[name] = Region(
                fd=self._file.fileno(), offset=member.offset_data, size=member.size
            )

    def _resolve(self, blob: str) -> str:
        name = posixpath.normpath(blob).lstrip("/")
        for _ in range(self.limits.links):
            if name not in self._links:
                return name
            name = self._links[name]
        return name


def _too_many(name: str, limits: Limits) -> LimitError:
    return LimitError(
        f"{name} has more than {limits.members:,} files", limit="members", allowed=limits.members
    )


class _HeaderFile(io.RawIOBase):
    """An archive as tarfile reads its headers: nothing large, nothing that takes long."""

    def __init__(self, fd: int, name: str, limits: Limits) -> None:
        super().__init__()
        self._fd = fd
        self._name = name
        self._limits = limits
        self._position = 0
        # An archive of few members has its end as well.
        self._left = _HEADERS * (limits.members + 8)
        self._guard = PaxGuard()

    def read(self, size: int = -1) -> bytes:
        if size < 0:
            raise tarfile.HeaderError("an extended header of no size")
        if size > self._limits.pax:
            raise LimitError(
                f"a PAX header or long name of {size:,} bytes in {self._name}",
                limit="pax",
                allowed=self._limits.pax,
            )
        self._left -= size
        if self._left < 0:
            raise _too_many(self._name, self._limits)
        data = os.pread(self._fd, size, self._position)
        self._position += len(data)
        if size > tarfile.BLOCKSIZE:
            self._guard.check(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._position = offset if whence == os.SEEK_SET else self._position + offset
        return self._position

    def tell(self) -> int:
        return self._position
