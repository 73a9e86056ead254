"""Archives that a test writes, opened by the program itself and shown."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from layertrace.layers.cache import IndexCache
from layertrace.model.limits import DEFAULTS
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from layertrace.model.limits import Limits
    from layertrace.pipeline.trace import Opening


@contextmanager
def opened(archive: Path, folder: Path, limits: Limits = DEFAULTS) -> Iterator[Opening]:
    """Open an archive, with a cache of its own in ``folder``."""
    cache = IndexCache(folder / "cache")
    opening = open_image(str(archive), Hints(limits=limits), cache)
    try:
        yield opening
    finally:
        opening.close()
        cache.close()
