"""The command line: words in, exit code out, every error worded in one place.

Commands are loaded when they are called, so that ``--help`` imports neither
Textual nor the Docker SDK.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from typing import TYPE_CHECKING, Final

import click

from layertrace import __version__
from layertrace.errors import LayertraceError, StoppedError, StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence

STOPPED: Final = StoppedError.exit_code
BUG: Final = 70
"""EX_SOFTWARE: an error that is ours."""
_DEFAULT: Final = "open"
_COMMANDS: Final = {
    "open": ("browse", "browse", "Browse an image in the terminal (the default)."),
    "why": ("paths", "why", "Show where paths came from, hop by hop."),
    "files": ("listing", "files", "List files with stage, layer and trust."),
    "layers": ("listing", "layers", "List layers with stage, size and instruction."),
    "stages": ("listing", "stages", "Show what each stage weighs and what of it ships."),
    "audit": ("audit", "audit", "Ask whether an image may ship, by a policy's rules."),
    "diff": ("diff", "diff", "Show what changed between two images, and why."),
    "bloat": ("bloat", "bloat", "Show what an image ships for nothing, and what to change."),
    "tree": ("listing", "tree", "Print the file system as a tree with sizes."),
    "shell": ("shell", "shell", "Ask about one image at a prompt, or from a script."),
    "cat": ("paths", "cat", "Write a file's content to stdout."),
    "extract": ("extract", "extract", "Write files and folders of an image to a folder."),
    "verify": ("verify", "verify", "Read every byte and check sizes, digests and diff_ids."),
    "export": ("export", "export", "Save an image, or build one with all its stages."),
    "cache": ("housekeeping", "cache", "List, prune or clear the index cache."),
    "doctor": ("housekeeping", "doctor", "Check engine, cache and terminal."),
    "schema": ("housekeeping", "schema", "Print the JSON Schema of a command's output."),
    "completion": ("housekeeping", "completion", "Print the completion script of a shell."),
    "demo": ("browse", "demo", "Browse the sample image that comes with layertrace."),
}


class ReaderGoneError(Exception):
    """Whoever read our output has read enough."""


class LazyGroup(click.Group):
    """Commands by name, their modules imported when one is called."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; its output has reached its reader when this returns.

        What click would make of these errors itself is an exit code of 1, which
        here means a finding.
        """
        try:
            if sys.stdout is None:
                raise StorageError("stdout is closed: there is nowhere to write the result")
            result: object = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            raise ReaderGoneError from None
        except KeyboardInterrupt:
            raise StoppedError from None
        except OSError as error:
            raise StorageError(
                "reading or writing failed", why=error.strerror or str(error)
            ) from error
        return result

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return every command, in the order people meet them."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one command."""
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        loaded = importlib.import_module(f"layertrace.views.commands.{module}")
        command: click.Command = getattr(loaded, name)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        """List the commands without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in _COMMANDS.items()])
        # Only where help is asked for.
        from layertrace.views.limits import limit_rows  # noqa: PLC0415

        with formatter.section("Limits, raised with --max NAME=NUMBER (10k, 2M, 1G, 64MiB)"):
            formatter.write_dl(limit_rows())

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take an unknown first word for an image to open."""
        if args and args[0] not in _COMMANDS:
            args = [_DEFAULT, *args]
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Let options of ``open`` come first: ``layertrace -f Dockerfile app.tar``."""
        own = {"-h", "--help", "-V", "--version"}
        if args and args[0].startswith("-") and args[0] not in own:
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
    epilog="IMAGE: docker-daemon:NAME, docker-archive:FILE[:NAME:TAG], oci-archive:FILE[:TAG], "
    "oci:DIR[:TAG], a file or folder, - for an archive on stdin, or a name in the local engine.",
)
@click.version_option(__version__, "-V", "--version", prog_name="layertrace")
@click.pass_context
def cli(ctx: click.Context) -> int:
    """Tell, for every file of a container image, where it came from.

    layertrace IMAGE opens an image in the terminal, and without IMAGE asks which;
    --debug anywhere shows the traceback of an error.
    """
    if ctx.invoked_subcommand is not None:
        return 0
    # Whoever names a command does without.
    from layertrace.views.terminal import can_browse  # noqa: PLC0415

    if not can_browse():
        click.echo(ctx.get_help())
        return 0
    from layertrace.views.commands.browse import pick  # noqa: PLC0415

    return pick()


def main(argv: Sequence[str]) -> int:
    """Run one command; return its exit code."""
    args = [arg for arg in argv if arg != "--debug"]
    debug = len(args) < len(argv)
    _write_any_character()
    try:
        result = cli.main(args=args, prog_name="layertrace", standalone_mode=False)
    except ReaderGoneError:
        _silence_stdout()
        return 0
    except (Exception, KeyboardInterrupt) as error:
        if debug:
            raise
        return _report(error)
    return result if isinstance(result, int) else 0


def _report(error: BaseException) -> int:
    """Word an error on stderr in at most three lines; return its exit code."""
    if isinstance(error, KeyboardInterrupt | click.Abort | StoppedError):
        click.echo("stopped", err=True)
        return STOPPED
    if isinstance(error, click.ClickException):
        _print_usage(error)
        return error.exit_code
    if isinstance(error, LayertraceError):
        # Only where something failed.
        from layertrace.views.output import print_error  # noqa: PLC0415

        print_error(error)
        if isinstance(error, StorageError):
            # Else the interpreter says once more that stdout failed.
            _silence_stdout()
        return error.exit_code
    click.echo(f"error: {type(error).__name__}: {_one_line(str(error))}", err=True)
    click.echo(f"this is a bug in layertrace; {_bug_words(error)}", err=True)
    return BUG


def _bug_words(error: BaseException) -> str:
    # Only where something failed.
    from layertrace.views.crashlog import keep_crash  # noqa: PLC0415
    from layertrace.views.options import cache_folder  # noqa: PLC0415

    path = keep_crash(error, cache_folder())
    kept = f"{_one_line(str(path))} says where, and " if path is not None else ""
    return f"{kept}--debug shows the traceback"


def _print_usage(error: click.ClickException) -> None:
    click.echo(f"error: {_one_line(error.format_message())}", err=True)
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        words = " ".join(context.command.collect_usage_pieces(context))
        click.echo(f"  usage: {context.command_path} {words}", err=True)
        click.echo(f"  {context.command_path} --help tells more", err=True)


def _one_line(text: str) -> str:
    # Only where something failed.
    from layertrace.views.terminal import fit_locale  # noqa: PLC0415
    from layertrace.views.text import show_name  # noqa: PLC0415

    return fit_locale(show_name(text))


def _write_any_character() -> None:
    """Escape what the terminal's encoding lacks: our marks, and names of files."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _silence_stdout() -> None:
    """Keep the interpreter from flushing into the closed pipe at its end."""
    try:
        stdout = sys.stdout.fileno()
    except (AttributeError, io.UnsupportedOperation):
        # It was closed by whoever started us, or is no file but an object of Python.
        return
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, stdout)
    os.close(devnull)
