"""One layer's entries in columns, and what the layer removes.

A dataclass an entry costs more than its tar header does to read, so the fields
of all entries of a layer stand in arrays; :meth:`LayerIndex.entry` makes the
value for one of them.
"""

from __future__ import annotations

import json
import struct
import sys
from array import array
from dataclasses import dataclass, field, replace
from functools import cached_property
from sys import getsizeof
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import Entry, EntryKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

FORMAT: Final = 7
"""Of a dumped index."""
_COLUMNS: Final = ("sizes", "modes", "uids", "gids", "mtimes", "offsets")
_EMPTY: Final = getsizeof("")
_TYPECODES: Final = {
    "sizes": "q", "modes": "H", "uids": "q", "gids": "q", "mtimes": "q", "offsets": "q",
}  # fmt: skip


class DamagedIndexError(ValueError):
    """Stored bytes that are not a layer index of this version."""


@dataclass(frozen=True, kw_only=True)
class LayerIndex:
    """What one layer holds and removes; every column has one item an entry.

    Of several members with one path the last is the entry, as in extraction.
    """

    paths: Sequence[str]
    kinds: bytes
    """:class:`EntryKind` values."""
    sizes: array[int]
    """Content bytes of regular files, 0 for every other kind."""
    modes: array[int]
    uids: array[int]
    gids: array[int]
    mtimes: array[int]
    offsets: array[int]
    links: Mapping[int, str] = field(default_factory=dict)
    """Entry number to the target of a symlink or hard link."""
    devices: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    capabilities: Mapping[int, bytes] = field(default_factory=dict)
    """Entry number to the ``security.capability`` attribute."""
    sparse: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    """Entry number to the (offset, size) of the stored parts of a sparse file."""
    repeats: Mapping[int, int] = field(default_factory=dict)
    """Entry number to the content bytes of members with its path that it replaced."""
    whiteouts: tuple[str, ...] = ()
    opaques: tuple[str, ...] = ()
    stored_bytes: int = 0
    """Content bytes of all regular members, replaced duplicates included."""
    notes: tuple[tuple[str, str], ...] = ()
    """(code, message) of what was strange but legal."""
    length: int = 0
    """Bytes of the whole tar."""
    diff_id: str = ""
    """Computed from its whole tar, where that was read."""
    verified: bool = False
    """Its whole tar was read and has the layer's diff_id."""
    damage: str = ""
    """Why the tar could not be read to its end: more may belong to the layer."""

    def __len__(self) -> int:
        return len(self.kinds)

    if not TYPE_CHECKING:  # pragma: no branch

        def __getattr__(self, name: str) -> object:
            """Unpack a column that a cache had, the first time anybody asks for it."""
            fields = vars(self)
            unpack = fields.get("_packed", {}).get(name)
            if unpack is not None:
                fields[name] = unpack()
                # Another thread may be at the same.
                fields["_packed"].pop(name, None)
            if name not in fields:
                message = f"{type(self).__name__} has no {name}"
                raise AttributeError(message)
            return fields[name]

    @cached_property
    def name_bytes(self) -> int:
        """Bytes that its paths take in memory."""
        return memory_of(self.paths)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Path to entry number."""
        return dict(zip(self.paths, range(len(self.paths)), strict=True))

    @cached_property
    def parents(self) -> AbstractSet[str]:
        """The directory of every entry; ``""`` is the root, its own among them."""
        return {path.rpartition("/")[0] for path in self.paths}

    def amended(self, **changes: object) -> LayerIndex:
        """Return it with other facts about its tar; what was worked out of its entries stays."""
        amended = replace(self, **changes)  # type: ignore[arg-type]
        worked_out = ("name_bytes", "numbers", "parents")
        vars(amended).update({k: v for k, v in vars(self).items() if k in worked_out})
        return amended

    def entry(self, number: int) -> Entry:
        """Return one entry as a value."""
        return Entry(
            path=self.paths[number],
            kind=EntryKind(self.kinds[number]),
            size=self.sizes[number],
            mode=self.modes[number],
            uid=self.uids[number],
            gid=self.gids[number],
            mtime=self.mtimes[number],
            offset=self.offsets[number],
            link_target=self.links.get(number, ""),
        )


def memory_of(names: Sequence[str]) -> int:
    """Return the bytes that names take in memory."""
    joined = "".join(names)
    # Of ASCII each takes its length and the same more: a fifth of the time.
    return len(names) * _EMPTY + len(joined) if joined.isascii() else sum(map(getsizeof, names))


def dump_index(index: LayerIndex) -> bytes:
    """Return ``index`` as bytes for a cache; little endian on every machine.

    A head in JSON, names and link targets with a NUL between each, and the columns
    as they are, one item where all are the same: loading makes nothing of what nobody
    asks for.
    """
    columns = [_packed(getattr(index, name)) for name in _COLUMNS]
    names, targets = _joined(index.paths), _joined(index.links.values())
    head = {
        "format": FORMAT,
        "count": len(index),
        "columns": [len(column) for column in columns],
        "names": len(names),
        "name_bytes": index.name_bytes,
        "links": len(index.links),
        "targets": len(targets),
        "devices": [[k, *v] for k, v in index.devices.items()],
        "capabilities": [[k, v.hex()] for k, v in index.capabilities.items()],
        "sparse": [[k, v] for k, v in index.sparse.items()],
        "repeats": [*index.repeats.items()],
        "whiteouts": _hexed(index.whiteouts),
        "opaques": _hexed(index.opaques),
        "stored_bytes": index.stored_bytes,
        "notes": index.notes,
        "length": index.length,
        "diff_id": index.diff_id,
        "verified": index.verified,
        "damage": index.damage,
    }
    head_bytes = json.dumps(head).encode()
    numbers = _little_endian(array("q", index.links))
    size = struct.pack("<I", len(head_bytes))
    return b"".join((size, head_bytes, names, numbers, targets, index.kinds, *columns))


def load_index(data: bytes) -> LayerIndex:
    """Return the index that :func:`dump_index` wrote.

    Raises:
        DamagedIndexError: the bytes are of another version or not whole.
    """
    try:
        return _load(memoryview(data))
    except (ValueError, KeyError, TypeError, RecursionError, struct.error) as error:
        raise DamagedIndexError(str(error)) from error


def _load(data: memoryview) -> LayerIndex:
    (head_size,) = struct.unpack_from("<I", data)
    head = json.loads(bytes(data[4 : 4 + head_size]))
    if head["format"] != FORMAT:
        raise DamagedIndexError("another format")
    count = head["count"]
    parts = _Parts(data, 4 + head_size)
    names = parts.names(head["names"], count)
    links = parts.column("q", head["links"]), parts.names(head["targets"], head["links"])
    kinds = parts.take(count)
    columns = {
        name: parts.unpacked(_TYPECODES[name], size, count)
        for name, size in zip(_COLUMNS, head["columns"], strict=True)
    }
    parts.end()
    index = LayerIndex(
        paths=(),
        links={},
        kinds=kinds,
        **columns,
        devices={k: (major, minor) for k, major, minor in head["devices"]},
        capabilities={k: bytes.fromhex(v) for k, v in head["capabilities"]},
        sparse={k: tuple((a, b) for a, b in v) for k, v in head["sparse"]},
        repeats=dict(head["repeats"]),
        whiteouts=tuple(map(_unhexed, head["whiteouts"])),
        opaques=tuple(map(_unhexed, head["opaques"])),
        stored_bytes=head["stored_bytes"],
        notes=tuple((code, message) for code, message in head["notes"]),
        length=head["length"],
        diff_id=head["diff_id"],
        verified=head["verified"],
        damage=head["damage"],
    )
    fields = vars(index)
    del fields["paths"], fields["links"]
    fields["name_bytes"] = int(head["name_bytes"])
    fields["_packed"] = {
        "paths": lambda: _split(names),
        "links": lambda: dict(zip(links[0], _split(links[1]), strict=True)),
    }
    return index


class _Parts:
    """Stored bytes, part by part."""

    def __init__(self, data: memoryview, position: int) -> None:
        self._data = data
        self._position = position

    def take(self, size: int) -> bytes:
        part = bytes(self._data[self._position : self._position + size])
        if len(part) != size:
            raise DamagedIndexError("cut short")
        self._position += size
        return part

    def names(self, size: int, count: int) -> bytes | None:
        """Return so many names; None for none, which an empty one alone looks like."""
        names = self.take(size)
        if names.count(b"\0") != max(count - 1, 0) or (names and not count):
            raise DamagedIndexError("names of another number")
        return names if count else None

    def column(self, typecode: str, count: int) -> array[int]:
        column = array(typecode)
        column.frombytes(self.take(count * column.itemsize))
        if sys.byteorder == "big":
            column.byteswap()
        return column

    def unpacked(self, typecode: str, size: int, count: int) -> array[int]:
        """Return a column of so many bytes, which may be one item for all."""
        if size == array(typecode).itemsize < count * size:
            return self.column(typecode, 1) * count
        if size != array(typecode).itemsize * count:
            raise DamagedIndexError("a column of another length")
        return self.column(typecode, count)

    def end(self) -> None:
        if self._position != len(self._data):
            raise DamagedIndexError("more than its columns")


def _joined(names: Iterable[str]) -> bytes:
    return "\0".join(names).encode("utf-8", "surrogateescape")


def _split(names: bytes | None) -> list[str]:
    return [] if names is None else names.decode("utf-8", "surrogateescape").split("\0")


def _packed(column: array[int]) -> bytes:
    """Return a column as bytes, one item where all are the same."""
    data = _little_endian(column)
    one = data[: column.itemsize]
    return one if data == one * len(column) else data


def _little_endian(column: array[int]) -> bytes:
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()


def _hexed(paths: Sequence[str]) -> list[str]:
    return [path.encode("utf-8", "surrogateescape").hex() for path in paths]


def _unhexed(path: str) -> str:
    return bytes.fromhex(path).decode("utf-8", "surrogateescape")
