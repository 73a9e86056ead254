"""One run of a command: its wall time, processor time and peak memory."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from statistics import median
from typing import IO, TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_KIB: Final = 1024
_LAST_BYTES: Final = 2000


class BenchError(Exception):
    """Something that whoever measures can act on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one whole process cost."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds, user and system."""
    peak: int
    """Bytes resident at most.

    A process starts as a copy of the one that starts it, so this is never less
    than what the measuring process itself takes (about 20 MiB).
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Several runs of the same command: medians, but the highest peak."""

    wall: float
    cpu: float
    peak: int
    runs: int
    spread: float
    """Seconds between the fastest run and the slowest."""


def summarize(runs: Sequence[Run]) -> Summary:
    """Return what stands for all of ``runs``."""
    walls = [run.wall for run in runs]
    return Summary(
        wall=median(walls),
        cpu=median(run.cpu for run in runs),
        peak=max(run.peak for run in runs),
        runs=len(runs),
        spread=max(walls) - min(walls),
    )


def measure(
    argv: Sequence[str], *, env: Mapping[str, str], log: IO[bytes], codes: frozenset[int]
) -> Run:
    """Run a command to its end.

    Args:
        argv: the command.
        env: its whole environment.
        log: takes what it prints, both streams.
        codes: the exit codes that mean it did its work.

    Raises:
        BenchError: it ended otherwise.
    """
    log.seek(0)
    log.truncate()
    start = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - the commands that are compared
        argv, env=dict(env), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
    )
    # Not process.wait(): only this tells what the one child has used.
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in codes:
        log.seek(0)
        said = log.read()[-_LAST_BYTES:].decode(errors="replace")
        raise BenchError(f"{' '.join(argv)}: ended with {process.returncode}\n{said}")
    return Run(wall=wall, cpu=usage.ru_utime + usage.ru_stime, peak=usage.ru_maxrss * _KIB)


def warm(path: str) -> None:
    """Read a file once, so that every run finds it in memory."""
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123
        while file.read(1 << 22):
            pass
