"""Any two stacks of layers: what differs adds up, and is the same the other way round."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from layertrace.model.difference import CauseKind, DiffKind
from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change
from tests.builders import Content, file, folder, hardlink, symlink
from tests.difference_images import Built, Row, compared, rows, traces

if TYPE_CHECKING:
    from layertrace.model.difference import Difference
    from layertrace.pipeline.answers import ImageTrace

Layer = dict[str, Content]

names = st.sampled_from(["a", "b", "c"])
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
contents: st.SearchStrategy[Content] = st.sampled_from(
    [b"", b"x", b"y", b"xx", file(b"x", mode=0o600), file(b"x", mtime=7), folder(),
     folder(0o700), symlink("a"), hardlink("a"), b"z" * 300]
)  # fmt: skip
markers = st.builds(
    lambda path, name: f"{path}/.wh.{name}".lstrip("/"), st.one_of(st.just(""), paths), names
)
commands = st.sampled_from(["RUN /bin/sh -c one", "RUN /bin/sh -c two", "COPY x /", ""])


@st.composite
def layers(draw: st.DrawFn) -> Layer:
    """Return a layer in which nothing lies below what is no directory."""
    drawn: Layer = draw(st.dictionaries(paths, contents, max_size=6))
    leaves = [path for path, content in drawn.items() if content not in (folder(), folder(0o700))]
    kept = {p: c for p, c in drawn.items() if not any(p.startswith(f"{leaf}/") for leaf in leaves)}
    return kept | dict.fromkeys(draw(st.lists(markers, max_size=2)), b"")


images = st.lists(st.tuples(commands, layers()), min_size=1, max_size=3).map(
    lambda steps: Built(steps=steps)
)


def compare(old: Built, new: Built) -> Difference:
    """Compare two images, and check what must hold of any difference."""
    with tempfile.TemporaryDirectory() as folder_name:
        return compared(Path(folder_name) / "it", old, new)


def reverse(row: Row) -> Row:
    """Return a change as the other direction has it."""
    path, kind, attributes, delta = row
    return path, {"added": "removed", "removed": "added"}.get(kind, kind), attributes, -delta


def by_kind(difference: Difference) -> tuple[dict[CauseKind, int], dict[CauseKind, int]]:
    """Return the bytes and the paths of each kind of cause."""
    sizes: Counter[CauseKind] = Counter()
    counts: Counter[CauseKind] = Counter()
    for cause in difference.causes:
        sizes[cause.kind] += cause.counts.bytes_delta
        counts[cause.kind] += cause.counts.paths
    return dict(sizes), dict(counts)


@settings(max_examples=30, deadline=None)
@given(old=images, new=images)
def test_the_other_direction_is_the_reverse(old: Built, new: Built) -> None:
    """Of every path, and of the bytes and paths of the causes of each kind.

    Of two causes that explain a path equally well either may be taken.
    """
    there, back = compare(old, new), compare(new, old)
    assert rows(back) == list(map(reverse, rows(there)))
    sizes, paths_of = by_kind(there)
    back_sizes, back_paths = by_kind(back)
    assert sizes == {kind: -size for kind, size in back_sizes.items()}
    assert paths_of == back_paths
    renamed = {(b, a) for a, b in there.changes.renames.items()}
    assert renamed == set(back.changes.renames.items())


@settings(max_examples=20, deadline=None)
@given(one=images)
def test_nothing_differs_from_itself(one: Built) -> None:
    """Not even where its layers hide one another."""
    found = compare(one, one)
    assert (rows(found), found.causes, found.stored_delta) == ([], (), 0)


def listed(trace: ImageTrace) -> dict[str, tuple[str, int, str | None]]:
    """Return what a container sees: kind, size and content or target of every path."""
    table, found = trace.table, {}
    for row, change in enumerate(table.changes):
        if change is not Change.REMOVED:
            path = table.paths[row]
            record = trace.record(path)
            kind, digest = record.kind, trace.digest(path)
            if kind is EntryKind.HARDLINK and digest is not None:
                # Another name of a file; one that leads to none is nothing but a link.
                kind = EntryKind.FILE
            says = digest if kind is EntryKind.FILE else record.link_target
            found[path] = (kind.word, record.size, says)
    return found


@settings(max_examples=30, deadline=None)
@given(old=images, new=images)
def test_changes_are_those_of_the_two_lists(old: Built, new: Built) -> None:
    """As they come out of comparing every record of the one with every one of the other."""
    with tempfile.TemporaryDirectory() as folder_name:
        with traces(Path(folder_name) / "it", old, new) as (before, after):
            ours, theirs = listed(before), listed(after)
        found = compared(Path(folder_name) / "again", old, new)
    words = {path: kind for path, kind, _, _ in rows(found)}
    expected = dict.fromkeys(theirs.keys() - ours.keys(), "added")
    expected |= dict.fromkeys(ours.keys() - theirs.keys(), "removed")
    for path in ours.keys() & theirs.keys():
        if ours[path][0] != theirs[path][0]:
            expected[path] = "type"
        elif ours[path] != theirs[path]:
            expected[path] = "modified"
    contents_only = {p: w for p, w in words.items() if w != DiffKind.METADATA.word}
    assert contents_only == expected
