"""Reading the layers of an image: what is done in the thread, and what comes of it."""

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
from layertrace.views.overview import Overview, count_files
from layertrace.views.scopes import layer_scope
from layertrace.views.treerows import TreeRows
from layertrace.views.treesums import Sums
from layertrace.views.unread import with_doubt

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.model.files import ShareRow
    from layertrace.model.trace import ImageHead
    from layertrace.views.tui.background import Background
    from layertrace.views.tui.ports import Opening, Trace, WalkProgress

_EVERY: Final = 0.1
"""Seconds between two reports: more would keep the screen busy with itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """All that the Browse screen needs once the layers are read, or some of them."""

    trace: Trace
    head: ImageHead
    tree: FileTree
    rows: TreeRows
    """As they are shown first: the whole image."""
    shares: tuple[ShareRow, ...]
    overview: Overview | None
    """None where not all layers were read: what ships is not known."""
    feeds: Feeds
    whole: bool
    """False: the reading still goes on, or was stopped."""

    def explain(self, sums: Sums, node: int) -> Explanation:
        """Return why the path at row ``node`` is as it is; may read the image.

        Raises:
            LayertraceError: the image cannot be read any more.
        """
        # Of a directory that holds nothing its own origin is all there is to tell.
        folder = self.tree.is_dir[node] and (sums.files[node] or sums.lost[node])
        answer = self._explain(sums, node, folder=bool(folder))
        return with_doubt(answer, self.head, folder=bool(folder))

    def _explain(self, sums: Sums, node: int, *, folder: bool) -> Explanation:
        table, head = self.tree.table, self.head
        path = table.paths[node]
        if table.changes[node] is Change.REMOVED:
            return explain_removed(head, path, self.trace.versions(path))
        if folder:
            return explain_directory(head, self.tree, sums, node)
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
    """One reading of an image's layers; used from several threads."""

    def __init__(
        self,
        opening: Opening,
        walker: Background,
        report: Callable[[WalkProgress], None],
        tracing: Callable[[], None],
    ) -> None:
        """Prepare it.

        Args:
            opening: the image.
            walker: the thread it will run in.
            report: shows progress; called in the thread of the TUI.
            tracing: says that all is read and is being traced; called there too.
        """
        self._opening = opening
        self._walker = walker
        self._tracing = tracing
        self._stop = threading.Event()
        self._progress = Throttle(walker, report)

    def stop(self) -> None:
        """Have the reading end at the next entry."""
        self._stop.set()

    def run(self) -> Walked:
        """Read the layers and sum up their files; the long part, for the thread.

        Raises:
            LayertraceError: a layer cannot be read, or the user stopped.
        """
        trace = self._opening.walk(self._progress, self._stopped)
        self._walker.report(self._tracing)
        return _sum_up(trace, whole=True)

    def so_far(self) -> Walked | None:
        """Sum up the files of the layers that were read by now; None: there are none.

        May be asked while :meth:`run` is at it, in another thread.
        """
        trace = self._opening.so_far()
        return None if trace is None else _sum_up(trace, whole=False)

    def _stopped(self) -> bool:
        return self._stop.is_set() or self._walker.closed


def _sum_up(trace: Trace, *, whole: bool) -> Walked:
    tree = FileTree(trace.table)
    head = trace.head
    row = build_outline(head)[0]
    known = head.size is not None
    sums = Sums(tree, layer_scope(head, row, upto=False))
    return Walked(
        trace=trace,
        head=head,
        tree=tree,
        rows=TreeRows(tree, sums),
        shares=trace.shares() if known else (),
        overview=count_files(trace.table) if known else None,
        feeds=count_feeds(trace.table) if known else Feeds(),
        whole=whole,
    )
