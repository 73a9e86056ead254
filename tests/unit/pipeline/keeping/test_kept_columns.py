"""A file table is the same after it was kept, and nothing else is taken for one."""

from __future__ import annotations

import json
import struct
import sys
from array import array

import pytest

from layertrace.model.files import FileTable, Label
from layertrace.model.origin import Change, Origin, OriginKind, Trust
from layertrace.pipeline.keeping.columns import dump_table, load_table
from tests.builders import layer
from tests.readers import walk

LAYERS = [walk(layer({"a": b"1", "b\udcff": b"22"})), walk(layer({"d/e": b"3"}))]
TABLE = FileTable(
    paths=["a", "b\udcff", "d", "d/e", "gone"],
    kinds=bytes([0, 0, 1, 0, 1]),
    sizes=array("q", [1, 1 << 40, 0, 3, 0]),
    layers=array("i", [0, 0, -1, 1, 1]),
    changes=[Change.ADDED, Change.REMOVED, Change.ADDED, Change.MODIFIED, Change.METADATA],
    trusts=[Trust.VERIFIED, Trust.INFERRED, Trust.UNKNOWN, Trust.CONTRADICTED, Trust.UNKNOWN],
    label_ids=array("i", [0, 1, 0, 1, 0]),
    labels=(
        Label(kind=OriginKind.UNKNOWN),
        Label(kind=OriginKind.RUN, stage="s", stage_index=1, carried_from="s", line=3),
    ),
    origins=(
        Origin(kind=OriginKind.UNKNOWN),
        Origin(kind=OriginKind.RUN, stage="s", stage_index=1, line=3, instruction="x", path="/"),
    ),
    origin_paths={3: "/b\udcff"},
    entries=array("i", [0, 1, -1, 2, -1]),
)
DATA = dump_table(TABLE, LAYERS)
(SIZE,) = struct.unpack_from("<I", DATA)


def test_a_table_is_the_same_after_it_was_kept() -> None:
    """Every column, names that are no UTF-8, and rows that no entry made."""
    assert load_table(DATA, LAYERS) == TABLE


def test_numbers_are_little_endian_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A home directory may be one for several machines."""
    monkeypatch.setattr(sys, "byteorder", "big")
    swapped = dump_table(TABLE, LAYERS)
    assert len(swapped) == len(DATA)
    assert swapped != DATA
    assert load_table(swapped, LAYERS) == TABLE


def _altered(**values: object) -> bytes:
    text = json.dumps(json.loads(DATA[4 : 4 + SIZE]) | values).encode()
    return struct.pack("<I", len(text)) + text + DATA[4 + SIZE :]


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(DATA[:-4], id="cut short"),
        pytest.param(DATA[:-3], id="cut inside a number"),
        pytest.param(DATA + b"\0", id="more"),
        pytest.param(struct.pack("<I", 2) + b"[]", id="no object"),
        pytest.param(struct.pack("<I", 100_000) + b"[" * 100_000, id="too deep"),
        pytest.param(_altered(format=99), id="another format"),
        pytest.param(_altered(rows=4), id="fewer rows"),
        pytest.param(_altered(unnamed=[]), id="a name is missing"),
        pytest.param(_altered(labels=[["burnt"]]), id="no label"),
        pytest.param(_altered(origin_paths=3), id="no list"),
        pytest.param(DATA[: 4 + SIZE + 5] + b"\xff" + DATA[4 + SIZE + 6 :], id="no change"),
    ],
)
def test_what_is_not_whole_or_not_of_this_version_is_not_used(data: bytes) -> None:
    """A cache may hold anything."""
    assert load_table(data, LAYERS) is None


def test_a_table_of_more_layers_is_not_used() -> None:
    """Its rows would name entries that are not there."""
    assert load_table(DATA, LAYERS[:1]) is None
