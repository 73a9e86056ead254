"""Maps: areas fill the whole, no two overlap, and each is as large as its share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from layertrace.model.entry import EntryKind
from layertrace.model.files import FileTable, Label
from layertrace.model.origin import Change, OriginKind, Trust
from layertrace.views.filetree import FileTree, Scope
from layertrace.views.treemap import NOTHING, Area, Treemap, make_treemap, squarify
from layertrace.views.treesums import Sums

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZES = st.lists(st.integers(1, 10**9), min_size=1, max_size=40).map(lambda s: sorted(s)[::-1])


@given(SIZES, st.integers(1, 60), st.integers(1, 60))
def test_areas_fill_the_whole_and_none_overlap(sizes: list[int], width: int, height: int) -> None:
    """Every pixel belongs to exactly one area."""
    taken = [0] * (width * height)
    for x, y, wide, high in squarify(sizes, Area(0, 0, width, height)):
        for row in range(y, y + high):
            for column in range(x, x + wide):
                taken[row * width + column] += 1
    assert set(taken) == {1}


def test_areas_are_as_large_as_their_shares() -> None:
    """The example of the paper that the layout comes from: a rectangle of 6 by 4."""
    sizes = [600, 600, 400, 300, 200, 200, 100]
    areas = list(squarify(sizes, Area(0, 0, 60, 40)))
    for size, area in zip(sizes, areas, strict=True):
        assert abs(area.pixels - size) <= max(area.width, area.height)
    assert areas[:2] == [Area(0, 0, 30, 20), Area(0, 20, 30, 20)]
    squareness = [max(a.width / a.height, a.height / a.width) for a in areas]
    assert max(squareness) < 3


def draw(
    files: Mapping[str, int], *, folder: str = "", width: int = 60, height: int = 40
) -> Treemap:
    """Return the map of files and their sizes; a path's colour is its row."""
    folders = {p.rpartition("/")[0] for p in files} - {""}
    folders |= {p.rpartition("/")[0] for p in folders} - {""}
    paths = sorted([*files, *folders], key=lambda path: path.replace("/", "\0"))
    kinds = [int(EntryKind.FILE if path in files else EntryKind.DIR) for path in paths]
    table = FileTable(
        paths=paths,
        kinds=kinds,
        sizes=[files.get(path, 0) for path in paths],
        layers=[0] * len(paths),
        changes=[Change.ADDED] * len(paths),
        trusts=[Trust.VERIFIED] * len(paths),
        label_ids=[0] * len(paths),
        labels=(Label(kind=OriginKind.RUN),),
    )
    tree = FileTree(table)
    sums = Sums(tree, Scope(title=""))
    node = paths.index(folder) if folder else -1
    return make_treemap(tree, sums, node, lambda row: row, width=width, height=height)


def test_what_lies_in_a_folder_is_drawn_in_its_area() -> None:
    """Each file has its colour, the large ones their names, folders theirs above."""
    found = draw({"a/b": 700, "a/c": 300, "d": 1000, "e": 0})
    assert [box.node for box in found.boxes] == [0, 3]
    assert {label.node: label.heads for labels in found.labels.values() for label in labels} == {
        0: True, 1: False, 2: False, 3: False,
    }  # fmt: skip
    counts = {color: list(found.colors).count(color) for color in set(found.colors)}
    assert set(counts) == {NOTHING, 1, 2, 3}
    assert 2 < counts[1] / counts[2] < 3
    assert found.color(found.boxes[1].area.x + 3, 20) == 3


def test_what_lies_deep_is_drawn_as_large_as_what_does_not() -> None:
    """Lines part neighbours; folders around one file take nothing from it but their names."""
    found = draw({"a/b/f": 1000, "z": 1000}, width=12, height=80)
    deep, flat = (list(found.colors).count(row) for row in (2, 3))
    assert flat - deep == 12 * 2 * 2 + 12, "two names of two lines, and the line between"
    narrow = draw({"ab": 1000, "abcdefg": 1000}, width=10, height=20)
    names = {label.node for labels in narrow.labels.values() for label in labels}
    assert names == {0, 1}


def test_a_folder_is_drawn_for_itself() -> None:
    """What lies beside it has no part in the map."""
    found = draw({"a/b": 700, "a/c": 300, "d": 1000}, folder="a")
    assert (found.node, [box.node for box in found.boxes]) == (0, [1, 2])


def test_of_many_files_the_largest_are_drawn() -> None:
    """No more than there are pixels."""
    found = draw({f"f{number:04}": number + 1 for number in range(500)}, width=10, height=10)
    assert len(found.boxes) <= 100
    assert found.boxes[0].node == 499


def test_a_pixel_tells_its_box_and_boxes_their_neighbours() -> None:
    """As a mouse and the arrows ask."""
    found = draw({"a": 100, "b": 100, "c": 100, "d": 100})
    here = found.box_at(1, 1)
    assert here is not None
    right = found.beside(here, 1, 0)
    below = found.beside(here, 0, 1)
    assert len({here, right, below}) == 3
    assert found.beside(right, -1, 0) == here
    assert found.beside(here, -1, 0) == here
    assert found.box_at(60, 0) is None


def test_an_empty_folder_has_no_boxes() -> None:
    """Nor does one whose files are empty."""
    assert draw({"e": 0}).boxes == ()
