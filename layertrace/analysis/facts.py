"""What the filter language asks of an image beyond its table, each answer found once."""

from __future__ import annotations

from array import array
from functools import cache, cached_property
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.model.image import HistoryEntry
from layertrace.model.origin import Change
from layertrace.provenance.alignment.spelling import read_created_by
from layertrace.rootfs.places import STRIDE, Place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from layertrace.filters.facts import Rows
    from layertrace.model.packages import PackageTable
    from layertrace.model.trace import LayerInfo
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.pipeline.contents import FileParts

_FILE: Final = int(EntryKind.FILE)
_HARDLINK: Final = int(EntryKind.HARDLINK)
_FROM: Final = "from"
_FORMS: Final = {"ELF": "elf", "SCRIPT": "script", "ZIP": "zip", "JAR": "zip", "WHEEL": "zip"}
"""By the name of what a content is."""


class ImageFacts:
    """Answers of one image, about the rows of its table."""

    def __init__(self, trace: ImageTrace) -> None:
        """Keep the image; nothing is read yet."""
        self._trace = trace
        self._forms: dict[Place, str] = {}
        self._joint: dict[int, str] = {}

    def modes(self, rows: Rows) -> Sequence[int]:
        """Return each row's mode bits; -1 where no entry made it."""
        modes = self._modes
        return [modes[row] for row in rows]

    def owners(self, rows: Rows) -> Sequence[tuple[int, int]]:
        """Return each row's uid and gid; -1 where no entry made it."""
        owners = self._owners
        return [owners[row] for row in rows]

    def instructions(self, rows: Rows) -> Sequence[str]:
        """Return the keyword of what brought each row's shipped copy, or removed it.

        Where several instructions made a layer together, each path is traced for it.
        """
        layers, table = self._trace.sized_head.layers, self._trace.table
        words = [_keyword(layer) for layer in layers]
        joint = {layer.index for layer in layers if layer.lines and not layer.base}
        found = []
        for row in rows:
            layer = table.layers[row]
            if layer in joint:
                found.append(self._traced(row))
            else:
                found.append(words[layer] if layer >= 0 else "")
        return found

    def packages(self) -> PackageTable:
        """Return whose package each file is."""
        return self._packages

    def digests(self, rows: Rows) -> Mapping[int, str]:
        """Return the content digests of those of the rows that are files."""
        contents = dict(self._contents(rows))
        digests = self._trace.digests(dict.fromkeys(contents.values()))
        return {row: digests[place] for row, place in contents.items()}

    def forms(self, rows: Rows) -> Mapping[int, str]:
        """Return ``elf``, ``script`` or ``zip`` for those of the rows that are one."""
        from layertrace.analysis.contents.kinds import HEAD, kind_of  # noqa: PLC0415 - few ask

        contents = dict(self._contents(rows))
        unknown = [place for place in contents.values() if place not in self._forms]

        def take(place: Place, parts: FileParts) -> None:
            self._forms[place] = _FORMS.get(kind_of(parts.read_at(0, HEAD)).name, "")

        self._trace.hand_out(dict.fromkeys(unknown), take)
        return {row: form for row, place in contents.items() if (form := self._forms[place])}

    def duplicates(self) -> Collection[int]:
        """Return the rows whose content another path has too; of tiny files nothing is said."""
        return self._duplicates

    def wasted(self) -> Collection[int]:
        """Return the rows whose path has bytes in some layer that nobody sees."""
        return self._wasted

    @cached_property
    def _modes(self) -> Sequence[int]:
        columns = [index.modes for index in self._trace.rootfs.layers]
        places = self._entries(range(len(self._trace.table)))
        return array("i", (-1 if p is None else columns[p[0]][p[1]] for p in places))

    @cached_property
    def _owners(self) -> Sequence[tuple[int, int]]:
        columns = [(index.uids, index.gids) for index in self._trace.rootfs.layers]
        places = self._entries(range(len(self._trace.table)))
        share = cache(lambda uid, gid: (uid, gid))
        return [
            (-1, -1) if p is None else share(columns[p[0]][0][p[1]], columns[p[0]][1][p[1]])
            for p in places
        ]

    @cached_property
    def _packages(self) -> PackageTable:
        from layertrace.analysis.packages.table import read_packages  # noqa: PLC0415 - few ask

        return read_packages(self._trace)

    @cached_property
    def _duplicates(self) -> frozenset[int]:
        from layertrace.analysis.leftovers.duplicates import (  # noqa: PLC0415 - few ask
            find_duplicates,
        )

        copies = {path for each in find_duplicates(self._trace) for path in each.paths}
        return self._rows_of(copies)

    @cached_property
    def _wasted(self) -> frozenset[int]:
        from layertrace.rootfs.waste import find_wasted  # noqa: PLC0415 - few ask

        # Why bytes are wasted is not asked, so no content has to be compared.
        found = find_wasted(self._trace.rootfs, lambda _: {})
        return self._rows_of({each.path for each in found})

    def _rows_of(self, paths: Collection[str]) -> frozenset[int]:
        return frozenset(row for row, path in enumerate(self._trace.table.paths) if path in paths)

    def _entries(self, rows: Rows) -> Iterator[tuple[int, int] | None]:
        """Yield layer and number of the entry that each row is, a hard link's own file.

        One loop without a call for what nearly all rows are: a key of the terminal waits for it.
        """
        seen, paths = self._trace.rootfs.seen, self._trace.table.paths
        kinds = [index.kinds for index in self._trace.rootfs.layers]
        for row in rows:
            packed = seen.get(paths[row])
            if packed is None or kinds[packed // STRIDE][packed % STRIDE] == _HARDLINK:
                yield self._entry(row)
            else:
                yield packed // STRIDE, packed % STRIDE

    def _entry(self, row: int) -> Place | None:
        """Return the entry that a row is; of a removed path the last."""
        rootfs, table = self._trace.rootfs, self._trace.table
        path = table.paths[row]
        place = rootfs.place(path)
        if place is None and table.changes[row] is Change.REMOVED:
            place = next(iter(reversed(list(rootfs.versions(path)))), None)
        return None if place is None else self._trace.content_place(place)

    def _contents(self, rows: Rows) -> Iterator[tuple[int, Place]]:
        """Yield those of the rows that are regular files, with where their content is."""
        kinds = [index.kinds for index in self._trace.rootfs.layers]
        for row, found in zip(rows, self._entries(rows), strict=True):
            if found is not None and kinds[found[0]][found[1]] == _FILE:
                yield row, Place(*found)

    def _traced(self, row: int) -> str:
        table = self._trace.table
        if table.changes[row] is Change.REMOVED:
            return ""
        if row not in self._joint:
            hops = self._trace.chain(table.paths[row]).hops
            text = (hops[0].instruction if hops else None) or ""
            self._joint[row] = text.partition(" ")[0].lower()
        return self._joint[row]


def _keyword(layer: LayerInfo) -> str:
    if layer.base:
        return _FROM
    if layer.instruction:
        return layer.instruction.split(maxsplit=1)[0].lower()
    return read_created_by(HistoryEntry(created_by=layer.created_by)).keyword.lower()
