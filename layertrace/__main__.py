"""``python -m layertrace`` and the ``layertrace`` script."""

from __future__ import annotations

import sys


def run() -> None:
    """Run the command line and exit with its code."""
    from layertrace.views.cli import main  # noqa: PLC0415 - nothing to import before

    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
