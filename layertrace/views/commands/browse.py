"""The commands that open the terminal view, or print a summary: open, demo."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from layertrace.errors import UsageError
from layertrace.views.options import Reading, build_options, opened, take_reading, walk
from layertrace.views.output import print_findings, print_lines, require_whole

if TYPE_CHECKING:
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.views.config import Config
    from layertrace.views.tui.ports import TuiOptions


_PLAIN = click.option("--plain", is_flag=True, help="The summary instead of the terminal view.")
_FORCED = click.option(
    "--tui", is_flag=True, help="The terminal view, whatever TERM and stdout are."
)


@click.command("open")
@click.argument("image", required=False)
@build_options
@_PLAIN
@_FORCED
@click.option("--ascii", "ascii_only", is_flag=True, help="Marks and frames in ASCII.")
@click.option("--no-color", is_flag=True, help="No hues.")
@click.option("--diff", "against", metavar="OLD", help="Show what changed since that image.")
def browse(
    *,
    plain: bool,
    tui: bool,
    ascii_only: bool,
    no_color: bool,
    against: str | None,
    **values: Any,  # noqa: ANN401
) -> int:
    """Browse IMAGE in the terminal; off a terminal print its summary.

    Without IMAGE: pick one.
    """
    image = values.pop("image")
    look = _Look(plain=plain, forced=tui, ascii=ascii_only, color=not no_color, against=against)
    return _browse(take_reading({"image": image or "", **values}), look)


def pick() -> int:
    """Ask which image to browse; there is a terminal."""
    return _browse(Reading(image=""), _Look())


@click.command()
@_PLAIN
@_FORCED
@click.option("--path", "show_path", is_flag=True, help="Print where the sample is.")
def demo(*, plain: bool, tui: bool, show_path: bool) -> int:
    """Browse the multi-stage sample that comes with layertrace."""
    from layertrace.views.samples import sample_path  # noqa: PLC0415

    sample = sample_path()
    if show_path:
        click.echo(str(sample))
        return 0
    return _browse(Reading(image=str(sample)), _Look(plain=plain, forced=tui))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """How an image is shown."""

    plain: bool = False
    forced: bool = False
    """The terminal view even where it seems to make no sense."""
    ascii: bool = False
    color: bool = True
    against: str | None = None


def _browse(reading: Reading, look: _Look) -> int:
    if _draws(look):
        return _run_view(reading, look)
    if not reading.image:
        raise click.UsageError("Missing argument 'IMAGE'.", click.get_current_context())
    with opened(reading) as opening:
        _print_summary(walk(opening))
    return 0


def _draws(look: _Look) -> bool:
    """Say whether to draw on the whole screen.

    Raises:
        UsageError: that is asked for, and there is no screen.
    """
    from layertrace.views.terminal import can_browse, can_draw  # noqa: PLC0415

    if look.plain and look.forced:
        raise UsageError("--plain and --tui ask for opposite things")
    if look.forced and not can_draw():
        raise UsageError(
            "--tui needs a terminal to draw on",
            why="stdin or stderr is none",
            hint="--plain prints a summary",
        )
    return look.forced or (not look.plain and can_browse())


def _options(look: _Look, config: Config) -> TuiOptions:
    from layertrace.views.terminal import draws_marks  # noqa: PLC0415
    from layertrace.views.tui.settings import make_options  # noqa: PLC0415

    color = look.color and not os.environ.get("NO_COLOR")
    return make_options(config, ascii_only=look.ascii or not draws_marks(), color=color)


def _run_view(reading: Reading, look: _Look) -> int:
    from layertrace.views.config import load_config  # noqa: PLC0415
    from layertrace.views.picking.openings import Openings  # noqa: PLC0415
    from layertrace.views.tui.app import LayertraceApp, run_app  # noqa: PLC0415
    from layertrace.views.tui.ports import Comparing  # noqa: PLC0415

    config = load_config()
    options = replace(_options(look, config), asked=reading.words())
    openings = Openings(reading, remembering=config.recent and not reading.no_cache)
    try:
        app = LayertraceApp(
            openings.opener(reading.image) if reading.image else openings.picking(),
            title=reading.image,
            options=options,
            comparing=Comparing(make=openings.compare, against=look.against),
            means=openings.means(),
        )
        return run_app(app)
    finally:
        openings.close()


def _print_summary(trace: ImageTrace) -> None:
    from layertrace.views.report import head_line, layers_lines, stages_lines  # noqa: PLC0415
    from layertrace.views.tables import stdout_width  # noqa: PLC0415

    width = stdout_width()
    print_findings(trace)
    print_lines([head_line(trace.head), "", *layers_lines(trace.head, width=width)])
    print_lines(["", *stages_lines(trace.shares(), width=width)])
    require_whole(trace)
