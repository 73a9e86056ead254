"""What only a new engine leaves behind: its build history, and a cache exported with its stages.

Every file states the instruction that wrote it, ``stage:line``, so that the
truth is in the files. Without such an engine these tests are skipped; with
``LAYERTRACE_NEWEST=required`` that is a failure.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.engine_support import LABEL, docker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sample_support import Command

pytestmark = pytest.mark.engine

BASE, IMAGE = f"{LABEL}/shell:1", "layertrace-newest-app:1"
DOCKERFILE = f"""\
FROM {BASE} AS deps
WORKDIR /deps
RUN echo deps:3 > lib && echo deps:3 > tool
FROM {BASE} AS build
COPY . /src
COPY --link --from=deps /deps/lib /src/lib
RUN --mount=type=bind,from=deps,target=/mnt cp /mnt/deps/tool /src/ && echo build:7 > /src/app
FROM {BASE}
COPY --from=build /src/app /src/tool /app/
COPY --link --from=build /src/lib /src/main.c /opt/
RUN echo stage-2:11 > /made
"""
SHIPPED = ("/app/app", "/app/tool", "/opt/lib", "/opt/main.c", "/made", "/bin/busybox")
COPIED = SHIPPED[:4]


def _is_new() -> bool:
    """Say whether the builder keeps a history, and can export a cache by itself."""
    try:
        docker("buildx", "history", "ls")
        return "io.containerd.snapshotter" in docker("info", "--format", "{{.DriverStatus}}")
    except (AssertionError, FileNotFoundError):
        return False


@pytest.fixture(scope="module")
def built(shell: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Build the image; return the folder with context, Dockerfile, cache and archive."""
    if not _is_new():
        reason = "this engine and its command keep no build history"
        if os.environ.get("LAYERTRACE_NEWEST") == "required":
            pytest.fail(f"LAYERTRACE_NEWEST=required, but {reason}")
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("newest")
    context = folder / "context"
    context.mkdir()
    (context / "main.c").write_text("context\n")
    (folder / "Dockerfile").write_text(DOCKERFILE)
    cache = f"type=local,dest={folder / 'cache'},mode=max"
    what = ("-f", str(folder / "Dockerfile"), "-t", IMAGE, "--cache-to", cache, str(context))
    docker("buildx", "build", "--no-cache", "--network", "none", *what)
    docker("save", "-o", str(folder / "app.tar"), IMAGE)
    yield folder
    docker("rmi", "-f", IMAGE)


@pytest.fixture(scope="module")
def truth(built: Path) -> dict[str, str]:
    """What each shipped file says of itself, read out of a container."""
    container = docker("create", IMAGE, "sh")
    exported = built / "rootfs.tar"
    docker("export", "-o", str(exported), container)
    docker("rm", container)
    with tarfile.open(exported) as tar:
        return {
            f"/{name}": (tar.extractfile(name) or io.BytesIO()).read(64).decode().strip()
            for name in (path.lstrip("/") for path in SHIPPED if "busybox" not in path)
        } | {"/bin/busybox": "base"}


def told(layertrace: Command, *words: str | Path) -> dict[str, dict[str, Any]]:
    """Return the records of the shipped files by ``why --json``."""
    envelope = json.loads(layertrace.run("why", *words, *SHIPPED, "--json"))
    return {each["path"]: each["record"] for each in envelope["data"]}


def said(record: dict[str, Any]) -> str:
    """Return an origin as the files write it."""
    origin = record["origin"]
    return f"{origin['stage']}:{origin['line']}" if origin["kind"] == "run" else origin["kind"]


def test_exported_cache_verifies_every_origin(
    layertrace: Command, built: Path, truth: dict[str, str]
) -> None:
    """With --link, a mount and two stages on the way; the stages were never built apart."""
    hints = ("-f", built / "Dockerfile", "--context", built / "context")
    records = told(layertrace, built / "app.tar", *hints, "--stage-cache", built / "cache")
    assert {path: said(record) for path, record in records.items()} == truth
    assert {record["trust"] for record in records.values()} == {"verified"}


def test_build_history_names_stages_without_a_dockerfile(
    layertrace: Command, truth: dict[str, str]
) -> None:
    """What was copied from a stage that is not at hand is unknown, its stage is not."""
    records = told(layertrace, f"docker-daemon:{IMAGE}")
    own = {path: said(record) for path, record in records.items() if path not in COPIED}
    assert own == {path: words for path, words in truth.items() if path not in COPIED}
    for path in COPIED:
        assert records[path]["origin"]["kind"] == "unknown"
        assert records[path]["carried_from"] == "build"


def test_history_and_cache_together_need_no_dockerfile(
    layertrace: Command, built: Path, truth: dict[str, str]
) -> None:
    """The Dockerfile is in the history, the stages are in the cache."""
    hints = ("--stage-cache", built / "cache", "--context", built / "context")
    records = told(layertrace, f"docker-daemon:{IMAGE}", *hints)
    assert {path: said(record) for path, record in records.items()} == truth
    assert {record["trust"] for record in records.values()} == {"verified"}


def test_export_by_buildx_verifies_every_origin(
    layertrace: Command, built: Path, truth: dict[str, str], tmp_path: Path
) -> None:
    """The archive of ``export --build`` needs nothing besides."""
    what = ("--build", built / "context", "-f", built / "Dockerfile", "--network", "none")
    layertrace.run("export", *what, "--builder", "buildkit", "-o", tmp_path / "trace.tar")
    records = told(layertrace, tmp_path / "trace.tar")
    assert {path: said(record) for path, record in records.items()} == truth
    assert {record["trust"] for record in records.values()} == {"verified"}
