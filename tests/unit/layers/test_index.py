"""An index as columns, as values and as bytes for a cache."""

from __future__ import annotations

import json
import struct
import sys
from dataclasses import replace

import pytest

from layertrace.layers.index import DamagedIndexError, LayerIndex, dump_index, load_index
from layertrace.model.entry import Entry, EntryKind
from tests.builders import char, file, folder, hardlink, layer, sparse, symlink
from tests.readers import walk

TAR = layer([
    ("etc/", folder(0o700, uid=1, gid=2, mtime=3)), ("etc/hosts", file(b"x", mtime=-5)),
    ("caf\udce9", symlink("caf\udcff")), ("h", hardlink("etc/hosts")), ("null", char(1, 3)),
    ("ping", file(b"", capability=b"\1\0\xff")), ("s", sparse(1 << 32, {0: b"a", 99: b"b"})),
    ("etc/.wh.old\udce9", b""), ("b/.wh..wh..opq", b""), ("h", hardlink("null")),
])  # fmt: skip
INDEX = replace(walk(TAR), length=len(TAR), verified=True)


def test_entries_are_found_by_path_and_by_number() -> None:
    """``numbers`` leads from a path to its row in every column."""
    assert INDEX.entry(INDEX.numbers["etc/hosts"]) == Entry(
        path="etc/hosts", kind=EntryKind.FILE, size=1, mode=0o644, uid=0, gid=0, mtime=-5,
        offset=2048,
    )  # fmt: skip
    assert INDEX.entry(INDEX.numbers["caf\udce9"]).link_target == "caf\udcff"
    assert len(INDEX) == len(INDEX.paths) == len(INDEX.numbers) == 7


@pytest.mark.parametrize("index", [INDEX, walk(layer()), walk(layer({"./": folder()}))])
@pytest.mark.parametrize("order", ["little", "big"])
def test_index_survives_the_cache(
    index: LayerIndex, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was dumped is loaded, every field of it, on machines of either byte order."""
    monkeypatch.setattr(sys, "byteorder", order)
    before = index.sizes[:]
    assert load_index(dump_index(index)) == index
    assert index.sizes == before


def rewritten(**changes: object) -> bytes:
    """Return the dumped index with other values in its head."""
    data = dump_index(INDEX)
    (size,) = struct.unpack_from("<I", data)
    head = json.dumps(json.loads(data[4 : 4 + size]) | changes).encode()
    return struct.pack("<I", len(head)) + head + data[4 + size :]


def test_rewritten_head_alone_does_no_harm() -> None:
    """The damage of the next test is what it says, nothing else."""
    assert load_index(rewritten()) == INDEX


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\1\0\0", id="three bytes"),
        pytest.param(struct.pack("<I", 9) + b"not JSON!", id="no JSON"),
        pytest.param(struct.pack("<I", 2) + b"[]", id="no object"),
        pytest.param(struct.pack("<I", 200_000) + b"[" * 200_000, id="nested JSON"),
        pytest.param(dump_index(INDEX)[:-1], id="a byte less"),
        pytest.param(dump_index(INDEX) + b"\0", id="a byte more"),
        pytest.param(rewritten(format=0), id="another format"),
        pytest.param(rewritten(count=6), id="fewer entries"),
        pytest.param(rewritten(count=None), id="count that is no number"),
        pytest.param(rewritten(names=3), id="shorter names"),
        pytest.param(rewritten(columns=[8, 2, 8, 8, 8, 12]), id="column of no whole number"),
        pytest.param(rewritten(columns=[8, 2]), id="too few columns"),
        pytest.param(rewritten(links=[[0]]), id="link without a target"),
        pytest.param(rewritten(whiteouts=["zz"]), id="whiteout that is not in hex"),
        pytest.param(rewritten(notes=3), id="notes that are no list"),
    ],
)
def test_damaged_bytes_are_no_index(data: bytes) -> None:
    """Anything but the bytes of this version is an error of its own."""
    with pytest.raises(DamagedIndexError):
        load_index(data)


def test_loaded_index_unpacks_names_when_they_are_asked_for() -> None:
    """Whoever asks for sizes alone does not wait for a million names."""
    index = load_index(dump_index(INDEX))
    assert (len(index), index.name_bytes) == (len(INDEX), INDEX.name_bytes)
    assert vars(index).keys().isdisjoint({"paths", "links"})
    assert (index.paths, index.links) == (INDEX.paths, INDEX.links)
    assert index.paths is index.paths
    with pytest.raises(AttributeError, match="no names"):
        index.names  # type: ignore[attr-defined] # noqa: B018 - it is not there
