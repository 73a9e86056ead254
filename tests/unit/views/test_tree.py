"""The file tree in columns, its sums and its rows, held against plain recursion."""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import replace
from heapq import nlargest
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layertrace.model.entry import EntryKind
from layertrace.model.files import FileTable, Label
from layertrace.model.origin import Change, OriginKind, Trust, weakest
from layertrace.views import treeselect
from layertrace.views.filetree import FileTree, Mark, Scope
from layertrace.views.treerows import TreeRows
from layertrace.views.treeselect import SortKey
from layertrace.views.treesums import SEVERAL_LAYERS, Sums

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

LABELS = (
    Label(kind=OriginKind.BASE),
    Label(kind=OriginKind.RUN, stage="build", stage_index=0, carried_from="build"),
    Label(kind=OriginKind.CONTEXT, carried_from="build"),
)
EVERYTHING = Scope(title="image")


def table(rows: Mapping[str, tuple[bool, int, int, Change, Trust, int]]) -> FileTable:
    """Return a table of ``path: (directory, size, layer, change, trust, label)``."""
    paths = sorted(rows, key=lambda path: path.split("/"))
    facts = [rows[path] for path in paths]
    return FileTable(
        paths=paths,
        kinds=bytes(EntryKind.DIR if fact[0] else EntryKind.FILE for fact in facts),
        sizes=array("q", [0 if fact[0] else fact[1] for fact in facts]),
        layers=array("i", [fact[2] for fact in facts]),
        changes=[fact[3] for fact in facts],
        trusts=[fact[4] for fact in facts],
        label_ids=array("i", [fact[5] for fact in facts]),
        labels=LABELS,
    )


def _facts(directory: bool) -> st.SearchStrategy[tuple[bool, int, int, Change, Trust, int]]:  # noqa: FBT001 - a strategy's choice
    return st.tuples(
        st.just(directory),
        st.integers(0, 5000),
        st.integers(0, 3),
        st.sampled_from(Change),
        st.sampled_from(Trust),
        st.integers(0, len(LABELS) - 1),
    )


@st.composite
def tables(draw: st.DrawFn) -> FileTable:
    """Draw a table whose every path has its directories, as the contract of it says."""
    names = st.sampled_from(("a", "b", "c", "a.b", "d e"))
    files = draw(st.sets(st.lists(names, min_size=1, max_size=4).map("/".join), max_size=25))
    parents = {path.rsplit("/", up)[0] for path in files for up in range(1, path.count("/") + 1)}
    rows = {path: draw(_facts(path in parents)) for path in files | parents}
    return table(rows)


def _inside(paths: list[str], path: str) -> list[int]:
    return [n for n, other in enumerate(paths) if other.startswith(f"{path}/")]


@given(tables())
def test_tree_knows_parents_and_what_lies_below(files: FileTable) -> None:
    """The columns say the same as the paths themselves."""
    tree, paths = FileTree(files), list(files.paths)
    for node, path in enumerate(paths):
        assert list(tree.below(node)) == _inside(paths, path)
        parent, _, name = path.rpartition("/")
        assert tree.name(node) == name
        assert (paths[tree.parents[node]] if tree.parents[node] >= 0 else "") == parent
        assert tree.depths[node] == path.count("/")
    assert [paths[n] for n in tree.children(-1)] == [path for path in paths if "/" not in path]


SCOPES = (
    EVERYTHING,
    Scope(title="base is old", below=frozenset({0, 1})),
    Scope(title="L3", layers=frozenset({2})),
    Scope(title="up to L3", layers=frozenset({0, 1, 2}), below=frozenset({0, 1})),
    Scope(title="build", stage=(0, "build")),
    Scope(title="context", kind=OriginKind.CONTEXT),
)


@given(tables(), st.sampled_from(SCOPES))
def test_sums_are_those_of_the_files_in_scope(files: FileTable, scope: Scope) -> None:
    """A directory weighs what its shipped files weigh, and is traced as its weakest file."""
    tree = FileTree(files)
    sums = Sums(tree, scope)
    for node, path in enumerate(files.paths):
        chosen = [n for n in [node, *_inside(list(files.paths), path)] if _in(files, scope, n)]
        shipped = [
            n for n in chosen if not tree.is_dir[n] and files.changes[n] is not Change.REMOVED
        ]
        assert sums.sizes[node] == sum(files.sizes[n] for n in shipped)
        assert sums.files[node] == len(shipped)
        assert bool(sums.present[node]) == bool(chosen)
        if chosen and shipped and tree.is_dir[node]:
            assert sums.trust(node) is weakest(*(files.trusts[n] for n in shipped))
            layers = {files.layers[n] for n in shipped}
            assert sums.layers[node] == (layers.pop() if len(layers) == 1 else SEVERAL_LAYERS)
            assert set(sums.owner_labels(node)) == {files.label_ids[n] for n in shipped}
            _check_division(files, sums, node, shipped)
            assert sums.largest_files(tree, node, 3) == nlargest(
                3, shipped, files.sizes.__getitem__
            )
    assert sums.total_files == sum(sums.files[n] for n in tree.children(-1))


