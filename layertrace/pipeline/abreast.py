"""Work on several things at once, whose results are taken one by one, in an order of their own.

Neither what is found nor which error is met depends on which thread was faster.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from threading import Condition, Thread
from typing import TYPE_CHECKING, Final, Generic, Self, TypeVar

from layertrace.archive.behind import cores
from layertrace.errors import StoppedError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

T = TypeVar("T")

See = Callable[[int, int], bool]
"""Is told how far a piece of work is, bytes and entries; True stops it."""

_WORTH: Final = 4 << 20
"""Packed bytes in all from which threads pay."""
_MOST: Final = 4
"""Threads at once; more would wait for each other's Python."""
_POLL: Final = 0.05
"""Seconds between two looks at whether to stop."""
_GRACE: Final = 0.1
"""Seconds that work which is stopped gets to notice; a user who stopped waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Generic[T]):
    """One piece of work."""

    size: int
    """Bytes there are to be worked on, packed."""
    run: Callable[[See], T]
    """Does it, in any thread, as often as it is called."""


def work_abreast(tasks: Mapping[int, Task[T]], fits: Callable[[T], bool]) -> Abreast[T] | None:
    """Have tasks done by threads, by their places in order; None where that would not pay.

    ``fits`` is as for :class:`Abreast`.
    """
    threads = min(cores(), len(tasks), _MOST)
    if threads <= 1 or sum(task.size for task in tasks.values()) < _WORTH:
        return None
    return Abreast(tasks, threads=threads, fits=fits)


class Abreast(Generic[T]):
    """Threads that work on tasks, which are known by their places in an order."""

    def __init__(
        self, tasks: Mapping[int, Task[T]], *, threads: int, fits: Callable[[T], bool]
    ) -> None:
        """Begin at once.

        Args:
            tasks: by their place. Of those that fail the first in this order is told.
            threads: how many work.
            fits: asked of each result, in the order they are there, whether there is room for
                it. Where there is none, all that was not taken is forgotten, and from there on
                each task is done when it is its turn: so its error is met, or memory is freed.
        """
        self._tasks = tasks
        self._fits = fits
        self._waiting = set(tasks)
        self._done: dict[int, T | _Failure] = {}
        self._passed: dict[int, tuple[int, int]] = {}
        """How far each is that was begun and not taken."""
        self._last = max(tasks, default=-1)
        """Behind this place nobody wants a result."""
        self._changed = Condition()
        self._threads = [
            Thread(target=self._work, name=f"layertrace-abreast-{number}", daemon=True)
            for number in range(min(threads, len(tasks)))
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop all work that is not done."""
        with self._changed:
            self._last = -1
        for thread in self._threads:
            # One that does not notice at once is left to its own end: it is a daemon.
            thread.join(_GRACE)

    def __contains__(self, place: int) -> bool:
        return place in self._tasks

    def take(self, place: int, see: See) -> T:
        """Wait for a result, or do the task here; each place once.

        Args:
            place: of the task.
            see: told meanwhile how far all is that was not taken.

        Raises:
            StoppedError: ``see`` said so.
            BaseException: the task did.
        """
        while not self._is_ready(place):
            if see(*self._progress()):
                raise StoppedError
        with self._changed:
            self._passed.pop(place, None)
            result = self._done.pop(place, None)
        if result is None:
            return self._tasks[place].run(see)
        if isinstance(result, _Failure):
            raise result.error
        return result

    def _is_ready(self, place: int) -> bool:
        """Wait a little; say whether there is a result, or no thread will come to the task."""
        with self._changed:
            if not self._has(place):
                self._changed.wait(_POLL)
            return self._has(place)

    def _has(self, place: int) -> bool:
        return place in self._done or (place in self._waiting and place > self._last)

    def finished(self) -> dict[int, T]:
        """Return the results that were not taken; for who was stopped and wants to keep them."""
        with self._changed:
            return {n: each for n, each in self._done.items() if not isinstance(each, _Failure)}

    def _progress(self) -> tuple[int, int]:
        passed = list(self._passed.copy().values())
        return sum(size for size, _ in passed), sum(entries for _, entries in passed)

    def _work(self) -> None:
        while (place := self._begin()) is not None:
            result: T | _Failure
            try:
                result = self._tasks[place].run(partial(self._see, place))
            except BaseException as error:  # noqa: BLE001 - raised again where it is taken
                result = _Failure(error)
            with self._changed:
                self._settle(place, result)
                self._changed.notify_all()

    def _begin(self) -> int | None:
        """Return the place of the next task: the first, unless one will take the longest of all."""
        with self._changed:
            sizes = {n: self._tasks[n].size for n in sorted(self._waiting) if n <= self._last}
            if not sizes:
                return None
            largest = max(sizes, key=sizes.__getitem__)
            # Left for later it would keep one thread busy when the others have nothing to do.
            place = largest if 2 * sizes[largest] > sum(sizes.values()) else min(sizes)
            self._waiting.remove(place)
            return place

    def _see(self, place: int, size: int, entries: int) -> bool:
        self._passed[place] = size, entries
        return place > self._last

    def _settle(self, place: int, result: T | _Failure) -> None:
        if place > self._last:
            # Stopped, or there is no room for it any more.
            self._forget(place)
        elif isinstance(result, _Failure):
            self._done[place] = result
            self._last = place
        elif self._fits(result):
            self._done[place] = result
        else:
            self._last = -1
            for each in (*self._done, place):
                self._forget(each)
            self._done.clear()

    def _forget(self, place: int) -> None:
        self._passed.pop(place, None)
        self._waiting.add(place)


@dataclass(frozen=True, slots=True)
class _Failure:
    error: BaseException
