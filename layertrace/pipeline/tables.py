"""The final file system as columns: every path, its layer, change, maker and trust."""

from __future__ import annotations

from array import array
from contextlib import suppress
from dataclasses import fields, replace
from operator import add, attrgetter
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.model.files import FileTable, Label
from layertrace.model.origin import Change, Origin, OriginKind, Trust
from layertrace.pipeline.details import first_entries
from layertrace.provenance.tracer import Shared, Verdict
from layertrace.rootfs.places import STRIDE, Place
from layertrace.rootfs.squash import directories

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Container, Iterable

    from layertrace.provenance.rootfs_tree import RootfsTree
    from layertrace.provenance.tracer import Tracer
    from layertrace.rootfs.squash import Rootfs

_DIR: Final = int(EntryKind.DIR)
_STAGELESS: Final = frozenset({OriginKind.BASE, OriginKind.CONTEXT, OriginKind.UNKNOWN})
_OWN: Final = "/"
"""In the place of a path in an origin that many rows share."""
_TELLING: Final = attrgetter(*(each.name for each in fields(Origin) if each.name != "path"))
_NOBODY: Final = Verdict(Origin(kind=OriginKind.UNKNOWN), Trust.UNKNOWN, None)


def make_label(verdict: Verdict) -> Label:
    """Return whose a path is, by where its chain ends."""
    origin = verdict.origin
    made = origin.kind not in _STAGELESS
    return Label(
        kind=origin.kind,
        stage=origin.stage if made else None,
        stage_index=origin.stage_index if made else None,
        image=origin.image,
        carried_from=verdict.carried_from,
        line=origin.line,
    )


def change_of(tree: RootfsTree, path: str, place: Place) -> Change:
    """Return what the layer of the seen entry did to its path."""
    lower = tree.rootfs.below.get(path)
    if lower is None:
        return Change.ADDED
    older = Place(*divmod(lower, STRIDE))
    before, after = tree.item(older), tree.item(place)
    if before.kind is not after.kind or before.size != after.size:
        return Change.MODIFIED
    if before.link_target != after.link_target:
        return Change.MODIFIED
    if after.kind is EntryKind.FILE and tree.digest_at(older) != tree.digest_at(place):
        return Change.MODIFIED
    return Change.METADATA


def _compared(tree: RootfsTree, older: Place, newer: Place) -> tuple[Place, ...]:
    """Return the files whose contents must be compared to tell what was done; none: nothing."""
    before, after = tree.item(older), tree.item(newer)
    if before.kind is after.kind is EntryKind.FILE and before.size == after.size:
        return tree.content_place(older), tree.content_place(newer)
    return ()


def make_table(
    tree: RootfsTree,
    tracer: Tracer,
    learn: Callable[[Iterable[Place]], object],
    *,
    folder: str = "",
) -> FileTable:
    """Trace every path below a folder, the removed ones included, into columns.

    Args:
        tree: of the image.
        tracer: knows where its paths are from.
        learn: hashes contents together, so that each layer is read once.
        folder: by default the whole image.
    """
    removed = _removed(tree.rootfs)
    paths = _sorted_paths(tree.rootfs, removed, folder)
    answers = _Answers(tracer)
    columns = _Columns(tree.rootfs, paths)
    columns.add_changes(tree, learn)
    columns.add_answers(answers)
    for row in columns.unseen:
        path = paths[row]
        if path in tree.children:
            # A directory by what lies in it, whatever a lower layer had there.
            continue
        if path in removed:
            columns.set_removed(row, removed[path])
        else:
            columns.changes[row] = Change.REMOVED
    return FileTable(
        paths=paths,
        kinds=bytes(columns.kinds),
        sizes=columns.sizes,
        layers=columns.layers,
        entries=columns.entries,
        changes=columns.changes,
        trusts=columns.trusts,
        label_ids=columns.label_ids,
        labels=tuple(answers.labels),
        origins=tuple(answers.origins),
        origin_paths=answers.origin_paths,
    )


def _sorted_paths(rootfs: Rootfs, removed: Iterable[str], folder: str) -> list[str]:
    paths = [*rootfs.seen, *removed]
    if folder:
        paths = [path for path in paths if path.startswith(f"{folder}/")]
    whole = directories(paths).union(paths)
    whole.discard("")
    # "/" sorts below every other character: a directory's content follows it
    # at once and nothing comes between.
    return sorted(whole, key=lambda path: path.replace("/", "\0"))


