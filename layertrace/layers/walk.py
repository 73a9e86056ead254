"""The walker: one layer's tar, read forward once, to an index of its entries.

Plain ustar and GNU headers, nearly all of any layer, are decoded here from
large windows of the file; every other header (PAX, long names, sparse files,
base-256 numbers, anything odd) is handed to the standard library's ``tarfile``,
whose reading of a header is the rule for both. Contents are passed over.

Source: POSIX ``pax``, "ustar Interchange Format"; GNU tar manual, "Basic Tar
Format"; OCI image-spec, ``layer.md``.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import zlib
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol, cast

from layertrace.errors import LayerError, StoppedError
from layertrace.layers.index import LayerIndex
from layertrace.layers.whiteout import is_aufs_metadata, parse_whiteout
from layertrace.model.entry import EntryKind, clean_path

if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK: Final = 512
WINDOW: Final = 256 * 1024
MAX_ENTRIES: Final = 20_000_000
MAX_HEADER: Final = 1 << 20
"""Bytes of one PAX or long-name header; no name or attribute has reason to be larger."""

_FILE: Final = int(EntryKind.FILE)
_DIR: Final = int(EntryKind.DIR)
_SYMLINK: Final = int(EntryKind.SYMLINK)
_LINKS: Final = frozenset({_SYMLINK, int(EntryKind.HARDLINK)})
_UNCLEAN_STARTS: Final = frozenset({"", "/", "."})
_PLAIN_KINDS: Final = {
    ord("0"): _FILE,
    ord("1"): int(EntryKind.HARDLINK),
    ord("2"): _SYMLINK,
    ord("5"): _DIR,
}
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
_CAPABILITY: Final = "SCHILY.xattr.security.capability"
_HARMLESS_GLOBALS: Final = frozenset({"comment"})
_ZERO_BLOCK: Final = bytes(BLOCK)

_Owner = tuple[int, int, int]
_Member = tuple[str, int, int, _Owner, int, str]
"""Name, kind, size, (mode, uid, gid), mtime, link target."""


class ForwardReader(Protocol):
    """A layer's uncompressed tar, read forward: no offset lies before an earlier one's end."""

    def read_at(self, offset: int, size: int) -> bytes:
        """Return ``size`` bytes from ``offset``; fewer only where the tar ends."""
        ...

    def length(self) -> int:
        """Return the tar's length; asked for only once its end was met."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Walked:
    """An index and, where asked for, the sha256 of each regular file in it."""

    index: LayerIndex
    digests: dict[int, bytes]
    """Entry number to the raw sha256 of its content; empty unless asked for."""


def walk_layer(
    reader: ForwardReader,
    *,
    name: str,
    hash_contents: bool = False,
    watch: Callable[[int, int], bool] | None = None,
) -> Walked:
    """Walk one layer's tar to its end marker.

    Args:
        reader: the uncompressed tar.
        name: of the layer, for messages.
        hash_contents: also read and hash every regular file.
        watch: called for each window with the bytes and entries passed; True stops.

    Raises:
        LayerError: the tar is cut short, or a header is damaged or beyond a limit.
        StoppedError: ``watch`` said so.
    """
    return _Walk(reader, name, hash_contents=hash_contents, watch=watch).run()


@dataclass(slots=True)
class _Columns:
    paths: list[str] = field(default_factory=list)
    kinds: bytearray = field(default_factory=bytearray)
    sizes: array[int] = field(default_factory=lambda: array("q"))
    modes: array[int] = field(default_factory=lambda: array("H"))
    uids: array[int] = field(default_factory=lambda: array("q"))
    gids: array[int] = field(default_factory=lambda: array("q"))
    mtimes: array[int] = field(default_factory=lambda: array("q"))
    offsets: array[int] = field(default_factory=lambda: array("q"))
    links: dict[int, str] = field(default_factory=dict)
    devices: dict[int, tuple[int, int]] = field(default_factory=dict)
    capabilities: dict[int, bytes] = field(default_factory=dict)
    sparse: dict[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)

    def keep(self, numbers: list[int]) -> dict[int, int]:
        """Drop all rows but ``numbers``; return old number to new."""
        self.paths = [self.paths[i] for i in numbers]
        self.kinds = bytearray(self.kinds[i] for i in numbers)
        for name in ("sizes", "modes", "uids", "gids", "mtimes", "offsets"):
            column = getattr(self, name)
            setattr(self, name, array(column.typecode, (column[i] for i in numbers)))
        moved = {old: new for new, old in enumerate(numbers)}
        for name in ("links", "devices", "capabilities", "sparse"):
            rows = getattr(self, name)
            setattr(self, name, {moved[k]: v for k, v in rows.items() if k in moved})
        return moved


