"""BuildKit, through whichever docker command line offers it.

BuildKit tells nobody which images its stages were, so each needed stage is
built again as a target of its own. Where every step of that came from the
build cache, its layers are those the final image copied from.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from layertrace.archive.ahead import drawn_ahead
from layertrace.archive.build_context import (
    IGNORE_FILE,
    ignore_matcher,
    list_context,
    pattern_of,
    read_ignore,
)
from layertrace.archive.docker_command import ask, docker_commands
from layertrace.archive.export.build_plan import (
    BuildOrder,
    BuiltImages,
    StageImage,
    build_failure,
    makes_image,
    named_stages,
    target_name,
)
from layertrace.archive.export.plain_progress import BuildSteps
from layertrace.archive.export.saved_image import Progress
from layertrace.errors import DockerfileError, EngineError, StoppedError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from layertrace.archive.export.temporary_tags import TemporaryTags
    from layertrace.model.build import Build
    from layertrace.model.bundle import ContextEntry

_LAST_WITH_OWN_BUILDKIT: Final = 22
"""From version 23 on ``docker build`` needs the buildx plugin for BuildKit."""
_STOP_TIMEOUT: Final = 10
_VERSION: Final = re.compile(r"version (\d+)\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildCommand:
    """A docker command line that builds with BuildKit."""

    argv: tuple[str, ...]
    """Up to and with ``build``."""
    buildx: bool
    environment: Mapping[str, str] = field(default_factory=dict)


def find_buildkit() -> BuildCommand | None:
    """Return the first ``docker`` on PATH that can use BuildKit, None if none can.

    Several may be there: one without the plugin must not hide another.
    """
    for docker in docker_commands():
        if ask(docker, "buildx", "version") is not None:
            return BuildCommand(
                argv=(os.fspath(docker), "buildx", "build", "--load"),
                buildx=True,
                # Its metadata file then holds every step, not only the materials.
                environment={"BUILDX_METADATA_PROVENANCE": "max"},
            )
        found = _VERSION.search(ask(docker, "--version") or "")
        if found and int(found[1]) <= _LAST_WITH_OWN_BUILDKIT:
            return BuildCommand(
                argv=(os.fspath(docker), "build"),
                buildx=False,
                environment={"DOCKER_BUILDKIT": "1"},
            )
    return None


def build_buildkit(command: BuildCommand, order: BuildOrder, tags: TemporaryTags) -> BuiltImages:
    """Build the target, then each stage it needs.

    Raises:
        EngineError: the engine broke off, or a step failed.
        DockerfileError: BuildKit refuses the Dockerfile.
        SourceError: the context cannot be read.
        StorageError: there is no room for a copy of the Dockerfile.
        StoppedError: ``order.stop`` returned true.
    """
    build = order.build
    with _folder() as folder:
        patterns = read_ignore(order.context, order.dockerfile)
        for own in (order.target_file, folder):
            patterns += pattern_of(order.context, own)
        context = tuple(_listed(order, patterns))
        runner = _Runner(command, order, folder=folder, patterns=patterns)
        final = tags.new("final")
        runner.run(build.target, final, no_cache=order.no_cache)
        stages = [StageImage(index=build.target, image=final, fidelity="same-build")]
        for index in sorted(build.used() - {build.target}):
            if not makes_image(build, build.stages[index]):
                continue
            tag = tags.new(str(index))
            # Never with --no-cache: what the final image copied from is in the cache.
            cached = runner.run(index, tag, no_cache=False)
            fidelity = "cached" if cached else "rebuilt"
            stages.append(StageImage(index=index, image=tag, fidelity=fidelity))
        return BuiltImages(
            builder="buildkit",
            final=final,
            stages=tuple(sorted(stages, key=lambda stage: stage.index)),
            context=context,
            provenance=runner.provenance(),
            images=dict(_outside_images(runner, order, tags)),
        )


def _outside_images(
    runner: _Runner, order: BuildOrder, tags: TemporaryTags
) -> Iterator[tuple[str, str]]:
    """Give the images that files were taken from, which BuildKit may have for itself only."""
    for number, reference in enumerate(order.build.images()):
        tag = tags.new(f"image-{number}")
        try:
            runner.take(reference, tag)
        except (EngineError, DockerfileError):
            # A named build context, perhaps: the build itself is done.
            order.log(f"The engine gives no image {reference}: it is not exported.")
        else:
            yield reference, tag


def _listed(order: BuildOrder, patterns: tuple[str, ...]) -> Iterator[ContextEntry]:
    done = 0
    for entry in list_context(order.context, ignore_matcher(patterns)):
        if order.stop():
            raise StoppedError
        done += entry.size
        order.progress(Progress(phase="context", done=done, detail=entry.path))
        yield entry


@contextmanager
def _folder() -> Iterator[Path]:
    try:
        folder = TemporaryDirectory(prefix="layertrace-")
    except OSError as error:
        raise StorageError("no temporary folder can be made", why=str(error)) from error
    with folder as name:
        yield Path(name)


class _Runner:
    """Runs one docker command line again and again, a target each time."""

    def __init__(
        self, command: BuildCommand, order: BuildOrder, *, folder: Path, patterns: tuple[str, ...]
    ) -> None:
        self._command = command
        self._order = order
        self._patterns = patterns
        self._folder = folder
        self._metadata = folder / "metadata.json"
        try:
            self._dockerfile = self._write(folder / "given", order.build.text)
            self._named = self._write(folder / "named", named_stages(order.build)[0])
        except OSError as error:
            raise StorageError("the Dockerfile cannot be copied", why=str(error)) from error

    def _write(self, folder: Path, text: str) -> Path:
        folder.mkdir()
        dockerfile = folder / self._order.dockerfile.name
        dockerfile.write_bytes(text.encode("utf-8", "surrogateescape"))
        # BuildKit takes the one beside the Dockerfile it is given before the context's.
        ignore = "\n".join(self._patterns).encode("utf-8", "surrogateescape")
        folder.joinpath(dockerfile.name + IGNORE_FILE).write_bytes(ignore)
        return dockerfile

    def run(self, index: int, tag: str, *, no_cache: bool) -> bool:
        """Build a stage; return whether every step of it came from the cache."""
        build = self._order.build
        phase = "build" if index == build.target else "stage"
        argv = self._argv(index, tag, no_cache=no_cache)
        return self._run(argv, phase=phase, name=build.stages[index].name)

    def take(self, reference: str, tag: str) -> None:
        """Put an image as the build took it into the engine: a build of nothing else."""
        folder = self._folder / tag.rpartition(":")[2]
        try:
            folder.mkdir()
            folder.joinpath("Dockerfile").write_text(
                only_image(reference, self._order.build), "utf-8"
            )
        except OSError as error:
            raise StorageError("no Dockerfile can be written", why=str(error)) from error
        argv = [*self._command.argv, "--progress=plain", f"--tag={tag}", "--", os.fspath(folder)]
        self._run(argv, phase="stage", name=reference)

    def _run(self, argv: list[str], *, phase: str, name: str) -> bool:
        steps = BuildSteps()
        with self._started(argv) as process:
            for line in process.lines:
                self._order.log(line)
                if step := steps.read(line):
                    detail = f"{name}: {step}"
                    self._order.progress(Progress(phase=phase, done=0, detail=detail))
            if process.status():
                raise build_failure(steps.failure, name=self._order.build.name)
        return steps.all_cached

    def _argv(self, index: int, tag: str, *, no_cache: bool) -> list[str]:
        order, build = self._order, self._order.build
        target = target_name(build, index)
        # The Dockerfile as it is wherever possible: provenance quotes it.
        given = target is None or build.stages[index].named
        argv = [*self._command.argv, "--progress=plain", f"--tag={tag}"]
        argv.append(f"--file={self._dockerfile if given else self._named}")
        argv += [f"--build-arg={key}={value}" for key, value in build.arguments.items()]
        if target is not None:
            argv.append(f"--target={target}")
        if order.network is not None:
            argv.append(f"--network={order.network}")
        if no_cache:
            argv.append("--no-cache")
        if self._command.buildx:
            argv += ["--allow=network.host"] if order.network == "host" else []
            argv += [f"--metadata-file={self._metadata}"] if index == build.target else []
        return [*argv, "--", os.fspath(order.context)]

    @contextmanager
    def _started(self, argv: list[str]) -> Iterator[_Process]:
        try:
            process = subprocess.Popen(  # noqa: S603 - as above
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                errors="replace",
                env={**os.environ, **self._command.environment},
                start_new_session=True,
            )
        except OSError as error:
            raise EngineError(f"{argv[0]}: cannot be run", why=str(error)) from error
        with (
            _ended(process),
            drawn_ahead(
                lambda: process.stdout or (),
                stop=self._order.stop,
                interrupt=lambda: _signal(process, signal.SIGTERM),
            ) as lines,
        ):
            yield _Process(lines=(line.rstrip() for line in lines), status=process.wait)

    def provenance(self) -> Mapping[str, object] | None:
        """Return the provenance of the target's build, where the command line told it."""
        try:
            metadata = json.loads(self._metadata.read_bytes())
        except (OSError, ValueError):
            return None
        found = metadata.get("buildx.build.provenance") if isinstance(metadata, dict) else None
        return found if isinstance(found, dict) else None


def only_image(reference: str, build: Build) -> str:
    """Return a Dockerfile of one image, for the platform of the stage that takes from it."""
    platforms = (
        build.stages[index].platform
        for index in sorted(build.used())
        for step in build.stages[index].instructions
        if reference in (step.source_image, *step.mount_images)
    )
    platform = next(filter(None, platforms), "")
    return f"FROM --platform={platform} {reference}\n" if platform else f"FROM {reference}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Process:
    """A command that runs."""

    lines: Iterator[str]
    """What it prints."""
    status: Callable[[], int]
    """Waits for its end, and tells its exit code."""


@contextmanager
def _ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """Leave no process behind: one that does not end when asked to is killed."""
    try:
        yield
    finally:
        try:
            process.wait(_STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            _signal(process, signal.SIGKILL)
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _signal(process: subprocess.Popen[str], number: signal.Signals) -> None:
    # To its whole group: buildx runs as a child of the docker command.
    with suppress(ProcessLookupError):
        os.killpg(process.pid, number)