class _Columns:
    """The rows of paths, most of them made by what treats a column at a time.

    A row that no entry made has the number -1 everywhere, which is the last of any list.
    """

    def __init__(self, rootfs: Rootfs, paths: list[str]) -> None:
        """Look up what the layers say of paths."""
        self._rootfs = rootfs
        self._paths = paths
        places = [-1 if place is None else place for place in map(rootfs.seen.get, paths)]
        self._firsts = [*first_entries(rootfs.layers)]
        first_places = [n - layer * STRIDE for layer, n in enumerate(self._firsts)]
        first_places[-1] = 0
        kinds = b"".join([*(index.kinds for index in rootfs.layers), bytes([_DIR])])
        sizes = array("q")
        for index in rootfs.layers:
            sizes += index.sizes
        sizes.append(0)
        self.layers = array("i", [place // STRIDE for place in places])
        self.entries = array("i", map(add, places, map(first_places.__getitem__, self.layers)))
        self.kinds = bytearray(map(kinds.__getitem__, self.entries))
        self.sizes = array("q", map(sizes.__getitem__, self.entries))
        self.changes = [Change.ADDED] * len(paths)
        self.trusts: list[Trust] = []
        self.label_ids = array("i")
        self.unseen = [row for row, place in enumerate(places) if place < 0]
        """Rows that no entry a container sees made."""
        self._replaced = self._among(rootfs.below)
        for row in self._among(rootfs.promoted):
            first = self._firsts[self.layers[row]]
            number = first + rootfs.promoted[paths[row]]
            self.kinds[row], self.sizes[row] = kinds[number], sizes[number]

    def add_changes(self, tree: RootfsTree, learn: Callable[[Iterable[Place]], object]) -> None:
        """Add what was done to each path that stood there before."""
        replaced = {row: self._place(row) for row in self._replaced}
        pairs = ((self._below(row), place) for row, place in replaced.items())
        learn(place for pair in pairs for place in _compared(tree, *pair))
        for row, place in replaced.items():
            self.changes[row] = change_of(tree, self._paths[row], place)

    def add_answers(self, answers: _Answers) -> None:
        """Add who made each row: row by row where that has to be asked, else by its layer."""
        shared = {layer: answers.shared(layer) for layer in sorted({*self.layers} - {-1})}
        asked = {layer for layer, shares in shared.items() if shares is Shared.BY_NONE}
        rows = {row for row, layer in enumerate(self.layers) if layer in asked} if asked else set()
        rows |= {row for row in self._replaced if shared[self.layers[row]] is not Shared.BY_ALL}
        first = {self._first_row(layer, rows): layer for layer in shared.keys() - asked}
        first.pop(-1, None)
        # In their order, so that what comes first in the image has the first number.
        found = {
            row: answers.of(row, self._paths[row], self._place(row))
            for row in sorted(rows | first.keys())
        }
        of_layer = [(answers.nobody, Trust.UNKNOWN)] * (len(self._firsts))
        for row, layer in first.items():
            of_layer[layer] = found[row]
        self.label_ids = array("i", map([label for label, _ in of_layer].__getitem__, self.layers))
        self.trusts = [*map([trust for _, trust in of_layer].__getitem__, self.layers)]
        for row in rows:
            self.label_ids[row], self.trusts[row] = found[row]

    def set_removed(self, row: int, gone: tuple[Place, int]) -> None:
        """Let a row be of a path that is gone: its last entry, and the layer that removed it."""
        place, by = gone
        index = self._rootfs.layers[place.layer]
        self.kinds[row], self.sizes[row] = index.kinds[place.number], index.sizes[place.number]
        self.layers[row], self.changes[row] = by, Change.REMOVED
        self.entries[row] = self._firsts[place.layer] + place.number

    def _place(self, row: int) -> Place:
        layer = self.layers[row]
        return Place(layer, self.entries[row] - self._firsts[layer])

    def _below(self, row: int) -> Place:
        return Place(*divmod(self._rootfs.below[self._paths[row]], STRIDE))

    def _among(self, some: Collection[str]) -> list[int]:
        """Return the rows whose path is among some."""
        return [row for row, path in enumerate(self._paths) if path in some] if some else []

    def _first_row(self, layer: int, but: Container[int]) -> int:
        """Return the first row of a layer that is not among some; -1: there is none."""
        with suppress(ValueError):
            row = self.layers.index(layer)
            while row in but:
                row = self.layers.index(layer, row + 1)
            return row
        return -1


class _Answers:
    """Labels, origins and trusts, worked out once for all the paths that share them."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._numbers: dict[tuple[object, ...], int] = {}
        self._of_layer: dict[int, tuple[int, Trust]] = {}
        self.labels: list[Label] = []
        self.origins: list[Origin] = []
        """One for each label."""
        self.origin_paths: dict[int, str] = {}
        self.nobody = self._number(_NOBODY)

    def shared(self, layer: int) -> Shared:
        """Return which paths of a layer have one answer together."""
        return self._tracer.shared(layer)

    def of(self, row: int, path: str, place: Place) -> tuple[int, Trust]:
        """Return the label of a row, and how far it may be relied on."""
        if not self._tracer.is_uniform(path, place):
            return self._traced(row, path, place)
        answer = self._of_layer.get(place.layer)
        if answer is None:
            answer = self._of_layer[place.layer] = self._traced(row, path, place)
        return answer

    def _traced(self, row: int, path: str, place: Place) -> tuple[int, Trust]:
        verdict = self._tracer.verdict(path, place)
        source = verdict.origin.path
        if source is not None and source != f"/{path}":
            self.origin_paths[row] = source
        return self._number(verdict), verdict.trust

    def _number(self, verdict: Verdict) -> int:
        origin, has_path = verdict.origin, verdict.origin.path is not None
        # What its path is tells rows apart that nothing else does.
        key = (*_TELLING(origin), has_path, verdict.carried_from)
        number = self._numbers.setdefault(key, len(self.labels))
        if number == len(self.labels):
            self.labels.append(make_label(verdict))
            self.origins.append(replace(origin, path=_OWN) if has_path else origin)
        return number


def _removed(rootfs: Rootfs) -> dict[str, tuple[Place, int]]:
    """Return the paths only lower layers have: the last entry of each, and who removed it."""
    gone: dict[str, tuple[Place, int]] = {}
    for place, by in rootfs.hidden:
        path = rootfs.layers[place.layer].paths[place.number]
        if path and path not in rootfs.seen and (path not in gone or gone[path][0] < place):
            gone[path] = (place, by)
    return gone
