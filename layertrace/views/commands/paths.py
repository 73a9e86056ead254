"""The commands about single paths: why, cat."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from layertrace.views.options import (
    json_option,
    layer_number,
    opened,
    reading_options,
    take_reading,
    walk,
)
from layertrace.views.output import (
    print_bytes,
    print_findings,
    print_json,
    print_lines,
    print_notes,
    print_safely,
)
from layertrace.views.terminal import is_terminal

if TYPE_CHECKING:
    from layertrace.model.files import FileRecord, ShareRow, Version
    from layertrace.model.origin import Chain
    from layertrace.model.packages import PackageTable
    from layertrace.pipeline.answers import ImageTrace

    _Found = tuple[FileRecord, Chain, tuple[Version, ...], tuple[ShareRow, ...]]

_FINDING: Final = 1


@click.command()
@reading_options
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "--require",
    type=click.Choice(["verified", "inferred"]),
    help="Exit 1 if a path's trust is weaker.",
)
@json_option
def why(
    *,
    as_json: bool,
    paths: tuple[str, ...],
    require: str | None,
    **values: Any,  # noqa: ANN401
) -> int:
    """Show where each of PATHS came from: every hop, with its evidence."""
    from layertrace.analysis.packages.table import read_packages  # noqa: PLC0415
    from layertrace.model.origin import Trust  # noqa: PLC0415

    with opened(take_reading(values)) as opening:
        trace = walk(opening)
        found = []
        for path in map(trace.resolve, paths):
            chain = trace.chain(path)
            versions = trace.versions(path)
            found.append((trace.record(path), chain, versions, trace.shares_below(path)))
        (_print_json if as_json else _print_text)(trace, found, read_packages(trace))
        limit = Trust(require).rank if require else None
        weak = limit is not None and any(chain.trust.rank > limit for _, chain, *_ in found)
        return _FINDING if weak else 0


def _print_json(trace: ImageTrace, found: list[_Found], packages: PackageTable) -> None:
    from layertrace.views.encode import why_json  # noqa: PLC0415
    from layertrace.views.packages import owner_json  # noqa: PLC0415

    data = [why_json(*each, owner_json(packages.owner(each[0].path))) for each in found]
    print_json("why", trace, data, packages.findings)


def _print_text(trace: ImageTrace, found: list[_Found], packages: PackageTable) -> None:
    from layertrace.views.packages import package_line  # noqa: PLC0415
    from layertrace.views.report import why_lines  # noqa: PLC0415
    from layertrace.views.tables import stdout_width  # noqa: PLC0415

    head, width = trace.sized_head, stdout_width()
    print_findings(trace)
    print_notes(packages.findings)
    for number, each in enumerate(found):
        package = package_line(packages.owner(each[0].path))
        lines = why_lines(head, *each, width=width, package=package)
        print_lines([""] * (number > 0) + lines)


@click.command()
@reading_options
@click.argument("path")
@click.option("--layer", metavar="N", help="As this layer stored it: its index, or L1 as shown.")
@click.option("--raw", is_flag=True, help="Control characters unescaped on a terminal too.")
def cat(*, path: str, layer: str | None, raw: bool, **values: Any) -> None:  # noqa: ANN401
    """Write the content of the file PATH to stdout.

    On a terminal control characters are shown escaped; in a pipe the bytes
    are exact.
    """
    with opened(take_reading(values)) as opening:
        trace = walk(opening, hashing=False)
        number = layer_number(layer, len(trace.sized_head.layers))
        pieces = trace.read(trace.locate(path) if number is None else trace.resolve(path), number)
        if is_terminal(sys.stdout) and not raw:
            print_safely(pieces)
        else:
            print_bytes(pieces)
