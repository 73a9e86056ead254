"""The terminal view on a real terminal's other end: first screen, and key to paint.

A pseudo-terminal of 120 x 36 stands for the user's; what counts is when the bytes that paint
arrive there.

    python bench/tui.py ARCHIVE
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import subprocess
import sys
import tempfile
import termios
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Final

from measure import BenchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ROWS_COLUMNS: Final = (36, 120)
FIRST: Final = b"Stages & layers"
"""Stands on the first screen, before any layer is walked."""
WALKED: Final = b"final image"
"""Stands over the files once they are known."""
DIVE_FIRST: Final = b"Layers"
_DOWN: Final = b"j"
_PAGE_DOWN: Final = b"\x1b[6~"
_UNFOLD: Final = b"*"
_KEYS: Final = (_DOWN,) * 40 + (_PAGE_DOWN,) * 20
_QUIET: Final = 0.25
"""Seconds without output after which the view counts as idle."""
_PATIENCE: Final = 60.0
_MILLI: Final = 1000


class Terminal:
    """The other end of a pseudo-terminal."""

    def __init__(self, end: int) -> None:
        self._end = end
        self.seen = b""
        """What was painted last."""
        self.received = 0
        """Bytes so far."""
        self.last = 0.0
        """When the last of them came."""
        self.started = time.perf_counter()

    def wait_for(self, text: bytes) -> float:
        """Return the seconds from the start until ``text`` was painted."""
        while text not in self.seen:
            if not self._read(_PATIENCE):
                raise BenchError(f"the terminal view never showed {text.decode()!r}")
        return time.perf_counter() - self.started

    def settle(self, quiet: float = _QUIET) -> None:
        """Wait until nothing more is painted."""
        while self._read(quiet):
            pass

    def press(self, key: bytes, quiet: float = _QUIET) -> float | None:
        """Return the seconds from a key to what it paints, None where it paints nothing."""
        start = time.perf_counter()
        os.write(self._end, key)
        painted = self._read(1.0)
        taken = time.perf_counter() - start
        self.settle(quiet)
        return taken if painted else None

    def shows(self, text: bytes) -> bool:
        """Say whether ``text`` was painted, as far as one has looked."""
        return text in self.seen

    def forget(self) -> None:
        """Look at what is painted from now on only."""
        self.seen = b""

    def next_paint(self) -> float:
        """Wait for something to be painted, and return when it came; 0: nothing did."""
        return self.last if self._read(_PATIENCE) else 0.0

    def type(self, key: bytes) -> None:
        """Press a key without looking."""
        os.write(self._end, key)

    def _read(self, patience: float) -> bool:
        if not select.select([self._end], [], [], patience)[0]:
            return False
        try:
            data = os.read(self._end, 1 << 16)
        except OSError:
            # Linux says so when the last process has closed its end.
            return False
        self.received += len(data)
        self.last = time.perf_counter()
        self.seen = (self.seen + data)[-(1 << 18) :]
        return bool(data)


def _take_terminal() -> None:
    """Make stdin the terminal of the session: dive opens ``/dev/tty``."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextmanager
def started(argv: Sequence[str], env: Mapping[str, str]) -> Iterator[Terminal]:
    """Start a command on a terminal of its own, and end it with ``q``."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, _ROWS_COLUMNS)
    own = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
    # With it dive prints what its rules say, and draws nothing.
    env = {name: value for name, value in env.items() if name != "CI"}
    process = subprocess.Popen(  # noqa: S603 - the command that is measured
        argv,
        env={**env, **own},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509 - there is one thread
    )
    os.close(theirs)
    terminal = Terminal(ours)
    try:
        yield terminal
        terminal.type(b"q")
        terminal.settle()
    finally:
        try:
            process.wait(_QUIET * 20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        os.close(ours)


def measure_tui(argv: Sequence[str], *, env: Mapping[str, str]) -> dict[str, float]:
    """Open an image cold and then from the cache, and press keys; all in milliseconds.

    Args:
        argv: the command with its archive.
        env: names an empty cache folder.

    Raises:
        BenchError: a screen did not come.
    """
    with started(argv, env) as terminal:
        first = terminal.wait_for(FIRST)
        files = terminal.wait_for(WALKED)
    with started(argv, env) as terminal:
        first_cached = terminal.wait_for(FIRST)
        files_cached = terminal.wait_for(WALKED)
        terminal.settle()
        terminal.type(_UNFOLD)
        terminal.settle()
        times = [taken for key in _KEYS if (taken := terminal.press(key)) is not None]
    if len(times) < len(_KEYS) // 2:
        raise BenchError(f"only {len(times)} of {len(_KEYS)} keys painted anything")
    seconds = {
        "first screen, cold": first,
        "files shown, cold": files,
        "first screen, cached": first_cached,
        "files shown, cached": files_cached,
        "key to paint, median": median(times),
        "key to paint, 95 of 100": quantiles(times, n=20)[-1],
    }
    return {name: value * _MILLI for name, value in seconds.items()}


def measure_dive(argv: Sequence[str], *, env: Mapping[str, str]) -> float:
    """Return the milliseconds until dive shows its first screen, which it does once.

    Raises:
        BenchError: it did not come.
    """
    with started(argv, env) as terminal:
        return terminal.wait_for(DIVE_FIRST) * _MILLI


def main() -> int:
    """Measure one archive and print the figures."""
    layertrace = Path(sys.executable).parent / "layertrace"
    with tempfile.TemporaryDirectory(prefix="layertrace-bench-") as folder:
        env = {**os.environ, "LAYERTRACE_CACHE_DIR": folder}
        for name, value in measure_tui((str(layertrace), sys.argv[1]), env=env).items():
            print(f"{name}: {value:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
