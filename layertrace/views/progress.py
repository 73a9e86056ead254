"""One line of progress on stderr, only where somebody watches it."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from layertrace.views.terminal import is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from layertrace.pipeline.watch import WalkProgress

_QUIET: Final = 0.5
"""Seconds of work before the first word of it."""
_EVERY: Final = 0.1


class Line:
    """A line that overwrites itself; mute where stderr is not a terminal."""

    def __init__(self, *, mute: bool = False) -> None:
        """Start the clock."""
        self.started = time.monotonic()
        self._shown = 0.0
        self._on = not mute and is_terminal(sys.stderr) and not os.environ.get("CI")
        self._written = False

    def due(self) -> bool:
        """Say whether it is time for another look."""
        now = time.monotonic()
        if not self._on or now - self.started < _QUIET or now - self._shown < _EVERY:
            return False
        self._shown = now
        return True

    def show(self, text: str) -> None:
        """Put ``text`` in place of what stands there."""
        from layertrace.views.text import show_name  # noqa: PLC0415

        self._written = True
        width = os.get_terminal_size(sys.stderr.fileno()).columns - 1
        sys.stderr.write(f"\r\x1b[K{show_name(text)[:width]}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Leave no trace."""
        if self._written:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


@contextmanager
def walking() -> Iterator[Callable[[WalkProgress], None]]:
    """Give what tells of a walk."""
    line = Line()

    def tell(progress: WalkProgress) -> None:
        if line.due():
            line.show(describe_walk(progress, time.monotonic() - line.started))

    try:
        yield tell
    finally:
        line.clear()


@contextmanager
def checking() -> Iterator[Callable[[WalkProgress], None]]:
    """Give what tells of reading everything as it is stored."""
    line = Line()

    def tell(progress: WalkProgress) -> None:
        if line.due():
            line.show(describe_check(progress, time.monotonic() - line.started))

    try:
        yield tell
    finally:
        line.clear()


def describe_check(progress: WalkProgress, seconds: float) -> str:
    """Return one line about a check: files, bytes, rate."""
    number = f"{progress.layer + 1}" + (f" of {progress.layers}" if progress.layers else "")
    return f"checking file {number}  {_rate(progress, seconds)}"


def _rate(progress: WalkProgress, seconds: float) -> str:
    """Return how many bytes of how many, how fast, and how long it may take."""
    from layertrace.views.text import show_size  # noqa: PLC0415

    done, total = progress.bytes_done, progress.bytes_total
    if progress.estimated and total is not None and done >= total:
        total = None
    of = f" of {'about ' if progress.estimated else ''}{show_size(total)}" if total else ""
    rate = show_size(int(done / seconds)) if seconds > 0 else "0 B"
    return f"{show_size(done)}{of}  {rate}/s{time_left(done, total, seconds)}"


def describe_walk(progress: WalkProgress, seconds: float) -> str:
    """Return one line about a walk: layer, bytes, rate."""
    layer = f"layer {progress.layer + 1}"
    if progress.estimated:
        # The last that is counted may be none: what follows the layers.
        layer = f"layer {min(progress.layer + 1, progress.layers)}"
    if progress.layers:
        layer += f" of {progress.layers}"
    return f"reading {layer}  {_rate(progress, seconds)}  {progress.entries:,} entries"


def time_left(done: int, total: int | None, seconds: float) -> str:
    """Return how much longer it will take at the rate so far; ``""`` if nobody can tell.

    >>> time_left(25, 100, 4.0)
    '  12 seconds left'
    """
    if not total or not done or done > total:
        return ""
    from humanize import naturaldelta  # noqa: PLC0415 - only for work that takes long

    return f"  {naturaldelta(seconds * (total - done) / done)} left"
