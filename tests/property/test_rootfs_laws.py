"""Any stack of layers folds into what applying them one by one gives."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from layertrace.model.entry import EntryKind
from layertrace.provenance.rootfs_tree import RootfsTree
from layertrace.rootfs.folded import dump_rootfs, load_rootfs
from layertrace.rootfs.places import STRIDE, Place
from layertrace.rootfs.squash import Hidden, Rootfs, squash
from tests.builders import Content, folder, hardlink, layer, symlink
from tests.readers import walk

if TYPE_CHECKING:
    from random import Random

    from layertrace.layers.index import LayerIndex

Members = dict[str, Content]


@dataclass
class Applied:
    """The slow way: a dict of what is seen, changed by one layer after the other."""

    state: dict[str, Place] = field(default_factory=dict)
    below: dict[str, Place] = field(default_factory=dict)
    hidden: set[Hidden] = field(default_factory=set)
    directories: set[Place] = field(default_factory=set)

    def apply(self, number: int, index: LayerIndex) -> None:
        """Put one more layer on top."""
        before = dict(self.state)
        for path in before:
            if self.is_removed(path, index) or self.is_replaced(path, index):
                self.hidden.add(Hidden(self.state.pop(path), number))
                self.below.pop(path, None)
        for row, path in enumerate(index.paths):
            self.state[path] = place = Place(number, row)
            if index.kinds[row] == EntryKind.DIR:
                self.directories.add(place)
            if path in before:
                self.below[path] = before[path]

    def is_removed(self, path: str, index: LayerIndex) -> bool:
        """Say whether a marker of the layer removes ``path``."""
        return any(path == gone or is_below(path, gone) for gone in index.whiteouts) or any(
            is_below(path, emptied) for emptied in index.opaques
        )

    def is_replaced(self, path: str, index: LayerIndex) -> bool:
        """Say whether ``path`` gives way to an entry of the layer."""
        is_directory = self.state[path] in self.directories
        return any(
            own == path
            or (kind != EntryKind.DIR and is_below(path, own))
            or (not is_directory and is_below(own, path))
            for own, kind in zip(index.paths, index.kinds, strict=True)
        )


def is_below(path: str, directory: str) -> bool:
    """Say whether ``path`` lies in ``directory``, at any depth."""
    return path != directory and (not directory or path.startswith(f"{directory}/"))


def apply_all(indexes: list[LayerIndex]) -> Applied:
    """Apply layers, base first."""
    applied = Applied()
    for number, index in enumerate(indexes):
        applied.apply(number, index)
    return applied


def unpacked(places: dict[str, int]) -> dict[str, Place]:
    """Return packed places as pairs."""
    return {path: Place(*divmod(packed, STRIDE)) for path, packed in places.items()}


def seen(rootfs: Rootfs) -> dict[str, Place]:
    """Return what a container sees."""
    return unpacked(dict(rootfs.seen))


names = st.sampled_from(["a", "b", "c"])
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
kinds: st.SearchStrategy[Content] = st.sampled_from(
    [b"x", folder(), folder(), symlink("a"), hardlink("a")]
)
markers = st.one_of(
    st.builds(lambda path: f"{path}/.wh..wh..opq", paths),
    st.just(".wh..wh..opq"),
    st.builds(
        lambda path, name: f"{path}/.wh.{name}".lstrip("/"), st.one_of(st.just(""), paths), names
    ),
)


@st.composite
def members(draw: st.DrawFn) -> Members:
    """Return a layer in which nothing lies below what is no directory."""
    drawn: Members = draw(st.dictionaries(paths, kinds, max_size=6))
    leaves = [path for path, content in drawn.items() if content != folder()]
    kept = {p: c for p, c in drawn.items() if not any(is_below(p, leaf) for leaf in leaves)}
    root: Members = {"./": folder()} if draw(st.booleans()) else {}
    return root | kept | dict.fromkeys(draw(st.lists(markers, max_size=3)), b"")


stacks = st.lists(members(), max_size=5)


def indexes_of(stack: list[Members]) -> list[LayerIndex]:
    """Return the indexes of a stack."""
    return [walk(layer(layer_members)) for layer_members in stack]


@settings(max_examples=500, deadline=None)
@given(stacks)
def test_fold_is_what_applying_layer_by_layer_gives(stack: list[Members]) -> None:
    """What is seen, what it replaced, what is hidden and who hides it."""
    indexes = indexes_of(stack)
    folded, applied = squash(indexes), apply_all(indexes)
    assert seen(folded) == applied.state
    assert unpacked(dict(folded.below)) == applied.below
    assert set(folded.hidden) == applied.hidden
    assert len(folded.hidden) == len(applied.hidden)


@settings(deadline=None)
@given(stacks)
def test_what_a_seen_path_replaced_is_what_the_layers_below_show(stack: list[Members]) -> None:
    """Asked of the whole image, and of an image that ends below the path's layer."""
    indexes = indexes_of(stack)
    tree = RootfsTree(squash(indexes), str)
    for path, place in seen(tree.rootfs).items():
        assert tree.before(path, place.layer) == squash(indexes[: place.layer]).place(path)


