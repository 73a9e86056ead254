"""The commands that read an image: why, files, layers, stages, tree, cat, open."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import click

from layertrace.views.options import Reading, opened, reading_options, take_reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from layertrace.pipeline.trace import ImageTrace, Opening

_FINDING: Final = 1
_SORTS: Final = ("path", "size", "layer")
_PIECE: Final = 1 << 16


def _json_option(command: Any) -> Any:  # noqa: ANN401 - click's decorators are untyped
    return click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")(command)


@click.command()
@reading_options
@_json_option
def layers(*, as_json: bool, **values: Any) -> None:  # noqa: ANN401
    """List the layers of IMAGE: stage, size, files, waste, line, instruction."""
    reading = take_reading(values)
    with opened(reading) as opening:
        if as_json:
            trace = _walk(opening)
            _print_json("layers", trace, [_layer(layer) for layer in trace.head.layers])
            return
        from layertrace.views.report import layers_lines  # noqa: PLC0415
        from layertrace.views.tables import stdout_width  # noqa: PLC0415

        trace = _walk(opening, hashing=False)
        _print_findings(trace)
        _print_lines(layers_lines(trace.sized_head, width=stdout_width()))


@click.command()
@reading_options
@_json_option
def stages(*, as_json: bool, **values: Any) -> None:  # noqa: ANN401
    """Show, for each stage, base and context, what it weighs and what of it ships."""
    with opened(take_reading(values)) as opening:
        trace = _walk(opening)
        if as_json:
            from layertrace.views.encode import share_json  # noqa: PLC0415

            _print_json("stages", trace, [share_json(row) for row in trace.shares()])
            return
        from layertrace.views.report import stages_lines  # noqa: PLC0415
        from layertrace.views.tables import stdout_width  # noqa: PLC0415

        _print_findings(trace)
        _print_lines(stages_lines(trace.shares(), width=stdout_width()))
        if trace.head.build is None:
            click.echo("hint: give -f Dockerfile to tell stages apart", err=True)


@click.command()
@reading_options
@click.argument("paths", nargs=-1, required=True)
@click.option(
    "--require",
    type=click.Choice(["verified", "inferred"]),
    help="Exit 1 if a path's trust is weaker.",
)
@_json_option
def why(
    *,
    as_json: bool,
    paths: tuple[str, ...],
    require: str | None,
    **values: Any,  # noqa: ANN401
) -> int:
    """Show where each of PATHS came from: every hop, with its evidence."""
    from layertrace.model.origin import Trust  # noqa: PLC0415

    with opened(take_reading(values)) as opening:
        trace = _walk(opening)
        found = []
        for path in map(trace.resolve, paths):
            chain = trace.chain(path)
            versions = trace.versions(path)
            found.append((trace.record(path), chain, versions))
        if as_json:
            from layertrace.views.encode import why_json  # noqa: PLC0415

            _print_json("why", trace, [why_json(*each) for each in found])
        else:
            from layertrace.views.report import why_lines  # noqa: PLC0415
            from layertrace.views.tables import stdout_width  # noqa: PLC0415

            _print_findings(trace)
            for number, each in enumerate(found):
                lines = why_lines(trace.sized_head, *each, width=stdout_width())
                _print_lines([""] * (number > 0) + lines)
        limit = Trust(require).rank if require else None
        weak = limit is not None and any(chain.trust.rank > limit for _, chain, _ in found)
        return _FINDING if weak else 0


@click.command()
@reading_options
@click.argument("expr", required=False)
@click.option("--all", "everything", is_flag=True, help="Removed paths too.")
@click.option(
    "--layer", metavar="N", help="One layer: its index as in JSON (0 is the base), or L1 as shown."
)
@click.option("--digests", is_flag=True, help="Hash every file.")
@click.option("--sort", type=click.Choice(_SORTS), default="path", show_default=True)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N rows.")
@click.option("-0", "--null", is_flag=True, help="Bare paths, each ended by a NUL byte.")
@click.option("--jsonl", is_flag=True, help="One JSON record a line, no envelope.")
@_json_option
def files(*, as_json: bool, jsonl: bool, null: bool, **values: Any) -> None:  # noqa: ANN401
    """List the files of the final image, or those that match EXPR.

    EXPR is the filter of the terminal view: words, globs such as *.js,
    stage:build layer:3 origin:context trust:unknown mark:- size:>1MB type:file;
    a space is and, | is or, ! is not.
    """
    reading = take_reading(values)
    with opened(reading) as opening:
        trace = _walk(opening)
        rows = _chosen_rows(trace, **values)
        if values["digests"]:
            for row in rows:
                trace.digest(trace.table.paths[row])
        if as_json or jsonl:
            _print_records(trace, rows, jsonl=jsonl)
        elif null:
            _write_paths(trace.table.paths[row] for row in rows)
        else:
            from layertrace.views.report import files_lines  # noqa: PLC0415
            from layertrace.views.tables import stdout_width  # noqa: PLC0415

            _print_findings(trace)
            _print_lines(files_lines(trace.table, rows, width=stdout_width()))
            click.echo(f"{len(rows):,} of {len(trace.table):,} paths", err=True)


@click.command()
@reading_options
@click.argument("path", default="/")
@click.option("--depth", type=click.IntRange(min=1), default=2, show_default=True)
@_json_option
def tree(*, as_json: bool, path: str, depth: int, **values: Any) -> None:  # noqa: ANN401
    """Print the folders of the final image below PATH with what they weigh."""
    from layertrace.views.folders import folder_lines, folder_rows  # noqa: PLC0415

    with opened(take_reading(values)) as opening:
        trace = _walk(opening)
        rows = folder_rows(trace.table, trace.resolve(path), depth=depth)
        if rows is None:
            raise trace.missing(trace.resolve(path))
        if as_json:
            from layertrace.views.folders import folder_json  # noqa: PLC0415

            _print_json("tree", trace, [folder_json(row) for row in rows])
            return
        _print_findings(trace)
        _print_lines(folder_lines(rows))


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
        trace = _walk(opening, hashing=False)
        number = _layer_number(layer, len(trace.sized_head.layers))
        pieces = trace.read(trace.follow(path) if number is None else trace.resolve(path), number)
        if sys.stdout.isatty() and not raw:
            _print_safely(pieces)
            return
        out = sys.stdout.buffer
        for piece in pieces:
            out.write(piece)
        out.flush()


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
    reading = Reading(
        image=str(sample),
        dockerfile=None,
        target=None,
        build_arg=(),
        context=None,
        stage=(),
        base=None,
        provenance=None,
        platform=None,
        verify=False,
        no_cache=False,
    )
    return _browse(reading, plain=plain, ascii_only=False, no_color=False)


def _browse(reading: Reading, *, plain: bool, ascii_only: bool, no_color: bool) -> int:
    from layertrace.views.terminal import can_browse, utf8_locale  # noqa: PLC0415

    if plain or not can_browse():
        with opened(reading) as opening:
            _print_summary(_walk(opening))
        return 0
    from layertrace.pipeline.trace import open_image  # noqa: PLC0415
    from layertrace.views.options import open_cache  # noqa: PLC0415
    from layertrace.views.tui.app import run_app  # noqa: PLC0415
    from layertrace.views.tui.ports import TuiOptions  # noqa: PLC0415

    cache = open_cache(off=reading.no_cache)
    hints = reading.hints()
    openings: list[Opening] = []

    def open_it() -> Opening:
        openings.append(open_image(reading.image, hints, cache))
        return openings[-1]

    try:
        return run_app(
            open_it,
            title=reading.image,
            options=TuiOptions(ascii=ascii_only or not utf8_locale(), color=not no_color),
        )
    finally:
        for opening in openings:
            opening.close()
        cache.close()


def _print_summary(trace: ImageTrace) -> None:
    from layertrace.views.report import head_line, layers_lines, stages_lines  # noqa: PLC0415
    from layertrace.views.tables import stdout_width  # noqa: PLC0415

    width = stdout_width()
    _print_findings(trace)
    _print_lines([head_line(trace.head), "", *layers_lines(trace.head, width=width)])
    _print_lines(["", *stages_lines(trace.shares(), width=width)])


def _walk(opening: Opening, *, hashing: bool = True) -> ImageTrace:
    from layertrace.views.progress import walking  # noqa: PLC0415

    with walking() as progress:
        return opening.walk(progress, hashing=hashing)


def _chosen_rows(  # noqa: PLR0913
    trace: ImageTrace,
    *,
    expr: str | None,
    everything: bool,
    layer: str | None,
    sort: str,
    limit: int | None,
    digests: bool,  # noqa: ARG001 - of no matter here
) -> list[int]:
    from layertrace.model.origin import Change  # noqa: PLC0415
    from layertrace.views.filters import parse_filter  # noqa: PLC0415

    table = trace.table
    number = _layer_number(layer, len(trace.sized_head.layers))
    found: Iterable[int] = parse_filter(expr).rows(table) if expr else range(len(table))
    rows = [row for row in found if everything or table.changes[row] is not Change.REMOVED]
    if number is not None:
        rows = [row for row in rows if table.layers[row] == number]
    if sort == "size":
        rows.sort(key=lambda row: -table.sizes[row])
    elif sort == "layer":
        rows.sort(key=lambda row: table.layers[row])
    return rows[:limit]


def _layer_number(text: str | None, layers: int) -> int | None:
    """Return the layer index that ``3`` or ``L4`` names.

    Raises:
        UsageError: it is neither, or there is no such layer.
    """
    from layertrace.errors import UsageError  # noqa: PLC0415

    if text is None:
        return None
    shown = text[:1] in {"L", "l"}
    digits = text[1:] if shown else text
    number = int(digits) - shown if digits.isascii() and digits.isdigit() else -1
    if not 0 <= number < layers:
        raise UsageError(
            f"--layer {text}: no such layer",
            why=f"the image has {layers}: index 0 to {layers - 1}, shown as L1 to L{layers}",
        )
    return number


def _layer(layer: Any) -> dict[str, object]:  # noqa: ANN401
    from layertrace.views.encode import layer_json  # noqa: PLC0415

    return layer_json(layer)


def _print_json(command: str, trace: ImageTrace, data: object) -> None:
    from layertrace.views.encode import envelope, to_text  # noqa: PLC0415

    click.echo(to_text(envelope(command, trace.head, data)))


def _print_records(trace: ImageTrace, rows: list[int], *, jsonl: bool) -> None:
    from layertrace.views.encode import record_json, to_line  # noqa: PLC0415

    records = (record_json(trace.record_at(row)) for row in rows)
    if not jsonl:
        _print_json("files", trace, list(records))
        return
    for record in records:
        sys.stdout.write(f"{to_line(record)}\n")
    sys.stdout.flush()


def _write_paths(paths: Iterator[str]) -> None:
    out = sys.stdout.buffer
    for path in paths:
        out.write(f"/{path}\0".encode("utf-8", "surrogateescape"))
    out.flush()


def _print_safely(pieces: Iterator[bytes]) -> None:
    from layertrace.views.text import show_name  # noqa: PLC0415

    for piece in pieces:
        text = piece.decode("utf-8", "surrogateescape")
        lines = text.split("\n")
        click.echo("\n".join("\t".join(map(show_name, x.split("\t"))) for x in lines), nl=False)


def _print_findings(trace: ImageTrace) -> None:
    from layertrace.views.text import show_name  # noqa: PLC0415

    for finding in trace.sized_head.findings:
        click.echo(f"note: {show_name(finding.message)}", err=True)


def _print_lines(lines: list[str]) -> None:
    from layertrace.views.terminal import utf8_locale  # noqa: PLC0415
    from layertrace.views.text import to_ascii  # noqa: PLC0415

    if not lines:
        return
    text = "\n".join(lines)
    if utf8_locale():
        click.echo(text)
    else:
        click.echo(to_ascii(text).encode("ascii", "backslashreplace").decode())
