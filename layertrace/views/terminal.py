"""What the terminal can do, told without importing anything that draws."""

from __future__ import annotations

import locale
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO


def is_terminal(stream: TextIO | None) -> bool:
    """Say whether a standard stream is a terminal; one that was closed is None."""
    return stream is not None and stream.isatty()


def can_browse() -> bool:
    """Say whether a full-screen view makes sense: a real terminal at both ends."""
    if os.environ.get("TERM", "dumb") == "dumb":
        return False
    return can_draw() and is_terminal(sys.stdout)


def can_draw() -> bool:
    """Say whether a full-screen view is possible: it draws on stderr, and keys come by stdin."""
    return is_terminal(sys.stdin) and is_terminal(sys.stderr)


def utf8_locale() -> bool:
    """Say whether the locale can show more than ASCII."""
    # Not getpreferredencoding(): in the C locale Python itself goes over to UTF-8
    # (PEP 540), and asks for nothing of the terminal.
    return "utf" in locale.getencoding().lower()


def draws_marks() -> bool:
    """Say whether a full-screen view can have marks and frames beyond ASCII."""
    # A font of the Linux console has 512 signs at most: frames, but no ticks, arrows or folds.
    return utf8_locale() and os.environ.get("TERM") != "linux"


def fit_locale(line: str) -> str:
    """Return a line that is safe to show as the locale can show it."""
    from layertrace.views.text import show_name, to_ascii  # noqa: PLC0415 - not for bare --help

    return line if line.isascii() or utf8_locale() else show_name(to_ascii(line), ascii_only=True)
