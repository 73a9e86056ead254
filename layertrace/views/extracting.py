"""Writing paths of an image to a folder, and what to say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.views.text import plural, show_name, show_size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from layertrace.pipeline.answers import ImageTrace
    from layertrace.pipeline.extraction import Chosen, Writing


def extract_path(
    trace: ImageTrace, path: str, output: Path, how: Writing, *, force: bool
) -> list[str]:
    """Write a path of the final image below a folder; return what there is to say of it.

    Args:
        trace: the image.
        path: rootfs-relative; a folder with all that is in it.
        output: made if it is not there.
        how: told how far it is, and asked whether to end the work, which undoes it.
        force: replace files and links that stand there already.

    Raises:
        PathNotFoundError: it is not in what ships.
        ExistsError: something is there already, and nothing was written.
        LayertraceError: it cannot be written, or the image cannot be read.
        StoppedError: the user said so.
    """
    from layertrace.archive.target.target_tree import TargetTree  # noqa: PLC0415

    found = [trace.locate(path, last=False)]
    extractor = trace.extractor
    extractor.require(found, trace.damaged)
    chosen = extractor.choose(found)
    with TargetTree(output, force=force) as target:
        extractor.write(chosen, target, how)
    written = written_words(chosen, output, extractor.size(chosen))
    return [written, *left_out_words(chosen)]


def written_words(chosen: Chosen, output: Path, size: int) -> str:
    """Return what was written, and where."""
    counts = (
        (sum(map(len, chosen.files.values())), "file"),
        (len(chosen.folders), "folder"),
        (len(chosen.links), "link"),
    )
    words = ", ".join(plural(count, noun) for count, noun in counts if count)
    return f"wrote to {show_name(str(output))}: {words or 'nothing'}, {show_size(size)}"


def left_out_words(chosen: Chosen) -> Iterator[str]:
    """Yield what was left out and why, a line for each reason."""
    for why, paths in chosen.skipped.items():
        more = f" and {len(paths) - 1:,} more" if len(paths) > 1 else ""
        yield f"left out {why}: {show_name(f'/{paths[0]}')}{more}"
