"""``python -m layertrace`` and the ``layertrace`` script."""

from __future__ import annotations

import gc
import sys
from typing import Final

_SELDOM: Final = (50_000, 20, 50)


def run() -> None:
    """Run the command line and exit with its code."""
    # What a reading makes lives until its end: looking through all of it for cycles finds none.
    gc.set_threshold(*_SELDOM)
    try:
        from layertrace.views.cli import main  # noqa: PLC0415 - nothing to import before

        code = main(sys.argv[1:])
    except KeyboardInterrupt:
        # Before the command began, or after it ended.
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    run()
