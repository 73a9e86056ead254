"""Every hard link of any stack of layers is the file it was made to, as a disk would keep it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from layertrace.provenance.rootfs_tree import RootfsTree
from layertrace.rootfs.squash import squash
from tests.builders import Content, hardlink, layer
from tests.readers import walk

if TYPE_CHECKING:
    from layertrace.rootfs.places import Place

PATHS = ("a", "b", "c", "d")
Members = list[tuple[str, str | None]]
"""Path and what it is linked to; None: it is a file."""

member = st.tuples(st.sampled_from(PATHS), st.one_of(st.none(), st.sampled_from(PATHS)))
stacks = st.lists(st.lists(member, max_size=6), min_size=1, max_size=3)


def extracted(stack: list[Members]) -> tuple[dict[str, bytes], list[bytes]]:
    """Return what a disk holds when all is extracted in turn, and the layers of it.

    A link to nothing, or to itself, is left out: no engine takes it.
    """
    disk: dict[str, bytes] = {}
    tars = []
    for number, members in enumerate(stack):
        entries: list[tuple[str, Content]] = []
        for place, (path, target) in enumerate(members):
            if target is None:
                disk[path] = b"%d of %d" % (place, number)
                entries.append((path, disk[path]))
            elif target in disk and target != path:
                disk[path] = disk[target]
                entries.append((path, hardlink(target)))
        tars.append(layer(entries))
    return disk, tars


@settings(deadline=None)
@given(stacks)
def test_each_path_has_the_content_that_extraction_leaves(stack: list[Members]) -> None:
    """Wherever a link's target stands: below, before it, behind it, or replaced since."""
    disk, tars = extracted(stack)
    tree = RootfsTree(squash([walk(tar) for tar in tars]), lambda _: None)

    def content(place: Place) -> bytes:
        layer_index, number = tree.content_place(place)
        index = tree.rootfs.layers[layer_index]
        start = index.offsets[number]
        return tars[layer_index][start : start + index.sizes[number]]

    places = {path: tree.rootfs.place(path) for path in tree.rootfs.seen}
    assert {path: content(place) for path, place in places.items() if place} == disk
