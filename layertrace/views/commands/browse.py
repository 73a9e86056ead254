"""The commands that open the terminal view, or print a summary: open, demo."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from layertrace.views.options import Reading, opened, reading_options, take_reading, walk
from layertrace.views.output import print_findings, print_lines, require_whole

if TYPE_CHECKING:
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.pipeline.trace import Opening


@click.command("open")
@reading_options
@click.option("--plain", is_flag=True, help="The summary instead of the terminal view.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Marks and frames in ASCII.")
@click.option("--no-color", is_flag=True, help="No hues.")
def browse(*, plain: bool, ascii_only: bool, no_color: bool, **values: Any) -> int:  # noqa: ANN401
    """Browse IMAGE in the terminal; off a terminal print its summary."""
    return _browse(take_reading(values), plain=plain, ascii_only=ascii_only, no_color=no_color)


@click.command()
@click.option("--plain", is_flag=True, help="The summary instead of the terminal view.")
@click.option("--path", "show_path", is_flag=True, help="Print where the sample is.")
def demo(*, plain: bool, show_path: bool) -> int:
    """Browse the multi-stage sample that comes with layertrace."""
    from layertrace.views.samples import sample_path  # noqa: PLC0415

    sample = sample_path()
    if show_path:
        click.echo(str(sample))
        return 0
    reading = Reading(image=str(sample))
    return _browse(reading, plain=plain, ascii_only=False, no_color=False)


def _browse(reading: Reading, *, plain: bool, ascii_only: bool, no_color: bool) -> int:
    from layertrace.views.terminal import can_browse, utf8_locale  # noqa: PLC0415

    if plain or not can_browse():
        with opened(reading) as opening:
            _print_summary(walk(opening))
        return 0
    from layertrace.pipeline.trace import open_image  # noqa: PLC0415
    from layertrace.views.config import load_config  # noqa: PLC0415
    from layertrace.views.options import open_cache  # noqa: PLC0415
    from layertrace.views.tui.app import run_app  # noqa: PLC0415
    from layertrace.views.tui.settings import make_options  # noqa: PLC0415

    color = not no_color and not os.environ.get("NO_COLOR")
    plain_marks = ascii_only or not utf8_locale()
    options = make_options(load_config(), ascii_only=plain_marks, color=color)
    cache = open_cache(off=reading.no_cache)
    hints = reading.hints()
    openings: list[Opening] = []

    def open_it() -> Opening:
        openings.append(open_image(reading.image, hints, cache))
        return openings[-1]

    try:
        return run_app(open_it, title=reading.image, options=options)
    finally:
        for opening in openings:
            opening.close()
        cache.close()


def _print_summary(trace: ImageTrace) -> None:
    from layertrace.views.report import head_line, layers_lines, stages_lines  # noqa: PLC0415
    from layertrace.views.tables import stdout_width  # noqa: PLC0415

    width = stdout_width()
    print_findings(trace)
    print_lines([head_line(trace.head), "", *layers_lines(trace.head, width=width)])
    print_lines(["", *stages_lines(trace.shares(), width=width)])
    require_whole(trace)
