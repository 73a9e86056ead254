"""Whatever layers are stacked, every stored byte is seen or wasted, once.

What is seen, :class:`tests.disk.Disk` works out.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from layertrace.layers.walk import walk_layer
from layertrace.model.waste import Cause
from layertrace.rootfs.squash import squash
from layertrace.rootfs.waste import find_wasted, visible_bytes
from tests.builders import Content, file, folder, hardlink, layer, symlink
from tests.disk import OPAQUE, Disk
from tests.readers import MemoryReader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layertrace.rootfs.places import Place

Members = list[tuple[str, Content]]


names = st.sampled_from(["a", "b", "c"])
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
files = st.builds(
    lambda content, mode: file(content, mode=mode),
    st.sampled_from([b"", b"1", b"22", b"23", b"22", b"333"]),
    st.sampled_from([0o644, 0o755]),
)
contents: st.SearchStrategy[Content] = st.one_of(
    files, files, files, st.just(folder()), st.just(symlink("a")), st.builds(hardlink, paths)
)
markers = st.builds(
    lambda folder, name: "/".join([*folder, name]),
    st.lists(names, max_size=2),
    st.sampled_from([OPAQUE, ".wh.a", ".wh.b", ".wh.c"]),
)


@st.composite
def members(draw: st.DrawFn) -> Members:
    """Return a layer in which nothing lies below what is no directory; paths may repeat."""
    drawn = draw(st.lists(st.tuples(paths, contents), max_size=7))
    leaves = {path for path, content in drawn if content != folder()}
    kept = [
        (path, content)
        for path, content in drawn
        if not any(path.startswith(f"{leaf}/") for leaf in leaves)
        and (content != folder() or path not in leaves)
    ]
    return [*kept, *((marker, b"") for marker in draw(st.lists(markers, max_size=2)))]


@settings(max_examples=250, deadline=None)
@given(st.lists(members(), max_size=4))
def test_stored_bytes_are_seen_or_wasted(stack: list[Members]) -> None:
    """Layer by layer: what is stored, less what the causes add up to, is what a disk has."""
    disk = Disk()
    walked = []
    for number, layer_members in enumerate(stack):
        tar = layer(layer_members)
        disk.put(number, tar)
        walked.append(walk_layer(MemoryReader(tar), name="layer", hash_contents=True))
    rootfs = squash([each.index for each in walked])

    def digests(places: Iterable[Place]) -> dict[Place, str]:
        return {place: walked[place.layer].digests[place.number].hex() for place in places}

    wasted: Counter[int] = Counter()
    for each in find_wasted(rootfs, digests):
        assert each.bytes > 0
        assert each.layer <= each.by
        wasted[each.layer] += each.bytes
    seen = disk.visible()
    for number, index in enumerate(rootfs.layers):
        assert index.stored_bytes - wasted[number] == seen[number]
    assert visible_bytes(rootfs) == [seen[number] for number in range(len(stack))]


@settings(max_examples=100, deadline=None)
@given(st.lists(members(), max_size=4))
def test_only_a_digest_makes_a_cause_metadata(stack: list[Members]) -> None:
    """Without one the same bytes are wasted, by the same layers, for another cause."""
    walked = [walk_layer(MemoryReader(layer(m)), name="x", hash_contents=True) for m in stack]
    rootfs = squash([each.index for each in walked])

    def digests(places: Iterable[Place]) -> dict[Place, str]:
        return {place: walked[place.layer].digests[place.number].hex() for place in places}

    known, unknown = find_wasted(rootfs, digests), find_wasted(rootfs, lambda _: {})
    assert [each._replace(cause=Cause.REMOVED) for each in known] == [
        each._replace(cause=Cause.REMOVED) for each in unknown
    ]
    for sure, doubtful in zip(known, unknown, strict=True):
        assert sure.cause is doubtful.cause or (sure.cause, doubtful.cause) == (
            Cause.METADATA,
            Cause.OVERWRITTEN,
        )
