"""Hashing beside whatever else is done with the bytes: unpacking takes as long as hashing does."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import hashlib
    from concurrent.futures import Future, ThreadPoolExecutor

_WORTH: Final = 1 << 16
"""Bytes of a piece that takes longer to hash than to hand over."""
_MOST: Final = 4
"""Pieces waiting at once, each up to a mebibyte."""


class HashingBehind:
    """Updates hashes in the order it is told to, in a thread that is a few pieces behind."""

    def __init__(self) -> None:
        """Begin without a thread: small layers need none."""
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()

    def update(self, hashed: hashlib._Hash, piece: bytes) -> None:
        """Have a hash take a piece; nobody may read it before :meth:`settle`."""
        if len(piece) < _WORTH:
            self.settle()
            hashed.update(piece)
            return
        if self._pool is None:
            # It takes some milliseconds to import, and most layers are not packed.
            from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

            self._pool = ThreadPoolExecutor(1)
        self._waiting.append(self._pool.submit(hashed.update, piece))
        while len(self._waiting) > _MOST:
            self._waiting.popleft().result()

    def settle(self) -> None:
        """Wait until every hash has taken what it was told to."""
        while self._waiting:
            self._waiting.popleft().result()

    def close(self) -> None:
        """End the thread; what waits is still hashed."""
        if self._pool is not None:
            self._pool.shutdown(wait=False)
            self._pool = None