@settings(deadline=None)
@given(stacks)
def test_what_any_layer_found_is_what_the_layers_below_show(stack: list[Members]) -> None:
    """Of every path that any layer has, seen in the end or not."""
    indexes = indexes_of(stack)
    tree = RootfsTree(squash(indexes), str)
    known = {path for index in indexes for path in index.paths}
    for layer_index in range(len(indexes) + 1):
        lower = squash(indexes[:layer_index])
        assert {path: tree.before(path, layer_index) for path in known} == {
            path: lower.place(path) for path in known
        }


@settings(deadline=None)
@given(stacks, st.randoms(use_true_random=False))
def test_order_inside_a_layer_never_matters(stack: list[Members], random: Random) -> None:
    """Markers and entries may stand anywhere in a layer's tar."""
    shuffled = []
    for layer_members in stack:
        pairs = list(layer_members.items())
        random.shuffle(pairs)
        shuffled.append(dict(pairs))
    one, other = squash(indexes_of(stack)), squash(indexes_of(shuffled))

    def named(rootfs: Rootfs) -> tuple[object, ...]:
        def name(place: Place) -> tuple[int, str]:
            return place.layer, rootfs.layers[place.layer].paths[place.number]

        return (
            {path: name(place) for path, place in seen(rootfs).items()},
            {path: name(place) for path, place in unpacked(dict(rootfs.below)).items()},
            {(name(place), by) for place, by in rootfs.hidden},
        )

    assert named(one) == named(other)


@settings(deadline=None)
@given(stacks)
def test_whiteout_of_nothing_changes_nothing(stack: list[Members]) -> None:
    """Nor does a layer of none but such whiteouts."""
    marked = squash(indexes_of([*stack, {".wh.nothing": b"", "a/.wh.nothing": b""}]))
    plain = squash(indexes_of(stack))
    assert (marked.seen, set(marked.hidden)) == (plain.seen, set(plain.hidden))


@settings(deadline=None)
@given(stacks, members())
def test_every_entry_is_either_seen_or_hidden(stack: list[Members], top: Members) -> None:
    """Nothing is lost and nothing counted twice; what hides lies above."""
    indexes = indexes_of([*stack, top])
    rootfs = squash(indexes)
    places = [*seen(rootfs).values(), *(place for place, _ in rootfs.hidden)]
    stored = {Place(number, row) for number, i in enumerate(indexes) for row in range(len(i))}
    assert (len(places), set(places)) == (len(stored), stored)
    assert all(place.layer < by for place, by in rootfs.hidden)
    on_top = {place.number for place in seen(rootfs).values() if place.layer == len(stack)}
    assert on_top == set(range(len(indexes[-1])))


@settings(deadline=None)
@given(stacks)
def test_fold_out_of_a_cache_is_the_same(stack: list[Members]) -> None:
    """Whatever the layers hold, and although only what is hidden was written down."""
    indexes = indexes_of(stack)
    folded = squash(indexes)
    assert load_rootfs(dump_rootfs(folded), indexes) == folded


def test_squashing_nothing_is_empty() -> None:
    """No layers make no files."""
    assert squash([]) == Rootfs(layers=(), seen={}, below={}, hidden=(), promoted={})
