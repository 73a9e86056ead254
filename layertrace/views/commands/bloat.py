"""The command that says what an image ships for nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from layertrace.errors import UsageError
from layertrace.views.options import json_option, opened, reading_options, take_reading, walk
from layertrace.views.output import print_findings, print_json, print_lines, require_whole

if TYPE_CHECKING:
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.views.bloat.words import Bounds

_FORMATS: Final = ("text", "json", "markdown")
_ROWS: Final = 10
_PATHS: Final = 3
_COUNT: Final = click.IntRange(min=1)


@click.command()
@reading_options
@click.option(
    "--limit",
    type=_COUNT,
    metavar="N",
    help=f"At most N groups, rules and contents; default {_ROWS}, in JSON all.",
)
@click.option(
    "--paths",
    type=_COUNT,
    metavar="N",
    help=f"At most N paths of each; default {_PATHS}, in JSON all.",
)
@click.option("--all", "everything", is_flag=True, help="All of them, with all their paths.")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="Default text.")
@json_option
def bloat(
    *,
    limit: int | None,
    paths: int | None,
    everything: bool,
    form: str | None,
    as_json: bool,
    **values: Any,  # noqa: ANN401
) -> None:
    """Show what IMAGE ships for nothing, and which line to change.

    Wasted is what layers store and a container does not see: overwritten,
    removed, hidden, or stored again for its mode, owner or time. Besides it,
    and never added to it: caches and leftovers that are seen, and contents
    that are there more than once.
    """
    if as_json and form not in {None, "json"}:
        raise UsageError(f"--json and --format {form} do not go together")
    form = "json" if as_json else form or "text"
    bounds = _bounds(limit, paths, everything=everything, form=form)
    with opened(take_reading(values)) as opening:
        # JSON tells of each stage what ships of it.
        trace = walk(opening, hashing=form == "json", contents=True)
        _print(trace, bounds, form)
        require_whole(trace)


def _bounds(limit: int | None, paths: int | None, *, everything: bool, form: str) -> Bounds:
    """Return how much is listed.

    Raises:
        UsageError: all was asked for, and less.
    """
    from layertrace.views.bloat.words import Bounds  # noqa: PLC0415

    if everything and (limit or paths):
        raise UsageError("--all lists everything: leave out --limit and --paths")
    whole = everything or form == "json"
    return Bounds(
        rows=limit or (None if whole else _ROWS), paths=paths or (None if whole else _PATHS)
    )


def _print(trace: ImageTrace, bounds: Bounds, form: str) -> None:
    from layertrace.analysis.waste.bloat import find_bloat  # noqa: PLC0415

    found = find_bloat(trace)
    if form == "json":
        from layertrace.views.bloat.document import bloat_json  # noqa: PLC0415

        print_json("bloat", trace, bloat_json(found, bounds))
        return
    print_findings(trace)
    if form == "markdown":
        from layertrace.views.bloat.markdown import markdown_lines  # noqa: PLC0415

        print_lines(markdown_lines(trace.sized_head, found, bounds))
        return
    from layertrace.views.bloat.lines import bloat_lines  # noqa: PLC0415
    from layertrace.views.tables import stdout_width  # noqa: PLC0415

    print_lines(bloat_lines(trace.sized_head, found, bounds, width=stdout_width()))
