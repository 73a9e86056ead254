"""What the terminal can do, told without importing anything that draws."""

from __future__ import annotations

import locale
import os
import sys


def can_browse() -> bool:
    """Say whether a full-screen view makes sense: a real terminal at both ends."""
    if os.environ.get("TERM", "dumb") == "dumb":
        return False
    # Textual draws on stderr, and reads keys from stdin.
    return sys.stdin.isatty() and sys.stdout.isatty() and sys.stderr.isatty()


def utf8_locale() -> bool:
    """Say whether the locale can show more than ASCII."""
    return "utf" in locale.getpreferredencoding(do_setlocale=False).lower()
