"""Which step made what of the image: the rows of a table added up by instruction."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change, OriginKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.model.files import FileTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """What each line of the Dockerfile made of the files that ship."""

    by_line: Mapping[int, int] = field(default_factory=dict)
    """First line of an instruction to the bytes it made."""
    by_layer: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    """Layer to the lines that made what it ships, the most bytes first."""
    unknown: frozenset[str] = frozenset()
    """Stages that files were copied from without anybody knowing what made them."""
    known: bool = False
    """The layers were read: what is not here was not made."""


def count_feeds(table: FileTable) -> Feeds:
    """Add up the files that ship by layer and by the line that made them."""
    directory, removed = int(EntryKind.DIR), Change.REMOVED
    sizes: Counter[tuple[int, int]] = Counter()
    columns = zip(
        table.kinds, table.changes, table.layers, table.label_ids, table.sizes, strict=True
    )
    for kind, change, layer, number, size in columns:
        if kind != directory and change is not removed:
            sizes[layer, number] += size
    by_line: Counter[int] = Counter()
    by_layer: dict[int, list[int]] = {}
    unknown = set()
    for (layer, number), size in sizes.most_common():
        label = table.labels[number]
        if label.line is not None:
            by_line[label.line] += size
            lines = by_layer.setdefault(layer, [])
            if label.line not in lines:
                lines.append(label.line)
        if label.kind is OriginKind.UNKNOWN and label.carried_from is not None:
            unknown.add(label.carried_from)
    return Feeds(
        by_line=by_line,
        by_layer={layer: tuple(lines) for layer, lines in by_layer.items()},
        unknown=frozenset(unknown),
        known=True,
    )
