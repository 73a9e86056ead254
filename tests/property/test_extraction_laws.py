"""Any stack of layers is written as its files are listed."""

from __future__ import annotations

import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from layertrace.archive.target_tree import TargetTree
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
    from layertrace.model.trace import FileRecord
    from layertrace.pipeline.answers import ImageTrace

NEVER = Writing(progress=lambda done, total: None, stop=lambda: False)
names = st.sampled_from(["a", "b", "c", "..", "caf\udce9"])
paths = st.lists(names, min_size=1, max_size=4).map("/".join)
targets = st.sampled_from(["a", "..", "/", "../../c", "/a/b", "b/c"])
kinds: st.SearchStrategy[Content] = st.one_of(
    st.builds(file, st.binary(max_size=3), mode=st.integers(0, 0o7777)),
    st.builds(folder, st.integers(0, 0o7777), mtime=st.integers(0, 1 << 31)),
    st.builds(symlink, targets),
    st.builds(hardlink, paths),
    st.just(sparse(9_000, {512: b"x"})),
    st.just(fifo()),
)
markers = st.builds(
    lambda path, name: f"{path}/{name}", paths, st.sampled_from([".wh..wh..opq", ".wh.a"])
)
members = st.lists(st.one_of(st.tuples(paths, kinds), st.tuples(markers, st.just(b""))), max_size=7)
stacks = st.lists(members, min_size=1, max_size=4)


def listed(record: FileRecord) -> OnDisk:
    """Return what a path of the list is to be on the disk."""
    if record.kind is EntryKind.SYMLINK:
        return OnDisk(kind="symlink", target=record.link_target, mtime=record.mtime or 0)
    mode = 0o755 if record.mode is None else record.mode & 0o777
    kind = "dir" if record.kind is EntryKind.DIR else "file"
    return OnDisk(
        kind=kind, size=record.size, digest=record.digest, mode=mode, mtime=record.mtime or 0
    )


def wanted(trace: ImageTrace) -> dict[str, tuple[OnDisk, bool]]:
    """Return what is to be on the disk, and whether its time is known."""
    found = {}
    for row, path in enumerate(trace.table.paths):
        record = trace.record_at(row)
        if not path or record.change is Change.REMOVED:
            continue
        trace.digest(path)
        record = trace.record_at(row)
        lost = record.kind is EntryKind.HARDLINK and record.digest is None
        if record.kind.word in {"char", "block", "fifo"} or lost:
            continue
        found[path] = listed(record), not record.implicit
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
        disk = tree_of(place / "above" / "out")
        timed = {
            path: each if expected[path][1] else replace(each, mtime=0)
            for path, each in disk.items()
            if path in expected
        }
        assert disk.keys() == expected.keys()
        assert timed == {path: each for path, (each, _) in expected.items()}
        assert [each.name for each in (place / "above").iterdir()] == ["out"]
