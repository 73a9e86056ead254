"""Finding what a filter asks for: at once, beside the typing, or in the thread that reads."""

from __future__ import annotations

from array import array
from functools import partial
from typing import TYPE_CHECKING, Any

from layertrace.filters.completion import table_words
from layertrace.filters.facts import Cost
from layertrace.views.treerows import LARGE
from layertrace.views.treeselect import pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from layertrace.errors import LayertraceError
    from layertrace.filters.completion import Words
    from layertrace.filters.facts import Facts
    from layertrace.filters.language import Filter
    from layertrace.model.files import FileTable
    from layertrace.model.packages import PackageTable
    from layertrace.views.tui.background import Background
    from layertrace.views.tui.panes.files import FilesPane
    from layertrace.views.tui.walking import Walked

    Rows = Sequence[int]


class Finder:
    """Filters one image; the newest filter alone has an answer."""

    def __init__(
        self,
        walked: Walked,
        threads: tuple[Background, Background],
        pane: FilesPane,
        failed: Callable[[LayertraceError], None],
    ) -> None:
        """Prepare it.

        Args:
            walked: the image.
            threads: the one that reads, and the one that counts.
            pane: shows what is left.
            failed: is given the error where the image could not be read.
        """
        self._trace: Any = walked.trace
        self._table: FileTable = walked.tree.table
        self._reader, self._counter = threads
        self._pane = pane
        self._failed = failed
        self._wanted: Filter | None = None
        self._last: tuple[Filter, array[int]] | None = None
        """What was found last, to look there for what is typed on."""
        self._facts: Facts | None = None

    def find(self, wanted: Filter | None) -> bool:
        """Show what a filter leaves; False: it takes reading, and is shown once that is done."""
        self._wanted = wanted
        if wanted is None:
            self._pane.show_matches(None)
        elif wanted.cost is not Cost.TABLE:
            work = partial(self._read, wanted)
            answer = partial(self._answer, wanted)
            self._reader.submit("filter", work, answer, partial(self._fail, wanted))
            return False
        elif len(self._table) < LARGE:
            self._pane.show_matches(self._find(wanted))
        else:
            self._counter.submit(
                "filter", partial(self._find, wanted), partial(self._answer, wanted)
            )
        return True

    def learn(self, teach: Callable[[Words], None]) -> None:
        """Have ``teach`` given the values that the files have; all of them are looked at."""
        work = partial(table_words, self._table, len(self._trace.head.layers))
        self._counter.submit("words", work, teach)

    def learn_packages(
        self, teach: Callable[[PackageTable], None], failed: Callable[[LayertraceError], None]
    ) -> None:
        """Have ``teach`` given the packages; the image is read for them."""
        self._reader.submit("packages", self._packages, teach, failed)

    def _packages(self) -> PackageTable:
        return self._known_facts().packages()

    def _find(self, wanted: Filter) -> Rows:
        """Find what matches; among very many, for another thread."""
        rows = array("I")
        before: Sequence[int] = range(len(self._table))
        if self._last is not None and wanted.narrows(self._last[0]):
            before = self._last[1]
        for piece in pieces(len(before)):
            if self._wanted is not wanted:
                # Of what was typed over meanwhile nobody wants to know more.
                return rows
            rows.extend(wanted.rows(self._table, among=before[piece.start : piece.stop]))
        self._last = wanted, rows
        return rows

    def _read(self, wanted: Filter) -> Rows:
        """Find what the table does not hold; for the thread that reads."""
        return wanted.rows(self._table, self._known_facts())

    def _known_facts(self) -> Facts:
        if self._facts is None:
            # Few filters ask for it, and it brings along all that reads contents.
            from layertrace.analysis.facts import ImageFacts  # noqa: PLC0415

            self._facts = ImageFacts(self._trace)
        return self._facts

    def _answer(self, wanted: Filter, rows: Rows) -> None:
        # Meanwhile another filter may have been typed.
        if self._wanted is wanted:
            self._pane.show_matches(rows)

    def _fail(self, wanted: Filter, error: LayertraceError) -> None:
        if self._wanted is wanted:
            self._failed(error)
