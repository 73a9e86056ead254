"""Packed bytes to plain ones; how they are packed their first bytes tell, nothing else.

Source: RFC 1952 (gzip), RFC 8878 (zstd), the xz and bzip2 file formats, the LZ4 frame format.
"""

from __future__ import annotations

import bz2
import lzma
import re
import sys
from enum import Enum
from typing import TYPE_CHECKING, Final, Protocol, cast

from layertrace.errors import LayerError, LimitError
from layertrace.model.limits import DEFAULTS, GRACE

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from layertrace.model.limits import Limits

PIECE: Final = 1 << 20
_PLAIN: Final = 1 << 19
"""Bytes unpacked at once: the memory of larger pieces is given back to the system and fetched
anew each time, which costs as much as to hash a part of them."""
_SMALLEST_WINDOW: Final = 10
_LARGEST_WINDOW: Final = 31
"""Of zstd, as powers of two, whatever is asked for."""
_WANTS_MEMORY: Final = re.compile("[Mm]emory")
_SKIPPED_HEAD: Final = 8
_SMALLEST_BITE: Final = 1 << 12
MAGIC_SIZE: Final = 10
"""Bytes that tell a compression."""


class Compression(Enum):
    """How a stored blob is packed, told by its first bytes and nothing else."""

    NONE = "none"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZSTD = "zstd"
    LZ4 = "lz4"
    SKIPPED = "zstd or lz4"
    """Begins with a frame to be skipped, which both may have before their own."""


_SKIPPED: Final = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")
_MAGIC: Final = (
    (re.compile(rb"\x1f\x8b"), Compression.GZIP),
    # A file in a plain tar may be called BZh1; it does not go on with the digits of pi.
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90|[^\0]{0,5}\Z)"), Compression.BZIP2),
    (re.compile(rb"\xfd7zXZ\0"), Compression.XZ),
    (re.compile(rb"\x28\xb5\x2f\xfd"), Compression.ZSTD),
    (re.compile(rb"\x04\x22\x4d\x18"), Compression.LZ4),
    (_SKIPPED, Compression.SKIPPED),
)


def sniff(head: bytes) -> Compression:
    r"""Return the compression that bytes beginning with ``head`` have.

    >>> sniff(b"\x1f\x8b\x08"), sniff(b"app/")
    (<Compression.GZIP: 'gzip'>, <Compression.NONE: 'none'>)
    """
    return next((kind for magic, kind in _MAGIC if magic.match(head)), Compression.NONE)


class _Decompressor(Protocol):
    """The interface that bz2, lzma, isal, zstd and lz4 share."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


class _Meter:
    """How much went in and came out of a decompressor."""

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._limits = limits
        self._packed = 0
        self._plain = 0

    def packed(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._packed += len(piece)
            yield piece

    def plain(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        limits = self._limits
        for piece in pieces:
            self._plain += len(piece)
            if self._plain > limits.size:
                raise too_large(self._name, limits)
            if self._plain > max(GRACE, limits.ratio * self._packed):
                raise LimitError(
                    f"{self._name} unpacks to more than {limits.ratio:,} times its size:"
                    f" {self._plain:,} bytes out of {self._packed:,} so far",
                    limit="ratio",
                    allowed=limits.ratio,
                )
            yield piece


def too_large(name: str, limits: Limits) -> LimitError:
    """Return the error for what is larger than anything may be."""
    return LimitError(
        f"{name} has more than {limits.size:,} bytes when unpacked",
        limit="size",
        allowed=limits.size,
    )


def unpack(pieces: Iterator[bytes], name: str, limits: Limits = DEFAULTS) -> Iterator[bytes]:
    """Yield the plain bytes of a blob whose compression its first bytes tell.

    Raises:
        LayerError: the data is damaged or cut short; all that could be
            unpacked was yielded before.
        LimitError: it unpacks to more than anything has reason to.
    """
    meter = _Meter(name, limits)
    return meter.plain(_unpack(meter.packed(pieces), name, limits))


def _unpack(pieces: Iterator[bytes], name: str, limits: Limits) -> Iterator[bytes]:
    feed = _Feed(pieces)
    while _skip_frame(feed, name):
        pass
    compression = sniff(feed.peek(MAGIC_SIZE))
    if compression is Compression.NONE:
        yield from feed.rest()
        return
    engine, damage = _decompressor(compression, limits)
    try:
        yield from _inflate(engine, feed, name)
    except (damage, EOFError) as error:
        if _WANTS_MEMORY.search(str(error)):
            raise LimitError(
                f"{name} needs too much memory to be unpacked",
                limit="window",
                allowed=limits.window,
            ) from error
        raise LayerError(
            f"{name} is damaged: its {compression.value} data cannot be unpacked", why=str(error)
        ) from error


class _Feed:
    """Packed bytes, taken as large or small as what they are for."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._piece = b""
        self._start = 0

    def _more(self) -> bytes:
        """Return the piece at hand, the next one where that is used up; empty at the end."""
        while self._start == len(self._piece):
            self._start, self._piece = 0, next(self._pieces, b"")
            if not self._piece:
                break
        return self._piece

    def take(self, size: int) -> bytes:
        """Return up to ``size`` bytes, at least one unless there are none."""
        piece = self._more()
        taken = piece[self._start : self._start + size]
        self._start += len(taken)
        return taken

    def give_back(self, size: int) -> None:
        """Take back the last bytes of what was taken last."""
        self._start -= size

    def peek(self, size: int) -> bytes:
        """Return the next bytes without taking them; fewer than ``size`` only at the end."""
        while len(self._piece) - self._start < size and (more := next(self._pieces, b"")):
            self._start, self._piece = 0, self._piece[self._start :] + more
        return self._piece[self._start : self._start + size]

    def skip(self, size: int) -> bool:
        """Leave out bytes; False where there are fewer."""
        while size and (piece := self._more()):
            here = min(size, len(piece) - self._start)
            self._start += here
            size -= here
        return not size

    def skip_padding(self) -> bool:
        """Leave out zeros as long as there is nothing else; False at the end."""
        while piece := self._more():
            # Mostly there are none, and a copy for each of many small members would cost.
            if piece[self._start] or piece[self._start :].strip(b"\0"):
                return True
            self._start = len(piece)
        return False

    def rest(self) -> Iterator[bytes]:
        """Yield all that is left."""
        while piece := self.take(PIECE):
            yield piece


