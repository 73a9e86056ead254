"""The final file system as columns: every path, its layer, change, maker and trust."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change, Origin, OriginKind, Trust
from layertrace.model.trace import FileTable, Label
from layertrace.provenance.tracer import Verdict
from layertrace.rootfs.squash import STRIDE, Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layertrace.provenance.rootfs_tree import RootfsTree
    from layertrace.provenance.tracer import Tracer
    from layertrace.rootfs.squash import Rootfs

_DIR: Final = int(EntryKind.DIR)
_STAGELESS: Final = frozenset({OriginKind.BASE, OriginKind.CONTEXT, OriginKind.UNKNOWN})
_OWN: Final = "/"
"""In the place of a path in an origin that many rows share."""
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


def make_table(tree: RootfsTree, tracer: Tracer, *, folder: str = "") -> FileTable:
    """Trace every path below a folder, the removed ones included, into columns.

    By default those of the whole image.
    """
    rootfs = tree.rootfs
    removed = _removed(rootfs)
    paths = [path for path in rootfs.seen if path]
    paths += removed
    if folder:
        paths = [path for path in paths if path.startswith(f"{folder}/")]
    paths += _directories(paths).difference(paths)
    # "/" sorts below every other character: a directory's content follows it
    # at once and nothing comes between.
    paths.sort(key=lambda path: path.replace("/", "\0"))
    columns, answers = _Columns(), _Answers(tracer)
    _fill(columns, answers, tree, paths)
    for row, path in columns.unseen:
        if path in tree.children:
            # A directory by what lies in it, whatever a lower layer had there.
            continue
        if path in removed:
            columns.set_removed(row, rootfs, removed[path])
        else:
            columns.changes[row] = Change.REMOVED
    return FileTable(
        paths=paths,
        kinds=bytes(columns.kinds),
        sizes=columns.sizes,
        layers=columns.layers,
        changes=columns.changes,
        trusts=columns.trusts,
        label_ids=columns.label_ids,
        labels=tuple(answers.labels),
        origins=tuple(answers.origins),
        origin_paths=answers.origin_paths,
    )


def _fill(columns: _Columns, answers: _Answers, tree: RootfsTree, paths: list[str]) -> None:
    """Add a row for every path; those that nobody sees are left to be set.

    One loop without a call for what nearly all rows are: an image has a million of them.
    """
    rootfs = tree.rootfs
    seen, below, promoted = rootfs.seen, rootfs.below, rootfs.promoted
    layers = [(index.kinds, index.sizes) for index in rootfs.layers]
    added = Change.ADDED
    for row, path in enumerate(paths):
        packed = seen.get(path)
        if packed is None:
            columns.unseen.append((row, path))
            columns.add(_DIR, 0, -1, added, Trust.UNKNOWN, answers.nobody)
            continue
        place = Place(packed // STRIDE, packed % STRIDE)
        layer, number = place
        kinds, sizes = layers[layer]
        number = promoted.get(path, number)
        change = change_of(tree, path, place) if path in below else added
        label, trust = answers.of(row, path, place)
        columns.add(kinds[number], sizes[number], layer, change, trust, label)


class _Answers:
    """Labels, origins and trusts, worked out once for all the paths that share them."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._numbers: dict[tuple[Origin, str | None], int] = {}
        self._of_layer: dict[int, tuple[int, Trust]] = {}
        self.labels: list[Label] = []
        self.origins: list[Origin] = []
        """One for each label."""
        self.origin_paths: dict[int, str] = {}
        self.nobody = self._number(_NOBODY)

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
        origin = verdict.origin
        if origin.path is not None:
            # It tells rows apart that nothing else does.
            origin = replace(origin, path=_OWN)
        key = origin, verdict.carried_from
        number = self._numbers.setdefault(key, len(self.labels))
        if number == len(self.labels):
            self.labels.append(make_label(verdict))
            self.origins.append(origin)
        return number


@dataclass(slots=True)
class _Columns:
    kinds: bytearray = field(default_factory=bytearray)
    sizes: array[int] = field(default_factory=lambda: array("q"))
    layers: array[int] = field(default_factory=lambda: array("i"))
    changes: list[Change] = field(default_factory=list)
    trusts: list[Trust] = field(default_factory=list)
    label_ids: array[int] = field(default_factory=lambda: array("i"))
    unseen: list[tuple[int, str]] = field(default_factory=list)
    """Rows that no entry a container sees made, and their paths."""

    def add(  # noqa: PLR0913, PLR0917 - one argument a column
        self, kind: int, size: int, layer: int, change: Change, trust: Trust, label: int
    ) -> None:
        self.kinds.append(kind)
        self.sizes.append(size)
        self.layers.append(layer)
        self.changes.append(change)
        self.trusts.append(trust)
        self.label_ids.append(label)

    def set_removed(self, row: int, rootfs: Rootfs, gone: tuple[Place, int]) -> None:
        place, by = gone
        index = rootfs.layers[place.layer]
        self.kinds[row], self.sizes[row] = index.kinds[place.number], index.sizes[place.number]
        self.layers[row], self.changes[row] = by, Change.REMOVED


def _removed(rootfs: Rootfs) -> dict[str, tuple[Place, int]]:
    """Return the paths only lower layers have: the last entry of each, and who removed it."""
    gone: dict[str, tuple[Place, int]] = {}
    for place, by in rootfs.hidden:
        path = rootfs.layers[place.layer].paths[place.number]
        if path and path not in rootfs.seen and (path not in gone or gone[path][0] < place):
            gone[path] = (place, by)
    return gone


def _directories(paths: Iterable[str]) -> set[str]:
    """Return every directory above some of ``paths``, the root apart."""
    found: set[str] = set()
    for path in paths:
        parent = path.rpartition("/")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition("/")[0]
    return found
