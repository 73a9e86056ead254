"""Stored bytes to one layer's uncompressed tar, with its digests checked on the way."""

from __future__ import annotations

import bz2
import hashlib
import lzma
import os
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol, Self, cast

from layertrace.errors import DigestMismatchError, LayerError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

PIECE: Final = 1 << 20


class Compression(Enum):
    """How a stored blob is packed, told by its first bytes and nothing else."""

    NONE = "none"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZSTD = "zstd"


_MAGIC: Final = (
    (b"\x1f\x8b", Compression.GZIP),
    (b"BZh", Compression.BZIP2),
    (b"\xfd7zXZ\0", Compression.XZ),
    (b"\x28\xb5\x2f\xfd", Compression.ZSTD),
)
_LONGEST_MAGIC: Final = max(len(magic) for magic, _ in _MAGIC)


def sniff(head: bytes) -> Compression:
    r"""Return the compression that bytes beginning with ``head`` have.

    >>> sniff(b"\x1f\x8b\x08"), sniff(b"app/")
    (<Compression.GZIP: 'gzip'>, <Compression.NONE: 'none'>)
    """
    return next((kind for magic, kind in _MAGIC if head.startswith(magic)), Compression.NONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """Stored bytes on disk: ``size`` of them from ``offset`` of an open file."""

    fd: int
    offset: int
    size: int

    def read_at(self, offset: int, size: int) -> bytes:
        """Return up to ``size`` bytes from ``offset`` of the region."""
        size = min(size, self.size - offset)
        if size <= 0:
            return b""
        try:
            data = os.pread(self.fd, size, self.offset + offset)
            while len(data) < size and (
                more := os.pread(self.fd, size - len(data), self.offset + offset + len(data))
            ):
                data += more
        except OSError as error:
            raise StorageError(
                "cannot read the image's file", why=error.strerror or str(error)
            ) from error
        return data

    def pieces(self) -> Iterator[bytes]:
        """Yield the stored bytes in order."""
        position = 0
        while position < self.size and (piece := self.read_at(position, PIECE)):
            position += len(piece)
            yield piece


class LayerReader(Protocol):
    """One layer's uncompressed tar."""

    random_access: bool
    """Any offset may be read at any time; else offsets must not go back."""

    def read_at(self, offset: int, size: int) -> bytes:
        """Return ``size`` bytes from ``offset``; fewer only where the tar ends."""
        ...

    def length(self) -> int:
        """Return the tar's length; asked for only once its end was met."""
        ...

    def verify(self) -> None:
        """Read what is left and check the digests.

        Raises:
            DigestMismatchError: the bytes are not what the image says.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class PlainReader:
    """A layer stored as a plain tar: contents are passed over, not read."""

    random_access = True

    def __init__(
        self, region: Region, *, name: str, diff_id: str, digest: str | None = None
    ) -> None:
        self._region = region
        self._name = name
        self._diff_id = diff_id
        self._digest = digest

    def read_at(self, offset: int, size: int) -> bytes:
        """Return bytes of the tar; any offset, any time."""
        return self._region.read_at(offset, size)

    def length(self) -> int:
        """Return the tar's length."""
        return self._region.size

    def verify(self) -> None:
        """Read the whole tar and check its digests, which are one where nothing is packed."""
        sha256 = hashlib.sha256()
        for piece in self._region.pieces():
            sha256.update(piece)
        actual = f"sha256:{sha256.hexdigest()}"
        _check(f"{self._name}'s tar", self._diff_id, actual)
        if self._digest is not None:
            _check(f"the blob of {self._name}", self._digest, actual)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the file to its store."""


class StreamReader:
    """A layer that is unpacked, or arrives, as it is read; both digests are computed."""

    random_access = False

    def __init__(
        self,
        pieces: Iterator[bytes],
        *,
        name: str,
        diff_id: str | None,
        digest: str | None = None,
    ) -> None:
        """Read ``pieces``, the blob as stored, packed or not.

        Args:
            pieces: the stored bytes.
            name: of the layer, for messages.
            diff_id: what the unpacked bytes must hash to; None: not known yet.
            digest: what the stored bytes must hash to, where the image says.
        """
        self._name = name
        self._diff_id = diff_id
        self._digest = digest
        self._stored_hash = hashlib.sha256() if digest else None
        self._hash = hashlib.sha256()
        self._unpacked = unpack(self._hashed(pieces), name)
        self._buffer = b""
        self._position = 0
        """Of the buffer's first byte."""

    def read_at(self, offset: int, size: int) -> bytes:
        """Return bytes of the tar; offsets must not go back."""
        self._drop_to(offset)
        parts = [self._buffer[:size]]
        self._buffer = self._buffer[size:]
        got = len(parts[0])
        while got < size:
            piece = self._next()
            if not piece:
                break
            parts.append(piece[: size - got])
            self._buffer = piece[size - got :]
            got += len(parts[-1])
        self._position += got
        return b"".join(parts)

    def length(self) -> int:
        """Return how much was read: the tar's length once its end was met."""
        return self._position

    def verify(self) -> None:
        """Read the rest and check both digests."""
        self._position += len(self._buffer)
        self._buffer = b""
        while piece := self._next():
            self._position += len(piece)
        if self._diff_id is not None:
            _check(f"{self._name}'s tar", self._diff_id, self.diff_id())
        if self._stored_hash is not None and self._digest is not None:
            actual = f"sha256:{self._stored_hash.hexdigest()}"
            _check(f"the blob of {self._name}", self._digest, actual)

    def diff_id(self) -> str:
        """Return the digest of the tar; true only after :meth:`verify`."""
        return f"sha256:{self._hash.hexdigest()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the rest unread: whoever wants the digests asks for them."""

    def _drop_to(self, offset: int) -> None:
        while self._position < offset:
            if not self._buffer:
                self._buffer = self._next()
                if not self._buffer:
                    return
            skipped = min(len(self._buffer), offset - self._position)
            self._buffer = self._buffer[skipped:]
            self._position += skipped

    def _next(self) -> bytes:
        piece = next(self._unpacked, b"")
        self._hash.update(piece)
        return piece

    def _hashed(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if self._stored_hash is not None:
                self._stored_hash.update(piece)
            yield piece


def _check(subject: str, expected: str, actual: str) -> None:
    if expected != actual:
        raise DigestMismatchError(subject=subject, expected=expected, actual=actual)


class _Decompressor(Protocol):
    """The interface that bz2, lzma and isal share."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


def unpack(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield the plain bytes of a blob whose compression its first bytes tell.

    Raises:
        LayerError: the compression is not known here, or the data is damaged
            or cut short.
    """
    first = next(pieces, b"")
    while len(first) < _LONGEST_MAGIC and (more := next(pieces, b"")):
        first += more
    compression = sniff(first)
    if compression is Compression.NONE:
        yield first
        yield from (piece for piece in pieces if piece)
        return
    engine, damage = _decompressor(compression, name)
    try:
        yield from _inflate(engine, first, pieces, name)
    except (damage, EOFError) as error:
        raise LayerError(
            f"{name} is damaged: its {compression.value} data cannot be unpacked", why=str(error)
        ) from error


def _inflate(
    engine_of: Callable[[], _Decompressor], first: bytes, pieces: Iterator[bytes], name: str
) -> Iterator[bytes]:
    engine, data = engine_of(), first
    while True:
        # Bounded output a call, so that a bomb costs time, never memory.
        plain = engine.decompress(data, PIECE)
        data = b""
        if plain:
            yield plain
        if engine.eof:
            # Several members may follow each other (RFC 1952, 2.2); zero
            # bytes after the last are padding.
            data = engine.unused_data
            while not data.strip(b"\0"):
                data = next(pieces, b"")
                if not data:
                    return
            engine = engine_of()
        elif engine.needs_input:
            data = next(pieces, b"")
            if not data:
                raise LayerError(f"{name} is cut short: its packed data ends early")


def _decompressor(
    compression: Compression, name: str
) -> tuple[Callable[[], _Decompressor], type[Exception]]:
    """Return what makes a decompressor, and the error it raises on damage."""
    if compression is Compression.GZIP:
        from isal import igzip_lib  # noqa: PLC0415 - most archives never need it

        damage = cast("type[Exception]", igzip_lib.error)
        return lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP), damage
    if compression is Compression.BZIP2:
        return bz2.BZ2Decompressor, OSError
    if compression is Compression.XZ:
        return lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ), lzma.LZMAError
    raise LayerError(
        f"{name} is packed with {compression.value}, which this version does not read",
        hint="convert it: skopeo copy --dest-compress-format gzip SOURCE DESTINATION",
    )
