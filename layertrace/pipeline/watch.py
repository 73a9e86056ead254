"""How far the reading of an image is, and whether to go on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Phase(Enum):
    """What is being read."""

    ARCHIVE = "archive"
    """An archive that is packed, or arrives in a pipe, put on disk to be read."""
    LAYERS = "layers"
    """The layers of the image itself."""
    STAGES = "stages"
    """The images of stages and others that it is compared with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkProgress:
    """How far a reading is."""

    layer: int
    layers: int
    bytes_done: int
    """Of the layers as they are stored, passed over or read."""
    bytes_total: int | None
    entries: int
    phase: Phase = Phase.LAYERS
    estimated: bool = False
    """The total is about right, and the layers come in an order of the engine's own."""


class Watcher:
    """Tells one listener of progress, and layers when to stop."""

    def __init__(self, progress: Callable[[WalkProgress], None], stop: Callable[[], bool]) -> None:
        """Keep both ends."""
        self._progress = progress
        self.stop = stop
        self._phase = Phase.LAYERS
        self._bytes = 0
        self._entries = 0
        self._layer = 0
        self._layers = 0
        self._total: int | None = None
        self._estimated = False

    def begin(self, phase: Phase) -> None:
        """Count anew, for what comes now is something else."""
        self._phase = phase
        self._bytes = self._entries = self._layer = self._layers = 0
        self._total, self._estimated = None, False

    def expect(self, layers: int, total: int | None) -> None:
        """Add layers, and their bytes where known, to what is to come."""
        self._layers += layers
        self._total = None if total is None else (self._total or 0) + total

    def expect_about(self, layers: int, total: int) -> None:
        """Add layers, and about how many bytes they have, 0 where nobody knows."""
        self.expect(layers, total or None)
        self._estimated = True

    def see(self, position: int, entries: int) -> bool:
        """Pass on how far the present layer is; return whether to stop."""
        self._progress(
            WalkProgress(
                layer=self._layer,
                layers=self._layers,
                bytes_done=self._bytes + position,
                bytes_total=self._total,
                entries=self._entries + entries,
                phase=self._phase,
                estimated=self._estimated,
            )
        )
        return self.stop()

    def see_archive(self, done: int, total: int | None) -> bool:
        """Pass on how much of an archive is unpacked or has come; return whether to stop."""
        self._progress(
            WalkProgress(
                layer=0,
                layers=0,
                bytes_done=done,
                bytes_total=total,
                entries=0,
                phase=Phase.ARCHIVE,
            )
        )
        return self.stop()

    def finish_layer(self, length: int, entries: int) -> None:
        """Count a layer as done."""
        self._bytes += length
        self._entries += entries
        self._layer += 1
