"""BuildKit, through whichever docker command line offers it.

BuildKit tells nobody which images its stages were, so each needed stage is
built again as a target of its own. Where every step of that came from the
build cache, its layers are those the final image copied from.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from layertrace.archive.ahead import drawn_ahead
from layertrace.archive.build_context import IGNORE_FILE, ignore_matcher, list_context, read_ignore
from layertrace.archive.build_plan import (
    BuildOrder,
    BuiltImages,
    StageImage,
    aliased_dockerfile,
    build_failure,
)
from layertrace.archive.engine import Progress
from layertrace.errors import EngineError, StoppedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from layertrace.archive.temporary_tags import TemporaryTags
    from layertrace.model.bundle import ContextEntry

_LAST_WITH_OWN_BUILDKIT: Final = 22
"""From version 23 on ``docker build`` needs the buildx plugin for BuildKit."""
_ASK_TIMEOUT: Final = 20
_VERSION: Final = re.compile(r"version (\d+)\.")
_VERTEX: Final = re.compile(r"#(\d+) \[(?:[^\]]* )?\d+/\d+\] (.*)")
"""``#7 [build 3/4] COPY package.json ./``: a step of a stage."""
_CACHED: Final = re.compile(r"#(\d+) CACHED\s*")
_FAILED: Final = re.compile(r"(?:ERROR: )?failed to solve(?: with frontend \S+)?: (.+)")


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
    for folder in os.get_exec_path():
        docker = Path(folder, "docker")
        if not os.access(docker, os.X_OK) or docker.is_dir():
            continue
        if _ask(docker, "buildx", "version") is not None:
            argv = (os.fspath(docker), "buildx", "build", "--load")
            return BuildCommand(argv=argv, buildx=True)
        found = _VERSION.search(_ask(docker, "--version") or "")
        if found and int(found[1]) <= _LAST_WITH_OWN_BUILDKIT:
            return BuildCommand(
                argv=(os.fspath(docker), "build"),
                buildx=False,
                environment={"DOCKER_BUILDKIT": "1"},
            )
    return None


def _ask(docker: Path, *arguments: str) -> str | None:
    """Return what the command prints, None where it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - the docker command on PATH, no shell
            (docker, *arguments),
            capture_output=True,
            check=True,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_ASK_TIMEOUT,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout


def build_buildkit(command: BuildCommand, order: BuildOrder, tags: TemporaryTags) -> BuiltImages:
    """Build the target, then each stage it needs.

    Raises:
        EngineError: the engine broke off, or a step failed.
        DockerfileError: BuildKit refuses the Dockerfile.
        SourceError: the context cannot be read.
        StoppedError: ``order.stop`` returned true.
    """
    build = order.build
    context = tuple(_listed(order))
    with TemporaryDirectory(prefix="layertrace-") as name:
        runner = _Runner(command, order, folder=Path(name))
        final = tags.new("final")
        runner.run(build.target, final, no_cache=order.no_cache)
        stages = [StageImage(index=build.target, image=final, fidelity="same-build")]
        for index in sorted(build.used() - {build.target}):
            stage = build.stages[index]
            if stage.base == "scratch" and not stage.instructions:
                continue
            tag = tags.new(str(index))
            cached = runner.run(index, tag, no_cache=False)
            fidelity = "cached" if cached else "rebuilt"
            stages.append(StageImage(index=index, image=tag, fidelity=fidelity))
        return BuiltImages(
            builder="buildkit",
            final=final,
            stages=tuple(sorted(stages, key=lambda stage: stage.index)),
            context=context,
            provenance=runner.provenance(),
        )


def _listed(order: BuildOrder) -> Iterator[ContextEntry]:
    patterns = read_ignore(order.context, order.dockerfile)
    done = 0
    for entry in list_context(order.context, ignore_matcher(patterns)):
        if order.stop():
            raise StoppedError
        done += entry.size
        order.progress(Progress(phase="context", done=done, detail=entry.path))
        yield entry


class _Runner:
    """Runs one docker command line again and again, a target each time."""

    def __init__(self, command: BuildCommand, order: BuildOrder, *, folder: Path) -> None:
        self._command = command
        self._order = order
        self._metadata = folder / "metadata.json"
        text, self._names = aliased_dockerfile(order.build)
        self._dockerfile = folder / order.dockerfile.name
        self._dockerfile.write_text(text, "utf-8", "surrogateescape", newline="")
        beside = order.dockerfile.with_name(order.dockerfile.name + IGNORE_FILE)
        if beside.is_file():
            # BuildKit looks for it beside the Dockerfile it is given.
            folder.joinpath(beside.name).write_bytes(beside.read_bytes())

    def run(self, index: int, tag: str, *, no_cache: bool) -> bool:
        """Build a stage; return whether every step of it came from the cache."""
        environment = {**os.environ, **self._command.environment}
        steps = _Steps()
        with subprocess.Popen(  # noqa: S603 - as above
            self._argv(index, tag, no_cache=no_cache),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            env=environment,
        ) as process:
            output = process.stdout
            if output is None:
                raise EngineError("the docker command gave no output")
            with drawn_ahead(
                lambda: output, stop=self._order.stop, interrupt=process.terminate
            ) as lines:
                for line in lines:
                    self._take(line.rstrip(), steps, index)
        if process.returncode:
            raise build_failure(steps.failure, name=self._order.build.name)
        return steps.all_cached

    def _take(self, line: str, steps: _Steps, index: int) -> None:
        self._order.log(line)
        if step := steps.read(line):
            stage = self._order.build.stages[index].name
            phase = "build" if index == self._order.build.target else "stage"
            self._order.progress(Progress(phase=phase, done=0, detail=f"{stage}: {step}"))

    def _argv(self, index: int, tag: str, *, no_cache: bool) -> list[str]:
        order = self._order
        argv = [*self._command.argv, "--progress=plain", f"--file={self._dockerfile}"]
        argv += [f"--tag={tag}", f"--target={self._names[index]}"]
        argv += [f"--build-arg={key}={value}" for key, value in order.build.arguments.items()]
        if order.network is not None:
            argv.append(f"--network={order.network}")
        if no_cache:
            argv.append("--no-cache")
        if self._command.buildx and index == order.build.target:
            argv.append(f"--metadata-file={self._metadata}")
        return [*argv, "--", os.fspath(order.context)]

    def provenance(self) -> Mapping[str, object] | None:
        """Return the provenance of the target's build, where the command line told it."""
        try:
            metadata = json.loads(self._metadata.read_bytes())
        except (OSError, ValueError):
            return None
        found = metadata.get("buildx.build.provenance") if isinstance(metadata, dict) else None
        return found if isinstance(found, dict) else None


class _Steps:
    """What the plain progress of one build tells."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._cached: set[str] = set()
        self.failure = "it gave no reason"

    def read(self, line: str) -> str | None:
        """Take in one line; return the step it starts, if it starts one."""
        if found := _VERTEX.fullmatch(line):
            self._names[found[1]] = found[2]
            return found[2]
        if found := _CACHED.fullmatch(line):
            self._cached.add(found[1])
        elif found := _FAILED.match(line):
            self.failure = found[1]
        return None

    @property
    def all_cached(self) -> bool:
        """Whether no step ran; a FROM is never said to be cached."""
        return all(
            number in self._cached or name.startswith("FROM ")
            for number, name in self._names.items()
        )
