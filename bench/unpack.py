"""Unpack the gzip blobs of an OCI archive and do nothing else: what no reader can do without.

python bench/unpack.py ARCHIVE
"""

from __future__ import annotations

import sys
import tarfile
from typing import IO, Final

from isal import igzip_lib

_PIECE: Final = 1 << 20


def main() -> int:
    """Unpack, a piece at a time, with the library that layertrace uses."""
    with tarfile.open(sys.argv[1], "r:") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None and member.size > 2:  # noqa: PLR2004 - the magic
                _unpack(content)
    return 0


def _unpack(content: IO[bytes]) -> None:
    packed = content.read(_PIECE)
    if not packed.startswith(b"\x1f\x8b"):
        return
    unpacker = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    while packed:
        unpacker.decompress(packed, _PIECE)
        while not (unpacker.eof or unpacker.needs_input):
            unpacker.decompress(b"", _PIECE)
        packed = b"" if unpacker.eof else content.read(_PIECE)


if __name__ == "__main__":
    sys.exit(main())
