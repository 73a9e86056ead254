"""The figures of a whole image that stand above every view."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change, Trust

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.model.files import FileTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Files of the final image, directories apart, by how surely they are traced."""

    files: int
    trusts: Mapping[Trust, int]

    def shares(self) -> tuple[tuple[Trust, float], ...]:
        """Return the per cent of files at each trust there is, best first."""
        return tuple(
            (trust, 100 * self.trusts[trust] / self.files)
            for trust in Trust
            if self.trusts.get(trust)
        )


def count_files(table: FileTable) -> Overview:
    """Count what ships; removed paths are not files of the image."""
    directory, removed = int(EntryKind.DIR), Change.REMOVED
    trusts = Counter(
        trust
        for kind, change, trust in zip(table.kinds, table.changes, table.trusts, strict=True)
        if kind != directory and change is not removed
    )
    return Overview(files=trusts.total(), trusts=trusts)


def percent(share: float) -> str:
    """Return a share; what is there is never shown as nothing, nor as all.

    >>> percent(100.0), percent(99.996), percent(0.004), percent(96.14)
    ('100%', '99.9%', '0.1%', '96.1%')
    """
    if share in {0, 100}:
        return f"{share:.0f}%"
    return f"{min(99.9, max(0.1, share)):.1f}%"
