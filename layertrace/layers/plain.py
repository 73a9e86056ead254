"""Headers of the common kinds, read without ``tarfile``: many at a time, each checked.

Plain ustar and GNU headers, alone or behind one PAX header or GNU long names that
say nothing but what nearly all say. Whatever else stands in a tar,
:mod:`layertrace.layers.headers` reads.

Source: POSIX ``pax``, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass, field
from typing import Final

from layertrace.model.entry import EntryKind

BLOCK: Final = 512
SPAN: Final = 8 * BLOCK
"""Bytes that all headers of one member may take to be read here."""

Owner = tuple[int, int, int]

_FILE: Final = int(EntryKind.FILE)
_SYMLINK: Final = int(EntryKind.SYMLINK)
_HARDLINK: Final = int(EntryKind.HARDLINK)
_LINKS: Final = frozenset({_SYMLINK, _HARDLINK})
_KINDS: Final = {
    ord("0"): _FILE,
    ord("1"): _HARDLINK,
    ord("2"): _SYMLINK,
    ord("5"): int(EntryKind.DIR),
}
TYPE: Final = 156
"""Where in a header its type stands."""
_PAX: Final = ord("x")
_LONG_NAME: Final = ord("L")
EXTENDED: Final = frozenset({_PAX, _LONG_NAME, ord("K")})
"""Types of the extended headers that are read here."""
_FIELDS: Final = struct.Struct("100s24s12s12s8s")
"""Name; mode, uid and gid; size; time; checksum."""
_PADDING: Final = b"\0 "
_USTAR: Final = b"ustar\0"
_MOST_VALUES: Final = 4096
"""Different owners or times remembered at once."""
_MOST_SUMS: Final = 1 << 16
"""As many as a header of ASCII can have: each is met often."""
_RECORD: Final = re.compile(rb"([0-9]{1,4}) ([A-Za-z0-9._-]{1,128})=")
_NAMES: Final = {"path": "name", "linkpath": "link"}
_NUMBER: Final = re.compile(rb"[0-9]{1,18}")
_NUMBERS: Final = {
    "size": _NUMBER,
    "uid": _NUMBER,
    "gid": _NUMBER,
    "mtime": re.compile(rb"-?[0-9]{1,15}(?:\.[0-9]{1,18})?"),
}
_CAPABILITY: Final = "SCHILY.xattr.security.capability"
_IGNORED: Final = frozenset({"atime", "ctime", "uname", "gname", "comment"})
_IGNORED_STARTS: Final = ("SCHILY.", "LIBARCHIVE.", "MSWINDOWS.")
"""Records of what no index holds."""


class _Sums(dict[bytes, int]):
    """A checksum's field to what adler32 makes of a header that has it.

    Its low half is one more than the sum of the bytes, modulo 65521, which 512
    bytes of ASCII cannot reach; in the checksum the field itself counts as blanks.
    """

    def __missing__(self, stored: bytes) -> int:
        value = int(stored.rstrip(_PADDING), 8) + sum(stored) - 255
        if len(self) < _MOST_SUMS:
            self[stored] = value
        return value


class _Owners(dict[bytes, Owner]):
    """Fields of mode, uid and gid to their numbers."""

    def __missing__(self, fields: bytes) -> Owner:
        mode, uid, gid = (int(fields[i : i + 8].rstrip(_PADDING), 8) for i in (0, 8, 16))
        value = mode & 0o7777, uid, gid
        if len(self) < _MOST_VALUES:
            self[fields] = value
        return value


class _Times(dict[bytes, int]):
    """The field of a time to its number."""

    def __missing__(self, stored: bytes) -> int:
        value = int(stored.rstrip(_PADDING), 8)
        if len(self) < _MOST_VALUES:
            self[stored] = value
        return value


@dataclass(slots=True)
class Told:
    """What extended headers say of the member behind them."""

    size: int
    """Bytes of those headers."""
    name: bytes | None = None
    link: bytes | None = None
    numbers: dict[str, int] = field(default_factory=dict)
    capability: bytes | None = None


class PlainRows:
    """Members whose headers were read, in columns, until a walk takes them over."""

    def __init__(self) -> None:
        """Begin with none."""
        self._sums, self._owners, self._times = _Sums(), _Owners(), _Times()
        self.clear()

    def clear(self) -> None:
        """Drop all rows."""
        self.names: list[bytes] = []
        """As wide as their field: zeros may follow."""
        self.kinds = bytearray()
        self.sizes: list[int] = []
        self.owners: list[Owner] = []
        self.mtimes: list[int] = []
        self.contents: list[int] = []
        """Where contents start."""
        self.links: dict[int, bytes] = {}
        self.capabilities: dict[int, bytes] = {}

    def __len__(self) -> int:
        return len(self.names)

    def take(self, window: bytes, start: int, position: int, most: int) -> int:  # noqa: C901, PLR0915
        """Read headers from ``position`` on until one is not plain, or not in the window.

        One loop without a call of ours, and a local name for all it uses: a layer
        may have a million headers.

        Args:
            window: part of the tar.
            start: where in the tar the window starts.
            position: where the first header stands.
            most: how many to read at most.

        Returns:
            Where the first header stands that was not read.
        """
        sums, owners, times, unpack = self._sums, self._owners, self._times, _FIELDS.unpack_from
        names, kinds, sizes, contents = self.names, self.kinds, self.sizes, self.contents
        all_owners, mtimes = self.owners, self.mtimes
        local, last = position - start, len(window) - BLOCK
        for number in range(len(names), len(names) + most):
            if local > last:
                break
            header = window[local : local + BLOCK]
            kind = _KINDS.get(header[TYPE])
            if kind is None:
                break
            name, owner, stored_size, time, stored_sum = unpack(header)
            try:
                total = zlib.adler32(header) & 0xFFFF if header.isascii() else sum(header) + 1
                if sums[stored_sum] != total:
                    break
                numbers, mtime = owners[owner], times[time]
                size = int(stored_size.rstrip(_PADDING), 8) if kind == _FILE else 0
            except ValueError:
                break
            if size < 0:
                break
            if header[345] and header[257:263] == _USTAR:
                first = header[345:500].partition(b"\0")[0]
                name = first + b"/" + name.partition(b"\0")[0]
            if kind in _LINKS:
                self.links[number] = header[157:257].partition(b"\0")[0]
            names.append(name)
            kinds.append(kind)
            sizes.append(size)
            all_owners.append(numbers)
            mtimes.append(mtime)
            contents.append(start + local + BLOCK)
            local += BLOCK + (size + BLOCK - 1 & -BLOCK)
        return start + local

    def read_extended(self, span: bytes) -> Told | None:
        """Read the extended headers in front of a member; None where tarfile is to be asked.

        Args:
            span: the tar from the first of them on; what does not end in it is not read.
        """
        told, seen = Told(size=0), set[int]()
        while len(span) > told.size + TYPE and (kind := span[told.size + TYPE]) in EXTENDED:
            content = self._extended(span, told.size)
            # A second PAX header, or one beside long names, has rules of its own.
            if content is None or seen & {_PAX, kind} or (seen and kind == _PAX):
                return None
            seen.add(kind)
            if not (_read_records if kind == _PAX else _read_name)(content, kind, told):
                return None
            told.size += BLOCK + (len(content) + BLOCK - 1 & -BLOCK)
        return told if told.size + BLOCK <= len(span) else None

    def amend(self, told: Told) -> int:
        """Give the last row what its extended headers say; return where the next header stands."""
        number = len(self.names) - 1
        if told.name is not None:
            self.names[number] = told.name
        if told.link is not None and number in self.links:
            self.links[number] = told.link
        if told.capability is not None:
            self.capabilities[number] = told.capability
        if told.numbers:
            numbers, (mode, uid, gid) = told.numbers, self.owners[number]
            self.owners[number] = mode, numbers.get("uid", uid), numbers.get("gid", gid)
            self.mtimes[number] = numbers.get("mtime", self.mtimes[number])
            if self.kinds[number] == _FILE:
                self.sizes[number] = numbers.get("size", self.sizes[number])
        return self.contents[number] + (self.sizes[number] + BLOCK - 1 & -BLOCK)

    def _extended(self, span: bytes, start: int) -> bytes | None:
        """Return what an extended header holds, None where it is not whole or not plain."""
        header = span[start : start + BLOCK]
        try:
            total = zlib.adler32(header) & 0xFFFF if header.isascii() else sum(header) + 1
            size = int(header[124:136].rstrip(_PADDING), 8)
            if len(header) < BLOCK or size < 0 or self._sums[header[148:156]] != total:
                return None
            # Of no use here, but tarfile refuses a header whose numbers are none.
            self._owners[header[100:124]], self._times[header[136:148]]
        except ValueError:
            return None
        content = span[start + BLOCK : start + BLOCK + size]
        return content if len(content) == size else None


def _read_name(data: bytes, kind: int, told: Told) -> bool:
    """Read a GNU long name or link target; False where it is of nothing."""
    text = data.partition(b"\0")[0]
    if kind == _LONG_NAME:
        told.name = text
    else:
        told.link = text
    return bool(text)


def _read_records(data: bytes, _: int, told: Told) -> bool:
    """Read the records of a PAX header; False where one is not of those that nearly all have."""
    position = 0
    while position < len(data):
        found = _RECORD.match(data, position)
        if found is None:
            return False
        end = position + int(found[1])
        if not found.end() < end <= len(data) or data[end - 1] != ord("\n"):
            return False
        if not _read_record(found[2].decode(), data[found.end() : end - 1], told):
            return False
        position = end
    return True


def _read_record(keyword: str, value: bytes, told: Told) -> bool:
    """Take one record over; False where it is for tarfile to read."""
    if keyword in _NAMES:
        if not value or b"\0" in value:
            return False
        setattr(told, _NAMES[keyword], value)
    elif keyword in _NUMBERS:
        if _NUMBERS[keyword].fullmatch(value) is None:
            return False
        told.numbers[keyword] = int(float(value) // 1) if keyword == "mtime" else int(value)
    elif keyword == _CAPABILITY:
        told.capability = value
    else:
        return keyword in _IGNORED or keyword.startswith(_IGNORED_STARTS)
    return True