def _check_division(files: FileTable, sums: Sums, node: int, shipped: list[int]) -> None:
    """What a directory of several owners is divided into are their files and bytes."""
    counts = Counter(files.label_ids[n] for n in shipped)
    sizes = {
        each: sum(files.sizes[n] for n in shipped if files.label_ids[n] == each) for each in counts
    }
    several = len(counts) > 1
    assert sums.part_files.get(node, {}) == (counts if several else {})
    assert sums.parts.get(node, {}) == {k: v for k, v in sizes.items() if v and several}


def _in(files: FileTable, scope: Scope, node: int) -> bool:
    if scope.layers is not None:
        return files.layers[node] in scope.layers
    label = files.labels[files.label_ids[node]]
    if scope.stage is not None:
        return label.stage_index == 0 or label.carried_from == "build"
    return scope.kind is None or label.kind is scope.kind


def _shown(rows: TreeRows) -> list[str]:
    return [rows.tree.table.paths[rows.node(line)] for line in range(len(rows))]


def _check(rows: TreeRows) -> None:
    """A shown path has all directories above it shown, before it and unfolded."""
    seen: set[str] = set()
    for line, path in enumerate(_shown(rows)):
        node = rows.node(line)
        assert rows.line_of(node) == line
        parent = path.rpartition("/")[0]
        assert not parent or parent in seen
        assert rows.sums.present[node]
        seen.add(path)
        below = line + 1 < len(rows) and _shown(rows)[line + 1].startswith(f"{path}/")
        assert rows.is_open(node) == below
    assert len(seen) == len(rows)


OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("toggle"), st.integers(0, 40)),
        st.tuples(st.just("unfold_all"), st.just(0)),
        st.tuples(st.just("fold_all"), st.just(0)),
        st.tuples(st.just("chain"), st.integers(0, 40)),
        st.tuples(st.just("sort"), st.integers(0, 7)),
        st.tuples(st.just("filter"), st.integers(0, 4)),
        st.tuples(st.just("marks"), st.integers(0, 31)),
        st.tuples(st.just("scope"), st.integers(0, len(SCOPES) - 1)),
        st.tuples(st.just("reveal"), st.integers(0, 40)),
    ),
    max_size=12,
)
WORDS = (None, "a", "b/", "zz", ".")


def _toggle(rows: TreeRows, number: int) -> None:
    if len(rows):
        rows.toggle(number % len(rows))


def _chain(rows: TreeRows, number: int) -> None:
    if len(rows):
        line = number % len(rows)
        assert rows.open_chain(line) >= line


def _fold_all(rows: TreeRows, _number: int) -> None:
    rows.fold_all()
    assert not rows.any_open


def _filter(rows: TreeRows, number: int) -> None:
    word, paths = WORDS[number], rows.tree.table.paths
    rows.set_matches(None if word is None else [n for n, p in enumerate(paths) if word in p])


def _found(rows: TreeRows, number: int) -> None:
    """Filter as another thread does, now and then with another order chosen meanwhile."""
    word, paths = WORDS[number] or "", rows.tree.table.paths
    matches = [n for n, p in enumerate(paths) if word in p]
    found = rows.work_out(replace(rows.wish, matches=array("I", matches)))
    if number % 2:
        rows.change(replace(rows.wish, sort=tuple(SortKey)[number % 4]))
    rows.show(found)
    shown = list(rows.lines)
    rows.set_matches(matches)
    assert list(rows.lines) == shown


def _reveal(rows: TreeRows, number: int) -> None:
    if len(rows) and len(rows.tree):
        node = number % len(rows.tree)
        line = rows.reveal(node)
        assert line is None or rows.node(line) == node


