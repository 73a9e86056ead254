"""Tar headers to members, as ``tarfile`` reads them.

Common headers :mod:`layertrace.layers.plain` reads; every other one (sparse files,
devices, base-256 numbers, anything odd) is read by the standard library's
``tarfile``, whose reading is the rule for both, except that

- bytes 345 to 500 are a name's first part in ustar headers only: GNU's hold
  times there, which ``tarfile`` takes for a name;
- of several extended headers of one type the last counts, and a GNU long name
  of nothing not at all;
- the size of a sparse file is the expanded one, whatever the order of its PAX
  records;
- a field that a plain entry's kind does not use is not looked at;
- numbers beyond 64 bits, names with a NUL and more headers in front of one
  member than any program writes are damage.

Source: POSIX ``pax``, "ustar Interchange Format"; GNU tar manual, "Basic Tar
Format" and "Storing Sparse Files".
"""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from layertrace.errors import LimitError
from layertrace.layers.plain import BLOCK
from layertrace.model.entry import EntryKind
from layertrace.model.limits import DEFAULTS
from layertrace.model.pax import PaxGuard, records_alone

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Self

    from layertrace.layers.plain import Owner
    from layertrace.model.limits import Limits

    Read = Callable[[int, int], bytes]

MAX_HEADERS: Final = 4
"""Bytes of all headers and sparse maps of one member, in those that one PAX header may have."""
MAX_EXTENDED: Final = 32
"""Extended headers that count in front of one member; tar programs write three at most."""

Member = tuple[str, int, int, "Owner", int, str]
"""Name, kind, size, (mode, uid, gid), mtime, link target."""

_SYMLINK: Final = int(EntryKind.SYMLINK)
_HARDLINK: Final = int(EntryKind.HARDLINK)
_LINKS: Final = frozenset({_SYMLINK, _HARDLINK})
_KINDS: Final = {
    tarfile.REGTYPE: EntryKind.FILE,
    tarfile.AREGTYPE: EntryKind.FILE,
    tarfile.CONTTYPE: EntryKind.FILE,
    tarfile.GNUTYPE_SPARSE: EntryKind.FILE,
    tarfile.LNKTYPE: EntryKind.HARDLINK,
    tarfile.SYMTYPE: EntryKind.SYMLINK,
    tarfile.CHRTYPE: EntryKind.CHAR,
    tarfile.BLKTYPE: EntryKind.BLOCK,
    tarfile.DIRTYPE: EntryKind.DIR,
    tarfile.FIFOTYPE: EntryKind.FIFO,
}
_PAX_TYPES: Final = frozenset({tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE})
_EXTENDED_TYPES: Final = _PAX_TYPES | {tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK}
_USTAR: Final = b"ustar\0"
_CAPABILITY: Final = "SCHILY.xattr.security.capability"
_EXPANDED_SIZES: Final = ("GNU.sparse.realsize", "GNU.sparse.size")
_ZERO_BLOCK: Final = bytes(BLOCK)
_HARMLESS_GLOBALS: Final = frozenset({"comment"})
_INT64: Final = range(-(1 << 63), 1 << 63)


class DamagedHeaderError(ValueError):
    """A header that is none, or beyond a limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OddMember:
    """A member as tarfile reads it."""

    member: Member | None
    """None: of a type that no container sees."""
    type: bytes
    content: int
    """Where its content starts."""
    stored: int
    """Bytes of content that stand there."""
    end: int
    """Where the next header starts."""
    device: tuple[int, int] | None
    capability: bytes | None
    sparse: tuple[tuple[int, int], ...] | None


class OddDecoder:
    """Headers that tarfile reads, one member with all its extended headers at a time."""

    def __init__(self, limits: Limits = DEFAULTS) -> None:
        self._limits = limits
        empty = io.BytesIO(bytes(2 * BLOCK))
        self._tar = tarfile.TarFile(fileobj=empty, encoding="utf-8", errors="surrogateescape")
        self._guard = PaxGuard()

    @property
    def plain(self) -> bool:
        """No global header has changed how the headers to come are read."""
        return not self._tar.pax_headers.keys() - _HARMLESS_GLOBALS

    def decode(self, read: Read, position: int) -> OddMember:
        """Return the member whose first header stands at ``position``.

        Args:
            read: returns so many bytes from an offset of the tar, fewer at its end.
            position: an offset.

        Raises:
            DamagedHeaderError: a header is damaged.
            LimitError: a header is beyond a limit.
            EOFError: the tar ends inside the headers.
        """
        try:
            extended, start = self._take_extended(read, position)
            if read(start, BLOCK) == _ZERO_BLOCK:
                return _nothing(start)
            self._tar.fileobj = _HeaderFile(read, start, extended, self._limits)
            self._tar.offset = start - len(extended)
            self._guard.apply(len(self._tar.pax_headers))
            info = _Info.fromtarfile(self._tar)
            return _odd_member(info, self._tar.offset)
        except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
            raise DamagedHeaderError(str(error)) from error

    def _take_extended(self, read: Read, position: int) -> tuple[bytes, int]:
        """Return the extended headers that count, and where the member's own stands.

        Of several of one type the last counts, as for other tar programs; tarfile
        would take the first, and a frame of its stack for each.
        """
        kept: dict[bytes | int, bytes] = {}
        while (kind := read(position, BLOCK)[156:157]) in _EXTENDED_TYPES:
            header = read(position, BLOCK)
            length = self._extended_length(header, position)
            size = BLOCK + (length + BLOCK - 1 & -BLOCK)
            whole = read(position, size)
            if len(whole) < size:
                raise EOFError
            if kind in _PAX_TYPES:
                self._guard.check(whole[BLOCK:])
                whole = whole[:BLOCK] + records_alone(whole[BLOCK:])
            # Every global header counts.
            key = len(kept) if kind == tarfile.XGLTYPE else kind
            kept.pop(key, None)
            # A long name of nothing leaves the name as it is.
            if kind in _PAX_TYPES or whole[BLOCK : BLOCK + 1].strip(b"\0"):
                kept[key] = whole
            if len(kept) > MAX_EXTENDED:
                raise DamagedHeaderError(f"more than {MAX_EXTENDED} extended headers in a row")
            if sum(map(len, kept.values())) > MAX_HEADERS * self._limits.pax:
                raise _too_many_bytes(self._limits)
            position += size
        return b"".join(kept.values()), position

    def _extended_length(self, header: bytes, position: int) -> int:
        length = _octal(header[124:136])
        if length < 0:
            raise DamagedHeaderError("an extended header whose size is no octal number")
        if length > self._limits.pax:
            raise LimitError(
                f"a PAX header or long name of {length:,} bytes, at byte {position:,} of a tar",
                limit="pax",
                allowed=self._limits.pax,
            )
        return length


class _Info(tarfile.TarInfo):
    """A TarInfo that takes a first part of the name from ustar headers alone."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        info = super().frombuf(buf, encoding, errors)
        if buf[257:263] != _USTAR:
            info.name = buf[:100].partition(b"\0")[0].decode(encoding, errors)
        return info


