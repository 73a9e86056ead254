"""The JSON of many records, written without a value and a dictionary for each.

What differs from row to row is little, and plain: the rest is the same text for
all files of a layer. Rows that are anything else go the long way of
:mod:`layertrace.views.encode`, whose text this is to the letter.
"""

from __future__ import annotations

from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change, Trust
from layertrace.views.encode import origin_json, record_json, to_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.model.files import FileTable
    from layertrace.pipeline.answers import ImageTrace


_WORDS: Final = tuple(to_line(kind.word) for kind in EntryKind)
"""What a kind is called, by its value."""


class _Shared(NamedTuple):
    """The text that a record shares with others, around its origin's path."""

    before: str
    own_path: bool
    """The origin has a path: the row's own, unless the table has another."""
    after: str


def record_lines(trace: ImageTrace, rows: Sequence[int]) -> Iterator[str]:
    """Yield the JSON of each row's record, on one line."""
    table = trace.table
    paths, labels, layers = table.paths, table.label_ids, table.layers
    changes, trusts, origin_paths = table.changes, table.trusts, table.origin_paths
    sharing, quote = _Sharing(table), encode_basestring
    shared: dict[tuple[int, ...], _Shared] = {}
    # By the identity of what is one of few: an enumeration's own hash takes longer than all else.
    of_change, of_trust = {id(each): each for each in Change}, {id(each): each for each in Trust}
    for row, details in zip(rows, trace.details(rows), strict=True):
        kind, _, size, mode, uid, gid, mtime, target, digest = details
        path = f"/{paths[row]}"
        key = labels[row], layers[row], id(changes[row]), id(trusts[row])
        if key not in shared:
            shared[key] = sharing.text(*key[:2], of_change[key[2]], of_trust[key[3]])
        before, own_path, after = shared[key]
        source = (origin_paths.get(row) or path) if own_path else None
        if mode is None or not _is_plain(path, target, source):
            yield to_line(record_json(trace.record_at(row)))
            continue
        quoted = quote(path)
        yield (
            f'{{"path":{quoted},"implicit":false,"type":{_WORDS[kind]},"size":{size},'
            f'"mode":{mode},"uid":{uid},"gid":{gid},"mtime":{mtime},'
            f'"link_target":{"null" if target is None else quote(target)},'
            f'"digest":{"null" if digest is None else quote(digest)},'
            f"{before}{'null' if source is None else quoted if source is path else quote(source)}"
            f"{after}"
        )


def _is_plain(path: str, target: str | None, source: str | None) -> bool:
    """Say whether a terminal shows all of these as they are, and JSON holds them."""
    return (
        path.isprintable()
        and (target is None or target.isprintable())
        and (source is None or source is path or source.isprintable())
    )


class _Sharing:
    def __init__(self, table: FileTable) -> None:
        self._table = table

    def text(self, label_id: int, layer: int, change: Change, trust: Trust) -> _Shared:
        label, origin = self._table.labels[label_id], self._table.origins[label_id]
        made = to_line(
            {
                "layer": layer if layer >= 0 else None,
                "change": change.value,
                "stage": label.stage,
                "stage_index": label.stage_index,
                "carried_from": label.carried_from,
            }
        )
        source = origin_json(origin)
        del source["path"]
        image = to_line({"image": source.pop("image")})
        return _Shared(
            before=f'{made[1:-1]},"origin":{{{to_line(source)[1:-1]},"path":',
            own_path=origin.path is not None,
            after=f",{image[1:]},{to_line({'trust': trust.value})[1:]}",
        )
