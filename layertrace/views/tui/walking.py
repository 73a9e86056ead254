"""Reading the layers of an image: what is done in the thread, and how to say how far it is."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Final

from layertrace.model.origin import Change
from layertrace.views.explain import (
    Explanation,
    explain_directory,
    explain_file,
    explain_removed,
)
from layertrace.views.feeds import Feeds, count_feeds
from layertrace.views.filetree import FileTree
from layertrace.views.outline import build_outline
from layertrace.views.outline_row import layer_name
from layertrace.views.overview import Overview, count_files
from layertrace.views.scopes import layer_scope
from layertrace.views.text import show_size
from layertrace.views.treesums import Sums

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.model.trace import ShareRow
    from layertrace.views.tui.background import Background
    from layertrace.views.tui.ports import Opening, Trace, WalkProgress

_EVERY: Final = 0.1
"""Seconds between two reports: more would keep the screen busy with itself."""
_BAR: Final = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """All that the Browse screen needs once the layers are read."""

    trace: Trace
    tree: FileTree
    sums: Sums
    """Of the whole image."""
    shares: tuple[ShareRow, ...]
    overview: Overview
    feeds: Feeds

    def explain(self, sums: Sums, node: int) -> Explanation:
        """Return why the path at row ``node`` is as it is; may read the image.

        Raises:
            LayertraceError: the image cannot be read any more.
        """
        table, head = self.tree.table, self.trace.head
        path = table.paths[node]
        if table.changes[node] is Change.REMOVED:
            return explain_removed(head, path, self.trace.versions(path))
        # Of a directory that holds nothing its own origin is all there is to tell.
        if self.tree.is_dir[node] and (sums.files[node] or sums.lost[node]):
            return explain_directory(self.tree, sums, node)
        return explain_file(head, self.trace.record(path), self.trace.chain(path))


class Throttle:
    """Passes on progress to the thread of the TUI, now and then."""

    def __init__(self, reader: Background, report: Callable[[WalkProgress], None]) -> None:
        self._reader = reader
        self._report = report
        self._reported = 0.0

    def __call__(self, progress: WalkProgress) -> None:
        """Take a report, in the thread that reads."""
        now = monotonic()
        if now - self._reported >= _EVERY:
            self._reported = now
            self._reader.report(partial(self._report, progress))


class Walk:
    """One reading of an image's layers; used from two threads."""

    def __init__(
        self,
        opening: Opening,
        reader: Background,
        report: Callable[[WalkProgress], None],
        tracing: Callable[[], None],
    ) -> None:
        """Prepare it.

        Args:
            opening: the image.
            reader: the thread it will run in.
            report: shows progress; called in the thread of the TUI.
            tracing: says that all is read and is being traced; called there too.
        """
        self._opening = opening
        self._reader = reader
        self._tracing = tracing
        self._stop = threading.Event()
        self._progress = Throttle(reader, report)
        self.started = monotonic()

    def stop(self) -> None:
        """Have the reading end at the next entry."""
        self._stop.set()

    def run(self) -> Walked:
        """Read the layers and sum up their files; the long part, for the thread.

        Raises:
            LayertraceError: a layer cannot be read, or the user stopped.
        """
        trace = self._opening.walk(self._progress, self._stopped)
        self._reader.report(self._tracing)
        tree = FileTree(trace.table)
        row = build_outline(trace.head)[0]
        return Walked(
            trace=trace,
            tree=tree,
            sums=Sums(tree, layer_scope(trace.head, row, upto=False)),
            shares=trace.shares(),
            overview=count_files(trace.table),
            feeds=count_feeds(trace.table),
        )

    def _stopped(self) -> bool:
        return self._stop.is_set() or self._reader.closed


def progress_words(progress: WalkProgress, seconds: float) -> tuple[str, str]:
    """Return two lines on how far the reading is: which layer, and how much in figures."""
    bar = f"{layer_name(progress.layer)} of {progress.layers}"
    done = show_size(progress.bytes_done)
    if progress.bytes_total:
        share = min(1.0, progress.bytes_done / progress.bytes_total)
        full = round(share * _BAR)
        bar = f"{bar}  {'█' * full}{'░' * (_BAR - full)} {100 * share:3.0f}%"
        done = f"{done} of {show_size(progress.bytes_total)}"
    rate = f"{show_size(round(progress.bytes_done / seconds))}/s" if seconds >= 1 else ""
    clock = f"{_clock(seconds)} so far"
    return bar, "  ".join(part for part in (done, rate, clock, _left(progress, seconds)) if part)


def _left(progress: WalkProgress, seconds: float) -> str:
    """Say how long it will take at the present rate; nothing before that is worth saying."""
    done, total = progress.bytes_done, progress.bytes_total
    if not total or not done or seconds < 1 or done > total:
        return ""
    return f"{_clock(seconds / done * (total - done))} left"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
