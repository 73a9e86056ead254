"""The commands that list: layers, stages, files, tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from layertrace.errors import UsageError
from layertrace.views.options import (
    json_option,
    layer_number,
    opened,
    reading_options,
    take_reading,
    walk,
)
from layertrace.views.output import (
    is_whole,
    print_findings,
    print_json,
    print_lines,
    print_notes,
    print_paths,
    print_records,
    require_whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layertrace.analysis.facts import ImageFacts
    from layertrace.model.packages import PackageTable
    from layertrace.pipeline.answers import ImageTrace

_SORTS: Final = ("path", "size", "layer")


def _offers(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Return how EXPR may go on in any image: opening this one would take a shell too long."""
    from layertrace.filters.completion import KNOWN, complete  # noqa: PLC0415

    found = complete(typed, len(typed), KNOWN)
    return [typed[: found.start] + offer for offer in found.offers]


@click.command()
@reading_options
@json_option
def layers(*, as_json: bool, **values: Any) -> None:  # noqa: ANN401
    """List the layers of IMAGE: stage, size, files, waste, line, instruction."""
    with opened(take_reading(values)) as opening:
        if as_json:
            from layertrace.views.encode import layer_json  # noqa: PLC0415

            trace = walk(opening)
            print_json("layers", trace, [layer_json(layer) for layer in trace.head.layers])
            require_whole(trace)
            return
        from layertrace.views.report import layers_lines  # noqa: PLC0415
        from layertrace.views.tables import stdout_width  # noqa: PLC0415

        trace = walk(opening, hashing=False)
        print_findings(trace)
        print_lines(layers_lines(trace.sized_head, width=stdout_width()))
        require_whole(trace)


@click.command()
@reading_options
@json_option
def stages(*, as_json: bool, **values: Any) -> None:  # noqa: ANN401
    """Show, for each stage, base and context, what it weighs and what of it ships."""
    with opened(take_reading(values)) as opening:
        trace = walk(opening)
        if as_json:
            from layertrace.views.encode import share_json  # noqa: PLC0415

            print_json("stages", trace, [share_json(row) for row in trace.shares()])
            require_whole(trace)
            return
        from layertrace.views.report import stages_lines  # noqa: PLC0415
        from layertrace.views.tables import stdout_width  # noqa: PLC0415

        print_findings(trace)
        print_lines(stages_lines(trace.shares(), width=stdout_width()))
        if trace.head.build is None and is_whole(trace):
            lacks = ": provenance of mode=min has none" if trace.head.provenance_min else ""
            click.echo(f"hint: give -f Dockerfile to tell stages apart{lacks}", err=True)
        require_whole(trace)


@click.command()
@reading_options
@click.argument("expr", required=False, shell_complete=_offers)
@click.option("--all", "everything", is_flag=True, help="Removed paths too.")
@click.option(
    "--layer", metavar="N", help="One layer: its index as in JSON (0 is the base), or L1 as shown."
)
@click.option("--digests", is_flag=True, help="Hash every file.")
@click.option("--packages", "with_packages", is_flag=True, help="Whose package each file is.")
@click.option("--sort", type=click.Choice(_SORTS), default="path", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N rows.")
@click.option("-0", "--null", is_flag=True, help="Bare paths, each ended by a NUL byte.")
@click.option("--jsonl", is_flag=True, help="One JSON record a line, no envelope.")
@json_option
def files(*, as_json: bool, jsonl: bool, null: bool, **values: Any) -> None:  # noqa: ANN401
    """List the files of the final image, or those that match EXPR.

    EXPR is the filter of the terminal view: words, globs such as *.js,
    stage:build layer:3 via:copy origin:context trust:unknown mark:- size:>1MB
    type:elf mode:setuid owner:0 pkg:openssl pkg:none digest:ab12 dup:yes
    wasted:yes; a space is and, | is or, ! is not.
    """
    from layertrace.analysis.facts import ImageFacts  # noqa: PLC0415
    from layertrace.model.origin import Change  # noqa: PLC0415

    if as_json + jsonl + null > 1:
        raise UsageError("choose one of --json, --jsonl and -0")
    with opened(take_reading(values)) as opening:
        trace = walk(opening)
        facts = ImageFacts(trace)
        packages = facts.packages() if values.pop("with_packages") else None
        rows = _chosen_rows(trace, facts, **values)
        if values["digests"]:
            facts.digests([r for r in rows if trace.table.changes[r] is not Change.REMOVED])
        if as_json or jsonl:
            print_records(trace, rows, jsonl=jsonl, packages=packages)
        elif null:
            print_paths(trace.table.paths[row] for row in rows)
        else:
            _print_files(trace, rows, packages)
        require_whole(trace, layer_number(values["layer"], len(trace.sized_head.layers)))


@click.command()
@reading_options
@click.argument("path", default="/")
@click.option("--depth", type=click.IntRange(min=1), default=2, show_default=True)
@json_option
def tree(*, as_json: bool, path: str, depth: int, **values: Any) -> None:  # noqa: ANN401
    """Print the folders of the final image below PATH with what they weigh."""
    from layertrace.views.folders import folder_lines, folder_rows  # noqa: PLC0415

    with opened(take_reading(values)) as opening:
        trace = walk(opening)
        # A link to a folder stands for it; any other link is a row.
        rows = folder_rows(trace.table, trace.follow(path), depth=depth)
        rows = rows or folder_rows(trace.table, trace.resolve(path), depth=depth)
        if rows is None:
            raise trace.missing(trace.resolve(path))
        if as_json:
            from layertrace.views.folders import folder_json  # noqa: PLC0415

            print_json("tree", trace, [folder_json(row) for row in rows])
        else:
            print_findings(trace)
            print_lines(folder_lines(rows))
        require_whole(trace)


def _print_files(trace: ImageTrace, rows: list[int], packages: PackageTable | None) -> None:
    from layertrace.views.packages import package_column  # noqa: PLC0415
    from layertrace.views.report import files_lines  # noqa: PLC0415
    from layertrace.views.tables import stdout_width  # noqa: PLC0415

    table, package = trace.table, None
    print_findings(trace)
    if packages is not None:
        print_notes(packages.findings)
        package = package_column(packages, table.paths)
    print_lines(files_lines(table, rows, width=stdout_width(), package=package))
    if is_whole(trace):
        click.echo(f"{len(rows):,} of {len(table):,} paths", err=True)


def _chosen_rows(  # noqa: PLR0913
    trace: ImageTrace,
    facts: ImageFacts,
    *,
    expr: str | None,
    everything: bool,
    layer: str | None,
    sort: str,
    limit: int | None,
    digests: bool,  # noqa: ARG001 - of no matter here
) -> list[int]:
    from layertrace.model.origin import Change  # noqa: PLC0415

    table = trace.table
    number = layer_number(layer, len(trace.sized_head.layers))
    found: Iterable[int] = range(len(table))
    if expr:
        from layertrace.filters.language import parse_filter  # noqa: PLC0415 - few give one

        found = parse_filter(expr).rows(table, facts)
    rows = [row for row in found if everything or table.changes[row] is not Change.REMOVED]
    if number is not None:
        rows = [row for row in rows if table.layers[row] == number]
    if sort == "size":
        rows.sort(key=lambda row: -table.sizes[row])
    elif sort == "layer":
        rows.sort(key=lambda row: table.layers[row])
    return rows[:limit]
