"""Paths below what is no directory in their own layer: as an engine extracts them.

Each outcome is what ``docker load`` and ``docker export`` of version 20.10 show.
"""

from __future__ import annotations

import time

import pytest

from tests.builders import Content, folder, hardlink, layer, symlink
from tests.readers import walk

Pairs = list[tuple[str, Content]]


@pytest.mark.parametrize(
    ("members", "paths"),
    [
        pytest.param(
            [("usr/bin/", folder()), ("bin", symlink("usr/bin")), ("bin/a", b"")],
            ["usr/bin", "bin", "usr/bin/a"], id="below a link"),
        pytest.param(
            [("usr/", folder()), ("a/b", symlink("../usr")), ("a/b/c/d", b"")],
            ["usr", "a/b", "usr/c/d"], id="deep below a link"),
        pytest.param(
            [("a/b", symlink("/usr/./x/../y/")), ("a/b/c", b"")], ["a/b", "usr/y/c"],
            id="absolute link, from the root of the layer"),
        pytest.param(
            [("a", symlink("../../../b")), ("a/c", b"")], ["a", "b/c"],
            id="link that climbs above the root"),
        pytest.param(
            [("a", symlink("b")), ("b", symlink("c/d")), ("a/x", b"")], ["a", "b", "c/d/x"],
            id="link to a link"),
        pytest.param(
            [("a", symlink("b")), ("b", symlink("a")), ("a/x", b"")], ["a", "b"],
            id="links in a circle"),
        pytest.param([("a", symlink("")), ("a/x", b"")], ["a", "x"], id="link to nothing"),
        pytest.param(
            [("usr/x", b""), ("bin/a", b""), ("bin", symlink("usr"))], ["usr/x", "bin"],
            id="lost to a link that stands behind"),
        pytest.param([("a/b/c", b""), ("a", b"")], ["a"], id="lost to a file that stands behind"),
        pytest.param([("a", b""), ("a/b", b"")], ["a"], id="lost to a file, which engines refuse"),
        pytest.param(
            [("b/c", b"old"), ("a", symlink("b")), ("a/c", b"")], ["a", "b/c"],
            id="lands on another, and the last wins"),
        pytest.param(
            [("a", symlink("b")), ("a/c", b""), ("a/", folder())], ["a/c", "a"],
            id="directory in the end"),
    ],
)  # fmt: skip
def test_path_below_no_directory_lands_where_extraction_puts_it(
    members: Pairs, paths: list[str]
) -> None:
    """What is left is what an engine would have on disk, and the layer is noted as strange."""
    index = walk(layer(members))
    assert list(index.paths) == paths
    codes = {code for code, _ in index.notes}
    assert ("below-no-directory" in codes) is (paths != ["a/c", "a"])


def test_hard_link_leads_where_its_target_landed() -> None:
    """A hard link names its target by the same way through the symbolic link."""
    index = walk(
        layer([
            ("usr/", folder()), ("bin", symlink("usr")), ("bin/a", b"x"),
            ("bin/b", hardlink("bin/a")), ("c", hardlink("usr/a")), ("d", hardlink("e/f")),
        ])
    )  # fmt: skip
    links = {index.paths[number]: target for number, target in index.links.items()}
    assert links == {"bin": "usr", "usr/b": "usr/a", "c": "usr/a", "d": "e/f"}


@pytest.mark.parametrize(
    "members",
    [
        pytest.param([("a", symlink("b/" * 300_000)), ("a/x", b"")], id="long target"),
        pytest.param([("a", symlink("b/" * 2000 + "../" * 2000 + "a")), ("a/x", b"")], id="circle"),
        pytest.param(
            [("a", symlink("b")), ("a/x", b""), ("c", hardlink("d/" * 300_000))],
            id="long hard link"),
    ],
)  # fmt: skip
def test_no_way_is_too_long(members: Pairs) -> None:
    """A link that leads further than any system follows loses the entry, at once."""
    start = time.process_time()
    assert "a/x" not in walk(layer(members)).paths
    assert time.process_time() - start < 2


def test_entries_keep_their_attributes_where_they_land() -> None:
    """Numbers, digests and content go with the path."""
    index = walk(layer([("b/c", b"lost"), ("b", b""), ("a", symlink("d")), ("a/e", b"kept")]))
    assert index.sizes[index.numbers["d/e"]] == 4
    assert index.stored_bytes == 8
