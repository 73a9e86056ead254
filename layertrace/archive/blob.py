"""Stored bytes to one layer's uncompressed tar, with its digests checked on the way."""

from __future__ import annotations

import hashlib
import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from layertrace.archive.behind import HashingBehind
from layertrace.archive.compression import MAGIC_SIZE, PIECE, Compression, sniff, unpack
from layertrace.errors import DigestMismatchError, LayerError, StoppedError, StorageError
from layertrace.model.limits import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from layertrace.model.limits import Limits


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


def never() -> bool:
    """Go on: what is asked whether to stop where nobody can."""
    return False


def _heed(stop: Callable[[], bool]) -> None:
    if stop():
        raise StoppedError


class LayerReader(Protocol):
    """One layer's uncompressed tar."""

    random_access: bool
    """Any offset may be read at any time; else offsets must not go back."""

    def read_at(self, offset: int, size: int) -> bytes:
        """Return ``size`` bytes from ``offset``; fewer only where the tar ends.

        Raises:
            LayerError: there is more of the tar, and it cannot be had.
        """
        ...

    def length(self) -> int:
        """Return the tar's length; asked for only once its end was met."""
        ...

    def forgo_digests(self) -> None:
        """Compute none: whoever only reads contents asks for none. Said before all reading."""
        ...

    def mismatches(self, stop: Callable[[], bool] = never) -> tuple[DigestMismatchError, ...]:
        """Read what is left; return what is not as the image says.

        Raises:
            LayerError: what is left cannot be read.
            StoppedError: ``stop``, asked now and then, returned True.
        """
        ...

    def diff_id(self) -> str:
        """Return the digest of the tar; asked for only after :meth:`mismatches`."""
        ...

    def verify(self) -> None:
        """Read what is left and check the digests.

        Raises:
            DigestMismatchError: the bytes are not what the image says.
            LayerError: what is left cannot be read.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class _Reader(ABC):
    """What all readers have in common."""

    @abstractmethod
    def mismatches(self, stop: Callable[[], bool] = never) -> tuple[DigestMismatchError, ...]:
        """Read what is left; return what is not as the image says."""

    def forgo_digests(self) -> None:  # noqa: B027 - most compute them only when asked
        """Compute none: whoever only reads contents asks for none."""

    def verify(self) -> None:
        """Read what is left and check the digests."""
        for mismatch in self.mismatches():
            raise mismatch

    def __enter__(self) -> Self:
        return self

    def __exit__(  # noqa: B027 - nothing to do: the file is its store's
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the rest unread: whoever wants the digests asks for them."""


class PlainReader(_Reader):
    """A layer stored as a plain tar: contents are passed over, not read."""

    random_access = True

    def __init__(
        self, region: Region, *, name: str, diff_id: str | None, digest: str | None = None
    ) -> None:
        self._region = region
        self._name = name
        self._diff_id = diff_id
        self._digest = digest
        self._hash = hasher(diff_id)

    def read_at(self, offset: int, size: int) -> bytes:
        """Return bytes of the tar; any offset, any time."""
        return self._region.read_at(offset, size)

    def length(self) -> int:
        """Return the tar's length."""
        return self._region.size

    def mismatches(self, stop: Callable[[], bool] = never) -> tuple[DigestMismatchError, ...]:
        """Read the whole tar; its digests are one where nothing is packed."""
        tar = self._hash = hasher(self._diff_id)
        blob = hasher(self._digest or self._diff_id)
        blob = tar if blob.name == tar.name else blob
        for piece in self._region.pieces():
            _heed(stop)
            for each in {tar, blob}:
                each.update(piece)
        # Of the same bytes one word is enough.
        digest = None if self._digest == self._diff_id else self._digest
        return (
            *_mismatches(f"{self._name}'s tar", self._diff_id, tar),
            *_mismatches(f"the blob of {self._name}", digest, blob),
        )

    def diff_id(self) -> str:
        """Return the digest of the tar."""
        return f"{self._hash.name}:{self._hash.hexdigest()}"


