"""What tests of audits share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.audit_support import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Audits images that a test writes out."""
    bench = Bench(tmp_path)
    yield bench
    bench.close()
