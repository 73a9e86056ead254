"""The archives beside the small samples against their expected answers, without an engine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.sample_support import SAMPLES, Command, SampleAnswers

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("multistage", "multistage-classic", "regular")


@pytest.fixture(scope="module")
def layertrace(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Return the command, with a cache of its own."""
    home = str(tmp_path_factory.mktemp("cache"))
    return Command(environment={**os.environ, "XDG_CACHE_HOME": home})


@pytest.fixture(scope="module", params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    """Return which archive."""
    return str(request.param)


@pytest.fixture(scope="module")
def kind(name: str) -> str:
    """Return the Dockerfile it was built from."""
    return name.partition("-")[0]


@pytest.fixture(scope="module")
def archive(name: str) -> Path:
    """Return its path."""
    return SAMPLES / "tiny-app" / f"{name}.tar.xz"


class TestShippedSample(SampleAnswers):
    """Every archive that is shipped."""


def test_the_archives_are_small_enough_to_ship() -> None:
    """Together they stay below 5 MB."""
    archives = list((SAMPLES / "tiny-app").glob("*.tar.*"))
    assert sorted(path.name for path in archives) == sorted(f"{n}.tar.xz" for n in NAMES)
    assert sum(path.stat().st_size for path in archives) < 5_000_000
