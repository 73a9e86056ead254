"""cache, doctor, schema, completion."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final

import click

from layertrace.errors import UsageError
from layertrace.views.options import cache_folder, open_cache

_SHELLS: Final = ("bash", "zsh", "fish")


@click.group()
def cache() -> None:
    """List, prune or clear the index cache."""


@cache.command("list")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def list_items(*, as_json: bool) -> None:
    """List what is kept, the most recently used first."""
    from layertrace.views.tables import format_table  # noqa: PLC0415
    from layertrace.views.text import show_name, show_size  # noqa: PLC0415

    kept = open_cache()
    items = kept.items()
    path = kept.path
    kept.close()
    if as_json:
        from layertrace.views.encode import plain  # noqa: PLC0415

        rows = [
            {"kind": i.kind, "key": i.key, "verified": i.verified, "size": i.size,
             "used": datetime.fromtimestamp(i.used, UTC).isoformat()}
            for i in items
        ]  # fmt: skip
        _print_document("cache", path=plain(str(path)), data=rows)
        return
    table = [
        [
            item.kind,
            item.key,
            show_size(item.size),
            datetime.fromtimestamp(item.used, UTC).date().isoformat(),
            "" if item.verified else "one archive only",
        ]
        for item in items
    ]
    if table:
        head = ["KIND", "KEY", "SIZE", "USED", ""]
        click.echo("\n".join(format_table(table, align="<<><<", head=head)))
    click.echo(f"{show_size(sum(i.size for i in items))} in {show_name(str(path))}", err=True)


@cache.command()
@click.option("--keep", default="500MB", metavar="SIZE", show_default=True, help="Bytes to keep.")
def prune(*, keep: str) -> None:
    """Drop the least recently used until at most SIZE is left."""
    from layertrace.views.text import show_size  # noqa: PLC0415

    limit = _bytes(keep)
    kept = open_cache()
    dropped = kept.prune(limit)
    kept.close()
    click.echo(f"dropped {show_size(dropped)}", err=True)


def _bytes(text: str) -> int:
    from layertrace.filters.paths import TermError  # noqa: PLC0415
    from layertrace.filters.terms import parse_size  # noqa: PLC0415

    try:
        sign, size = parse_size(text)
    except TermError as error:
        raise UsageError(f"--keep {text}: not a size", hint="write 500MB or 1GiB") from error
    if sign:
        raise UsageError(f"--keep {text}: not a size", hint="write 500MB or 1GiB")
    return int(size)


@cache.command()
def clear() -> None:
    """Remove the whole cache, and the list of images opened before."""
    from layertrace.views.picking.recent import forget  # noqa: PLC0415
    from layertrace.views.text import show_size  # noqa: PLC0415

    freed = open_cache().clear()
    forget(cache_folder())
    click.echo(f"removed {show_size(freed)}", err=True)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def doctor(*, as_json: bool) -> None:
    """Say what works here: Python, terminal, cache, temporary space, engine, builder."""
    from layertrace.views.checkup import check_up  # noqa: PLC0415
    from layertrace.views.tables import format_table  # noqa: PLC0415

    checks = check_up()
    if as_json:
        rows = [{"name": c.name, "ok": c.ok, "detail": c.detail} for c in checks]
        _print_document("doctor", data=rows)
        return
    lines = [[("ok" if c.ok else "no"), c.name, c.detail] for c in checks]
    click.echo("\n".join(format_table(lines, align="<<<")))


def _print_document(name: str, **fields: object) -> None:
    from layertrace.views.encode import document, to_text  # noqa: PLC0415
    from layertrace.views.output import write_json  # noqa: PLC0415

    write_json(f"{to_text(document(name, **fields))}\n")


@click.command()
@click.argument("name")
def schema(*, name: str) -> None:
    """Print the JSON Schema of a command's output: NAME is the command."""
    from layertrace.views.schemas import json_schema  # noqa: PLC0415

    click.echo(json.dumps(json_schema(name), indent=2))


@click.command()
@click.argument("shell", type=click.Choice(_SHELLS))
def completion(*, shell: str) -> None:
    """Print what makes SHELL complete layertrace's commands and options."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415

    from layertrace.views.cli import cli  # noqa: PLC0415

    found = get_completion_class(shell)
    if found is not None:
        click.echo(found(cli, {}, "layertrace", "_LAYERTRACE_COMPLETE").source())
