"""The header that the database of rpm keeps of each package.

Source: rpm, "Header format" (manual/format_header): counts, an index of tags, and a store of
their values, all numbers big endian; in a database without magic in front.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from layertrace.analysis.packages.records import UnreadableError, listed, text_of
from layertrace.model.entry import clean_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.analysis.packages.records import Listed

_COUNTS: Final = struct.Struct(">II")
_ENTRY: Final = struct.Struct(">IIII")
_TAGS: Final = 65_536
"""Tags of one header: rpm takes no more."""
_NAME, _VERSION, _RELEASE, _EPOCH, _ARCH = 1000, 1001, 1002, 1003, 1022
_OLD_NAMES, _FOLDER_NUMBERS, _NAMES, _FOLDERS = 1027, 1116, 1117, 1118
_INT32, _STRING, _STRINGS, _TEXTS = 4, 6, 8, 9


class Header:
    """One package's tags, read when they are asked for."""

    def __init__(self, data: bytes) -> None:
        """Read the index.

        Raises:
            UnreadableError: it is not whole.
        """
        self._data = data
        if len(data) < _COUNTS.size:
            raise UnreadableError("a header is cut short")
        tags, size = _COUNTS.unpack_from(data)
        self._store = _COUNTS.size + tags * _ENTRY.size
        if tags > _TAGS or self._store + size > len(data):
            raise UnreadableError("a header is cut short")
        index = memoryview(data)[_COUNTS.size : self._store]
        self._tags = {
            tag: (kind, offset, count) for tag, kind, offset, count in _ENTRY.iter_unpack(index)
        }

    def package(self) -> Listed | None:
        """Return whose header it is, the version as ``epoch:version-release``."""
        version = self._text(_VERSION)
        release, epoch = self._text(_RELEASE), next(self._numbers(_EPOCH), 0)
        full = f"{f'{epoch}:' if epoch else ''}{version}{f'-{release}' if release else ''}"
        return listed(self._text(_NAME), full, self._text(_ARCH))

    def files(self) -> Iterator[str]:
        """Yield the paths of the package, directories too, rootfs-relative."""
        yield from map(clean_path, self._texts(_OLD_NAMES))
        folders = list(self._texts(_FOLDERS))
        numbers = self._numbers(_FOLDER_NUMBERS)
        for name, number in zip(self._texts(_NAMES), numbers, strict=False):
            if number < len(folders):
                yield clean_path(f"{folders[number]}/{name}")

    def _text(self, tag: int) -> str:
        return next(self._texts(tag), "")

    def _texts(self, tag: int) -> Iterator[str]:
        kind, offset, count = self._tags.get(tag, (0, 0, 0))
        if kind not in {_STRING, _STRINGS, _TEXTS}:
            return
        start = self._store + offset
        for _ in range(count):
            end = self._data.find(b"\0", start)
            if end < 0:
                return
            yield text_of(self._data[start:end])
            start = end + 1

    def _numbers(self, tag: int) -> Iterator[int]:
        kind, offset, count = self._tags.get(tag, (0, 0, 0))
        start = self._store + offset
        end = start + 4 * count
        if kind == _INT32 and end <= len(self._data):
            yield from (each for (each,) in struct.iter_unpack(">I", self._data[start:end]))
