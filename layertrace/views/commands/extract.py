"""``extract``: files and folders of an image to a folder of the user's."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from layertrace.errors import UsageError
from layertrace.views.options import opened, reading_options, take_reading, walk
from layertrace.views.output import print_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from layertrace.pipeline.extraction import Chosen


@click.command()
@reading_options
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="The folder to write to; made if it is not there.",
)
@click.option("--force", is_flag=True, help="Replace files and links that stand there already.")
@click.option("--keep-setuid", is_flag=True, help="Keep setuid, setgid and sticky bits.")
@click.option("--same-owner", is_flag=True, help="Give all the owner it has in IMAGE; as root.")
@click.option("-q", "--quiet", is_flag=True, help="No progress, no summary.")
def extract(  # noqa: PLR0913 - one argument an option
    *,
    paths: tuple[str, ...],
    output: Path,
    force: bool,
    keep_setuid: bool,
    same_owner: bool,
    quiet: bool,
    **values: Any,  # noqa: ANN401
) -> None:
    """Write PATHS of the final image to the folder -o, as a container sees them.

    Each lands below DIR under its whole path, as with tar: /app/dist becomes
    DIR/app/dist, a directory with all that is in it; / is the whole image.
    Folders on the way that are links are followed as in a container; a PATH
    that is itself a link is written as a link, unless it ends with a slash.

    Nothing is ever written outside of DIR. What stands there is kept: files
    are refused, with exit code 2, folders added to. Modes and times are those
    of the image, the owner is you. Hard links stay hard links, sparse files
    sparse. Devices and named pipes are left out, and so are extended attributes
    and capabilities. After an error DIR is what it was before.
    """
    from layertrace.archive.target.target_tree import TargetTree  # noqa: PLC0415
    from layertrace.pipeline.extraction import Writing  # noqa: PLC0415
    from layertrace.views.extracting import left_out_words, written_words  # noqa: PLC0415
    from layertrace.views.signals import asked_to_stop  # noqa: PLC0415

    if same_owner and getattr(os, "geteuid", lambda: 0)():
        raise UsageError("--same-owner: only root may give files away")
    with opened(take_reading(values)) as opening:
        trace = walk(opening, hashing=False)
        found = [trace.locate(path, last=False) for path in paths]
        extractor = trace.extractor
        extractor.require(found, trace.damaged)
        if not quiet:
            print_findings(trace)
        chosen = extractor.choose(found)
        target = TargetTree(output, force=force, special=keep_setuid, owners=same_owner)
        with asked_to_stop() as stop, _telling(quiet=quiet) as tell, target:
            extractor.write(chosen, target, Writing(progress=tell, stop=stop))
        for words in left_out_words(chosen):
            click.echo(f"note: {words}", err=True)
        if not quiet:
            _tell_where(paths, found, chosen)
            click.echo(written_words(chosen, output, extractor.size(chosen)), err=True)


@contextmanager
def _telling(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    from layertrace.views.progress import Line, time_left  # noqa: PLC0415
    from layertrace.views.text import show_size  # noqa: PLC0415

    line = Line(mute=quiet)

    def tell(done: int, total: int) -> None:
        if line.due():
            seconds = time.monotonic() - line.started
            rate = show_size(int(done / seconds)) if seconds else "0 B"
            left = time_left(done, total, seconds)
            line.show(f"writing  {show_size(done)} of {show_size(total)}  {rate}/s{left}")

    try:
        yield tell
    finally:
        line.clear()


def _tell_where(words: tuple[str, ...], found: list[str], chosen: Chosen) -> None:
    """Tell of paths that are elsewhere than the user may look for them."""
    from layertrace.model.entry import clean_path  # noqa: PLC0415
    from layertrace.views.text import show_name  # noqa: PLC0415

    for word, path in zip(words, found, strict=True):
        if clean_path(word) != path:
            click.echo(f"note: {show_name(word)} is {show_name(f'/{path}')} in the image", err=True)
        if path in chosen.links:
            shown = show_name(f"/{path}")
            click.echo(f"note: {shown} is a link; {shown}/ takes what it leads to", err=True)
