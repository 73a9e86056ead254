"""How far a reading is, in words and a bar."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from layertrace.pipeline.watch import Phase
from layertrace.views.outline_row import layer_name
from layertrace.views.text import show_size

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.views.tui.ports import WalkProgress

_BAR: Final = 18


class Pace:
    """The clock of a reading: what it does now, and for how long."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Start it."""
        self._clock = clock
        self._phase: Phase | None = None
        self._began = clock()

    def seconds(self, progress: WalkProgress) -> float:
        """Return how long a reading has been at what it does."""
        if progress.phase is not self._phase:
            first = self._phase is None
            self._phase = progress.phase
            self._began = self._began if first else self._clock()
        return self._clock() - self._began


def progress_words(progress: WalkProgress, seconds: float) -> tuple[str, str]:
    """Return two lines on how far a reading is: of what, and how much in figures."""
    label = phase_words(progress)
    if progress.bytes_total:
        label = f"{label}  {bar_words(progress.bytes_done, progress.bytes_total)}"
    return label, amount_words(progress.bytes_done, progress.bytes_total, seconds)


def phase_words(progress: WalkProgress) -> str:
    """Return what is read now."""
    if progress.phase is Phase.ARCHIVE:
        return "unpacking the archive" if progress.bytes_total else "taking in the archive"
    if progress.phase is Phase.STAGES:
        of = f" of {progress.layers}" if progress.layers else ""
        return f"what it is compared with: layer {progress.layer + 1}{of}"
    if not progress.layers:
        # An engine names no layer before its image has come to the end.
        return f"layer {progress.layer + 1}"
    return f"{layer_name(progress.layer)} of {progress.layers}"


def brief_words(progress: WalkProgress, seconds: float) -> str:
    """Return the same for a place in a line."""
    words = phase_words(progress) if progress.phase is Phase.LAYERS else "stages"
    if progress.bytes_total:
        words = f"{words} {_share(progress.bytes_done, progress.bytes_total):.0f}%"
    left = left_words(progress.bytes_done, progress.bytes_total, seconds)
    return f"reading {words}  {left}".rstrip()


def bar_words(done: int, total: int) -> str:
    """Return a bar, and the share it stands for.

    >>> bar_words(1, 4)
    '████░░░░░░░░░░░░░░  25%'
    """
    share = _share(done, total)
    full = round(share * _BAR / 100)
    return f"{'█' * full}{'░' * (_BAR - full)} {share:3.0f}%"


def _share(done: int, total: int) -> float:
    return 100 * min(1.0, done / total)


def amount_words(done: int, total: int | None, seconds: float) -> str:
    """Return how many bytes of how many, how fast, for how long, and how much longer."""
    amount = show_size(done)
    if total:
        amount = f"{amount} of {show_size(total)}"
    rate = f"{show_size(round(done / seconds))}/s" if seconds >= 1 else ""
    clock = f"{clock_words(seconds)} so far"
    return "  ".join(
        part for part in (amount, rate, clock, left_words(done, total, seconds)) if part
    )


def left_words(done: int, total: int | None, seconds: float) -> str:
    """Say how long it will take at the present rate; nothing before that is worth saying."""
    if not total or not done or seconds < 1 or done > total:
        return ""
    return f"{clock_words(seconds / done * (total - done))} left"


def clock_words(seconds: float) -> str:
    """Return a time as a clock shows it.

    >>> clock_words(83.9)
    '1:23'
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
