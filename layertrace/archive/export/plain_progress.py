"""What BuildKit's ``--progress=plain`` tells of a build.

Source: BuildKit ``util/progress/progressui``; a RUN's own output has its time
after the number, ``#5 0.123 text``, so it cannot pass for the builder's word.
"""

from __future__ import annotations

import re
from typing import Final

_STEP: Final = re.compile(r"#(\d+) \[(?:[^\]]* )?\d+/\d+\] (.*)")
"""``#7 [build 3/4] COPY package.json ./``."""
_CACHED: Final = re.compile(r"#(\d+) CACHED")
_FAILED: Final = re.compile(
    r"(?:ERROR: )?(?:failed to build: )?failed to solve(?: with frontend [^:]+)?: (.+)"
)


class BuildSteps:
    """What the plain progress of one build tells."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._cached: set[str] = set()
        self._failure = ""
        self._last = "it gave no reason"

    def read(self, line: str) -> str | None:
        """Take in one line; return the step it starts, if it starts one."""
        if found := _STEP.fullmatch(line):
            self._names[found[1]] = found[2]
            return found[2]
        if found := _CACHED.fullmatch(line):
            self._cached.add(found[1])
        elif found := _FAILED.match(line):
            self._failure = found[1]
        self._last = line.strip() or self._last
        return None

    @property
    def failure(self) -> str:
        """What the builder says of its failure, else the last it said."""
        return self._failure or self._last

    @property
    def all_cached(self) -> bool:
        """Whether no step ran; a FROM is never said to be cached.

        False where no step was seen: some other command may go by the name docker.
        """
        return bool(self._names) and all(
            number in self._cached or name.startswith("FROM ")
            for number, name in self._names.items()
        )
