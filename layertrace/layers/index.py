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
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import Entry, EntryKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

_FORMAT: Final = 5
_COLUMNS: Final = ("sizes", "modes", "uids", "gids", "mtimes", "offsets")
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
        return len(self.paths)

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Path to entry number."""
        return dict(zip(self.paths, range(len(self.paths)), strict=True))

    @cached_property
    def parents(self) -> AbstractSet[str]:
        """The directory of every entry; ``""`` is the root, its own among them."""
        return {path.rpartition("/")[0] for path in self.paths}

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


def dump_index(index: LayerIndex) -> bytes:
    """Return ``index`` as bytes for a cache; little endian on every machine."""
    names = "\0".join(index.paths).encode("utf-8", "surrogateescape")
    head = {
        "format": _FORMAT,
        "count": len(index),
        "names": len(names),
        "links": [[k, v.encode("utf-8", "surrogateescape").hex()] for k, v in index.links.items()],
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
    columns = [_little_endian(getattr(index, name)) for name in _COLUMNS]
    return b"".join((struct.pack("<I", len(head_bytes)), head_bytes, names, index.kinds, *columns))


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
    if head["format"] != _FORMAT:
        raise DamagedIndexError("another format")
    count, position = head["count"], 4 + head_size
    names = bytes(data[position : position + head["names"]])
    position += head["names"]
    kinds = bytes(data[position : position + count])
    position += count
    columns: dict[str, array[int]] = {}
    for name in _COLUMNS:
        column = array(_TYPECODES[name])
        end = position + count * column.itemsize
        column.frombytes(data[position:end])
        if sys.byteorder == "big":
            column.byteswap()
        columns[name], position = column, end
    paths = names.decode("utf-8", "surrogateescape").split("\0") if count else []
    if position != len(data) or len(paths) != count or len(kinds) != count:
        raise DamagedIndexError("columns of different lengths")
    return LayerIndex(
        paths=paths,
        kinds=kinds,
        **columns,
        links={k: _unhexed(v) for k, v in head["links"]},
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


def _little_endian(column: array[int]) -> bytes:
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()


def _hexed(paths: Sequence[str]) -> list[str]:
    return [path.encode("utf-8", "surrogateescape").hex() for path in paths]


def _unhexed(path: str) -> str:
    return bytes.fromhex(path).decode("utf-8", "surrogateescape")
