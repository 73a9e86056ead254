"""Layers walked by a second process, from the top down, while this one walks from the base up.

Reading headers is work of Python's own, which the threads of one process cannot
share. A fork starts at once and has all it needs at hand, but is safe only where
no other thread runs, and not on every system; elsewhere one process walks alone.

The two meet in the middle: each says in memory they share what it takes. Should
both take the same layer in the same moment, it is walked twice, and nothing else.
"""

from __future__ import annotations

import gc
import mmap
import os
import select
import signal
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NoReturn

from layertrace.errors import LayertraceError, StoppedError
from layertrace.layers.index import dump_index

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layertrace.layers.index import LayerIndex

WORTH: Final = 16 << 20
"""Bytes of plain tars to walk from which a second process pays."""
_CORES: Final = 2
_FRAME: Final = struct.Struct("<IQQ")
"""Which layer, and where its index stands."""
_PATIENCE: Final = 50
"""Milliseconds between two looks at whether to stop."""


See = Callable[[int, int], bool]
"""Is told how far the walk of a layer is, bytes and entries; True stops it."""
Walk = Callable[[int, See], "LayerIndex"]
"""Walks one layer of the image."""


def walk_beside(sizes: Mapping[int, int], walk: Walk) -> Beside | None:
    """Have layers walked by a second process; None where that would not pay or not be safe.

    Args:
        sizes: layer to bytes, of those to be walked.
        walk: called in the second process.
    """
    if len(sizes) < 2 or sum(sizes.values()) < WORTH or not can_fork():  # noqa: PLR2004
        return None
    try:
        return Beside(sorted(sizes), walk)
    except OSError:
        # Processes or files are short here, and one process does.
        return None


def can_fork() -> bool:
    """Say whether a second process can be had, and would have a core to run on."""
    return (
        sys.platform == "linux"
        and threading.active_count() == 1
        and len(os.sched_getaffinity(0)) >= _CORES
    )


class Beside:
    """The second process, as the first sees it."""

    def __init__(self, layers: Sequence[int], walk: Walk) -> None:
        """Start it on the last of ``layers``."""
        self._layers = layers
        self._walk = walk
        self._taken = mmap.mmap(-1, 2 * len(layers))
        """A byte a layer for what this process has taken, then one for the other's."""
        self._indexes = os.memfd_create("layertrace-indexes")
        self._places: dict[int, tuple[int, int]] = {}
        self._parent = os.getpid()
        self._told, tell = os.pipe()
        # From the keyboard both are stopped: this one is to know the other by then.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            self._process = os.fork()
        except OSError:
            self._let_go()
            raise
        finally:
            if os.getpid() == self._parent:
                os.close(tell)
                signal.pthread_sigmask(signal.SIG_SETMASK, held)
        if not self._process:  # pragma: no cover - the second process
            self._run(tell)

    def take(self, layer: int, see: Callable[[], bool]) -> bytes | None:
        """Return the dumped index of a layer, or None: it is for this process to walk.

        Args:
            layer: one of the image's.
            see: called while waiting; True stops.

        Raises:
            StoppedError: ``see`` said so.
        """
        if layer not in self._layers:
            return None
        number = self._layers.index(layer)
        self._taken[number] = 1
        if not self._taken[len(self._layers) + number]:
            return None
        while number not in self._places:
            if not select.select([self._told], [], [], _PATIENCE / 1000)[0]:
                if see():
                    raise StoppedError
                continue
            frame = os.read(self._told, _FRAME.size)
            if len(frame) < _FRAME.size:
                return None
            found, *place = _FRAME.unpack(frame)
            self._places[found] = (place[0], place[1])
        offset, size = self._places[number]
        # Nothing: there was trouble, which is for this process to meet and tell.
        return os.pread(self._indexes, size, offset) or None

    def close(self) -> None:
        """End the second process, whatever it does."""
        with suppress(ProcessLookupError):
            os.kill(self._process, signal.SIGKILL)
        os.waitpid(self._process, 0)
        self._let_go()

    def _let_go(self) -> None:
        os.close(self._told)
        os.close(self._indexes)
        self._taken.close()

    def serve(self, tell: int) -> None:
        """Walk layers, the last first, until one is met that the first process has taken."""
        end = 0
        for number in reversed(range(len(self._layers))):
            if self._is_orphan(0, 0):
                break
            self._taken[len(self._layers) + number] = 1
            if self._taken[number]:
                break
            data = self._dumped(self._layers[number])
            written = 0
            while written < len(data):
                written += os.pwrite(self._indexes, data[written:], end + written)
            os.write(tell, _FRAME.pack(number, end, len(data)))
            end += len(data)

    def _dumped(self, layer: int) -> bytes:
        try:
            index = self._walk(layer, self._is_orphan)
        except (LayertraceError, MemoryError):
            return b""
        return b"" if index.damage else dump_index(index)

    def _is_orphan(self, _position: int, _entries: int) -> bool:
        """Say whether the first process is gone, which may have had no time to end this one."""
        return os.getppid() != self._parent

    def _run(self, tell: int) -> NoReturn:  # pragma: no cover - the second process
        """Be the second process: nothing of the first one's may run here at the end."""
        try:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            # What is made here lives until the end, which is soon.
            gc.disable()
            self.serve(tell)
        finally:
            os._exit(0)
