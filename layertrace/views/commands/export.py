"""``export``: an image of the engine, or a build with all its stages, into one archive."""

from __future__ import annotations

import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, NoReturn, cast

import click

from layertrace.errors import DockerfileError, StoppedError, UsageError
from layertrace.views.options import pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from layertrace.archive.export.saved_image import ExportResult, Progress
    from layertrace.model.build import Build

_PATH: Final = click.Path(path_type=Path)
_PREFIX: Final = "docker-daemon:"
_SAVED: Final = ("docker-archive", "oci-archive", "oci")
_FIDELITIES: Final = {
    "same-build": "of this very build",
    "cached": "built apart, every step from the build cache",
    "rebuilt": "built apart, not every step from the build cache",
}


@click.command()
@click.argument("image", required=False)
@click.option("-o", "--output", type=_PATH, required=True, metavar="FILE", help="The archive.")
@click.option("--build", "context", type=_PATH, metavar="CONTEXT", help="Build this folder first.")
@click.option(
    "-f", "--dockerfile", type=_PATH, metavar="FILE", help="Default: Dockerfile in CONTEXT."
)
@click.option("--target", metavar="STAGE", help="The stage to build; default the last.")
@click.option("--build-arg", multiple=True, metavar="K=V", help="As for docker build.")
@click.option(
    "--builder",
    type=click.Choice(["auto", "buildkit", "classic"]),
    default="auto",
    show_default=True,
    help="auto: BuildKit where a docker command line offers it.",
)
@click.option("--network", metavar="MODE", help="Of RUN steps: host, none or a network.")
@click.option("--no-cache", is_flag=True, help="Run every step anew.")
@click.option("-t", "--tag", metavar="NAME:TAG", help="The image's name in the archive.")
@click.option("--no-clobber", is_flag=True, help="Refuse to replace an existing FILE.")
@click.option("-q", "--quiet", is_flag=True, help="No build output, no progress.")
def export(  # noqa: PLR0913 - one argument an option
    *,
    image: str | None,
    output: Path,
    context: Path | None,
    dockerfile: Path | None,
    target: str | None,
    build_arg: tuple[str, ...],
    builder: str,
    network: str | None,
    no_cache: bool,
    tag: str | None,
    no_clobber: bool,
    quiet: bool,
) -> None:
    """Save IMAGE of the local engine to FILE, or build CONTEXT and save all its stages.

    With --build the archive holds the final image, every stage, the
    Dockerfile and a listing of the build context, so that layertrace needs no
    further option to trace it; other tools read the final image from it.
    FILE appears only when it is complete.
    """
    if (image is None) == (context is None):
        raise UsageError("name an image, or a folder with --build", hint="layertrace export --help")
    with _ending_on_terminate(), _telling(quiet=quiet) as tell:
        if context is None:
            idle = [dockerfile, target, build_arg, network, tag]
            if any(idle) or no_cache or builder != "auto":
                raise UsageError("build options go with --build CONTEXT")
            from layertrace.archive.export.saved_image import export_image  # noqa: PLC0415

            name = _engine_name(image or "")
            result = export_image(name, output, progress=tell, stop=_never, force=not no_clobber)
        else:
            from layertrace.archive.export.builder import export_build  # noqa: PLC0415

            file = dockerfile if dockerfile is not None else context / "Dockerfile"
            result = export_build(
                context,
                _read_build(file, target, pairs("--build-arg", build_arg), builder),
                dockerfile=file,
                target_file=output,
                progress=tell,
                stop=_never,
                log=_log(quiet=quiet),
                builder=cast('Literal["auto", "buildkit", "classic"]', builder),
                network=network,
                no_cache=no_cache,
                tag=tag,
                force=not no_clobber,
            )
    if not quiet:
        _report(result)


def _engine_name(image: str) -> str:
    """Return what the engine calls an image.

    Raises:
        UsageError: it is one that is saved already.
    """
    transport, colon, _ = image.partition(":")
    if image == "-" or (colon and transport in _SAVED):
        raise UsageError(
            f"{image} is not an image of the engine", hint="layertrace reads it as it is"
        )
    name = image.removeprefix(_PREFIX)
    if not name:
        raise UsageError("the image's name is empty")
    return name


def _read_build(file: Path, target: str | None, build_args: dict[str, str], builder: str) -> Build:
    from layertrace.dockerfile.parse import parse_build  # noqa: PLC0415
    from layertrace.pipeline.opening.builds import read_dockerfile  # noqa: PLC0415

    if not file.exists():
        raise DockerfileError("no such file; name it with -f", name=str(file))
    return parse_build(
        read_dockerfile(file),
        name=str(file),
        target=target,
        build_args=build_args,
        builder="classic" if builder == "classic" else "buildkit",
    )


def _report(result: ExportResult) -> None:
    from layertrace.views.text import plural, show_name, show_size  # noqa: PLC0415

    click.echo(
        f"wrote {show_name(str(result.path))}: {show_size(result.size)}, "
        f"{plural(result.layers, 'layer')}",
        err=True,
    )
    for stage in result.stages:
        fidelity = _FIDELITIES.get(stage.fidelity, stage.fidelity)
        click.echo(f"  stage {show_name(stage.name)}: {fidelity}", err=True)


@contextmanager
def _telling(*, quiet: bool) -> Iterator[Callable[[Progress], None]]:
    from layertrace.views.progress import Line, time_left  # noqa: PLC0415
    from layertrace.views.text import show_size  # noqa: PLC0415

    line = Line(mute=quiet)

    def tell(progress: Progress) -> None:
        if not progress.done or not line.due():
            return
        seconds = time.monotonic() - line.started
        total = f" of about {show_size(progress.total)}" if progress.total else ""
        rate = show_size(int(progress.done / seconds)) if seconds else "0 B"
        left = time_left(progress.done, progress.total, seconds)
        line.show(f"{progress.phase}  {show_size(progress.done)}{total}  {rate}/s{left}")

    try:
        yield tell
    finally:
        line.clear()


def _log(*, quiet: bool) -> Callable[[str], None]:
    from layertrace.views.text import show_name  # noqa: PLC0415

    def log(text: str) -> None:
        if not quiet:
            click.echo(show_name(text), err=True)

    return log


@contextmanager
def _ending_on_terminate() -> Iterator[None]:
    """Let SIGTERM unwind as Ctrl-C does, so that nothing half-written stays."""

    def stop(*_: object) -> NoReturn:
        raise StoppedError

    if sys.platform == "win32":
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _never() -> bool:
    return False
