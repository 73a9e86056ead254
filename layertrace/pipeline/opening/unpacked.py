"""What is in an archive of the build context; nothing is ever unpacked to disk."""

from __future__ import annotations

import hashlib
from contextlib import closing
from typing import TYPE_CHECKING, Final

from layertrace.archive.blob import StreamReader
from layertrace.archive.build_context import read_file
from layertrace.errors import LayerError
from layertrace.layers.walk import walk_layer
from layertrace.pipeline.contents import file_content, show_digest
from layertrace.provenance.rootfs_tree import RootfsTree
from layertrace.provenance.trees import Unpacked
from layertrace.rootfs.squash import squash

if TYPE_CHECKING:
    from collections.abc import Generator

    from layertrace.archive.build_context import ContextFile
    from layertrace.layers.walk import Walked
    from layertrace.rootfs.places import Place

MAX_UNPACKED: Final = 16 << 30
"""Bytes; an archive that grows to more is not read any further."""


class _Bounded(StreamReader):
    """An archive's tar, refused where it grows without end."""

    def read_at(self, offset: int, size: int) -> bytes:
        """Return bytes of the tar; offsets must not go back."""
        if offset > MAX_UNPACKED:
            raise LayerError(f"it has more than {MAX_UNPACKED:,} bytes")
        return super().read_at(offset, size)


def unpack_file(file: ContextFile) -> Unpacked:
    """Return what ADD makes of a file; whether it is an archive its content tells.

    Raises:
        SourceError: it cannot be read, or is shorter than when it was listed.
    """
    try:
        with closing(_pieces(file)) as pieces:
            reader = _Bounded(pieces, name=file.path, diff_id=None)
            walked = walk_layer(reader, name=file.path, hash_contents=True)
    except LayerError:
        # More entries than anything has reason to have.
        return Unpacked(sure=False)
    index = walked.index
    if index.damage:
        # Builders take for an archive what begins with one sound header.
        return Unpacked(sure=not len(index))
    if not len(index):
        return Unpacked()
    return Unpacked(tree=RootfsTree(squash((index,)), lambda place: _digest(file, walked, place)))


def _pieces(file: ContextFile) -> Generator[bytes]:
    yield from read_file(file)


def _digest(file: ContextFile, walked: Walked, place: Place) -> str | None:
    """Return the digest of a file in an archive; one with holes is read for it."""
    known = walked.digests.get(place.number)
    if known is None:
        sha256 = hashlib.sha256()
        with closing(_pieces(file)) as pieces:
            reader = _Bounded(pieces, name=file.path, diff_id=None)
            for piece in file_content(reader, walked.index, place.number):
                sha256.update(piece)
        known = sha256.digest()
    return show_digest(known)
