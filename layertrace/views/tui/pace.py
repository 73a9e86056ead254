"""How far a reading is, in words and a bar."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final

from layertrace.pipeline.watch import Phase
from layertrace.views.outline_row import layer_name
from layertrace.views.text import show_size
from layertrace.views.tui.cells import wrap_cells

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from layertrace.views.tui.ports import WalkProgress

_BAR: Final = 18


class Pace:
    """The clock of a reading: what it does now, and for how long."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Start it."""
        self._clock = clock
        self._phase: tuple[Phase, bool] | None = None
        self._began = clock()

    def seconds(self, progress: WalkProgress) -> float:
        """Return how long a reading has been at what it does."""
        phase = progress.phase, _is_waiting(progress)
        if phase != self._phase:
            first = self._phase is None
            self._phase = phase
            self._began = self._began if first else self._clock()
        return self._clock() - self._began


STOPS: Final = "Esc stops and keeps what is read"
BROWSES: Final = "b browses what is read so far"
_DONE: Final = "✔"
_DOING: Final = "▸"
_TO_COME: Final = "·"


def opening_rows(progress: WalkProgress | None, seconds: float) -> Iterator[str]:
    """Yield the steps to an image on view, of which it is at the first."""
    if progress is None:
        yield f"{_DOING} configuration and history: reading…"
    elif progress.phase is Phase.LAYERS:
        yield f"{_TO_COME} configuration and history: they come with the last layer"
        yield from _step("layers", progress, seconds)
        yield f"{_TO_COME} tracing"
        return
    else:
        yield from _step("configuration and history", progress, seconds)
    yield f"{_TO_COME} layers"
    yield f"{_TO_COME} tracing"


def reading_rows(
    settled: str, compared: Sequence[str], progress: WalkProgress | None, seconds: float
) -> Iterator[str]:
    """Yield the steps to all of an image on view, its configuration being known.

    Args:
        settled: what is known.
        compared: names of what the image is compared with; safe.
        progress: how far its layers are, or what it is compared with; None: it is about to begin.
        seconds: for how long that went on.
    """
    yield f"{_DONE} configuration and history: {settled}"
    others = progress is not None and progress.phase is Phase.STAGES
    if others:
        yield f"{_DONE} layers"
    elif progress is None:
        yield f"{_DOING} layers: reading…"
    else:
        yield from _step("layers", progress, seconds)
    if progress is not None and others:
        yield from _step("stage content", progress, seconds)
    elif compared:
        yield f"{_TO_COME} stage content: {', '.join(compared)}"
    yield f"{_TO_COME} tracing"
    yield ""
    yield STOPS
    if progress is not None and not others and not _is_waiting(progress):
        yield BROWSES


def tracing_rows(settled: str, compared: Sequence[str]) -> Iterator[str]:
    """Yield the same where all is read."""
    yield f"{_DONE} configuration and history: {settled}"
    yield f"{_DONE} layers"
    if compared:
        yield f"{_DONE} stage content: {', '.join(compared)}"
    yield f"{_DOING} tracing every file to where it came from…"


def fitting_rows(rows: Sequence[str], width: int, height: int) -> Sequence[str]:
    """Return the rows there is room for: those on what is done, or is to come, go first.

    >>> fitting_rows(["", "✔ layers", "▸ tracing", "", "Esc stops"], 20, 3)
    ['▸ tracing', 'Esc stops']
    """
    if sum(len(wrap_cells(row, width)) for row in rows) <= height:
        return rows
    return [row for row in rows if row and not row.startswith((_DONE, _TO_COME))]


def _step(name: str, progress: WalkProgress, seconds: float) -> Iterator[str]:
    words, figures = progress_words(progress, seconds)
    yield f"{_DOING} {name}: {words}"
    yield figures


def progress_words(progress: WalkProgress, seconds: float) -> tuple[str, str]:
    """Return two lines on how far a reading is: of what, and how much in figures."""
    label, total, about = phase_words(progress), _total(progress), progress.estimated
    if _is_waiting(progress):
        return label, f"{clock_words(seconds)} so far"
    if total:
        label = f"{label}  {bar_words(progress.bytes_done, total, about=about)}"
    return label, amount_words(progress.bytes_done, total, seconds, about=about)


def _is_waiting(progress: WalkProgress) -> bool:
    """Say whether an engine has sent nothing: an older one puts all together first."""
    return progress.estimated and not progress.bytes_done


def _total(progress: WalkProgress) -> int | None:
    """Return the bytes in all; None where nobody knows, or what was thought proves too little."""
    total = progress.bytes_total
    if progress.estimated and total is not None and progress.bytes_done >= total:
        return None
    return total


def phase_words(progress: WalkProgress) -> str:
    """Return what is read now."""
    if progress.phase is Phase.ARCHIVE:
        return "unpacking the archive" if progress.bytes_total else "taking in the archive"
    if progress.phase is Phase.STAGES:
        of = f" of {progress.layers}" if progress.layers else ""
        return f"layer {progress.layer + 1}{of}"
    if _is_waiting(progress):
        return "waiting for the engine to send it"
    if not progress.layers:
        # An engine names no layer before its image has come to the end.
        return f"layer {progress.layer + 1}"
    if progress.estimated:
        # The last that is counted may be none: what follows the layers.
        return f"layer {min(progress.layer + 1, progress.layers)} of {progress.layers}"
    return f"{layer_name(progress.layer)} of {progress.layers}"


def brief_words(progress: WalkProgress, seconds: float) -> str:
    """Return the same for a place in a line."""
    words = phase_words(progress) if progress.phase is Phase.LAYERS else "stages"
    total, about = _total(progress), "about " if progress.estimated else ""
    if _is_waiting(progress):
        return f"{words}  {clock_words(seconds)}"
    if total:
        words = f"{words} {about}{_share(progress.bytes_done, total):.0f}%"
    left = left_words(progress.bytes_done, total, seconds)
    return f"reading {words}  {left}".rstrip()


def bar_words(done: int, total: int, *, about: bool = False) -> str:
    """Return a bar, and the share it stands for.

    >>> bar_words(1, 4)
    '████░░░░░░░░░░░░░░  25%'
    """
    share = _share(done, total)
    full = round(share * _BAR / 100)
    told = f"about {share:.0f}%" if about else f"{share:3.0f}%"
    return f"{'█' * full}{'░' * (_BAR - full)} {told}"


def _share(done: int, total: int) -> float:
    return 100 * min(1.0, done / total)


def amount_words(done: int, total: int | None, seconds: float, *, about: bool = False) -> str:
    """Return how many bytes of how many, how fast, for how long, and how much longer."""
    amount = show_size(done)
    if total:
        amount = f"{amount} of {'about ' if about else ''}{show_size(total)}"
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
