"""Whose package each file of an image is, by the cache or by the image's databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.analysis.packages.keeping import dump_table, load_table

if TYPE_CHECKING:
    from layertrace.model.packages import PackageTable
    from layertrace.pipeline.answers import ImageTrace


def read_packages(trace: ImageTrace) -> PackageTable:
    """Return the packages of an image, and which file is whose.

    Raises:
        LayertraceError: the contents of the image cannot be had.
    """
    paths = trace.rootfs.seen
    kept = trace.recall_packages()
    known = None if kept is None else load_table(kept, paths)
    if known is not None:
        return known
    # Whoever asks again does without all that reads databases.
    from layertrace.analysis.packages.gathering import gather_packages  # noqa: PLC0415

    table = gather_packages(trace)
    if table.packages:
        trace.keep_packages(dump_table(table, paths))
    return table