class _HeaderFile(io.RawIOBase):
    """The tar as the file object tarfile reads one member's headers from."""

    def __init__(self, read: Read, position: int, before: bytes, limits: Limits) -> None:
        """Read from ``position`` on, after what is to stand before it."""
        super().__init__()
        self._read = read
        self._before = before
        self._position = position - len(before)
        self._limits = limits
        self._end = position + MAX_HEADERS * limits.pax

    def read(self, size: int = -1) -> bytes:
        if self._position + size > self._end:
            raise _too_many_bytes(self._limits)
        piece, self._before = self._before[:size], self._before[size:]
        if not piece:
            piece = self._read(self._position, size)
        if len(piece) < size:
            raise EOFError
        self._position += len(piece)
        return piece

    def tell(self) -> int:
        return self._position


def _too_many_bytes(limits: Limits) -> LimitError:
    return LimitError(
        f"headers and sparse map of one file with more than {MAX_HEADERS * limits.pax:,} bytes",
        limit="pax",
        allowed=limits.pax,
    )


def _nothing(position: int) -> OddMember:
    """Return what stands for extended headers that no member follows."""
    return OddMember(
        member=None,
        type=b"",
        content=position,
        stored=0,
        end=position,
        device=None,
        capability=None,
        sparse=None,
    )


def _octal(field: bytes) -> int:
    """Return the number in a header's field, -1 where it is not in octal digits."""
    try:
        return int(field.partition(b"\0")[0].strip() or b"0", 8)
    except ValueError:
        return -1


def _odd_member(info: tarfile.TarInfo, end: int) -> OddMember:
    stored = info.size
    sparse = _sparse_parts(info)
    if sparse is not None:
        stored = sum(size for _, size in sparse)
        if "size" in info.pax_headers:
            # tarfile counts the map, which stands before the content, twice.
            end = info.offset_data + (stored + BLOCK - 1 & -BLOCK)
    if stored < 0 or end < info.offset_data:
        raise DamagedHeaderError("a member of negative size")
    kind = _KINDS.get(info.type)
    capability = info.pax_headers.get(_CAPABILITY)
    return OddMember(
        member=None if kind is None else _member(info, kind),
        type=info.type,
        content=info.offset_data,
        stored=stored if end > info.offset_data else 0,
        end=end,
        device=(info.devmajor, info.devminor) if info.isdev() and not info.isfifo() else None,
        capability=None if capability is None else capability.encode("utf-8", "surrogateescape"),
        sparse=sparse,
    )


def _sparse_parts(info: tarfile.TarInfo) -> tuple[tuple[int, int], ...] | None:
    """Return offset and size of what a sparse file stores, None for any other."""
    parts = cast("list[tuple[int, int]] | None", info.sparse)
    if parts is None:
        return None
    if any(offset < 0 or size < 0 for offset, size in parts):
        raise DamagedHeaderError("a sparse map with a negative number")
    # Unused places of the map are zeros, and its last part may be empty.
    return tuple((offset, size) for offset, size in parts if size)


def _member(info: tarfile.TarInfo, kind: EntryKind) -> Member:
    size = info.size if kind is EntryKind.FILE else 0
    if info.sparse is not None:
        size = next(
            (int(info.pax_headers[k]) for k in _EXPANDED_SIZES if k in info.pax_headers), size
        )
    mtime = int(info.mtime // 1)
    link = info.linkname if int(kind) in _LINKS else ""
    if "\0" in info.name or "\0" in link:
        raise DamagedHeaderError("a name with a NUL byte")
    if not all(number in _INT64 for number in (size, info.uid, info.gid, mtime)):
        raise DamagedHeaderError("a number beyond 64 bits")
    return (info.name, int(kind), size, (info.mode & 0o7777, info.uid, info.gid), mtime, link)