APPLY: dict[str, Callable[[TreeRows, int], None]] = {
    "toggle": _toggle,
    "chain": _chain,
    "unfold_all": lambda rows, _: rows.unfold_all(),
    "fold_all": _fold_all,
    "sort": lambda rows, number: rows.change(
        replace(rows.wish, sort=tuple(SortKey)[number % 4], reverse=number > 3)
    ),
    "filter": _filter,
    "found": _found,
    "marks": lambda rows, number: rows.change(
        replace(rows.wish, hidden=frozenset(m for m in Mark if number >> m & 1))
    ),
    "scope": lambda rows, number: rows.change(
        replace(rows.wish, sums=Sums(rows.tree, SCOPES[number]))
    ),
    "reveal": _reveal,
}


@given(tables(), OPERATIONS)
def test_rows_stay_a_tree_whatever_is_done(
    files: FileTable, operations: list[tuple[str, int]]
) -> None:
    """Folding, sorting, filtering, marks and scopes leave rows that hang together."""
    tree = FileTree(files)
    rows = TreeRows(tree, Sums(tree, EVERYTHING))
    _check(rows)
    for what, number in operations:
        APPLY[what](rows, number)
        _check(rows)
    rows.unfold_all()
    files_shown = [p for p in _shown(rows) if not tree.is_dir[files.paths.index(p)]]
    assert len(files_shown) >= rows.tally.shown
    assert rows.tally.shown + rows.tally.by_marks <= rows.tally.total


def _one_by_one(rows: TreeRows) -> list[int]:
    """Return the lines of a tree as one finds them place by place."""
    arranged, shown, lines, place = rows._shown.arranged, rows._shown.selected.shown, [], 0
    while place < len(arranged.order):
        node = arranged.order[place]
        if shown[node]:
            lines.append(place)
        place += 1 if shown[node] and rows._open[node] else rows.sums.spans[node]
    return lines


@given(tables(), OPERATIONS, st.sampled_from((2, 1 << 15)), st.sampled_from((1, 8)))
def test_rows_on_view_are_those_that_nothing_closed_holds(
    files: FileTable, operations: list[tuple[str, int]], piece: int, sparse: int
) -> None:
    """Whole stretches of rows are taken at once, in pieces; one by one they are the same."""
    tree = FileTree(files)
    rows = TreeRows(tree, Sums(tree, EVERYTHING))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(treeselect, "_PIECE", piece)
        patch.setattr(treeselect, "_SPARSE", sparse)
        for what, number in operations:
            APPLY[what](rows, number)
            assert list(rows.lines) == _one_by_one(rows)


@given(tables(), st.sampled_from(SortKey), st.booleans())
def test_siblings_stand_in_the_order_asked_for(
    files: FileTable,
    key: SortKey,
    reverse: bool,  # noqa: FBT001 - drawn
) -> None:
    """Each directory's children are sorted; the tree stays a preorder."""
    tree = FileTree(files)
    rows = TreeRows(tree, Sums(tree, EVERYTHING))
    rows.unfold_all()
    rows.change(replace(rows.wish, sort=key, reverse=reverse))
    lines = {rows.node(line): line for line in range(len(rows))}
    for parent in (-1, *range(len(tree))):
        children = sorted(tree.children(parent), key=lines.__getitem__)
        columns: dict[SortKey, Sequence[object]] = {
            SortKey.SIZE: rows.sums.sizes,
            SortKey.FILES: rows.sums.files,
            SortKey.LAYER: rows.sums.layers,
            SortKey.NAME: [tree.name(node) for node in range(len(tree))],
        }
        values: list[Any] = [columns[key][child] for child in children]
        falls = (key in {SortKey.SIZE, SortKey.FILES}) is not reverse
        assert values == sorted(values, reverse=falls)


@given(tables(), st.sampled_from(SortKey))
def test_flat_rows_are_the_files_of_the_scope(files: FileTable, key: SortKey) -> None:
    """The flat list holds every file once, sorted, and no directory."""
    tree = FileTree(files)
    rows = TreeRows(tree, Sums(tree, EVERYTHING))
    rows.change(replace(rows.wish, sort=key, flat=True))
    assert sorted(_shown(rows)) == sorted(
        path for node, path in enumerate(files.paths) if not tree.is_dir[node]
    )
    assert all(rows.line_of(rows.node(line)) == line for line in range(len(rows)))


FILE = (False, 100, 1, Change.ADDED, Trust.VERIFIED, 1)
FOLDER = (True, 0, 1, Change.ADDED, Trust.VERIFIED, 1)


def _marks(files: FileTable, scope: Scope = EVERYTHING) -> dict[str, str]:
    tree = FileTree(files)
    sums = Sums(tree, scope)
    return {path: Mark(sums.marks[n]).sign for n, path in enumerate(files.paths)}


