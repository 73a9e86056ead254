"""An index survives the cache whole, and what is no index never passes for one."""

from __future__ import annotations

from array import array
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from layertrace.layers.index import DamagedIndexError, LayerIndex, dump_index, load_index
from tests.builders import layer
from tests.readers import walk

int64 = st.integers(-(1 << 63), (1 << 63) - 1)
# No name in a tar has a NUL byte; any other byte may stand in one.
paths = st.binary(max_size=9).map(
    lambda name: name.replace(b"\0", b"/").decode("utf-8", "surrogateescape")
)
small = st.integers(0, 9)


@st.composite
def indexes(draw: st.DrawFn) -> LayerIndex:
    """Return any index: not all of them come of a tar."""
    names = draw(st.lists(paths, unique=True, max_size=5))
    count = len(names)

    def column(values: st.SearchStrategy[int] = int64, code: str = "q") -> array[int]:
        return array(code, draw(st.lists(values, min_size=count, max_size=count)))

    return LayerIndex(
        paths=names,
        kinds=bytes(draw(st.lists(st.integers(0, 6), min_size=count, max_size=count))),
        sizes=column(),
        modes=column(st.integers(0, 0o7777), "H"),
        uids=column(),
        gids=column(),
        mtimes=column(),
        offsets=column(),
        links=draw(st.dictionaries(small, paths)),
        devices=draw(st.dictionaries(small, st.tuples(int64, int64))),
        capabilities=draw(st.dictionaries(small, st.binary(max_size=9))),
        sparse=draw(
            st.dictionaries(small, st.lists(st.tuples(int64, int64), max_size=3).map(tuple))
        ),
        repeats=draw(st.dictionaries(small, int64)),
        whiteouts=tuple(draw(st.lists(paths, max_size=3))),
        opaques=tuple(draw(st.lists(paths, max_size=3))),
        stored_bytes=draw(int64),
        notes=tuple(draw(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9))))),
        length=draw(int64),
        verified=draw(st.booleans()),
    )


@settings(deadline=None)
@given(indexes())
def test_dumped_index_is_loaded_as_it_was(index: LayerIndex) -> None:
    """``load_index(dump_index(i)) == i``."""
    assert load_index(dump_index(index)) == index


@settings(deadline=None)
@given(indexes(), st.integers(0), st.binary(max_size=4), st.integers(0, 4))
def test_damaged_dump_is_an_index_or_an_error(
    index: LayerIndex, at: int, junk: bytes, gone: int
) -> None:
    """No damage makes anything but a DamagedIndexError; the cache's checksum finds the rest."""
    data = dump_index(index)
    at %= len(data)
    with suppress(DamagedIndexError):
        assert isinstance(load_index(data[:at] + junk + data[at + gone :]), LayerIndex)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_an_index_or_an_error(data: bytes) -> None:
    """Nor do bytes from anywhere else."""
    with suppress(DamagedIndexError):
        load_index(data)


def test_every_cut_of_a_dump_is_an_error() -> None:
    """A dump that lost its end is never taken for a shorter one."""
    data = dump_index(walk(layer({"a": b"x", "b/.wh.c": b""})))
    for size in range(len(data)):
        try:
            load_index(data[:size])
        except DamagedIndexError:
            continue
        raise AssertionError(size)
