"""Layers in memory, to be walked as a stream is: forward only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.errors import LayerError
from layertrace.layers.walk import walk_layer

if TYPE_CHECKING:
    from layertrace.layers.index import LayerIndex


class MemoryReader:
    """A tar in memory; asked to go back, it fails."""

    def __init__(self, tar: bytes) -> None:
        self._tar = tar
        self._position = 0
        self.taken = 0
        """Bytes handed out."""

    def read_at(self, offset: int, size: int) -> bytes:
        """Return bytes of the tar, never those from before an earlier reading's end."""
        assert offset >= self._position, "read backwards"
        piece = self._tar[offset : offset + size]
        self._position = offset + len(piece)
        self.taken += len(piece)
        return piece

    def length(self) -> int:
        """Return the tar's length."""
        return len(self._tar)


def walk(tar: bytes) -> LayerIndex:
    """Return the index of a whole layer."""
    index = walk_damaged(tar)
    if index.damage:
        raise LayerError(index.damage)
    return index


def walk_damaged(tar: bytes) -> LayerIndex:
    """Return the index of a layer that may not be whole."""
    return walk_layer(MemoryReader(tar), name="layer 0").index
