"""How tests are shared out among workers (by file, an engine's together), and what all share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

    from tests.audit_support import Bench


# How long making an input takes says more of the machine than of the test.
settings.register_profile("patient", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Give all tests of one engine to one worker: they share bases, tags and archives."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - only where workers are asked for

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "tests/engine" if file.startswith("tests/engine/") else file

    return ByFile(config, log)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """Audits images that a test writes out."""
    # Few tests want it.
    from tests.audit_support import Bench  # noqa: PLC0415

    bench = Bench(tmp_path)
    yield bench
    bench.close()
