r"""How large a picture is, by its header alone.

Sources: PNG 1.2 section 11.2.2 (IHDR); GIF89a section 18; ITU-T T.81 annex B (JPEG); RFC 9649
section 2 (WebP) and RFC 6386 section 9.1 (its VP8 frames); MS-DOS ico directories as Windows reads
them; SVG 2 section 8.2 (width, height and viewBox).

>>> picture_of(b"GIF89a\x20\x00\x10\x00")
Picture(width=32, height=16)
"""

from __future__ import annotations

import re
import struct
from typing import Final, NamedTuple

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_JPEG: Final = b"\xff\xd8\xff"
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of a JPEG that are followed by its size."""
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers that nothing belongs to."""
_ICO_ENTRY: Final = struct.Struct("<BBxxHHII")
_ICO_HEAD: Final = 6
_SVG_HEAD: Final = 1 << 14
"""Bytes in which the tag of an SVG has to end: licences stand above it."""
# No part can match in two ways, so that none of it takes more than one pass.
_SVG: Final = re.compile(rb"<svg(?=[\s>])[^>]*>")
_SIZES: Final = re.compile(rb"""\s(width|height|viewBox)\s*=\s*["']([^"'<>]{1,80})["']""")
_LENGTH: Final = re.compile(rb"([0-9]{1,6})(?:\.[0-9]{0,9})?(?:px)?")


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
    if head.startswith(_JPEG):
        return _jpeg(head)
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return _webp(head)
    return _ico(head) if head.startswith(b"\0\0\1\0") else _svg(head[:_SVG_HEAD])


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


def _webp(head: bytes) -> Picture | None:
    form, at = head[12:16], head[20:30]
    if len(head) < 30:  # noqa: PLR2004 - what every form has before its pixels
        return None
    if form == b"VP8X":
        width, height = at[4:7], at[7:10]
        return Picture(int.from_bytes(width, "little") + 1, int.from_bytes(height, "little") + 1)
    if form == b"VP8L" and at[0] == 0x2F:  # noqa: PLR2004 - its signature
        bits = int.from_bytes(at[1:5], "little")
        return Picture((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if form == b"VP8 " and at[3:6] == b"\x9d\x01\x2a":
        # The upper two bits say how it is scaled, which nobody does.
        sizes = int.from_bytes(at[6:10], "little")
        return Picture(sizes & 0x3FFF, sizes >> 16 & 0x3FFF)
    return None


def _ico(head: bytes) -> Picture | None:
    """Return the largest of the pictures of an icon."""
    count = int.from_bytes(head[4:_ICO_HEAD], "little")
    end = _ICO_HEAD + count * _ICO_ENTRY.size
    if not 0 < count <= 256 or len(head) < end:  # noqa: PLR2004 - more sizes than there are
        return None
    found: list[Picture] = []
    for width, height, planes, _, size, offset in _ICO_ENTRY.iter_unpack(head[_ICO_HEAD:end]):
        if planes > 1 or not size or offset < end:
            return None
        # A byte has no 256.
        found.append(Picture(width or 256, height or 256))
    return max(found, key=lambda picture: picture.width * picture.height)


def _svg(head: bytes) -> Picture | None:
    """Return the size an SVG asks for, else that of what it draws on."""
    if not head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"<?xml", b"<!", b"<svg")):
        return None
    tag = _SVG.search(head)
    if tag is None:
        return None
    told = {name: value.strip() for name, value in _SIZES.findall(tag[0])}
    lengths = [_LENGTH.fullmatch(told.get(name, b"")) for name in (b"width", b"height")]
    if not all(lengths):
        box = re.split(rb"[\s,]+", told.get(b"viewBox", b""))
        lengths = [_LENGTH.fullmatch(each) for each in box[2:4]]
    sizes = [int(match[1]) for match in lengths if match is not None]
    return Picture(*sizes) if len(sizes) == 2 else None  # noqa: PLR2004 - width and height
