r"""How large a picture is, by its header alone.

Sources: PNG 1.2 section 11.2.2 (IHDR); GIF89a section 18; ITU-T T.81 annex B (JPEG).

>>> picture_of(b"GIF89a\x20\x00\x10\x00")
Picture(width=32, height=16)
"""

from __future__ import annotations

from typing import Final, NamedTuple

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG that are followed by its size."""
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers that nothing belongs to."""


class Picture(NamedTuple):
    """Pixels."""

    width: int
    height: int


def picture_of(head: bytes) -> Picture | None:
    """Return the size of a picture that begins like this; None where it does not say."""
    if head.startswith(_PNG) and head[12:16] == b"IHDR" and len(head) >= 24:  # noqa: PLR2004 - both sizes
        return Picture(int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big"))
    if head.startswith((b"GIF87a", b"GIF89a")) and len(head) >= 10:  # noqa: PLR2004 - both sizes
        return Picture(int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little"))
    return _jpeg(head) if head.startswith(_JPEG) else None


def _jpeg(head: bytes) -> Picture | None:
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:  # noqa: PLR2004 - what every marker begins with
        marker = head[at + 1]
        if marker in _FRAMES:
            height, width = head[at + 5 : at + 7], head[at + 7 : at + 9]
            return Picture(int.from_bytes(width, "big"), int.from_bytes(height, "big"))
        if marker == 0xFF:  # noqa: PLR2004 - filled up
            at += 1
        elif marker in _ALONE:
            at += 2
        else:
            at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None
