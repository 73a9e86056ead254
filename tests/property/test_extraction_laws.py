"""Any stack of layers is written as its files are listed."""

from __future__ import annotations

import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from layertrace.archive.target.target_tree import TargetTree
from layertrace.layers.cache import IndexCache
from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change
from layertrace.pipeline.extraction import Writing
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.builders import (
    Content,
    Member,
    docker_archive,
    fifo,
    file,
    folder,
    hardlink,
    image,
    layer,
    sparse,
    symlink,
)
from tests.trees import OnDisk, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.files import FileRecord
    from layertrace.pipeline.answers import ImageTrace

NEVER = Writing(progress=lambda done, total: None, stop=lambda: False)
names = st.sampled_from(["a", "b", "c", "..", "caf\udce9"])
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
targets = st.sampled_from(["a", "..", "/", "../../c", "/a/b", "b/c"])
linked = st.sampled_from(["x", "a/x", "b/c/x"])
"""What hard links are made to: files and nothing else, or no system takes the layer."""
files = st.one_of(
    st.builds(file, st.binary(max_size=3), mode=st.integers(0, 0o7777)),
    st.just(sparse(9_000, {512: b"x"})),
)
kinds: st.SearchStrategy[Content] = st.one_of(
    files,
    st.builds(folder, st.integers(0, 0o7777), mtime=st.integers(0, 1 << 31)),
    st.builds(symlink, targets),
    st.builds(hardlink, linked),
    st.just(fifo()),
)
markers = st.builds(
    lambda path, name: f"{path}/{name}", paths, st.sampled_from([".wh..wh..opq", ".wh.a"])
)
members = st.lists(
    st.one_of(st.tuples(paths, kinds), st.tuples(linked, files), st.tuples(markers, st.just(b""))),
    max_size=7,
)
stacks = st.lists(members, min_size=1, max_size=4)


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def listed(record: FileRecord) -> OnDisk:
    """Return what a path of the list is to be on the disk."""
    if record.kind is EntryKind.SYMLINK:
        return OnDisk(kind="symlink", target=record.link_target, mtime=record.mtime or 0)
    mode = 0o755 if record.mode is None else record.mode & 0o777
    kind = "dir" if record.kind is EntryKind.DIR else "file"
    return OnDisk(
        kind=kind, size=record.size, digest=record.digest, mode=mode, mtime=record.mtime or 0
    )


def wanted(trace: ImageTrace) -> dict[str, tuple[OnDisk, bool] | None]:
    """Return what is to be on the disk, and whether its time is known.

    None for second names of what is not there.
    """
    found: dict[str, tuple[OnDisk, bool] | None] = {}
    for row, path in enumerate(trace.table.paths):
        trace.digest(path)
        record = trace.record_at(row)
        if record.change is Change.REMOVED or record.kind.word in {"char", "block", "fifo"}:
            continue
        named = record.link_target if record.kind is EntryKind.SYMLINK else record.digest
        known = named is not None or record.kind is EntryKind.DIR
        found[path] = (listed(record), not record.implicit) if known else None
    return found


@settings(max_examples=60, deadline=None)
@given(stacks, st.sampled_from(["packed", "plain"]), st.sampled_from(["open", "looked-at"]))
def test_what_is_written_is_what_is_listed(
    stack: list[list[tuple[str, Member]]], form: str, way: str
) -> None:
    """Kinds, sizes, contents, link targets, modes and times; nothing else, nowhere else."""
    one = image(*(layer(each, form=tarfile.PAX_FORMAT) for each in stack))
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        (place / "app.tar").write_bytes(docker_archive(one, packed=form == "packed"))
        opening = open_image(str(place / "app.tar"), Hints(), IndexCache(place, limit=0))
        try:
            trace = opening.walk()
            found = trace.extractor.choose([""])
            with TargetTree(place / "above" / "out", handles=way == "open") as target:
                trace.extractor.write(found, target, NEVER)
            expected = wanted(trace)
        finally:
            opening.close()
        # A link of a layer may lead an entry of it onto a directory of that very layer; which
        # of both is listed is a question to reading, and only one of them can be written.
        above = {parent for path in expected for parent in _above(path)}
        assume(all(each is not None and each[0].kind == "dir" for each in map(expected.get, above)))
        disk = tree_of(place / "above" / "out")
        known = {path: each for path, each in expected.items() if each is not None}
        assert known.keys() <= disk.keys() <= expected.keys()
        assert {
            path: replace(disk[path], mtime=disk[path].mtime * timed)
            for path, (_, timed) in known.items()
        } == {path: each for path, (each, _) in known.items()}
        assert [each.name for each in (place / "above").iterdir()] == ["out"]
