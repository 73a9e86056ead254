"""Digests of many files of a layer that may be read anywhere: in windows, on two cores."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final

from layertrace.pipeline.contents import file_content

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from layertrace.layers.index import LayerIndex
    from layertrace.pipeline.contents import Reader

_THREADS: Final = 2
"""Hashing lets go of Python's lock; more threads would wait for it between small files."""
_WINDOW: Final = 2 << 20
"""Bytes read at once, and held by each thread."""
_GAP: Final = 32 << 10
"""Bytes that nobody asks for are read too, rather than the next window begun."""
_FEW: Final = 8 << 20
"""Bytes that are hashed before a thread would have begun."""
_SMALL: Final = 32 << 10
"""Bytes of a file on average up to which threads keep each other waiting: what Python does for
a file takes as long as to hash it."""


def hash_files(reader: Reader, index: LayerIndex, numbers: Iterable[int]) -> dict[int, bytes]:
    """Return the sha256 of regular files, by entry number.

    Args:
        reader: of the layer's tar; may be read by several threads, anywhere.
        index: of the layer.
        numbers: of the entries.

    Raises:
        LayerError: the tar ends before a file.
    """
    ordered = sorted(numbers, key=index.offsets.__getitem__)
    windows = list(_windows(index, ordered))
    work = partial(_hash_window, reader, index)
    if sum(index.sizes[number] for number in ordered) <= max(_FEW, _SMALL * len(ordered)):
        return dict(chain.from_iterable(map(work, windows)))
    pool = ThreadPoolExecutor(_THREADS)
    try:
        return dict(chain.from_iterable(pool.map(work, windows)))
    finally:
        # Of what failed, or was stopped, nobody wants the rest.
        pool.shutdown(cancel_futures=True)


def _windows(index: LayerIndex, numbers: Iterable[int]) -> Iterator[Sequence[int]]:
    """Yield entries that stand together, each with as much as is read at once; large ones alone."""
    window: list[int] = []
    start = end = 0
    for number in numbers:
        offset, size = index.offsets[number], index.sizes[number]
        near = offset - end <= _GAP and offset + size - start <= _WINDOW
        if window and not (near and number not in index.sparse):
            yield window
            window = []
        if not window:
            start = offset
        window.append(number)
        # Behind what is stored in parts nothing can be told to be near.
        end = offset + size if number not in index.sparse else -_WINDOW
    if window:
        yield window


def _hash_window(
    reader: Reader, index: LayerIndex, numbers: Sequence[int]
) -> list[tuple[int, bytes]]:
    start = index.offsets[numbers[0]]
    size = index.offsets[numbers[-1]] + index.sizes[numbers[-1]] - start
    if size > _WINDOW or not index.sparse.keys().isdisjoint(numbers):
        return [(number, _hash_alone(reader, index, number)) for number in numbers]
    data = memoryview(reader.read_at(start, size))
    found: list[tuple[int, bytes]] = []
    for number in numbers:
        local = index.offsets[number] - start
        content = data[local : local + index.sizes[number]]
        whole = len(content) == index.sizes[number]
        digest = hashlib.sha256(content).digest() if whole else _hash_alone(reader, index, number)
        found.append((number, digest))
    return found


def _hash_alone(reader: Reader, index: LayerIndex, number: int) -> bytes:
    sha256 = hashlib.sha256()
    for piece in file_content(reader, index, number):
        sha256.update(piece)
    return sha256.digest()
