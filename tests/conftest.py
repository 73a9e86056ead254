"""How the tests are shared out among workers: by file, those of the engine together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Give all tests of one engine to one worker: they share bases, tags and archives."""
    from xdist.scheduler import LoadScopeScheduling  # noqa: PLC0415 - only where workers are asked for

    class ByFile(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            file = nodeid.partition("::")[0]
            return "tests/engine" if file.startswith("tests/engine/") else file

    return ByFile(config, log)
