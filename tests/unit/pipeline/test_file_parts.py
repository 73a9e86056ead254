"""Parts of a file are those of its content, and no more is read than is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layertrace.errors import LayerError
from layertrace.pipeline.contents import FileParts, with_holes
from layertrace.pipeline.handing import hand_out
from tests.builders import file, layer, sparse
from tests.readers import walk

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layertrace.archive.blob import LayerReader
    from layertrace.rootfs.places import Place

WHOLE = bytes(range(256)) * 12
HOLES = {512: b"a" * 700, 1212: b"b" * 88, 2500: b"c" * 100}
TAR = layer({"before": b"x" * 600, "holes": sparse(3000, HOLES), "whole": file(WHOLE)})
INDEX = walk(TAR)
CONTENTS = {
    "whole": WHOLE,
    "holes": bytes(512) + b"a" * 700 + b"b" * 88 + bytes(1200) + b"c" * 100 + bytes(400),
}


class Tar:
    """A layer's tar that goes forward, a few bytes at a time, or may be read anywhere."""

    def __init__(self, data: bytes = TAR, *, random_access: bool) -> None:
        self.random_access = random_access
        self.read = 0
        self._data = data
        self._end = 0

    def read_at(self, offset: int, size: int) -> bytes:
        """Return bytes; forward not all that were asked for."""
        if not self.random_access:
            assert offset >= self._end, "went back"
            size = min(size, 100)
        found = self._data[offset : offset + size]
        self._end = offset + len(found)
        self.read += len(found)
        return found


def _parts(name: str, *, random_access: bool) -> tuple[FileParts, Tar]:
    tar = Tar(random_access=random_access)
    return FileParts(tar, INDEX, INDEX.numbers[name], random_access=random_access), tar


@pytest.mark.parametrize("random_access", [False, True])
@pytest.mark.parametrize("name", ["whole", "holes"])
def test_pieces_are_what_is_stored(name: str, *, random_access: bool) -> None:
    """Holes are left out; with them they are the content."""
    pieces = list(_parts(name, random_access=random_access)[0])
    assert all(CONTENTS[name][at : at + len(piece)] == piece for at, piece in pieces)
    stored = HOLES if name == "holes" else {0: WHOLE}
    assert sum(len(piece) for _, piece in pieces) == sum(map(len, stored.values()))
    again = _parts(name, random_access=random_access)[0]
    assert b"".join(with_holes(again, len(CONTENTS[name]))) == CONTENTS[name]


@given(
    name=st.sampled_from(["whole", "holes"]),
    random_access=st.booleans(),
    steps=st.lists(
        st.tuples(
            st.sampled_from(["read", "skip", "next"]), st.integers(0, 900), st.integers(0, 900)
        ),
        max_size=12,
    ),
)
def test_what_is_read_forward_is_what_stands_there(
    name: str, steps: list[tuple[str, int, int]], *, random_access: bool
) -> None:
    """However readings, pieces and leaps follow each other."""
    content = CONTENTS[name]
    parts, _ = _parts(name, random_access=random_access)
    at = 0
    for step, gap, size in steps:
        if step == "next":
            start, piece = next(parts, (at, b""))
            if not parts.any_order:
                assert start >= at
                at = start + len(piece)
            assert content[start : start + len(piece)] == piece
        elif step == "skip":
            at += gap
            parts.skip_to(at)
        else:
            at += gap
            assert parts.read_at(at, size) == content[at : at + size]
            at = min(at + size, max(at, len(content)))


def test_skipped_bytes_of_a_plain_layer_are_not_read() -> None:
    """Nor does a reading at the end take what stands before it."""
    parts, tar = _parts("whole", random_access=True)
    assert parts.read_at(3000, 50) == WHOLE[3000:3050]
    parts.skip_to(2800)
    assert tar.read == 50
    assert list(parts) == [(2800, WHOLE[2800:])]
    assert tar.read == 50 + len(WHOLE) - 2800


def test_any_order_will_do_where_the_tar_may_be_read_anywhere() -> None:
    """Elsewhere, and of files with holes, what went by is gone."""
    parts, _ = _parts("whole", random_access=True)
    assert parts.any_order
    assert [parts.read_at(at, 4) for at in (2000, 7)] == [WHOLE[2000:2004], WHOLE[7:11]]
    for name, random_access in (("whole", False), ("holes", True), ("holes", False)):
        parts, _ = _parts(name, random_access=random_access)
        assert not parts.any_order
        assert parts.read_at(600, 10) == CONTENTS[name][600:610]
        assert parts.read_at(605, 10) == b""
        assert parts.read_at(610, 10) == CONTENTS[name][610:620]


@pytest.mark.parametrize("random_access", [False, True])
def test_nothing_stands_behind_the_end(*, random_access: bool) -> None:
    """What follows in the tar is another file's."""
    parts, _ = _parts("whole", random_access=random_access)
    assert parts.read_at(len(WHOLE) - 3, 10) == WHOLE[-3:]
    assert parts.read_at(len(WHOLE), 10) == b""
    assert parts.read_at(1 << 70, 10) == b""
    parts.skip_to(1 << 70)
    assert list(parts) == []


@pytest.mark.parametrize("random_access", [False, True])
def test_tar_that_ends_inside_a_file_is_said_so(*, random_access: bool) -> None:
    """By every way to read it."""
    number = INDEX.numbers["whole"]
    tar = Tar(TAR[: INDEX.offsets[number] + 1000], random_access=random_access)

    def parts() -> FileParts:
        return FileParts(tar, INDEX, number, random_access=tar.random_access)

    with pytest.raises(LayerError, match="cut short inside 'whole'"):
        list(parts())
    tar = Tar(TAR[: INDEX.offsets[number] + 1000], random_access=random_access)
    assert parts().read_at(0, 1000) == WHOLE[:1000]
    tar = Tar(TAR[: INDEX.offsets[number] + 1000], random_access=random_access)
    with pytest.raises(LayerError, match="cut short inside 'whole'"):
        parts().read_at(990, 20)


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(((0, 100), (50, 100)), id="overlap"),
        pytest.param(((0, 100), (2900, 200)), id="past the end"),
    ],
)
def test_sparse_map_without_sense_is_said_so(damaged: tuple[tuple[int, int], ...]) -> None:
    """By every way to read it."""
    number = INDEX.numbers["holes"]
    index = replace(INDEX, sparse={number: damaged})
    for read in (list, lambda parts: parts.skip_to(2000), lambda parts: parts.read_at(200, 10)):
        with pytest.raises(LayerError, match="sparse map of 'holes' is damaged"):
            read(FileParts(Tar(random_access=True), index, number, random_access=True))


@pytest.mark.parametrize("random_access", [False, True])
def test_files_are_handed_out_one_after_the_other(*, random_access: bool) -> None:
    """Whatever was read of the one before, and however little."""
    tar: LayerReader = Tar(random_access=random_access)  # type: ignore[assignment]
    found: dict[str, bytes] = {}

    def take(place: Place, parts: Iterable[tuple[int, bytes]]) -> None:
        assert isinstance(parts, FileParts)
        found[INDEX.paths[place.number]] = parts.read_at(600, 10)

    hand_out(tar, INDEX, 0, range(len(INDEX)), take)
    assert found == {"before": b"", "holes": b"a" * 10, "whole": WHOLE[600:610]}