def test_a_filter_unfolds_what_it_finds_and_gives_the_folds_back() -> None:
    """Hits are on view at once; without the filter all is as it was."""
    files = table({"a": FOLDER, "a/b": FOLDER, "a/b/x.js": FILE, "c": FOLDER, "c/y": FILE})
    tree = FileTree(files)
    rows = TreeRows(tree, Sums(tree, EVERYTHING))
    rows.fold_all()
    rows.set_matches([files.paths.index("a/b/x.js")])
    assert _shown(rows) == ["a", "a/b", "a/b/x.js"]
    assert (rows.tally.shown, rows.tally.total) == (1, 2)
    assert rows.next_hit(0, 1) == 2
    assert rows.next_hit(2, 1) is None
    rows.set_matches(None)
    assert _shown(rows) == ["a", "c"]


def test_hidden_marks_are_counted_among_what_matches() -> None:
    """A filter that hits only hidden rows can say so."""
    gone = (False, 7, 2, Change.REMOVED, Trust.VERIFIED, 1)
    files = table({"a": FOLDER, "a/x": FILE, "a/y.map": gone})
    tree = FileTree(files)
    rows = TreeRows(tree, Sums(tree, EVERYTHING))
    rows.change(replace(rows.wish, hidden=frozenset({Mark.REMOVED})))
    rows.set_matches([files.paths.index("a/y.map")])
    assert _shown(rows) == []
    assert (rows.tally.shown, rows.tally.by_marks) == (0, 1)


def test_a_directory_that_matches_alone_is_shown_without_its_files() -> None:
    """``type:dir`` lists directories; nothing in them matched."""
    files = table({"a": FOLDER, "a/x": FILE})
    tree = FileTree(files)
    rows = TreeRows(tree, Sums(tree, EVERYTHING))
    rows.set_matches([0])
    assert _shown(rows) == ["a"]
    assert not rows.can_open(0)
    assert rows.tally.directories == 1


def test_a_removed_file_weighs_apart_and_stands_last() -> None:
    """What was removed is not counted as shipped, yet says what it costs."""
    gone = (False, 9_000, 2, Change.REMOVED, Trust.VERIFIED, 1)
    files = table({"a": FOLDER, "a/big.map": gone, "a/x": FILE})
    tree = FileTree(files)
    sums = Sums(tree, EVERYTHING)
    rows = TreeRows(tree, sums)
    rows.unfold_all()
    assert _shown(rows) == ["a", "a/x", "a/big.map"]
    assert (sums.total_size, sums.total_lost, sums.total_files) == (100, 9_000, 1)


@pytest.mark.parametrize(
    ("scope", "marks"),
    [
        pytest.param(EVERYTHING, {"etc": "~", "etc/new": "+", "etc/old": "+"}, id="from-nothing"),
        pytest.param(
            Scope(title="image", below=frozenset({0})),
            {"etc": "~", "etc/new": "+", "etc/old": "."},
            id="base-untouched",
        ),
        pytest.param(
            Scope(title="L1", layers=frozenset({0})),
            {"etc": "+", "etc/new": ".", "etc/old": "+"},
            id="only-base",
        ),
    ],
)
def test_marks_say_what_changed_within_the_scope(scope: Scope, marks: dict[str, str]) -> None:
    """What stood below the scope is untouched; its directory changed if it holds a change."""
    files = table(
        {
            "etc": (True, 0, 0, Change.METADATA if scope is EVERYTHING else Change.ADDED,
                    Trust.VERIFIED, 0),
            "etc/old": (False, 5, 0, Change.ADDED, Trust.VERIFIED, 0),
            "etc/new": (False, 5, 1, Change.ADDED, Trust.VERIFIED, 1),
        }
    )  # fmt: skip
    assert _marks(files, scope) == marks


def test_an_implicit_directory_is_what_its_files_are() -> None:
    """No entry made it, so it is new when all in it is new."""
    files = table(
        {"x": (True, 0, -1, Change.ADDED, Trust.UNKNOWN, 0), "x/f": (False, 1, 1, Change.ADDED,
         Trust.VERIFIED, 1)}
    )  # fmt: skip
    assert _marks(files)["x"] == "+"


def test_a_path_as_deep_as_a_tar_allows_does_no_harm() -> None:
    """Depth is counted, not recursed into."""
    parts = "/".join(["d"] * 5000).split("/")
    rows = {"/".join(parts[: n + 1]): FOLDER for n in range(len(parts) - 1)}
    files = table(rows | {"/".join(parts): FILE})
    tree = FileTree(files)
    view = TreeRows(tree, Sums(tree, EVERYTHING))
    assert view.open_chain(0) == 4999
    assert len(view) == 5000
