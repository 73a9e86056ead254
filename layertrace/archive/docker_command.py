"""The ``docker`` commands on PATH; several may be there, of different abilities."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_TIMEOUT: Final = 20


def docker_commands() -> Iterator[Path]:
    """Yield every ``docker`` on PATH, the first first."""
    for folder in os.get_exec_path():
        docker = Path(folder, "docker")
        if os.access(docker, os.X_OK) and not docker.is_dir():
            yield docker


def ask(docker: Path, *arguments: str) -> str | None:
    """Return what the command prints, None where it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - the docker command on PATH, no shell
            (docker, *arguments),
            capture_output=True,
            check=True,
            encoding="utf-8",
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_TIMEOUT,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
