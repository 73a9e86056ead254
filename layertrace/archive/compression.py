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

from layertrace.errors import LayerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PIECE: Final = 1 << 20
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


def unpack(pieces: Iterator[bytes], name: str) -> Iterator[bytes]:
    """Yield the plain bytes of a blob whose compression its first bytes tell.

    Raises:
        LayerError: the data is damaged or cut short; all that could be
            unpacked was yielded before.
    """
    first = next(pieces, b"")
    while len(first) < MAGIC_SIZE and (more := next(pieces, b"")):
        first += more
    compression = sniff(first)
    if compression is Compression.NONE:
        yield first
        yield from (piece for piece in pieces if piece)
        return
    engine, damage = _decompressor(compression)
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
    compression: Compression,
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
    if sys.version_info >= (3, 14):
        from compression import zstd  # noqa: PLC0415
    else:
        from backports import zstd  # noqa: PLC0415
    return zstd.ZstdDecompressor, zstd.ZstdError
