"""``python -m layertrace`` and the ``layertrace`` script."""

from __future__ import annotations

import atexit
import gc
import os
import sys
import threading
from contextlib import suppress
from typing import Final, NoReturn

_SELDOM: Final = (100_000, 20, 50)
"""When garbage is looked for: not while modules are loaded, which make half as much."""


def run() -> NoReturn:
    """Run the command line and exit with its code."""
    # What a reading makes lives until its end: looking through all of it for cycles finds none.
    gc.set_threshold(*_SELDOM)
    try:
        from layertrace.views.cli import main  # noqa: PLC0415 - nothing to import before

        code = main(sys.argv[1:])
    except KeyboardInterrupt:
        # Before the command began, or after it ended.
        code = 130
    _leave(code)


def _leave(code: int) -> NoReturn:
    """Exit without taking apart what was read: of a million files, that is half a second.

    All else that is due at an exit is done. Where a thread that is to be waited for is still
    at work, or what was printed cannot be got rid of, Python's own way out deals with it.
    """
    main = threading.main_thread()
    if all(thread.daemon or thread is main for thread in threading.enumerate()):
        with suppress(OSError, ValueError, AttributeError):
            atexit._run_exitfuncs()  # noqa: SLF001 - what Python itself would call now
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    sys.exit(code)


if __name__ == "__main__":
    run()