def _skip_frame(feed: _Feed, name: str) -> bool:
    """Leave out a frame to be skipped: four bytes of magic, four of size, then as many."""
    head = feed.peek(_SKIPPED_HEAD)
    if not _SKIPPED.match(head):
        return False
    size = _SKIPPED_HEAD + int.from_bytes(head[4:], "little")
    if len(head) < _SKIPPED_HEAD or not feed.skip(size):
        raise LayerError(f"{name} is cut short: its packed data ends early")
    return True


def _inflate(engine_of: Callable[[], _Decompressor], feed: _Feed, name: str) -> Iterator[bytes]:
    """Yield what members or frames hold, which may be many, one after the other.

    Zero bytes after the last are padding (RFC 1952, 2.2; RFC 8878, 3).
    """
    bite = PIECE
    while feed.skip_padding():
        if not _skip_frame(feed, name):
            size = yield from _member(engine_of(), feed, bite, name)
            # What a decompressor leaves is copied: with little more than the next
            # of many small members at a time that stays in proportion.
            bite = min(max(2 * size, _SMALLEST_BITE), PIECE)


def _member(
    engine: _Decompressor, feed: _Feed, bite: int, name: str
) -> Generator[bytes, None, int]:
    """Yield what one member holds; return its packed size."""
    data = feed.take(bite)
    size = len(data)
    while True:
        # Bounded output a call, so that a bomb costs time, never memory.
        plain = engine.decompress(data, _PLAIN)
        data = b""
        if plain:
            yield plain
        if engine.eof:
            # Of lz4 it is None where there is none.
            left = len(engine.unused_data or b"")
            feed.give_back(left)
            return size - left
        if engine.needs_input:
            bite = min(2 * bite, PIECE)
            data = feed.take(bite)
            size += len(data)
            if not data:
                raise LayerError(f"{name} is cut short: its packed data ends early")


def _decompressor(
    compression: Compression, limits: Limits
) -> tuple[Callable[[], _Decompressor], type[Exception]]:
    """Return what makes a decompressor, and the error it raises on damage."""
    if compression is Compression.GZIP:
        from isal import igzip_lib  # noqa: PLC0415 - most archives never need it

        damage = cast("type[Exception]", igzip_lib.error)
        return lambda: igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP), damage
    if compression is Compression.BZIP2:
        return bz2.BZ2Decompressor, OSError
    if compression is Compression.XZ:
        memory = limits.window
        return (
            lambda: lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=memory),
            lzma.LZMAError,
        )
    if compression is Compression.LZ4:
        from lz4 import frame  # noqa: PLC0415

        return cast("type[_Decompressor]", frame.LZ4FrameDecompressor), RuntimeError
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415
    log = min(max(limits.window.bit_length() - 1, _SMALLEST_WINDOW), _LARGEST_WINDOW)
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: log}
    return lambda: zstd.ZstdDecompressor(options=options), zstd.ZstdError
