"""The same content at several paths in sight."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from layertrace.analysis.leftovers.duplicates import SMALLEST, find_duplicates
from tests.builders import hardlink, layer, sparse, symlink
from tests.leftover_images import traced

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.builders import Content

BIG = b"b" * 5000
LARGER = b"l" * 6000


def _duplicates(
    path: Path, *layers: Mapping[str, Content] | bytes, packed: bool = False
) -> list[tuple[int, tuple[str, ...]]]:
    with traced(path, *layers, packed=packed) as trace:
        found = find_duplicates(trace)
    return [(each.bytes, each.paths) for each in found]


@pytest.mark.parametrize("packed", [False, True])
def test_copies_are_found_across_layers(tmp_path: Path, *, packed: bool) -> None:
    """All but one copy count: 2 * 5000 and 1 * 6000 bytes, the most first."""
    layers = (
        {"a/one": BIG, "a/two": LARGER, "a/other": b"o" * 5000},
        {"b/one": BIG, "c/one": BIG, "b/two": LARGER},
    )
    assert _duplicates(tmp_path, *layers, packed=packed) == [
        (10_000, ("a/one", "b/one", "c/one")),
        (6_000, ("a/two", "b/two")),
    ]


def test_copies_have_the_digest_of_their_content(tmp_path: Path) -> None:
    """As sha256sum prints it."""
    with traced(tmp_path, {"a": BIG, "b": BIG}) as trace:
        (found,) = find_duplicates(trace)
    assert found.digest == f"sha256:{hashlib.sha256(BIG).hexdigest()}"
    assert (found.size, found.paths) == (5000, ("a", "b"))


def test_links_are_no_copies(tmp_path: Path) -> None:
    """Two names of one file take its bytes once; the first stands for both."""
    files: dict[str, Content] = {"b": BIG, "a": hardlink("b"), "c": symlink("b")}
    assert _duplicates(tmp_path, files) == []
    assert _duplicates(tmp_path, files, {"d": BIG}) == [(5000, ("a", "d"))]


def test_what_nobody_sees_is_no_copy(tmp_path: Path) -> None:
    """A file that another layer stores again is waste."""
    assert _duplicates(tmp_path, {"a": BIG}, {"a": BIG}) == []
    assert _duplicates(tmp_path, {"a": BIG, "b": BIG}, {".wh.a": b""}) == []


def test_small_contents_are_left_out(tmp_path: Path) -> None:
    """One byte decides."""
    small, large = b"s" * (SMALLEST - 1), b"l" * SMALLEST
    files = {"a": small, "b": small, "c": large, "d": large}
    assert _duplicates(tmp_path, files) == [(4096, ("c", "d"))]


def test_sparse_files_are_left_out(tmp_path: Path) -> None:
    """Two that say they are of 8 GB each are not unpacked to be compared."""
    huge = sparse((1 << 33) - 1, {0: b"x"})
    assert _duplicates(tmp_path, {"a": huge, "b": huge}) == []


def test_damaged_layer_is_not_read_for_copies(tmp_path: Path) -> None:
    """It ends in the middle of one."""
    tar = layer({"c": BIG, "d": BIG})
    assert _duplicates(tmp_path, {"a": BIG, "b": BIG}, tar[:8_000]) == [(5000, ("a", "b"))]
