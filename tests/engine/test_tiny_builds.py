"""The small samples, built anew by both builders, against their expected answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sample_support import SampleAnswers

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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


class TestBuiltSample(SampleAnswers):
    """Every archive that the engine builds."""
