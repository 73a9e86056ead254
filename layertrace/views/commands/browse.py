"""The commands that open the terminal view, or print a summary: open, demo."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from layertrace.views.options import Reading, opened, reading_options, take_reading, walk
from layertrace.views.output import print_findings, print_lines, require_whole

if TYPE_CHECKING:
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.pipeline.trace import Opening
    from layertrace.views.lists.rows import Listing
    from layertrace.views.tui.ports import TuiOptions


@click.command("open")
@reading_options
@click.option("--plain", is_flag=True, help="The summary instead of the terminal view.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Marks and frames in ASCII.")
@click.option("--no-color", is_flag=True, help="No hues.")
@click.option("--diff", "against", metavar="OLD", help="Show what changed since that image.")
def browse(
    *,
    plain: bool,
    ascii_only: bool,
    no_color: bool,
    against: str | None,
    **values: Any,  # noqa: ANN401
) -> int:
    """Browse IMAGE in the terminal; off a terminal print its summary."""
    look = _Look(plain=plain, ascii=ascii_only, color=not no_color, against=against)
    return _browse(take_reading(values), look)


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
    return _browse(Reading(image=str(sample)), _Look(plain=plain))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """How an image is shown."""

    plain: bool = False
    ascii: bool = False
    color: bool = True
    against: str | None = None


def _browse(reading: Reading, look: _Look) -> int:
    from layertrace.views.terminal import can_browse  # noqa: PLC0415

    if look.plain or not can_browse():
        with opened(reading) as opening:
            _print_summary(walk(opening))
        return 0
    return _run_view(reading, look, _options(look))


def _options(look: _Look) -> TuiOptions:
    from layertrace.views.config import load_config  # noqa: PLC0415
    from layertrace.views.terminal import utf8_locale  # noqa: PLC0415
    from layertrace.views.tui.settings import make_options  # noqa: PLC0415

    color = look.color and not os.environ.get("NO_COLOR")
    return make_options(load_config(), ascii_only=look.ascii or not utf8_locale(), color=color)


def _run_view(reading: Reading, look: _Look, options: TuiOptions) -> int:
    from layertrace.pipeline.hints import Hints  # noqa: PLC0415
    from layertrace.pipeline.trace import open_image  # noqa: PLC0415
    from layertrace.views.options import open_cache  # noqa: PLC0415
    from layertrace.views.tui.app import run_app  # noqa: PLC0415
    from layertrace.views.tui.ports import Comparing  # noqa: PLC0415

    hints, cache = reading.hints(), open_cache(off=reading.no_cache)
    openings: list[Opening] = []

    def open_it() -> Opening:
        openings.append(open_image(reading.image, hints, cache))
        return openings[-1]

    def compare(trace: ImageTrace, reference: str) -> Listing:
        from layertrace.analysis.difference.compare import Comparison  # noqa: PLC0415
        from layertrace.views.lists.difference import list_difference  # noqa: PLC0415

        openings.append(open_image(reference, Hints(limits=hints.limits), cache))
        difference = Comparison(openings[-1].walk(), trace).difference()
        return list_difference(difference, reference)

    comparing = Comparing(make=compare, against=look.against)
    try:
        return run_app(open_it, title=reading.image, options=options, comparing=comparing)
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
