"""Reading all there is of an archive, whatever is in it: what tests and fuzzing do to damage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.errors import LayertraceError
from layertrace.layers.cache import IndexCache
from layertrace.model.entry import EntryKind
from layertrace.model.limits import Limits
from layertrace.model.origin import Change
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image

if TYPE_CHECKING:
    from pathlib import Path

    from layertrace.model.files import FileRecord
    from layertrace.pipeline.answers import ImageTrace

LIMITS: Final = Limits(
    entries=20_000,
    names=20_000_000,
    pax=65_536,
    json=1 << 20,
    size=8_000_000,
    window=8 << 20,
    members=2_000,
    layers=50,
)
"""Small enough for thousands of readings."""
_CONTENT: Final = 1 << 20
"""Bytes of a file that are read."""

File = tuple[str, str, int | None, int | None, str | None, str | None]
"""Path, kind, size, mode, link target; digest, or why there is none."""


def read_whole(path: Path) -> tuple[tuple[File, ...], tuple[str, ...]]:
    """Return every file of an image, and the codes of what is strange about it.

    Raises:
        LayertraceError: it cannot be read.
    """
    cache = IndexCache(path.parent, limit=0)
    opening = open_image(str(path), Hints(limits=LIMITS), cache)
    try:
        trace = opening.walk()
        table = trace.table
        rows = [row for row in range(len(table.paths)) if table.changes[row] is not Change.REMOVED]
        files = sorted((_file(trace, trace.record_at(row)) for row in rows), key=str)
        return tuple(files), tuple(finding.code for finding in trace.head.findings)
    finally:
        opening.close()


def _file(trace: ImageTrace, found: FileRecord) -> File:
    digest = None
    if found.kind in {EntryKind.FILE, EntryKind.HARDLINK}:
        try:
            left = _CONTENT
            for piece in trace.read(found.path):
                left -= len(piece)
                if left < 0:
                    break
            digest = trace.digest(found.path)
        except LayertraceError as error:
            digest = type(error).__name__
    return found.path, found.kind.word, found.size, found.mode, found.link_target, digest
