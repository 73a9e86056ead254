"""The command under test and where the samples are, for tests with a real engine."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT: Final = Path(__file__).resolve().parents[2]
SAMPLES: Final = ROOT / "sample_images"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """``python -m layertrace``, with a cache of its own."""

    environment: Mapping[str, str]

    def run(self, *words: str | Path, timeout: float = 900) -> str:
        """Return what the command prints; it must end with 0."""
        done = subprocess.run(  # noqa: S603 - the command under test
            [sys.executable, "-m", "layertrace", *map(str, words)],
            cwd=ROOT,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0, f"{words}: exit {done.returncode}\n{done.stderr[-2000:]}"
        return done.stdout

    def json(self, *words: str | Path) -> dict[str, Any]:
        """Return the envelope of a reading command."""
        envelope: dict[str, Any] = json.loads(self.run(*words, "--json"))
        assert envelope["schema"] == f"layertrace.{words[0]}/1"
        return envelope
