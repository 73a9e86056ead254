"""The final file system as columns: every path, its layer, change, maker and trust."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change, OriginKind, Trust
from layertrace.model.trace import FileTable, Label
from layertrace.rootfs.squash import STRIDE, Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layertrace.provenance.rootfs_tree import RootfsTree
    from layertrace.provenance.tracer import Tracer, Verdict
    from layertrace.rootfs.squash import Rootfs

_DIR: Final = int(EntryKind.DIR)
_FILE: Final = int(EntryKind.FILE)
_STAGELESS: Final = frozenset({OriginKind.BASE, OriginKind.CONTEXT, OriginKind.UNKNOWN})


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
    everything = [path for path in rootfs.seen if path]
    everything += removed
    if folder:
        everything = [path for path in everything if path.startswith(f"{folder}/")]
    everything += _implied(everything)
    # "/" sorts below every other character: a directory's content follows it
    # at once and nothing comes between.
    everything.sort(key=lambda path: path.replace("/", "\0"))
    columns = _Columns(paths=everything)
    answers = _Answers(tree, tracer)
    alive = _directories(rootfs.seen)
    for path in everything:
        packed = rootfs.seen.get(path)
        if packed is not None:
            columns.add_seen(tree, path, Place(*divmod(packed, STRIDE)), answers)
        elif path in removed:
            columns.add_removed(rootfs, removed[path], answers)
        else:
            columns.add_implicit(answers, alive=path in alive)
    return FileTable(
        paths=columns.paths,
        kinds=bytes(columns.kinds),
        sizes=columns.sizes,
        layers=columns.layers,
        changes=columns.changes,
        trusts=columns.trusts,
        label_ids=columns.label_ids,
        labels=tuple(answers.labels),
    )


class _Answers:
    """Labels and trusts, worked out once for all the paths that share them."""

    def __init__(self, tree: RootfsTree, tracer: Tracer) -> None:
        self._tree = tree
        self._tracer = tracer
        self.labels: dict[Label, int] = {}
        self._of_layer: dict[int, tuple[int, Trust]] = {}
        self.unknown = self._number(Label(kind=OriginKind.UNKNOWN))

    def of(self, path: str, place: Place) -> tuple[int, Trust]:
        if not self._tracer.is_uniform(path, place):
            return self._traced(path, place)
        answer = self._of_layer.get(place.layer)
        if answer is None:
            answer = self._of_layer[place.layer] = self._traced(path, place)
        return answer

    def _traced(self, path: str, place: Place) -> tuple[int, Trust]:
        verdict = self._tracer.verdict(path, place)
        return self._number(make_label(verdict)), verdict.trust

    def _number(self, label: Label) -> int:
        return self.labels.setdefault(label, len(self.labels))


@dataclass(slots=True)
class _Columns:
    paths: list[str]
    kinds: bytearray = field(default_factory=bytearray)
    sizes: array[int] = field(default_factory=lambda: array("q"))
    layers: array[int] = field(default_factory=lambda: array("i"))
    changes: list[Change] = field(default_factory=list)
    trusts: list[Trust] = field(default_factory=list)
    label_ids: array[int] = field(default_factory=lambda: array("i"))

    def add_seen(self, tree: RootfsTree, path: str, place: Place, answers: _Answers) -> None:
        index = tree.rootfs.layers[place.layer]
        kind, size = index.kinds[place.number], index.sizes[place.number]
        content = tree.rootfs.promoted.get(path)
        if content is not None:
            kind, size = index.kinds[content], index.sizes[content]
        change = Change.ADDED
        if path in tree.rootfs.below:
            change = change_of(tree, path, place)
        label, trust = answers.of(path, place)
        self._add(kind, size, place.layer, change, trust, label)

    def add_removed(self, rootfs: Rootfs, gone: tuple[Place, int], answers: _Answers) -> None:
        place, by = gone
        index = rootfs.layers[place.layer]
        size = index.sizes[place.number]
        self._add(
            index.kinds[place.number], size, by, Change.REMOVED, Trust.UNKNOWN, answers.unknown
        )

    def add_implicit(self, answers: _Answers, *, alive: bool) -> None:
        change = Change.ADDED if alive else Change.REMOVED
        self._add(_DIR, 0, -1, change, Trust.UNKNOWN, answers.unknown)

    def _add(  # noqa: PLR0913, PLR0917 - one argument a column
        self, kind: int, size: int, layer: int, change: Change, trust: Trust, label: int
    ) -> None:
        self.kinds.append(kind)
        self.sizes.append(size)
        self.layers.append(layer)
        self.changes.append(change)
        self.trusts.append(trust)
        self.label_ids.append(label)


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


def _implied(paths: list[str]) -> list[str]:
    """Return the directories that no entry made, only paths below them."""
    return list(_directories(paths).difference(paths))
