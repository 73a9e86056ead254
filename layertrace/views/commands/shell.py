"""The command that keeps one image open and answers lines about it."""

from __future__ import annotations

import io
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from layertrace.errors import LayertraceError, UsageError
from layertrace.views.options import opened, reading_options, take_reading, walk
from layertrace.views.output import print_error, print_findings, print_lines, require_whole
from layertrace.views.terminal import is_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.views.shell.session import Session


@click.command()
@reading_options
@click.option(
    "--plain", is_flag=True, help="A sentence a line, for screen readers and scripts; no tables."
)
def shell(*, plain: bool, **values: Any) -> int:  # noqa: ANN401
    """Ask about IMAGE at a prompt: ls, cd, why, largest, find, cat, layers, stages, waste.

    It is traced once and kept open; help lists the commands. Lines are read
    from stdin if that is no terminal: answers go to stdout, errors to stderr,
    and the exit code is that of the first error.
    """
    reading = take_reading(values)
    if reading.image == "-":
        raise UsageError("stdin has the commands, so the archive cannot come from there")
    with opened(reading) as opening:
        trace = walk(opening)
        # Only once there is an image: what answers brings along all that reads contents.
        from layertrace.views.shell.sentences import image_sentence  # noqa: PLC0415
        from layertrace.views.shell.session import PAGE, Session  # noqa: PLC0415
        from layertrace.views.tables import stdout_width  # noqa: PLC0415

        print_findings(trace)
        # A prompt in a file of answers would be one more answer.
        asking = is_terminal(sys.stdin) and is_terminal(sys.stdout)
        page = PAGE if asking else None
        if asking:
            print_lines([image_sentence(trace.sized_head)])
        session = Session(trace, plain=plain, width=stdout_width, page=page)
        code = _run(session, _Typed(session) if asking else _given(), keep=asking)
        require_whole(trace)
        return code


def _run(session: Session, lines: Iterator[str], *, keep: bool) -> int:
    """Answer lines until they end; return the exit code of the first that failed."""
    code = 0
    while not session.ended:
        try:
            line = next(lines, None)
            if line is None:
                break
            for answer in session.answer(line):
                print_lines([answer])
        except LayertraceError as error:
            print_error(error)
            code = code or error.exit_code
        except KeyboardInterrupt:
            if not keep:
                raise
            click.echo("stopped", err=True)
    return 0 if keep else code


def _given() -> Iterator[str]:
    if isinstance(sys.stdin, io.TextIOWrapper):
        # A name of an image may be any bytes.
        sys.stdin.reconfigure(errors="surrogateescape")
    yield from sys.stdin


class _Typed:
    """The lines that somebody types; goes on after Ctrl-C, which no generator does."""

    def __init__(self, session: Session) -> None:
        self._session = session
        with suppress(ImportError):
            # Arrows and a history for input(), where Python was built with it.
            import readline  # noqa: F401, PLC0415

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        from layertrace.views.text import show_name  # noqa: PLC0415

        try:
            return input(f"layertrace /{show_name(self._session.folder)}> ")
        except EOFError:
            click.echo("")
            raise StopIteration from None