class _Walk:
    """One walk: a window of the tar, and the columns so far."""

    def __init__(
        self,
        reader: ForwardReader,
        name: str,
        *,
        hash_contents: bool,
        watch: Callable[[int, int], bool] | None,
    ) -> None:
        self._reader = reader
        self._name = name
        self._hash_contents = hash_contents
        self._watch = watch
        self._columns = _Columns()
        self._window = b""
        self._start = 0
        self._content_end = 0
        self._stored = 0
        self._decoder = _PlainDecoder()
        self._tar: tarfile.TarFile | None = None
        self._plain = True
        self._digests: dict[int, bytes] = {}
        self._whiteouts: list[str] = []
        self._opaques: list[str] = []
        self._notes: dict[str, str] = {}

    def run(self) -> Walked:
        position = 0
        decode = self._decoder.decode
        while True:
            local = position - self._start
            header = self._window[local : local + BLOCK]
            if len(header) < BLOCK:
                header = self.read(position, BLOCK)
                if len(header) < BLOCK:
                    self._meet_end(len(header))
                    break
            member = decode(header) if self._plain else None
            if member is not None:
                position = self._add(member, position + BLOCK)
            elif header == _ZERO_BLOCK:
                break
            else:
                position = self._take_odd(position)
        return self._finish()

    def read(self, position: int, size: int) -> bytes:
        """Return ``size`` bytes at ``position`` through the window; fewer at the end."""
        local = position - self._start
        if local + size > len(self._window):
            if self._watch is not None and self._watch(position, len(self._columns.kinds)):
                raise StoppedError
            tail = self._window[local:]
            wanted = max(WINDOW, size - len(tail))
            self._window = tail + self._reader.read_at(position + len(tail), wanted)
            self._start = position
            local = 0
        return self._window[local : local + size]

    def _add(self, member: _Member, content: int, *, sparse: bool = False) -> int:
        """Add the member whose content starts at ``content``; return where the next begins."""
        name, kind, size, owner, mtime, link = member
        path = self._claim(name, kind)
        self._stored += size
        self._content_end = content + size
        if path is not None:
            columns = self._columns
            number = len(columns.kinds)
            columns.paths.append(path)
            columns.kinds.append(kind)
            columns.sizes.append(size)
            columns.modes.append(owner[0])
            columns.uids.append(owner[1])
            columns.gids.append(owner[2])
            columns.mtimes.append(mtime)
            columns.offsets.append(content)
            if link:
                columns.links[number] = link if kind == _SYMLINK else clean_path(link)
            if self._hash_contents and kind == _FILE and not sparse:
                self._digests[number] = self._hash(content, size)
        return content + (size + BLOCK - 1 & -BLOCK)

    def _claim(self, name: str, kind: int) -> str | None:
        """Return the cleaned path of an entry; None for a marker, which is kept apart."""
        path = name.removesuffix("/")
        if "/." in path or "//" in path or path[:1] in _UNCLEAN_STARTS:
            path = clean_path(path)
        if ".wh." in path:
            if is_aufs_metadata(path):
                self._note("aufs-metadata", "AUFS bookkeeping entries, which no container sees")
                return None
            whiteout = parse_whiteout(path)
            if whiteout is not None:
                (self._opaques if whiteout.opaque else self._whiteouts).append(whiteout.path)
                return None
        if len(self._columns.kinds) >= MAX_ENTRIES:
            raise LayerError(f"{self._name} has more than {MAX_ENTRIES:,} entries")
        if not path and kind != _DIR:
            self._note("root-not-directory", "an entry for / that is not a directory, passed over")
            return None
        return path

    def _take_odd(self, position: int) -> int:
        """Add the member at ``position`` as tarfile reads it; return where the next begins."""
        tar = self._tar = self._tar or _open_tar()
        tar.fileobj = _HeaderFile(self, position)
        tar.offset = position
        try:
            info = tarfile.TarInfo.fromtarfile(tar)
            member = _member(info)
        except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
            raise LayerError(
                f"{self._name}: damaged tar header at byte {position:,}", why=str(error)
            ) from error
        self._plain = not (tar.pax_headers.keys() - _HARMLESS_GLOBALS)
        if tar.offset <= position or info.size < 0:
            raise LayerError(f"{self._name}: tar member of negative size at byte {position:,}")
        if member is None:
            self._note(
                "unknown-tar-type", f"members of a type no container sees ({info.type!r}), left out"
            )
            self._content_end = tar.offset
            return tar.offset
        number = len(self._columns.kinds)
        sparse = cast("list[tuple[int, int]] | None", info.sparse)
        self._add(member, info.offset_data, sparse=sparse is not None)
        if len(self._columns.kinds) > number:
            self._add_extras(number, info, sparse)
        if sparse is not None:
            # Its size is the expanded one; only the parts are stored.
            self._content_end = info.offset_data + sum(size for _, size in sparse)
        return tar.offset

    def _add_extras(
        self, number: int, info: tarfile.TarInfo, sparse: list[tuple[int, int]] | None
    ) -> None:
        columns = self._columns
        if info.type in {tarfile.CHRTYPE, tarfile.BLKTYPE}:
            columns.devices[number] = (info.devmajor, info.devminor)
        if sparse is not None:
            columns.sparse[number] = tuple(sparse)
        capability = info.pax_headers.get(_CAPABILITY)
        if capability is not None:
            columns.capabilities[number] = capability.encode("utf-8", "surrogateescape")

    def _hash(self, position: int, size: int) -> bytes:
        """Return the sha256 of ``size`` bytes at ``position``, read forward."""
        sha256 = hashlib.sha256()
        end = position + size
        while position < end:
            piece = self.read(position, min(WINDOW, end - position))
            if not piece:
                raise LayerError(f"{self._name} is cut short inside a file")
            sha256.update(piece)
            position += len(piece)
        return sha256.digest()

    def _meet_end(self, rest: int) -> None:
        """Judge a tar that ends without its end marker."""
        length = self._reader.length()
        if rest or self._content_end > length:
            raise LayerError(
                f"{self._name} is cut short: its tar ends after {length:,} bytes",
                hint="save or copy the image again",
            )
        self._note("no-end-marker", "its tar has no end marker")

    def _note(self, code: str, message: str) -> None:
        self._notes.setdefault(code, message)

    def _finish(self) -> Walked:
        columns = self._columns
        last = {path: number for number, path in enumerate(columns.paths)}
        if len(last) < len(columns.paths):
            repeated = len(columns.paths) - len(last)
            self._note("repeated-path", f"{repeated:,} paths stand in it more than once; last wins")
            moved = columns.keep(sorted(last.values()))
            self._digests = {moved[k]: v for k, v in self._digests.items() if k in moved}
        index = LayerIndex(
            paths=columns.paths,
            kinds=bytes(columns.kinds),
            sizes=columns.sizes,
            modes=columns.modes,
            uids=columns.uids,
            gids=columns.gids,
            mtimes=columns.mtimes,
            offsets=columns.offsets,
            links=columns.links,
            devices=columns.devices,
            capabilities=columns.capabilities,
            sparse=columns.sparse,
            whiteouts=tuple(dict.fromkeys(self._whiteouts)),
            opaques=tuple(dict.fromkeys(self._opaques)),
            stored_bytes=self._stored,
            notes=tuple(self._notes.items()),
        )
        return Walked(index=index, digests=self._digests)


