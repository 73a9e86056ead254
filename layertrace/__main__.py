"""``python -m layertrace`` and the ``layertrace`` script."""

from __future__ import annotations

import sys


def run() -> None:
    """Run the command line and exit with its code."""
    try:
        from layertrace.views.cli import main  # noqa: PLC0415 - nothing to import before

        code = main(sys.argv[1:])
    except KeyboardInterrupt:
        # Before the command began, or after it ended.
        code = 130
    sys.exit(code)


if __name__ == "__main__":
    run()
