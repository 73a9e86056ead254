"""Where an error that nobody foresaw came from, kept in a file for whoever reports it.

Lines of our own code and of what it calls, and no more: neither local variables nor the
words of the error, for both may hold what stood in a file of an image.
"""

from __future__ import annotations

import os
import platform
import traceback
from typing import TYPE_CHECKING, Final

from layertrace import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME: Final = "crash.log"
_DEEPEST: Final = 200
"""Frames of one error; of one that called itself without end that is enough."""
_CHAIN: Final = 10
"""Errors that led to one another."""


def keep_crash(error: BaseException, folder: Path) -> Path | None:
    """Write the way to an error to a file in ``folder``, over that of the one before.

    Returns:
        The file; None where it cannot be written.
    """
    path = folder / NAME
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Made anew: whose file stands there already, and where a link leads, does not matter.
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(f"{line}\n" for line in _lines(error))
    except OSError:
        return None
    return path


def _lines(error: BaseException) -> Iterator[str]:
    yield f"layertrace {__version__}, Python {platform.python_version()}, {platform.platform()}"
    chain: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in chain and len(chain) < _CHAIN:
        chain.append(each)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    for number, one in enumerate(reversed(chain)):
        if number:
            yield "and while that was handled, or because of it:"
        for frame in traceback.extract_tb(one.__traceback__, limit=-_DEEPEST):
            yield f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}'
            yield f"    {frame.line}"
        yield type(one).__qualname__
