"""The file system as indented folders with sums, for ``tree``."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change
from layertrace.views.encode import path_json, plain
from layertrace.views.report import label_text
from layertrace.views.text import show_name, show_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.model.files import FileTable

_SIZE_CELLS: Final = 9
_FEW: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderRow:
    """One path and all below it."""

    path: str
    kind: EntryKind
    depth: int
    """0 is the folder asked for."""
    size: int
    files: int
    owners: tuple[str, ...]
    """Whose the files are, the largest share first."""


@dataclass(slots=True)
class _Sums:
    """What lies at and below each shown path."""

    top: str
    sizes: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    files: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    owners: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    kinds: dict[str, EntryKind] = field(default_factory=dict)
    children: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def add_path(self, path: str, kind: EntryKind) -> None:
        """Give a path a row of its own."""
        self.kinds[path] = kind
        if path != self.top:
            self.children[path.rpartition("/")[0]].append(path)

    def add_file(self, shown: str, size: int, owner: str) -> None:
        """Count a file for the row it falls under and for all above."""
        while True:
            self.sizes[shown] += size
            self.files[shown] += 1
            self.owners[shown][owner] += size
            if shown == self.top:
                return
            shown = shown.rpartition("/")[0]

    def row(self, path: str, depth: int) -> FolderRow:
        """Return one path's sums."""
        shares = sorted(self.owners[path].items(), key=lambda item: (-item[1], item[0]))
        return FolderRow(
            path=path,
            kind=self.kinds.get(path, EntryKind.DIR),
            depth=depth,
            size=self.sizes[path],
            files=self.files[path],
            owners=tuple(name for name, _ in shares),
        )


def folder_rows(table: FileTable, top: str, *, depth: int) -> tuple[FolderRow, ...] | None:
    """Return ``top`` and what lies at most ``depth`` below it; None if it is not there.

    Siblings stand by size, the largest first; removed paths are left out.
    """
    sums = _Sums(top=top)
    prefix = f"{top}/" if top else ""
    for row, path in enumerate(table.paths):
        inside = path == top or path.startswith(prefix)
        if not inside or table.changes[row] is Change.REMOVED:
            continue
        shown, kind = _ancestor(path, top, depth), EntryKind(table.kinds[row])
        if shown == path:
            sums.add_path(path, kind)
        if kind is not EntryKind.DIR:
            label = table.labels[table.label_ids[row]]
            sums.add_file(shown, table.sizes[row], label_text(label))
    if top and top not in sums.kinds:
        return None
    return tuple(_in_order(sums))


def _in_order(sums: _Sums) -> Iterator[FolderRow]:
    todo = [(sums.top, 0)]
    while todo:
        path, depth = todo.pop()
        yield sums.row(path, depth)
        # The last in goes on first: names backwards, then by size from the smallest.
        below = sorted(sums.children[path], reverse=True)
        below.sort(key=sums.sizes.__getitem__)
        todo += [(child, depth + 1) for child in below]


def folder_lines(rows: Sequence[FolderRow]) -> list[str]:
    """Return one line a row: size, owner, indented name."""
    width = max((len(_owner(row)) for row in rows), default=0)
    return [
        f"{show_size(row.size):>{_SIZE_CELLS}}  {_owner(row):<{width}}  "
        f"{'  ' * row.depth}{_name(row)}"
        for row in rows
    ]


def folder_json(row: FolderRow) -> dict[str, object]:
    """Return one of ``tree.data[]``."""
    return {
        **path_json("path", f"/{row.path}"),
        "type": row.kind.word,
        "depth": row.depth,
        "size": row.size,
        "files": row.files,
        "owners": [plain(owner) for owner in row.owners],
    }


def _ancestor(path: str, top: str, depth: int) -> str:
    """Return ``path``, or its ancestor that lies ``depth`` below ``top``."""
    below = path[len(top) :].lstrip("/").split("/")
    if len(below) <= depth:
        return path
    return "/".join([*([top] if top else []), *below[:depth]])


def _owner(row: FolderRow) -> str:
    if len(row.owners) < _FEW:
        return row.owners[0] if row.owners else ""
    return f"{len(row.owners)} origins"


def _name(row: FolderRow) -> str:
    name = f"/{row.path}" if row.depth == 0 else row.path.rpartition("/")[2]
    slash = "/" if row.kind is EntryKind.DIR and row.path else ""
    return show_name(name) + slash
