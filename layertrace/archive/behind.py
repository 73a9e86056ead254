"""Hashing beside whatever else is done with the bytes: unpacking takes as long as hashing does."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import hashlib
    from queue import Queue

_WORTH: Final = 1 << 16
"""Bytes of a piece that takes longer to hash than to hand over."""
_MOST: Final = 4
"""Pieces waiting at once, each up to a mebibyte."""


def cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class HashingBehind:
    """Updates hashes in the order it is told to, in a thread that is a few pieces behind.

    Where there is one processor only, at once: nothing would be gained.
    """

    def __init__(self) -> None:
        """Begin without a thread: small layers need none."""
        self._queue: Queue[tuple[hashlib._Hash, bytes] | None] | None = None

    def update(self, hashed: hashlib._Hash, piece: bytes) -> None:
        """Have a hash take a piece; nobody may read it before :meth:`settle`."""
        if self._queue is None and len(piece) >= _WORTH and cores() > 1:
            # Most layers are not packed, and need neither.
            from queue import Queue  # noqa: PLC0415
            from threading import Thread  # noqa: PLC0415

            self._queue = Queue(_MOST)
            Thread(
                target=_work, args=(self._queue,), name="layertrace-hashing", daemon=True
            ).start()
        if self._queue is None or len(piece) < _WORTH:
            self.settle()
            hashed.update(piece)
        else:
            self._queue.put((hashed, piece))

    def settle(self) -> None:
        """Wait until every hash has taken what it was told to."""
        if self._queue is not None:
            self._queue.join()

    def close(self) -> None:
        """End the thread; what waits is still hashed."""
        if self._queue is not None:
            self.settle()
            self._queue.put(None)
            self._queue = None


def _work(queue: Queue[tuple[hashlib._Hash, bytes] | None]) -> None:
    while (told := queue.get()) is not None:
        hashed, piece = told
        hashed.update(piece)
        # Held on to it would be one piece more.
        del told, piece
        queue.task_done()
