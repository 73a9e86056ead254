"""Commands and the Docker client, as the sample builds need them.

Nothing here reads a terminal: every command has a time limit and a log file, and a
command that fails says so in a few lines.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LABEL: Final = "layertrace.samples.recipe"
"""An image made here carries the digest of its recipe under this label."""

_NO_MAPPING: Final[Mapping[str, str]] = {}
_LAST_LINES: Final = 15


class BuildError(Exception):
    """Something that whoever started the build can act on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """Runs commands, each with a time limit and a log."""

    logs: Path
    timeout: float

    def run(
        self,
        name: str,
        argv: Sequence[str],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] = _NO_MAPPING,
        stdin: IO[bytes] | None = None,
    ) -> str:
        """Run one command to its end and return what it printed.

        Raises:
            BuildError: it failed, is not installed or took too long.
        """
        log = self.logs / f"{name.replace('/', '-').replace(':', '-')}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        start = time.monotonic()
        with log.open("wb") as output:
            problem = self._run(argv, cwd=cwd, env=env, stdin=stdin, output=output)
        text = log.read_text(encoding="utf-8", errors="replace")
        if problem:
            tail = "\n".join(text.splitlines()[-_LAST_LINES:])
            raise BuildError(f"{name}: {problem}\n  {shlex.join(argv)}\n{tail}\nlog: {log}")
        print(f"{name}: {time.monotonic() - start:.1f} s", flush=True)
        return text

    def _run(
        self,
        argv: Sequence[str],
        *,
        cwd: Path | None,
        env: Mapping[str, str],
        stdin: IO[bytes] | None,
        output: IO[bytes],
    ) -> str:
        """Return what went wrong, nothing if the command did its work."""
        try:
            done = subprocess.run(  # noqa: S603 - the commands are those of this folder
                argv,
                cwd=cwd,
                env={**os.environ, **env},
                stdin=stdin or subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=self.timeout,
                check=False,
            )
        except FileNotFoundError:
            return f"{argv[0]} is not installed"
        except subprocess.TimeoutExpired:
            return f"stopped after {self.timeout:.0f} s (--timeout)"
        return f"ended with {done.returncode}" if done.returncode else ""


def ask(argv: Sequence[str], *, env: Mapping[str, str] = _NO_MAPPING) -> str | None:
    """Return what a short question to a command answers, None if it cannot be asked."""
    try:
        done = subprocess.run(  # noqa: S603 - the commands are those of this folder
            argv,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One image to build."""

    tag: str
    context: Path
    dockerfile: Path
    builder: str = "classic"
    """``classic`` or ``buildkit``."""
    network: str = "host"
    recipe: str = ""
    """Label the image with this digest; "" leaves it as its Dockerfile says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Docker:
    """One engine (``DOCKER_HOST`` as usual) and the clients that can drive it."""

    shell: Shell
    classic: str
    """The client for everything but BuildKit builds."""
    buildkit: str | None
    """A client that offers BuildKit, None where none is installed."""
    arch: str
    """The engine's architecture in Go's words: ``amd64``, ``arm64``."""

    def build(self, plan: Plan) -> None:
        """Build one image.

        Raises:
            BuildError: the build failed, or no installed client offers BuildKit.
        """
        client, options = self.classic, ["--force-rm"]
        if plan.builder == "buildkit":
            if self.buildkit is None:
                raise BuildError("no docker client here offers BuildKit: install buildx")
            client, options = self.buildkit, ["--progress=plain"]
        options += ["--network", plan.network, "--tag", plan.tag, "--file", str(plan.dockerfile)]
        if plan.recipe:
            options += ["--label", f"{LABEL}={plan.recipe}"]
        self.shell.run(
            f"build {plan.tag}",
            [client, "build", *options, str(plan.context)],
            env={"DOCKER_BUILDKIT": "1" if plan.builder == "buildkit" else "0"},
        )

    def import_rootfs(
        self, tag: str, rootfs: Path, *, recipe: str, changes: Sequence[str] = ()
    ) -> None:
        """Make a base image of one layer out of a root filesystem's tar."""
        said = [f"LABEL {LABEL}={recipe}", *changes]
        options = [word for change in said for word in ("--change", change)]
        with rootfs.open("rb") as stream:
            self.shell.run(
                f"import {tag}", [self.classic, "import", *options, "-", tag], stdin=stream
            )

    def save(self, tag: str, target: Path) -> None:
        """Write ``docker save``'s archive; the file appears when it is complete."""
        part = target.with_name(f"{target.name}.part")
        try:
            self.shell.run(f"save {tag}", [self.classic, "save", "--output", str(part), tag])
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def recipe_of(self, tag: str) -> str | None:
        """Return the recipe label of an image: "" if it has none, None without image."""
        template = f'{{{{index .Config.Labels "{LABEL}"}}}}'
        said = ask([self.classic, "image", "inspect", "--format", template, tag])
        # An image without any label at all answers "<no value>".
        return "" if said == "<no value>" else said


def find_docker(shell: Shell) -> Docker:
    """Find the clients on PATH and the engine behind them.

    Raises:
        BuildError: no client is installed or no engine answers.
    """
    clients = [
        str(path)
        for folder in os.get_exec_path()
        if (path := Path(folder, "docker")).is_file() and os.access(path, os.X_OK)
    ]
    if not clients:
        raise BuildError("docker is not installed")
    arch = ask([clients[0], "version", "--format", "{{.Server.Arch}}"])
    if not arch:
        host = os.environ.get("DOCKER_HOST", "the default socket")
        raise BuildError(f"no Docker engine answers at {host}: start it or set DOCKER_HOST")
    # A newer client without buildx still takes DOCKER_BUILDKIT=1, and fails.
    able = (c for c in clients if ask([c, "build", "--help"], env={"DOCKER_BUILDKIT": "1"}))
    return Docker(shell=shell, classic=clients[0], buildkit=next(able, None), arch=arch)


@dataclass(frozen=True, slots=True, kw_only=True)
class BasePolicy:
    """What to do about base images that the engine already has."""

    reuse: bool
    """Take what is there: those of the same recipe, and those made by someone else."""
    replace: bool
    """Overwrite a tag that someone else's image has."""

    def must_make(self, docker: Docker, tag: str, recipe: str) -> bool:
        """Tell whether ``tag`` has to be made now.

        Raises:
            BuildError: the tag is someone else's image and nothing says what to do.
        """
        found = docker.recipe_of(tag)
        if found is None:
            return True
        if found == "":
            return self._must_replace(tag)
        if self.reuse and found == recipe:
            print(f"{tag}: reused", flush=True)
            return False
        return True

    def _must_replace(self, tag: str) -> bool:
        if self.replace:
            return True
        if self.reuse:
            print(f"{tag}: not made here, taken as it is", file=sys.stderr, flush=True)
            return False
        raise BuildError(
            f"the engine has another {tag}: --reuse takes it as it is, --replace overwrites it"
        )
