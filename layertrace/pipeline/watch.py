"""How far a walk is, and whether to go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkProgress:
    """How far a walk is."""

    layer: int
    layers: int
    bytes_done: int
    """Of the layers' tars, passed over or read."""
    bytes_total: int | None
    entries: int


class Watcher:
    """Tells one listener of progress, and layers when to stop."""

    def __init__(self, progress: Callable[[WalkProgress], None], stop: Callable[[], bool]) -> None:
        """Keep both ends."""
        self._progress = progress
        self.stop = stop
        self._bytes = 0
        self._entries = 0
        self._layer = 0
        self._layers = 0
        self._total: int | None = None

    def expect(self, layers: int, total: int | None) -> None:
        """Add layers, and their bytes where known, to what is to come."""
        self._layers += layers
        self._total = None if total is None else (self._total or 0) + total

    def see(self, position: int, entries: int) -> bool:
        """Pass on how far the present layer is; return whether to stop."""
        self._progress(
            WalkProgress(
                layer=self._layer,
                layers=self._layers,
                bytes_done=self._bytes + position,
                bytes_total=self._total,
                entries=self._entries + entries,
            )
        )
        return self.stop()

    def finish_layer(self, length: int, entries: int) -> None:
        """Count a layer as done."""
        self._bytes += length
        self._entries += entries
        self._layer += 1