class StreamReader(_Reader):
    """A layer that is unpacked, or arrives, as it is read; both digests are computed."""

    random_access = False

    def __init__(
        self,
        pieces: Iterator[bytes],
        *,
        name: str,
        diff_id: str | None,
        digest: str | None = None,
        limits: Limits = DEFAULTS,
    ) -> None:
        """Read ``pieces``, the blob as stored, packed or not.

        Args:
            pieces: the stored bytes.
            name: of the layer, for messages.
            diff_id: what the unpacked bytes must hash to; None: not known.
            digest: what the stored bytes must hash to, where the image says.
            limits: how much they may unpack to.
        """
        self.limits = limits
        self._name = name
        self._diff_id = diff_id
        self._digest = digest
        self._hash = hasher(diff_id)
        self._stored_hash = hasher(digest or diff_id)
        self._hashing = HashingBehind()
        self._packed = True
        """The digest of the bytes as stored is another than that of the tar."""
        self._stored = self._hashed(pieces)
        self.stored_size = 0
        """Bytes read so far as they are stored."""
        self._unpacked = unpack(self._stored, name, limits)
        self._buffer = memoryview(b"")
        self._position = 0
        """Of the buffer's first byte."""
        self._damage: LayerError | None = None
        self._digesting = True

    def read_at(self, offset: int, size: int) -> bytes:
        """Return bytes of the tar; offsets must not go back.

        What stands before damage is returned first, the error at the next reading.
        """
        self._drop_to(offset)
        # Views: between two windows of a tar the rest would be copied each time.
        parts = [self._buffer[:size]]
        self._buffer = self._buffer[size:]
        got = len(parts[0])
        while got < size:
            try:
                piece = self._next()
            except LayerError:
                if not got:
                    raise
                break
            if not piece:
                break
            parts.append(piece[: size - got])
            self._buffer = piece[size - got :]
            got += len(parts[-1])
        self._position += got
        return b"".join(parts)

    def forgo_digests(self) -> None:
        """Compute none, which takes half as long as to unpack."""
        self._digesting = False

    def length(self) -> int:
        """Return how much was read: the tar's length once its end was met."""
        return self._position

    def mismatches(self, stop: Callable[[], bool] = never) -> tuple[DigestMismatchError, ...]:
        """Read the rest; return which of both digests differ.

        Raises:
            ValueError: none were computed.
        """
        if not self._digesting:
            raise ValueError("no digests were computed")
        self._position += len(self._buffer)
        self._buffer = memoryview(b"")
        while piece := self._next():
            self._position += len(piece)
            _heed(stop)
        self._hashing.settle()
        same = not self._packed and self._digest == self._diff_id
        return (
            *_mismatches(f"{self._name}'s tar", self._diff_id, self._hash),
            *_mismatches(
                f"the blob of {self._name}", None if same else self._digest, self._blob_hash()
            ),
        )

    def diff_id(self) -> str:
        """Return the digest of the tar; true only after :meth:`mismatches`."""
        self._hashing.settle()
        return f"{self._hash.name}:{self._hash.hexdigest()}"

    def digest(self) -> str:
        """Return the digest of the blob, damaged or not; true only after :meth:`mismatches`."""
        for _ in self._stored:
            pass
        self._hashing.settle()
        hashed = self._blob_hash()
        return f"{hashed.name}:{hashed.hexdigest()}"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the rest unread, and end the thread that hashed."""
        self._hashing.close()

    def _blob_hash(self) -> hashlib._Hash:
        return self._stored_hash if self._packed else self._hash

    def _drop_to(self, offset: int) -> None:
        while self._position < offset:
            if not self._buffer:
                self._buffer = self._next()
                if not self._buffer:
                    return
            skipped = min(len(self._buffer), offset - self._position)
            self._buffer = self._buffer[skipped:]
            self._position += skipped

    def _next(self) -> memoryview:
        if self._damage is not None:
            raise self._damage
        try:
            piece = next(self._unpacked, b"")
        except LayerError as error:
            self._damage = error
            raise
        if self._digesting:
            self._hashing.update(self._hash, piece)
        return memoryview(piece)

    def _hashed(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            if not self.stored_size:
                plain = len(piece) >= MAGIC_SIZE and sniff(piece) is Compression.NONE
                # Hashed once where both digests are of the same bytes.
                self._packed = not plain or self._hash.name != self._stored_hash.name
            self.stored_size += len(piece)
            if self._packed and self._digesting:
                self._hashing.update(self._stored_hash, piece)
            yield piece


class AbsentReader(_Reader):
    """A layer whose bytes are not at hand."""

    random_access = False

    def __init__(self, why: LayerError) -> None:
        """Keep why they are not."""
        self._why = why

    def read_at(self, offset: int, size: int) -> bytes:  # noqa: ARG002
        """Say why there is nothing to read."""
        raise self._why

    def length(self) -> int:
        """Return that nothing is there."""
        return 0

    def mismatches(
        self,
        stop: Callable[[], bool] = never,  # noqa: ARG002
    ) -> tuple[DigestMismatchError, ...]:
        """Say why there is nothing to read."""
        raise self._why

    def diff_id(self) -> str:
        """Say why there is nothing to read."""
        raise self._why


def digest_of(data: bytes, like: str = "") -> str:
    """Return the digest of ``data``, by the algorithm of the digest ``like``.

    >>> digest_of(b"", like="sha512:cf83")[:20]
    'sha512:cf83e1357eefb'
    """
    hashed = hasher(like)
    hashed.update(data)
    return f"{hashed.name}:{hashed.hexdigest()}"


def hasher(like: str | None) -> hashlib._Hash:
    """Return a hash of the algorithm of the digest ``like``; of sha256 for any other.

    Source: OCI image-spec, ``descriptor.md``, "Registered algorithms".
    """
    return hashlib.sha512() if like and like.startswith("sha512:") else hashlib.sha256()


def _mismatches(
    subject: str, expected: str | None, hashed: hashlib._Hash
) -> Iterator[DigestMismatchError]:
    actual = f"{hashed.name}:{hashed.hexdigest()}"
    if expected and expected != actual:
        yield DigestMismatchError(subject=subject, expected=expected, actual=actual)
