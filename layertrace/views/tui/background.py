"""One thread that reads while the TUI draws.

Not a Textual worker: its thread is joined when the app ends, so one read that
hangs on a socket would keep the user from quitting. This one is a daemon, and
the work it runs looks at a stop flag besides.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from layertrace.errors import LayertraceError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Background:
    """Runs what it is given in one thread, in order; newer work replaces older of its key."""

    def __init__(
        self, deliver: Callable[[Callable[[], None]], object], name: str = "layertrace-reader"
    ) -> None:
        """Start the thread.

        Args:
            deliver: has a function called in the thread of the TUI; must not block.
            name: of the thread, for whoever debugs.
        """
        self._deliver = deliver
        self._todo: dict[str, Callable[[], Callable[[], None]]] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._running: str | None = None
        threading.Thread(target=self._run, name=name, daemon=True).start()

    @property
    def closed(self) -> bool:
        """Whether the TUI is gone, and long work should end."""
        return self._closed

    def submit(
        self,
        key: str,
        work: Callable[[], T],
        done: Callable[[T], None],
        failed: Callable[[LayertraceError], None] | None = None,
    ) -> None:
        """Run ``work`` in the thread, then ``done`` with its result in the TUI's.

        Work under the same ``key`` that did not start yet is dropped. An error
        made for users goes to ``failed``; any other is raised in the TUI, where
        it ends the app.
        """

        def run() -> Callable[[], None]:
            try:
                result = work()
            except LayertraceError as error:
                if failed is None:
                    return _raising(error)
                known = error
                return lambda: failed(known)
            except Exception as error:  # noqa: BLE001 - raised again where the app can end on it
                return _raising(error)
            return lambda: done(result)

        with self._changed:
            self._todo.pop(key, None)
            self._todo[key] = run
            self._changed.notify()

    def report(self, act: Callable[[], None]) -> None:
        """Have ``act`` called in the thread of the TUI, if that still runs."""
        if not self._closed:
            # Its loop may end between the question and the call.
            with suppress(RuntimeError):
                self._deliver(act)

    def close(self) -> None:
        """Drop what waits, and let the thread end after what it does now."""
        with self._changed:
            self._closed = True
            self._todo.clear()
            self._changed.notify()

    def await_end(self, key: str, seconds: float) -> None:
        """Wait until no work of ``key`` runs, so long at most: what is half done is undone."""
        with self._changed:
            self._changed.wait_for(lambda: self._running != key, timeout=seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._todo and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                self._running = next(iter(self._todo))
                run = self._todo.pop(self._running)
            result = run()
            with self._changed:
                self._running = None
                self._changed.notify_all()
            self.report(result)


def _raising(error: Exception) -> Callable[[], None]:
    def raise_it() -> None:
        raise error

    return raise_it
