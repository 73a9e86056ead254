"""What a zip says it holds, read from its central directory alone: nothing is unpacked.

Source: APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16, 4.4.4 and 4.5.3.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    ReadAt = Callable[[int, int], bytes]

_END: Final = Struct("<4s4H2LH")
_END_MARK: Final = b"PK\5\6"
_FAR_END: Final = Struct("<4sQ2H2L4Q")
_FAR_END_MARK: Final = b"PK\6\6"
_LOCATOR: Final = Struct("<4sLQL")
_LOCATOR_MARK: Final = b"PK\6\7"
_MEMBER: Final = Struct("<4s6H3L5H2L")
_MEMBER_MARK: Final = b"PK\1\2"
_COMMENT: Final = 0xFFFF
_FAR: Final = 0xFFFFFFFF
_FAR_EXTRA: Final = 1
_UTF_8: Final = 0x800
_WINDOW: Final = 1 << 20
_UNIX: Final = 3


class ZipMember(NamedTuple):
    """A member, as the directory has it."""

    name: str
    size: int
    """Unpacked, as it says."""
    crc: int
    mode: int
    """As on Unix, 07777; 0 where that was not told."""


def zip_members(read_at: ReadAt, size: int, *, limit: int) -> tuple[list[ZipMember], bool]:
    """Return up to ``limit`` members, and whether those are all; none where there is no end."""
    found = _directory(read_at, size)
    if found is None:
        return [], False
    start, end, count = found
    members: list[ZipMember] = []
    for member in _members(read_at, start, end):
        if len(members) == limit:
            return members, False
        members.append(member)
    return members, len(members) == count


def _directory(read_at: ReadAt, size: int) -> tuple[int, int, int] | None:
    """Return where the directory starts and ends, and how many members it should have."""
    tail_at = max(0, size - _COMMENT - _END.size)
    tail = read_at(tail_at, size - tail_at)
    at = tail.rfind(_END_MARK, 0, len(tail) - _END.size + len(_END_MARK))
    if at < 0:
        return None
    end = tail_at + at
    *_, count, length, _offset, _ = _END.unpack_from(tail, at)
    if (far := _far_directory(read_at, end)) is not None:
        return far
    # It ends where its end stands: what was put before the zip moved both.
    return max(0, end - length), end, count


def _far_directory(read_at: ReadAt, end: int) -> tuple[int, int, int] | None:
    locator = read_at(end - _LOCATOR.size, _LOCATOR.size) if end >= _LOCATOR.size else b""
    if len(locator) < _LOCATOR.size or not locator.startswith(_LOCATOR_MARK):
        return None
    at = end - _LOCATOR.size - _FAR_END.size
    record = read_at(at, _FAR_END.size) if at >= 0 else b""
    if len(record) < _FAR_END.size or not record.startswith(_FAR_END_MARK):
        return None
    *_, count, length, _offset = _FAR_END.unpack(record)
    return max(0, at - length), at, count


def _members(read_at: ReadAt, start: int, end: int) -> Iterator[ZipMember]:
    window, window_at = b"", start
    at = start
    while at + _MEMBER.size <= end:
        local = at - window_at
        if window_at + len(window) < end and len(window) - local < _MEMBER.size + 3 * _COMMENT:
            window, window_at, local = read_at(at, min(_WINDOW, end - at)), at, 0
        if len(window) - local < _MEMBER.size or not window.startswith(_MEMBER_MARK, local):
            return
        fields = _MEMBER.unpack_from(window, local)
        name_size, extra_size, comment_size = fields[10:13]
        name_at = local + _MEMBER.size
        name = window[name_at : name_at + name_size]
        extra = window[name_at + name_size : name_at + name_size + extra_size]
        yield _member(fields, name, extra)
        at += _MEMBER.size + name_size + extra_size + comment_size


def _member(fields: tuple[int, ...], name: bytes, extra: bytes) -> ZipMember:
    made_by, flags, crc, size, outside = fields[1], fields[3], fields[7], fields[9], fields[15]
    utf_8 = flags & _UTF_8
    return ZipMember(
        name=name.decode("utf-8", "surrogateescape") if utf_8 else name.decode("cp437"),
        size=_far_size(extra) if size == _FAR else size,
        crc=crc,
        mode=outside >> 16 & 0o7777 if made_by >> 8 == _UNIX else 0,
    )


def _far_size(extra: bytes) -> int:
    """Return the size that did not fit: the first of what the extra field has."""
    at = 0
    while at + 4 <= len(extra):
        kind = int.from_bytes(extra[at : at + 2], "little")
        length = int.from_bytes(extra[at + 2 : at + 4], "little")
        if kind == _FAR_EXTRA and length >= 8:  # noqa: PLR2004 - a size
            return int.from_bytes(extra[at + 4 : at + 12], "little")
        at += 4 + length
    return _FAR
