"""Giving the terminal to a pager for a while."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING, Final

from layertrace.errors import StoppedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AbstractContextManager
    from typing import IO

_DEFAULT: Final = "less -R"


def pager_words(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Return the user's pager with its options.

    Raises:
        UsageError: there is no such program, or its words cannot be told apart.
    """
    chosen = environ.get("PAGER", "").strip() or _DEFAULT
    try:
        words = shlex.split(chosen)
    except ValueError as error:
        raise UsageError(f"PAGER={chosen}: {error}") from error
    if shutil.which(words[0]) is None:
        raise UsageError(f"there is no pager {words[0]}", hint="set PAGER to one that you have")
    return words


def put_aside(lines: Iterable[str], stop: Callable[[], bool]) -> IO[bytes]:
    """Return a file that vanishes when closed, with lines that are safe to show.

    Raises:
        StoppedError: ``stop`` returned True.
    """
    # Closed by whoever shows it.
    file = tempfile.TemporaryFile(prefix="layertrace-")  # noqa: SIM115
    for line in lines:
        if stop():
            file.close()
            raise StoppedError
        file.write(f"{line}\n".encode("utf-8", "backslashreplace"))
    file.seek(0)
    return file


def show_in_pager(
    words: list[str], file: IO[bytes], suspended: Callable[[], AbstractContextManager[None]]
) -> None:
    """Run a pager on a file while the terminal is its own, and close the file.

    Raises:
        UsageError: it cannot be started.
        Exception: whatever ``suspended`` raises where the terminal cannot be given away.
    """
    # What is shown comes out of an image: less is to run no filter and no editor on it.
    env = {k: v for k, v in os.environ.items() if k not in {"LESSOPEN", "LESSCLOSE"}}
    with file, suspended():
        try:
            subprocess.run(words, stdin=file, env=env | {"LESSSECURE": "1"}, check=False)  # noqa: S603 - the user's own
        except OSError as error:
            raise UsageError(f"{words[0]} cannot be run: {error.strerror}") from error
