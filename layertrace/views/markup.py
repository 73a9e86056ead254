"""Text that Markdown shows as it is: what stands in an image forges no table and no link."""

from __future__ import annotations

from typing import Final

_SPECIAL: Final = str.maketrans({char: f"\\{char}" for char in "\\`*_{}[]<>()#+-.!|~@&$"})


def escape_markdown(text: str) -> str:
    r"""Return one line of text, safe to show, for Markdown.

    >>> escape_markdown("a|b <x>")
    'a\\|b \\<x\\>'
    """
    return text.translate(_SPECIAL)
