"""The command on a real terminal: what it writes there, byte for byte."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING, Final

from tests.sample_support import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType
    from typing import Self

QUIET: Final = 0.1
"""Seconds without output after which nothing more is on its way."""
ESCAPE: Final = 0.25
"""Seconds after which Textual takes an Escape for one."""
PATIENCE: Final = 30.0


class Terminal:
    """Runs ``layertrace`` at one end of a pseudo-terminal, and is the other."""

    def __init__(
        self,
        folder: Path,
        *words: str,
        size: tuple[int, int] = (120, 36),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it in a folder, with a cache of its own there."""
        self._end, side = pty.openpty()
        columns, rows = size
        fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        own = {"PYTHONPATH": str(ROOT), "LAYERTRACE_CACHE_DIR": str(folder / "cache")}
        around = {name: value for name, value in os.environ.items() if name != "CI"}
        around |= {"TERM": "xterm-256color", **own, **(environment or {})}
        self._process = subprocess.Popen(  # noqa: S603 - the command under test
            [sys.executable, "-m", "layertrace", *words],
            cwd=folder, env=around, stdin=side, stdout=side, stderr=side, start_new_session=True,
        )  # fmt: skip
        os.close(side)
        self.seen = b""
        """Every byte so far."""
        self._alone = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._end)

    def press(self, keys: bytes, until: bytes = b"") -> bytes:
        """Press keys and return what was written until ``until`` stood in it, and it went quiet."""
        start = len(self.seen)
        os.write(self._end, keys)
        if keys == b"\x1b":
            # Else it and the key after it pass for one key with Alt.
            time.sleep(ESCAPE)
        self._wait(until, start)
        return self.seen[start:]

    def wait_for(self, text: bytes) -> None:
        """Wait until ``text`` was written, and then until it goes quiet."""
        self._wait(text, 0)

    def _wait(self, text: bytes, start: int) -> None:
        end = time.monotonic() + PATIENCE
        while text not in self.seen[start:]:
            late = self._alone or time.monotonic() > end
            assert not late, f"{text!r} is not in {self.seen[start:][-3000:]!r}"
            self._read(0.2)
        self._settle()

    def end(self, keys: bytes, once: Callable[[], bool] = lambda: True) -> int:
        """Press keys ``once`` something has come about, and return the exit code."""
        end = time.monotonic() + PATIENCE
        while not once():
            assert time.monotonic() < end, self.seen[-3000:]
            self._read(0.1)
        os.write(self._end, keys)
        while not self._alone and time.monotonic() < end:
            self._read(0.1)
        return self._process.wait(1)

    def _settle(self) -> None:
        while self._read(QUIET):
            pass

    def _read(self, seconds: float) -> bytes:
        piece = b""
        if select.select([self._end], [], [], seconds)[0]:
            try:
                piece = os.read(self._end, 1 << 16)
            except OSError:  # EIO: nobody is at the other side any more
                self._alone = True
        self.seen += piece
        return piece
