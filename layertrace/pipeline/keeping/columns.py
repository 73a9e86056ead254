"""A file table as bytes for the cache: its columns, and once what many rows share.

Names are not in it: a row has the number of the entry behind it, which the layer's index names.
"""

from __future__ import annotations

import json
import struct
import sys
from array import array
from dataclasses import fields
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from layertrace.model.files import FileTable, Label
from layertrace.model.origin import Change, Origin, OriginKind, Trust

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.layers.index import LayerIndex

FORMAT: Final = 1
"""To be raised with the columns, and with what they mean."""
_SIZE: Final = struct.Struct("<I")
_CHANGES: Final = tuple(Change)
_TRUSTS: Final = tuple(Trust)
_BYTES: Final = ("kinds", "changes", "trusts")
_NUMBERS: Final = {"entries": "i", "sizes": "q", "layers": "i", "label_ids": "i"}
_LABEL: Final = tuple(each.name for each in fields(Label))
_ORIGIN: Final = tuple(each.name for each in fields(Origin))


def dump_table(table: FileTable, layers: Sequence[LayerIndex]) -> bytes:
    """Return the table of some layers as bytes; little endian on every machine."""
    head = {
        "format": FORMAT,
        "rows": len(table),
        "entries": sum(map(len, layers)),
        "labels": [*map(attrgetter(*_LABEL), table.labels)],
        "origins": [*map(attrgetter(*_ORIGIN), table.origins)],
        "origin_paths": [*table.origin_paths.items()],
        "unnamed": [table.paths[row] for row, entry in enumerate(table.entries) if entry < 0],
    }
    text = json.dumps(head).encode()
    changes = {change: number for number, change in enumerate(_CHANGES)}
    trusts = {trust: number for number, trust in enumerate(_TRUSTS)}
    numbers = (array(code, getattr(table, name)) for name, code in _NUMBERS.items())
    return b"".join(
        (
            _SIZE.pack(len(text)),
            text,
            bytes(table.kinds),
            bytes(map(changes.__getitem__, table.changes)),
            bytes(map(trusts.__getitem__, table.trusts)),
            *map(_little_endian, numbers),
        )
    )


def load_table(data: bytes, layers: Sequence[LayerIndex]) -> FileTable | None:
    """Return the table that :func:`dump_table` wrote; None where the bytes are no such.

    Args:
        data: the bytes.
        layers: those that the table is of, base first.
    """
    try:
        return _load(memoryview(data), layers)
    except (ValueError, KeyError, TypeError, IndexError, RecursionError, struct.error):
        return None


def _load(data: memoryview, layers: Sequence[LayerIndex]) -> FileTable | None:
    (size,) = _SIZE.unpack_from(data)
    position = _SIZE.size + size
    head = json.loads(bytes(data[_SIZE.size : position]))
    if (head["format"], head["entries"]) != (FORMAT, sum(map(len, layers))):
        return None
    columns: dict[str, Any] = {}
    for name in (*_BYTES, *_NUMBERS):
        column = columns[name] = array(_NUMBERS.get(name, "B"))
        end = position + head["rows"] * column.itemsize
        column.frombytes(data[position:end])
        if sys.byteorder == "big":
            column.byteswap()
        position = end
    if position != len(data):
        return None
    columns["kinds"] = columns["kinds"].tobytes()
    columns["changes"] = [*map(_CHANGES.__getitem__, columns["changes"])]
    columns["trusts"] = [*map(_TRUSTS.__getitem__, columns["trusts"])]
    return FileTable(
        paths=_paths(columns["entries"], layers, head["unnamed"]),
        labels=tuple(Label(**_fields(_LABEL, each)) for each in head["labels"]),
        origins=tuple(Origin(**_fields(_ORIGIN, each)) for each in head["origins"]),
        origin_paths=dict(head["origin_paths"]),
        **columns,
    )


def _fields(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    found = dict(zip(names, values, strict=True))
    return found | {"kind": OriginKind(found["kind"])}


def _paths(
    entries: array[int], layers: Sequence[LayerIndex], unnamed: Sequence[str]
) -> Sequence[str]:
    """Return the path of every row; those of rows without an entry were kept one by one."""
    # Their number is -1: the name at the end.
    names = [*chain.from_iterable(index.paths for index in layers), ""]
    paths = [*map(names.__getitem__, entries)]
    for row, path in zip(_without_entry(entries), unnamed, strict=True):
        paths[row] = path
    return paths


def _without_entry(entries: array[int]) -> Iterator[int]:
    row = -1
    for _ in range(entries.count(-1)):
        row = entries.index(-1, row + 1)
        yield row


def _little_endian(column: array[int]) -> bytes:
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()
