"""Drawing from a slow iterator in a thread, so that waiting for it can be stopped."""

from __future__ import annotations

from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from layertrace.errors import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

T = TypeVar("T")

_POLL: Final = 0.05
"""Seconds between two looks at ``stop`` while nothing arrives."""
_AHEAD: Final = 8
"""Items drawn before the consumer asks for them: one is worked on while the next arrives."""
_GRACE: Final = 0.05
"""Seconds an interrupted source gets to notice; a user who stopped waits for them."""


class _Drawer(Generic[T]):
    """A thread and the queue it fills; the thread ends with its source or at ``close``."""

    def __init__(self, source: Callable[[], Iterable[T]]) -> None:
        self._source = source
        self._queue: Queue[tuple[T] | BaseException | None] = Queue(maxsize=_AHEAD)
        self._closed = Event()
        self._thread = Thread(target=self._work, name="layertrace-ahead", daemon=True)
        self._thread.start()

    def _work(self) -> None:
        try:
            for item in self._source():
                if not self._offer((item,)):
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where the items are taken
            self._offer(error)
        else:
            self._offer(None)

    def _offer(self, item: tuple[T] | BaseException | None) -> bool:
        while not self._closed.is_set():
            try:
                self._queue.put(item, timeout=_POLL)
            except Full:
                continue
            return True
        return False

    def items(self, stop: Callable[[], bool]) -> Iterator[T]:
        while True:
            if stop():
                raise StoppedError
            try:
                item = self._queue.get(timeout=_POLL)
            except Empty:
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item[0]

    def close(self, interrupt: Callable[[], None]) -> None:
        self._closed.set()
        if self._thread.is_alive():
            interrupt()
            # One that does not notice, as a request that nothing has answered
            # yet, is left to its own end: its thread is a daemon.
            self._thread.join(_GRACE)


@contextmanager
def drawn_ahead(
    source: Callable[[], Iterable[T]],
    *,
    stop: Callable[[], bool],
    interrupt: Callable[[], None],
) -> Iterator[Iterator[T]]:
    """Give the items of ``source``, which runs in a thread of its own.

    ``interrupt`` is called where the source still runs when the context is
    left; it should make a blocked read end.

    Raises:
        StoppedError: ``stop`` returned true, also while nothing arrives.
    """
    drawer = _Drawer(source)
    try:
        yield drawer.items(stop)
    finally:
        drawer.close(interrupt)
