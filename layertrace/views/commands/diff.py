"""The command that compares two images, or two layers of one."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from layertrace.errors import UsageError
from layertrace.views.options import (
    Reading,
    build_options,
    json_option,
    layer_number,
    opened,
    take_reading,
    walk,
)
from layertrace.views.output import print_lines, require_whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.analysis.difference.compare import Comparison
    from layertrace.model.difference import Difference
    from layertrace.pipeline.answers import ImageTrace

_FORMATS: Final = ("text", "json", "markdown")
_CHANGED: Final = 1
_HINT: Final = (
    "hint: give -f Dockerfile, or --old-dockerfile and --new-dockerfile, to tell bases, stages "
    "and build arguments apart"
)
_PATH: Final = click.Path(path_type=Path)
_SIDES: Final = ("old", "new")
_OWN: Final = (
    ("dockerfile", "FILE", False),
    ("target", "STAGE", False),
    ("build_arg", "K=V", True),
    ("context", "DIR", False),
    ("stage", "NAME=IMAGE", True),
    ("stage_cache", "DIR", False),
    ("base", "IMAGE", False),
    ("provenance", "FILE", False),
    ("platform", "OS/ARCH", False),
)
"""What each side may be told of its own build: field, metavar, repeatable."""


def side_options(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command the options of section 2 for the old and for the new image alone."""
    for side in reversed(_SIDES):
        for name, metavar, multiple in reversed(_OWN):
            word = name.replace("_", "-")
            command = click.option(
                f"--{side}-{word}",
                multiple=multiple,
                type=_PATH if metavar in {"FILE", "DIR"} else str,
                metavar=metavar,
                help=f"The same of {side.upper()} alone."
                if name != "dockerfile"
                else f"The Dockerfile {side.upper()} was built from.",
            )(command)
    return command


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="OLD NEW [PATH]")
@build_options
@side_options
@click.option(
    "--layers",
    nargs=2,
    metavar="A B",
    help="Of one image: its state after layer A against that after layer B.",
)
@click.option("--filter", "expr", metavar="EXPR", help="Only changes that match, as in files.")
@click.option("--files", "listed", is_flag=True, help="Every change, a line each.")
@click.option("--stat", is_flag=True, help="The folders that changed most.")
@click.option("--ignore-times", is_flag=True, help="Paths that differ in their time alone do not.")
@click.option("--exit-code", is_flag=True, help="Exit 1 if something changed.")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True)
@json_option
def diff(  # noqa: PLR0913 - one argument an option
    *,
    words: tuple[str, ...],
    layers: tuple[str, str] | None,
    expr: str | None,
    form: str,
    as_json: bool,
    exit_code: bool,
    ignore_times: bool,
    listed: bool,
    stat: bool,
    **values: Any,  # noqa: ANN401
) -> int:
    """Show what changed from OLD to NEW, how much, and what brought it.

    Every change has one cause: another base image, an instruction that was
    added, removed, changed or gave something else, a build argument, the
    context. -f and the options like it are of both images, --old-dockerfile
    and --new-dockerfile of one. With PATH the two versions of that file.
    """
    readings, path = _readings(words, layers, values)
    form = "json" if as_json else form
    with ExitStack() as stack:
        old, new = _walk(stack, readings, layers)
        if path is not None:
            from layertrace.views.contents.printing import print_contents  # noqa: PLC0415

            differs = print_contents(old, new, path, form=form)
            require_whole(old)
            require_whole(new)
            return _CHANGED if exit_code and differs else 0
        comparison, difference = _compare(old, new, expr, times=not ignore_times)
        _print(comparison, difference, form=form, listed=listed, stat=stat, expr=expr)
        if form == "text" and not (old.sized_head.build and new.sized_head.build):
            click.echo(_HINT, err=True)
        require_whole(old)
        require_whole(new)
        return _CHANGED if exit_code and len(difference.changes) else 0


def _readings(
    words: tuple[str, ...], layers: tuple[str, str] | None, values: dict[str, Any]
) -> tuple[list[Reading], str | None]:
    """Return the images to open with what is told of each, and the path."""
    own = {side: {name: values.pop(f"{side}_{name}") for name, _, _ in _OWN} for side in _SIDES}
    images = 1 if layers else 2
    if not images <= len(words) <= images + 1:
        given = "IMAGE --layers A B [PATH]" if layers else "OLD NEW [PATH]"
        raise UsageError(f"diff takes {given}", hint="layertrace diff --help tells more")
    path = words[images] if len(words) > images else None
    shared = take_reading({"image": words[0], **values})
    if layers:
        if any(value for each in own.values() for value in each.values()):
            raise UsageError("--layers compares one image: give -f instead of --old-dockerfile")
        return [shared], path
    return [
        replace(shared, image=image, **{name: v for name, v in own[side].items() if v})
        for side, image in zip(_SIDES, words, strict=False)
    ], path


def _walk(
    stack: ExitStack, readings: list[Reading], layers: tuple[str, str] | None
) -> tuple[ImageTrace, ImageTrace]:
    traces = [walk(stack.enter_context(opened(reading))) for reading in readings]
    if not layers:
        return traces[0], traces[1]
    (trace,) = traces
    count = len(trace.sized_head.layers)
    numbers = [layer_number(text, count) for text in layers]
    old, new = (trace.upto(number) for number in numbers if number is not None)
    return old, new


def _compare(
    old: ImageTrace, new: ImageTrace, expr: str | None, *, times: bool
) -> tuple[Comparison, Difference]:
    from layertrace.analysis.difference.compare import Comparison  # noqa: PLC0415

    if expr is None:
        comparison = Comparison(old, new, times=times)
        return comparison, comparison.difference()
    from layertrace.analysis.difference.facts import ChangeFacts  # noqa: PLC0415
    from layertrace.analysis.difference.table import change_table  # noqa: PLC0415
    from layertrace.filters.language import parse_filter  # noqa: PLC0415

    chosen = parse_filter(expr)
    comparison = Comparison(old, new, times=times)
    table = change_table(comparison.changes, old.table, new.table)
    facts = ChangeFacts(comparison.changes, old, new)
    return comparison, comparison.difference(chosen.rows(table, facts))


def _print(  # noqa: PLR0913
    comparison: Comparison,
    difference: Difference,
    *,
    form: str,
    listed: bool,
    stat: bool,
    expr: str | None,
) -> None:
    from layertrace.analysis.difference.compare import pair_findings  # noqa: PLC0415

    old, new = comparison.old, comparison.new
    if form == "json":
        from layertrace.views.diff.records import print_difference  # noqa: PLC0415

        print_difference(old, new, difference, expr=expr)
        return
    from layertrace.views.output import print_notes  # noqa: PLC0415

    print_notes((*old.sized_head.findings, *new.sized_head.findings, *pair_findings(old, new)))
    if form == "markdown":
        from layertrace.views.diff.markdown import markdown_lines  # noqa: PLC0415

        print_lines(markdown_lines(old, new, difference, listed=listed))
        return
    from layertrace.views.diff.text import difference_lines, file_lines, stat_lines  # noqa: PLC0415
    from layertrace.views.tables import stdout_width  # noqa: PLC0415

    width = stdout_width()
    print_lines(difference_lines(old, new, difference, width=width, listed=listed))
    if stat:
        print_lines(stat_lines(difference, width=width))
    if listed:
        print_lines(file_lines(old, new, difference, width=width))
