"""Packed bytes to plain ones; how they are packed their first bytes tell, nothing else.

Source: RFC 1952 (gzip), RFC 8878 (zstd), the xz and bzip2 file formats.
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
    from collections.abc import Callable, Iterator

    from layertrace.model.limits import Limits

PIECE: Final = 1 << 20
_SMALLEST_WINDOW: Final = 10
_LARGEST_WINDOW: Final = 31
"""Of zstd, as powers of two, whatever is asked for."""
_WANTS_MEMORY: Final = re.compile("[Mm]emory")
MAGIC_SIZE: Final = 10
"""Bytes that tell a compression."""


class Compression(Enum):
    """How a stored blob is packed, told by its first bytes and nothing else."""

    NONE = "none"
    GZIP = "gzip"
    BZIP2 = "bzip2"
    XZ = "xz"
    ZSTD = "zstd"


_MAGIC: Final = (
    (re.compile(rb"\x1f\x8b"), Compression.GZIP),
    # A file in a plain tar may be called BZh1; it does not go on with the digits of pi.
    (re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90|[^\0]{0,5}\Z)"), Compression.BZIP2),
    (re.compile(rb"\xfd7zXZ\0"), Compression.XZ),
    # The frame itself, or one to be skipped, which may stand before it.
    (re.compile(rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18"), Compression.ZSTD),
)


def sniff(head: bytes) -> Compression:
    r"""Return the compression that bytes beginning with ``head`` have.

    >>> sniff(b"\x1f\x8b\x08"), sniff(b"app/")
    (<Compression.GZIP: 'gzip'>, <Compression.NONE: 'none'>)
    """
    return next((kind for magic, kind in _MAGIC if magic.match(head)), Compression.NONE)


class _Decompressor(Protocol):
    """The interface that bz2, lzma, isal and zstd share."""

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
    first = next(pieces, b"")
    while len(first) < MAGIC_SIZE and (more := next(pieces, b"")):
        first += more
    compression = sniff(first)
    if compression is Compression.NONE:
        yield first
        yield from (piece for piece in pieces if piece)
        return
    engine, damage = _decompressor(compression, limits)
    try:
        yield from _inflate(engine, first, pieces, name)
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
            # Several members or frames may follow each other (RFC 1952, 2.2;
            # RFC 8878, 3); zero bytes after the last are padding.
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
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415
    log = min(max(limits.window.bit_length() - 1, _SMALLEST_WINDOW), _LARGEST_WINDOW)
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: log}
    return lambda: zstd.ZstdDecompressor(options=options), zstd.ZstdError
