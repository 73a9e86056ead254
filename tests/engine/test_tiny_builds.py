"""The small samples, built anew by both builders, against their expected answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sample_support import (
    check_contents,
    check_files,
    check_heads,
    check_removed,
    tiny_answers,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.sample_support import Command

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module", params=["multistage", "regular"])
def kind(request: pytest.FixtureRequest) -> str:
    """Return which of the two Dockerfiles."""
    return str(request.param)


@pytest.fixture(scope="module")
def archive(
    kind: str,
    builder: str,
    make_bases: Callable[[str], None],
    export: Callable[[str, str, str], Path],
) -> Path:
    """Return the trace archive of one build."""
    make_bases("tiny")
    return export("tiny-app", kind, builder)


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
