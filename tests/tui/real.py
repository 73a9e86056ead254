"""Archives that a test writes, opened by the program itself and shown."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from layertrace.analysis.difference.compare import Comparison
from layertrace.layers.cache import IndexCache
from layertrace.model.limits import DEFAULTS
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from layertrace.views.lists.difference import list_difference

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.limits import Limits
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.pipeline.trace import Opening
    from layertrace.views.lists.rows import Listing


@contextmanager
def opened(
    archive: Path, folder: Path, limits: Limits = DEFAULTS, *, dockerfile: Path | None = None
) -> Iterator[Opening]:
    """Open an archive, with a cache of its own in ``folder``."""
    cache = IndexCache(folder / "cache")
    opening = open_image(str(archive), Hints(limits=limits, dockerfile=dockerfile), cache)
    try:
        yield opening
    finally:
        opening.close()
        cache.close()


def compare(trace: ImageTrace, reference: str) -> Listing:
    """Open an older archive and list what changed since, as the command does."""
    with TemporaryDirectory() as folder, opened(Path(reference), Path(folder)) as opening:
        return list_difference(Comparison(opening.walk(), trace).difference(), reference)
