"""What the tests of the command line share."""

from __future__ import annotations

import gc
import lzma
from typing import TYPE_CHECKING

import pytest

from tests.cli_support import Cli
from tests.sample_support import SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OURS = ("NO_COLOR", "COLUMNS", "LC_ALL", "LC_CTYPE", "DOCKER_CONTEXT", "CI")


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the test's own, with an empty cache and no engine; the current one."""
    for name in _OURS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LAYERTRACE_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no.sock")
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def sockets_closed() -> Iterator[None]:
    """Nothing of the test's connections is left for the next one."""
    yield
    gc.collect()


@pytest.fixture
def cli(alone: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Cli:
    """The command line, with nothing known from before."""
    return Cli(capsysbinary)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The multi-stage sample, unpacked once."""
    path = tmp_path_factory.mktemp("sample") / "multistage.tar"
    path.write_bytes(lzma.decompress((SAMPLES / "tiny-app" / "multistage.tar.xz").read_bytes()))
    return path
