"""Waste: one case for each way in which stored bytes get out of sight, numbers by hand.

Source: CONTRACT.md, section 4, ``bloat.data``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.layers.walk import walk_layer
from layertrace.model.waste import Cause
from layertrace.rootfs.squash import squash
from layertrace.rootfs.waste import Wasted, find_wasted, visible_bytes
from tests.builders import Content, file, folder, hardlink, layer, sparse, symlink
from tests.readers import MemoryReader

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from layertrace.rootfs.places import Place
    from layertrace.rootfs.squash import Rootfs

Stack = list[dict[str, Content] | list[tuple[str, Content]]]
OPAQUE = ".wh..wh..opq"
OVERWRITTEN, REMOVED, HIDDEN, METADATA = (
    Cause.OVERWRITTEN,
    Cause.REMOVED,
    Cause.HIDDEN,
    Cause.METADATA,
)


class Walked:
    """A stack of layers, and which of its contents were hashed."""

    def __init__(
        self, stack: Iterable[Mapping[str, Content] | Sequence[tuple[str, Content]]]
    ) -> None:
        tars = [layer(members) for members in stack]
        self._walked = [walk_layer(MemoryReader(t), name="x", hash_contents=True) for t in tars]
        self.rootfs: Rootfs = squash([walked.index for walked in self._walked])
        self.hashed: set[str] = set()

    def digests(self, places: Iterable[Place]) -> dict[Place, str]:
        """Return digests, and remember whose."""
        wanted = list(places)
        self.hashed |= {
            f"{place.layer}:{self.rootfs.layers[place.layer].paths[place.number]}"
            for place in wanted
        }
        known = ((place, self._walked[place.layer].digests.get(place.number)) for place in wanted)
        return {place: digest.hex() for place, digest in known if digest is not None}


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        pytest.param([{"a": b"123"}, {"b": b"12"}], [], id="nothing is undone"),
        pytest.param(
            [{"a": b"123"}, {"a": b"12345"}], [("a", 3, OVERWRITTEN, 0, 1)],
            id="small file replaced by a large one"),
        pytest.param(
            [{"a": b"12345"}, {"a": b"123"}], [("a", 5, OVERWRITTEN, 0, 1)],
            id="large file replaced by a small one"),
        pytest.param(
            [{"a": b"1"}, {"a": b"22"}, {"a": b"333"}, {"a": b"4"}],
            [("a", 1, OVERWRITTEN, 0, 1), ("a", 2, OVERWRITTEN, 1, 2),
             ("a", 3, OVERWRITTEN, 2, 3)],
            id="several rewrites, each by the next"),
        pytest.param(
            [{"a": b"123"}, {"a": b"456"}], [("a", 3, OVERWRITTEN, 0, 1)],
            id="same size, other content"),
        pytest.param(
            [{"a": b"123"}, {"a": file(b"123", mode=0o755)}], [("a", 3, METADATA, 0, 1)],
            id="chmod copies the file"),
        pytest.param(
            [{"a": b"123"}, {"a": file(b"123", mode=0o755)}, {".wh.a": b""}],
            [("a", 3, METADATA, 0, 1), ("a", 3, REMOVED, 1, 2)],
            id="chmod, then removed"),
        pytest.param(
            [{"a": b"123"}, {".wh.a": b""}], [("a", 3, REMOVED, 0, 1)], id="file removed"),
        pytest.param(
            [{"d/": folder(), "d/a": b"1", "d/e/b": b"22"}, {"x": b"9"}, {".wh.d": b""}],
            [("d/a", 1, REMOVED, 0, 2), ("d/e/b", 2, REMOVED, 0, 2)],
            id="directory removed, with all in it"),
        pytest.param(
            [{"a": b"123"}, {".wh.a": b""}, {"a": b"1234"}, {".wh.a": b""}],
            [("a", 3, REMOVED, 0, 1), ("a", 4, REMOVED, 2, 3)], id="removed twice"),
        pytest.param(
            [{"d/a": b"1", "d/e/b": b"22"}, {f"d/{OPAQUE}": b"", "d/c": b"333"}],
            [("d/a", 1, HIDDEN, 0, 1), ("d/e/b", 2, HIDDEN, 0, 1)], id="opaque whiteout"),
        pytest.param(
            [{"d/a": b"1", "d/b": b"22"}, {f"d/{OPAQUE}": b"", "d/a": b"1"}],
            [("d/a", 1, METADATA, 0, 1), ("d/b", 2, HIDDEN, 0, 1)],
            id="opaque directory that has the file again"),
        pytest.param(
            [{"a": b"1", "d/b": b"22"}, {OPAQUE: b""}],
            [("a", 1, HIDDEN, 0, 1), ("d/b", 2, HIDDEN, 0, 1)], id="opaque root"),
        pytest.param(
            [{"d/a": b"1", "d/e/b": b"22"}, {"d": b"file"}],
            [("d/a", 1, HIDDEN, 0, 1), ("d/e/b", 2, HIDDEN, 0, 1)],
            id="directory replaced by a file"),
        pytest.param(
            [{"d/a": b"1"}, {"d": symlink("e")}], [("d/a", 1, HIDDEN, 0, 1)],
            id="directory replaced by a link"),
        pytest.param(
            [{"d/a": b"1"}, {".wh.d": b"", "d": b"file"}], [("d/a", 1, REMOVED, 0, 1)],
            id="directory removed and a file put there"),
        pytest.param(
            [{"d/e/a": b"1"}, {f"d/{OPAQUE}": b"", "d/.wh.e": b""}],
            [("d/e/a", 1, REMOVED, 0, 1)], id="removed below an opaque directory"),
        pytest.param(
            [{"d/e/a": b"1", "d/e/b": b"22"}, {".wh.d": b"", "d/e": b"file"}],
            [("d/e/a", 1, REMOVED, 0, 1), ("d/e/b", 2, REMOVED, 0, 1)],
            id="removed above a file in a directory's place"),
        pytest.param(
            [{"a": b"123"}, {"a/": folder(), "a/b": b"1"}], [("a", 3, OVERWRITTEN, 0, 1)],
            id="file replaced by a directory"),
        pytest.param(
            [{"a": b"123"}, {"a/b": b"1"}], [("a", 3, OVERWRITTEN, 0, 1)],
            id="file replaced by a directory without an entry"),
        pytest.param(
            [{"d/a": b"1"}, {"d": b"22"}, {"d/": folder(), "d/a": b"1"}],
            [("d/a", 1, HIDDEN, 0, 1), ("d", 2, OVERWRITTEN, 1, 2)],
            id="directory, file, directory again"),
        pytest.param(
            [{"a": b"", "d/": folder(), "l": symlink("a")}, {".wh.a": b"", ".wh.d": b""}], [],
            id="what has no bytes wastes none"),
        pytest.param(
            [{"a": sparse(4096, {1024: b"12"})}, {".wh.a": b""}],
            [("a", 4096, REMOVED, 0, 1)], id="sparse file"),
    ],
)  # fmt: skip
def test_every_wasted_byte_has_its_cause(
    stack: Stack, expected: list[tuple[str, int, Cause, int, int]]
) -> None:
    """Path, bytes, cause, the layer that stores them and the one that undid it."""
    walked = Walked(stack)
    found = find_wasted(walked.rootfs, walked.digests)
    assert sorted(found) == sorted(Wasted(*each) for each in expected)
    stored = sum(index.stored_bytes for index in walked.rootfs.layers)
    assert stored - sum(visible_bytes(walked.rootfs)) == sum(each[1] for each in expected)


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        pytest.param(
            [{"a": b"123", "b": hardlink("a")}, {".wh.b": b""}], [], id="link removed"),
        pytest.param(
            [{"a": b"123", "b": hardlink("a")}, {".wh.a": b""}], [], id="file removed, link stays"),
        pytest.param(
            [{"a": b"123", "b": hardlink("a")}, {"a": b"12"}], [],
            id="file overwritten, link stays"),
        pytest.param(
            [{"a": b"123", "b": hardlink("a")}, {".wh.a": b"", ".wh.b": b""}],
            [("a", 3, REMOVED, 0, 1)], id="file and link removed, counted once"),
        pytest.param(
            [{"a": b"123", "b": hardlink("a")}, {".wh.a": b""}, {".wh.b": b""}],
            [("a", 3, REMOVED, 0, 2)], id="file removed, later the link"),
        pytest.param(
            [{"a": b"123", "b": hardlink("a"), "c": hardlink("a")}, {".wh.c": b""},
             {"b": b"1"}, {".wh.a": b""}],
            [("a", 3, REMOVED, 0, 3)], id="three names, the file's own the last"),
        pytest.param(
            [{"a": b"123", "b": hardlink("a"), "c": hardlink("a")}, {".wh.a": b""},
             {"b": b"1"}, {".wh.c": b""}],
            [("a", 3, REMOVED, 0, 3)], id="three names, a link the last"),
        pytest.param(
            [{"a": b"123", "b": hardlink("a")}, {".wh.a": b""}, {"b": file(b"123", mode=1)}],
            [("a", 3, METADATA, 0, 2)], id="file removed, chmod of its last name"),
        pytest.param(
            [{"a": b"123", "b": hardlink("a")}, {"b": file(b"123", mode=1), "a": hardlink("b")}],
            [("a", 3, METADATA, 0, 1)], id="chmod of both names, the other one first"),
        pytest.param(
            [{"a": b"123"}, {"a": hardlink("missing")}], [("a", 3, OVERWRITTEN, 0, 1)],
            id="link to nothing"),
        pytest.param(
            [{"s": symlink("x"), "a": b"123"}, {"a": hardlink("s")}],
            [("a", 3, OVERWRITTEN, 0, 1)], id="link to a symbolic link"),
        pytest.param(
            [{"a": b"123"}, {"b": hardlink("a")}, {".wh.a": b""}], [],
            id="link of a later layer keeps the file"),
        pytest.param(
            [{"a": b"123"}, {"b": hardlink("a")}, {"c": hardlink("b")},
             {".wh.a": b"", ".wh.b": b""}], [], id="link to a link of a lower layer"),
        pytest.param(
            [{"a": b"123"}, {".wh.a": b""}, {"b": hardlink("a")}],
            [("a", 3, REMOVED, 0, 1)], id="link to what was gone"),
        pytest.param(
            [{"a": b"123"}, {"b": hardlink("a")}, {".wh.a": b"", ".wh.b": b""}],
            [("a", 3, REMOVED, 0, 2)], id="file and the later layer's link removed"),
    ],
)  # fmt: skip
def test_hard_links_keep_their_file_in_sight(
    stack: Stack, expected: list[tuple[str, int, Cause, int, int]]
) -> None:
    """Content counts once, and is seen as long as one of its names is."""
    walked = Walked(stack)
    found = find_wasted(walked.rootfs, walked.digests)
    assert sorted(found) == sorted(Wasted(*each) for each in expected)
    stored = sum(index.stored_bytes for index in walked.rootfs.layers)
    assert stored - sum(visible_bytes(walked.rootfs)) == sum(each[1] for each in expected)


@pytest.mark.parametrize(
    ("members", "expected", "stored"),
    [
        pytest.param(
            [("a", b"1"), ("b", b"333"), ("a", b"22"), ("a", b"4444")],
            [("a", 3, OVERWRITTEN, 0, 0)], 10, id="path three times"),
        pytest.param(
            [("a", b"123"), ("b", hardlink("a")), ("a", b"1")], [], 4,
            id="link to the file that was replaced"),
        pytest.param(
            [("a", b"123"), ("a/b", b"22"), ("a", b"4")],
            [("a", 3, OVERWRITTEN, 0, 0), ("", 2, HIDDEN, 0, 0)], 6,
            id="member that is lost below a file"),
    ],
)  # fmt: skip
def test_members_that_their_own_layer_replaces_are_waste(
    members: list[tuple[str, Content]],
    expected: list[tuple[str, int, Cause, int, int]],
    stored: int,
) -> None:
    """What stands twice in one layer is undone by that layer itself."""
    walked = Walked([members])
    found = find_wasted(walked.rootfs, walked.digests)
    assert sorted(found) == sorted(Wasted(*each) for each in expected)
    assert walked.rootfs.layers[0].stored_bytes == stored
    assert visible_bytes(walked.rootfs) == [stored - sum(each[1] for each in expected)]


def test_visible_bytes_are_told_layer_by_layer() -> None:
    """A link of a later layer leaves the bytes to the layer that stores them."""
    stack: Stack = [{"a": b"1", "b": b"22"}, {"a": b"333", "c": hardlink("b")}, {".wh.b": b""}]
    assert visible_bytes(Walked(stack).rootfs) == [2, 3, 0]


def test_only_contents_of_one_size_are_hashed() -> None:
    """Where kind or size differ, nothing has to be read."""
    base: dict[str, Content] = {"a": b"123", "b": b"123", "c": b"123", "d": b"123", "e": b""}
    top: dict[str, Content] = {
        "a": b"12", "b": b"456", "c": symlink("abc"), ".wh.d": b"", "e": file(mode=1)
    }  # fmt: skip
    walked = Walked([base, top])
    find_wasted(walked.rootfs, walked.digests)
    assert walked.hashed == {"0:b", "1:b"}


def test_content_whose_digest_cannot_be_had_counts_as_other_content() -> None:
    """Nothing says that it is the same."""
    walked = Walked([{"a": b"123"}, {"a": file(b"123", mode=1)}])
    found = find_wasted(walked.rootfs, lambda _: {})
    assert found == (Wasted("a", 3, OVERWRITTEN, 0, 1),)
