"""A fold as bytes for a cache, and one that is not made before somebody looks at it.

Nearly every entry is seen: what is kept are the few that are not, and what replaced them.
"""

from __future__ import annotations

import struct
import sys
from array import array
from itertools import compress, islice
from typing import TYPE_CHECKING, Final

from layertrace.layers.index import FORMAT
from layertrace.rootfs.places import STRIDE, Place
from layertrace.rootfs.squash import Hidden, Rootfs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from layertrace.layers.index import LayerIndex

_FORMAT: Final = 1
"""To be raised when of the same layers something else is seen."""
_PIECE: Final = 1 << 13
"""So many names are looked up in one go: while that lasts no other thread gets on."""
_HEAD: Final = struct.Struct("<6q")


class LazyRootfs(Rootfs):
    """Layers that are folded the first time anybody asks what is seen of them."""

    __slots__ = ("_fold",)

    def __init__(self, layers: tuple[LayerIndex, ...], fold: Callable[[], Rootfs]) -> None:
        """Keep the layers, and what makes or fetches their fold."""
        object.__setattr__(self, "layers", layers)
        object.__setattr__(self, "_fold", fold)

    if not TYPE_CHECKING:  # pragma: no branch

        def __getattr__(self, name: str) -> object:
            """Fold: a field that was not set yet is asked for."""
            if name not in {"seen", "below", "hidden", "promoted"}:
                message = f"{type(self).__name__} has no {name}"
                raise AttributeError(message)
            whole = self._fold()
            # Another thread may be at the same, and then sets the same.
            for field in ("seen", "below", "hidden", "promoted"):
                object.__setattr__(self, field, getattr(whole, field))
            return getattr(whole, name)


def dump_rootfs(rootfs: Rootfs) -> bytes:
    """Return what became of the layers' entries as bytes; little endian on every machine."""
    hidden, below, promoted = rootfs.hidden, rootfs.below, rootfs.promoted
    seen = rootfs.seen
    columns = (
        array("q", [place.layer * STRIDE + place.number for place, _ in hidden]),
        array("q", [by for _, by in hidden]),
        array("q", [seen[path] for path in below]),
        array("q", below.values()),
        array("q", [seen[path] for path in promoted]),
        array("q", promoted.values()),
    )
    entries = sum(map(len, rootfs.layers))
    head = _HEAD.pack(_FORMAT, FORMAT, entries, len(hidden), len(below), len(promoted))
    return b"".join((head, *map(_little_endian, columns)))


def load_rootfs(data: bytes, layers: Sequence[LayerIndex]) -> Rootfs | None:
    """Return the fold that :func:`dump_rootfs` wrote of these layers; None if it is not of them."""
    try:
        own, form, entries, *counts = _HEAD.unpack_from(data)
        if (own, form, entries) != (_FORMAT, FORMAT, sum(map(len, layers))):
            return None
        return _load(data, counts, layers)
    except (struct.error, ValueError, IndexError):
        return None


def _load(data: bytes, counts: Sequence[int], layers: Sequence[LayerIndex]) -> Rootfs:
    hidden, bys, over, lower, links, contents = _columns(data, counts)
    paths = [index.paths for index in layers]
    places = [Place(*divmod(packed, STRIDE)) for packed in hidden]
    gone: tuple[list[int], ...] = tuple([] for _ in layers)
    for layer, number in places:
        gone[layer].append(number)
    seen: dict[str, int] = {}
    for layer in range(len(layers) - 1, -1, -1):
        first = layer * STRIDE
        pairs = zip(paths[layer], range(first, first + len(layers[layer])), strict=True)
        left = _without(pairs, len(layers[layer]), gone[layer]) if gone[layer] else pairs
        for _ in range(0, len(layers[layer]), _PIECE):
            seen.update(islice(left, _PIECE))
    return Rootfs(
        layers=tuple(layers),
        seen=seen,
        below=dict(zip(_names(over, paths), lower, strict=True)),
        hidden=tuple(map(Hidden, places, bys)),
        promoted=dict(zip(_names(links, paths), contents, strict=True)),
    )


def _columns(data: bytes, counts: Sequence[int]) -> list[array[int]]:
    """Return two columns of each count.

    Raises:
        ValueError: there are not as many bytes.
    """
    columns, position = [], _HEAD.size
    for count in (each for each in counts for _ in range(2)):
        column = array("q")
        column.frombytes(data[position : position + 8 * count])
        if sys.byteorder == "big":
            column.byteswap()
        columns.append(column)
        position += 8 * count
    if position != len(data):
        message = "not as long as it should be"
        raise ValueError(message)
    return columns


def _without(
    pairs: Iterator[tuple[str, int]], count: int, gone: Iterable[int]
) -> Iterator[tuple[str, int]]:
    """Return the pairs of a layer but for those of some entries."""
    flags = bytearray(b"\1") * count
    for number in gone:
        flags[number] = 0
    return compress(pairs, flags)


def _names(places: Iterable[int], paths: Sequence[Sequence[str]]) -> list[str]:
    return [paths[packed // STRIDE][packed % STRIDE] for packed in places]


def _little_endian(column: array[int]) -> bytes:
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()
