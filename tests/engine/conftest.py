"""What tests with a real engine share: the engine itself, the bases, the command.

Without a reachable engine they are skipped; with ``LAYERTRACE_ENGINE=required`` that is a
failure, so that CI cannot pass by skipping them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from docker.errors import APIError

from layertrace.archive.engine import connect
from tests.engine_support import LABEL, docker, import_shell
from tests.sample_support import SAMPLES, Command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from docker import DockerClient

_LONGEST_CHAIN: Final = 20


def _without(reason: str) -> None:
    """Skip the test, or fail it where an engine is required."""
    if os.environ.get("LAYERTRACE_ENGINE") == "required":
        pytest.fail(f"LAYERTRACE_ENGINE=required, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def engine() -> str:
    """Return the version of the engine that all of this folder needs."""
    argv = ["docker", "version", "--format", "{{.Server.Version}}"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            argv, capture_output=True, text=True, timeout=30, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        _without(f"docker cannot be asked: {error}")
        raise
    if done.returncode:
        _without(f"no Docker engine answers: {done.stderr.strip()}")
    return done.stdout.strip()


@pytest.fixture(scope="session")
def shell(engine: str) -> Iterator[str]:
    """Return the name of a small image with a shell."""
    yield import_shell(f"{LABEL}/shell:1")
    docker("rmi", "--force", f"{LABEL}/shell:1")


@pytest.fixture(scope="module")
def client(shell: str) -> Iterator[DockerClient]:
    """Return the engine; what was made in it with the label is removed at the end."""
    with closing(connect()) as client:
        yield client
        # An image goes only after those made from it, and takes its parents along.
        for _ in range(_LONGEST_CHAIN):
            for image in client.api.images(all=True, filters={"label": LABEL}):
                if shell not in (image["RepoTags"] or ()):
                    with suppress(APIError):
                        client.api.remove_image(image["Id"], force=True)


@pytest.fixture(scope="session")
def layertrace(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Return the command under test."""
    home = str(tmp_path_factory.mktemp("cache"))
    return Command(environment={**os.environ, "XDG_CACHE_HOME": home})


@pytest.fixture(scope="session")
def make_bases(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], None]:
    """Return what makes a sample's base images; ``LAYERTRACE_NODE_WORK`` keeps downloads."""
    given = os.environ.get("LAYERTRACE_NODE_WORK")
    work = Path(given) if given else tmp_path_factory.mktemp("work")

    def make(sample: str) -> None:
        script = str(SAMPLES / "build.py")
        argv = [sys.executable, script, sample, "--bases-only", "--reuse", "--work", str(work)]
        done = subprocess.run(  # noqa: S603 - a script of the project
            argv, capture_output=True, text=True, timeout=1800, check=False
        )
        assert done.returncode == 0, done.stderr

    return make


@pytest.fixture(scope="session")
def export(
    layertrace: Command, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str, str, str], Path]]:
    """Return what builds a sample and writes its trace archive, removed at the end."""
    made: dict[tuple[str, str, str], Path] = {}
    folder = tmp_path_factory.mktemp("traces")

    def build(sample: str, kind: str, builder: str) -> Path:
        key = (sample, kind, builder)
        if key not in made:
            target = folder / f"{sample}-{kind}-{builder}.tar"
            place = SAMPLES / sample
            network = "host" if sample == "node-app" else "none"
            what = ["--build", str(place / "app"), "-f", str(place / f"Dockerfile.{kind}")]
            how = ["--builder", builder, "--network", network, "-o", str(target)]
            # A step from the builder's cache keeps the times that the context had then;
            # the small sample can afford to do without.
            cache = ["--no-cache"] if sample == "tiny-app" else []
            layertrace.run("export", *what, *how, *cache)
            made[key] = target
        return made[key]

    yield build
    # pytest keeps the folders of three runs, and the node archives have 1.5 GB each.
    for path in made.values():
        path.unlink(missing_ok=True)


@pytest.fixture(scope="module", params=["classic", "buildkit"])
def builder(request: pytest.FixtureRequest) -> str:
    """Return the name of the builder; one without a client for it is left out."""
    name = str(request.param)
    if name == "buildkit" and not any(map(_offers_buildkit, os.get_exec_path())):
        _without("no docker client on PATH offers BuildKit")
    return name


def _offers_buildkit(folder: str) -> bool:
    client = Path(folder, "docker")
    if not os.access(client, os.X_OK):
        return False
    done = subprocess.run(  # noqa: S603 - a docker client
        [str(client), "build", "--help"],
        env={**os.environ, "DOCKER_BUILDKIT": "1"},
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode == 0
