"""The archives beside the small samples against their expected answers, without an engine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.sample_support import (
    SAMPLES,
    Command,
    check_contents,
    check_files,
    check_heads,
    check_removed,
    tiny_answers,
)

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


def test_every_expected_file_has_its_answer(archive: Path, kind: str, layertrace: Command) -> None:
    """Layer, change, origin, trust and hops are those written beside the sample."""
    check_files(layertrace, archive, tiny_answers(kind))


def test_a_file_says_itself_what_made_it(archive: Path, kind: str, layertrace: Command) -> None:
    """The shipped bytes carry the words of the instruction that wrote them."""
    check_contents(layertrace, archive, tiny_answers(kind))


def test_removed_files_are_told_and_others_are_not_there(
    archive: Path, kind: str, layertrace: Command
) -> None:
    """A removed file shows with ``--all`` only; what stayed behind never does."""
    check_removed(layertrace, archive, tiny_answers(kind))


def test_layers_and_stages_are_those_of_the_dockerfile(
    archive: Path, kind: str, layertrace: Command
) -> None:
    """Layers above the base have their lines, stages their bases and carriers."""
    check_heads(layertrace, archive, tiny_answers(kind))


def test_the_archives_are_small_enough_to_ship() -> None:
    """Together they stay below 5 MB."""
    archives = list((SAMPLES / "tiny-app").glob("*.tar.*"))
    assert sorted(path.name for path in archives) == sorted(f"{n}.tar.xz" for n in NAMES)
    assert sum(path.stat().st_size for path in archives) < 5_000_000