class _PlainDecoder:
    """Headers whose every field is plain octal text.

    Mode, owner and time repeat through a layer, so their bytes are looked up
    in a table instead of decoded again.
    """

    def __init__(self) -> None:
        self._owners: dict[bytes, _Owner] = {}
        self._times: dict[bytes, int] = {}

    def decode(self, header: bytes) -> _Member | None:
        """Return the member, None where tarfile is to be asked."""
        kind = _PLAIN_KINDS.get(header[156])
        if kind is None:
            return None
        stored = header[148:156]
        try:
            # adler32's low half is one more than the sum of the bytes, modulo
            # 65521: the tar checksum for the price of one call.
            total = int(stored.rstrip(b"\0 "), 8) + sum(stored) - 255
            if zlib.adler32(header) & 0xFFFF != total % 65521:
                return None
            owner = self._owners.get(header[100:124]) or self._read_owner(header[100:124])
            mtime = self._times.get(header[136:148])
            if mtime is None:
                mtime = self._times[header[136:148]] = int(header[136:148].rstrip(b"\0 "), 8)
            size = int(header[124:136].rstrip(b"\0 "), 8) if kind == _FILE else 0
        except ValueError:
            return None
        if size < 0:
            return None
        name = header[:100].partition(b"\0")[0]
        if header[345] and header[257:263] == b"ustar\0":
            name = header[345:500].partition(b"\0")[0] + b"/" + name
        link = header[157:257].partition(b"\0")[0] if kind in _LINKS else b""
        return (
            name.decode("utf-8", "surrogateescape"),
            kind,
            size,
            owner,
            mtime,
            link.decode("utf-8", "surrogateescape"),
        )

    def _read_owner(self, fields: bytes) -> _Owner:
        mode, uid, gid = (int(fields[i : i + 8].rstrip(b"\0 "), 8) for i in (0, 8, 16))
        owner = self._owners[fields] = (mode & 0o7777, uid, gid)
        return owner


class _HeaderFile(io.RawIOBase):
    """The window as the file object tarfile reads a header from."""

    def __init__(self, walk: _Walk, position: int) -> None:
        super().__init__()
        self._walk = walk
        self._position = position

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_HEADER:
            message = f"an extended header of {size:,} bytes; the limit is {MAX_HEADER:,}"
            raise tarfile.HeaderError(message)
        piece = self._walk.read(self._position, size)
        self._position += len(piece)
        return piece

    def tell(self) -> int:
        return self._position


def _open_tar() -> tarfile.TarFile:
    """Return a TarFile that lends its state to ``TarInfo.fromtarfile``."""
    empty = io.BytesIO(bytes(2 * BLOCK))
    return tarfile.TarFile(fileobj=empty, encoding="utf-8", errors="surrogateescape")


def _member(info: tarfile.TarInfo) -> _Member | None:
    kind = _KINDS.get(info.type)
    if kind is None:
        return None
    return (
        info.name,
        int(kind),
        info.size if kind is EntryKind.FILE else 0,
        (info.mode & 0o7777, info.uid, info.gid),
        int(info.mtime // 1),
        info.linkname if kind in {EntryKind.SYMLINK, EntryKind.HARDLINK} else "",
    )
