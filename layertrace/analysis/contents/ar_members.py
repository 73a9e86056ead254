"""The members of an ``ar`` archive: a Debian package, a static library.

Source: ar(5) of BSD and GNU binutils; deb(5).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    ReadAt = Callable[[int, int], bytes]

MAGIC: Final = b"!<arch>\n"
_HEAD: Final = 60
_NAME: Final = 4_096
_NAMES: Final = 4 << 20
_INDEXES: Final = ("/", "/SYM64/", "__.SYMDEF", "__.SYMDEF SORTED")


class ArMember(NamedTuple):
    """A member and where its content stands."""

    name: str
    offset: int
    size: int


def ar_members(read_at: ReadAt, size: int, *, limit: int) -> tuple[list[ArMember], bool]:
    """Return up to ``limit`` members, indexes left out, and whether those are all."""
    members: list[ArMember] = []
    at, end, names = len(MAGIC), len(MAGIC), b""
    while at < size:
        head = read_at(at, _HEAD)
        length = head[48:58].strip()
        if len(head) < _HEAD or head[58:60] != b"`\n" or not length.isdigit():
            return members, False
        if len(members) == limit:
            return members, False
        content, stored = at + _HEAD, int(length)
        # Members start at even places.
        end = content + stored
        at = end + stored % 2
        name = head[:16].rstrip()
        if name == b"//":
            names = read_at(content, min(stored, _NAMES))
            continue
        member = _named(read_at, name, names, content, stored)
        if member.name not in _INDEXES:
            members.append(member)
    return members, end <= size


def _named(read_at: ReadAt, short: bytes, names: bytes, offset: int, size: int) -> ArMember:
    if short[:1] == b"/" and short[1:].isdigit():
        start = int(short[1:])
        name = names[start : start + _NAME].split(b"\n", 1)[0].removesuffix(b"/")
    elif short.startswith(b"#1/") and short[3:].isdigit():
        length = min(int(short[3:]), size)
        name = read_at(offset, min(length, _NAME)).rstrip(b"\0")
        offset, size = offset + length, size - length
    else:
        name = short.removesuffix(b"/") if len(short) > 1 and short != b"/SYM64/" else short
    return ArMember(name.decode("utf-8", "surrogateescape"), offset, size)
