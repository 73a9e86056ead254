"""Layers folded: one case for each rule of what a container sees.

Source: OCI image-spec, layer.md, "Applying Changesets". Where that is silent,
what an engine with overlay2 shows.
"""

from __future__ import annotations

import pytest

from layertrace.rootfs.places import STRIDE, Place
from layertrace.rootfs.squash import Rootfs, content_number, link_end, squash
from tests.builders import Content, char, folder, hardlink, layer, symlink
from tests.readers import walk

Stack = list[dict[str, Content]]
OPAQUE = ".wh..wh..opq"


def fold(stack: Stack) -> Rootfs:
    """Return what the layers of a stack make, base first."""
    return squash([walk(layer(members)) for members in stack])


def seen(rootfs: Rootfs) -> dict[str, int]:
    """Return the layer of every path that a container sees."""
    return {path: packed // STRIDE for path, packed in rootfs.seen.items()}


def hidden(rootfs: Rootfs) -> dict[tuple[str, int], int]:
    """Return path and layer of every hidden entry, and the layer that hides it."""
    return {
        (rootfs.layers[place.layer].paths[place.number], place.layer): by
        for place, by in rootfs.hidden
    }


@pytest.mark.parametrize(
    ("stack", "expected", "gone"),
    [
        pytest.param(
            [{"a": b""}, {"b": b""}], {"a": 0, "b": 1}, {}, id="layers add up"),
        pytest.param(
            [{"a": b"1"}, {"a": b"2"}], {"a": 1}, {("a", 0): 1}, id="upper file replaces"),
        pytest.param(
            [{"a": b"1"}, {"a": b"2"}, {"a": b"3"}], {"a": 2}, {("a", 0): 1, ("a", 1): 2},
            id="the nearest above replaces"),
        pytest.param(
            [{"d/": folder(), "d/a": b""}, {"d/": folder(0o700), "d/b": b""}],
            {"d": 1, "d/a": 0, "d/b": 1}, {("d", 0): 1}, id="directories merge"),
        pytest.param(
            [{"d/": folder(), "d/a": b"", "d/e/f": b""}, {"d": b"file"}], {"d": 1},
            {("d", 0): 1, ("d/a", 0): 1, ("d/e/f", 0): 1}, id="file replaces a directory"),
        pytest.param(
            [{"d/a": b""}, {"d": symlink("e")}], {"d": 1}, {("d/a", 0): 1},
            id="symlink replaces a directory"),
        pytest.param(
            [{"a": b"file"}, {"a/": folder(), "a/b": b""}], {"a": 1, "a/b": 1}, {("a", 0): 1},
            id="directory replaces a file"),
        pytest.param(
            [{"a": b"file"}, {"a/b": b""}], {"a/b": 1}, {("a", 0): 1},
            id="directory without an entry replaces a file"),
        pytest.param(
            [{"bin": symlink("usr/bin"), "usr/bin/x": b""}, {"bin/y": b""}],
            {"usr/bin/x": 0, "bin/y": 1}, {("bin", 0): 1},
            id="directory without an entry replaces a symlink"),
        pytest.param(
            [{"a/b": b"1"}, {"a": b"2"}, {"a/c": b"3"}], {"a/c": 2},
            {("a/b", 0): 1, ("a", 1): 2}, id="directory, file, directory"),
        pytest.param(
            [{"a": b"1"}, {"a/b": b"2"}, {".wh.a": b""}], {}, {("a", 0): 1, ("a/b", 1): 2},
            id="directory that was removed replaced the file first"),
        pytest.param(
            [{"d/a": b""}, {"d/": folder()}, {"d": b"file"}, {"d/": folder()}], {"d": 3},
            {("d/a", 0): 2, ("d", 1): 2, ("d", 2): 3}, id="nothing comes back"),
        pytest.param(
            [{"a": b"", "b": b""}, {".wh.a": b""}], {"b": 0}, {("a", 0): 1}, id="whiteout"),
        pytest.param(
            [{"d/": folder(), "d/e/f": b""}, {".wh.d": b""}], {},
            {("d", 0): 1, ("d/e/f", 0): 1}, id="whiteout of a directory and all in it"),
        pytest.param(
            [{"d/a": b"", "d/b": b""}, {"d/.wh.a": b""}], {"d/b": 0}, {("d/a", 0): 1},
            id="whiteout in a directory"),
        pytest.param(
            [{"a": b"", "ab": b"", "a.b": b""}, {".wh.a": b""}], {"ab": 0, "a.b": 0},
            {("a", 0): 1}, id="whiteout of one name, not of a prefix"),
        pytest.param(
            [{"a": b"1"}, {".wh.a": b"", "a": b"2"}], {"a": 1}, {("a", 0): 1},
            id="whiteout spares its own layer"),
        pytest.param(
            [{"d/a": b""}, {".wh.d": b"", "d/b": b""}], {"d/b": 1}, {("d/a", 0): 1},
            id="directory removed and made anew"),
        pytest.param(
            [{"a": b"1"}, {".wh.a": b""}, {"a": b"3"}], {"a": 2}, {("a", 0): 1},
            id="file removed and made anew"),
        pytest.param(
            [{"a": b"1"}, {"a": b"2"}, {".wh.a": b""}], {}, {("a", 0): 1, ("a", 1): 2},
            id="replaced first, then removed"),
        pytest.param(
            [{"a": b"1"}, {".wh.a": b""}, {".wh.a": b""}], {}, {("a", 0): 1},
            id="removed twice: the lower one did it"),
        pytest.param(
            [{}, {".wh.a": b"", "d/.wh.a": b"", f"e/{OPAQUE}": b""}], {}, {},
            id="whiteout of nothing"),
        pytest.param(
            [{"d/": folder(), "d/a": b"", "d/e/f": b"", "g": b""}, {f"d/{OPAQUE}": b""}],
            {"d": 0, "g": 0}, {("d/a", 0): 1, ("d/e/f", 0): 1},
            id="opaque whiteout empties the directory and keeps it"),
        pytest.param(
            [{"d/a": b"1"}, {"d/a": b"2", f"d/{OPAQUE}": b"", "d/b": b""}],
            {"d/a": 1, "d/b": 1}, {("d/a", 0): 1}, id="opaque whiteout spares its own layer"),
        pytest.param(
            [{"./": folder(), "a": b"", "d/b": b""}, {OPAQUE: b"", "c": b""}], {"": 0, "c": 1},
            {("a", 0): 1, ("d/b", 0): 1}, id="opaque root"),
        pytest.param(
            [{"./": folder()}, {"./": folder(0o700)}], {"": 1}, {("", 0): 1},
            id="root's mode is replaced"),
        pytest.param(
            [{"null": char(1, 3)}, {"null": b""}], {"null": 1}, {("null", 0): 1},
            id="file replaces a device"),
    ],
)  # fmt: skip
def test_stack_shows(
    stack: Stack, expected: dict[str, int], gone: dict[tuple[str, int], int]
) -> None:
    """Which layer each path comes from, and who hides the others."""
    rootfs = fold(stack)
    assert (seen(rootfs), hidden(rootfs)) == (expected, gone)


@pytest.mark.parametrize(
    ("stack", "below"),
    [
        pytest.param([{"a": b""}, {"b": b""}], {}, id="nothing replaced"),
        pytest.param([{"a": b"1"}, {"a": b"2"}], {"a": 0}, id="file"),
        pytest.param([{"a": b"1"}, {"a": b"2"}, {"a": b"3"}], {"a": 1}, id="the last before it"),
        pytest.param([{"a": b"1"}, {}, {"a": b"3"}], {"a": 0}, id="layers in between"),
        pytest.param([{"a": b"1"}, {".wh.a": b"", "a": b"2"}], {"a": 0}, id="removed with it"),
        pytest.param([{"d/a": b"1"}, {f"d/{OPAQUE}": b"", "d/a": b"2"}], {"d/a": 0}, id="opaque"),
        pytest.param([{"a": b"1"}, {".wh.a": b""}, {"a": b"2"}], {}, id="removed before it"),
        pytest.param([{"a/b": b"1"}, {"a": b"2"}, {"a/b": b"3"}], {}, id="lost before it"),
        pytest.param([{"a": b"1"}, {"a/": folder()}], {"a": 0}, id="file by a directory"),
        pytest.param([{"a": b"1"}, {"a": b"2"}, {".wh.a": b""}], {}, id="not seen itself"),
    ],
)
def test_below_is_what_the_seen_entry_replaced(stack: Stack, below: dict[str, int]) -> None:
    """The entry that was seen just before the layer of the seen one came on top."""
    rootfs = fold(stack)
    assert {path: packed // STRIDE for path, packed in rootfs.below.items()} == below


def test_place_of_a_path_is_that_of_its_seen_entry() -> None:
    """Directories without an entry and absent paths have none."""
    rootfs = fold([{"x": b"", "d/a": b""}, {"y": b"", "d/a": b""}])
    assert rootfs.place("d/a") == Place(1, 1)
    assert (rootfs.place("d"), rootfs.place("z")) == (None, None)


def test_versions_are_all_entries_of_a_path_base_first() -> None:
    """Whether seen or not, and for paths that nothing shows too."""
    rootfs = fold([{"a": b"", "b": b""}, {}, {"b": b""}, {".wh.b": b""}])
    assert list(rootfs.versions("b")) == [Place(0, 1), Place(2, 0)]
    assert list(rootfs.versions("c")) == []


def promoted(stack: Stack) -> dict[str, str]:
    """Return which link stands for which file."""
    rootfs = fold(stack)
    return {
        path: rootfs.layers[rootfs.seen[path] // STRIDE].paths[number]
        for path, number in rootfs.promoted.items()
    }


@pytest.mark.parametrize(
    ("stack", "expected"),
    [
        pytest.param([{"a": b"x", "b": hardlink("a")}], {}, id="both in sight"),
        pytest.param(
            [{"a": b"x", "b": hardlink("a")}, {".wh.a": b""}], {"b": "a"}, id="file removed"),
        pytest.param(
            [{"a": b"x", "b": hardlink("a")}, {"a": b"y"}], {"b": "a"}, id="file replaced"),
        pytest.param([{"a": b"x", "b": hardlink("a")}, {".wh.b": b""}], {}, id="link removed"),
        pytest.param(
            [{"a": b"x", "c": hardlink("a"), "b": hardlink("a")}, {".wh.a": b""}], {"b": "a"},
            id="the first of several by name"),
        pytest.param(
            [{"a": b"x", "b": hardlink("a"), "c": hardlink("b")}, {".wh.a": b"", ".wh.b": b""}],
            {"c": "a"}, id="link to a link"),
        pytest.param(
            [{"a": b"x", "b": hardlink("a")}, {"a": b"x", "b": hardlink("a")}], {},
            id="links of two layers"),
        pytest.param([{"b": hardlink("a")}], {}, id="link to nothing"),
        pytest.param([{"a": hardlink("b"), "b": hardlink("a")}], {}, id="links in a circle"),
        pytest.param([{"a": b"x", "b": symlink("a")}, {".wh.a": b""}], {}, id="symlink"),
        pytest.param([{"a": b"x"}, {"b": hardlink("a")}, {".wh.a": b""}], {},
                     id="link to a lower layer's file"),
    ],
)  # fmt: skip
def test_link_stands_alone_for_a_file_out_of_sight(stack: Stack, expected: dict[str, str]) -> None:
    """Removing one name of a file leaves its other names and its content."""
    assert promoted(stack) == expected


def test_content_of_a_link_is_that_of_the_last_in_its_chain() -> None:
    """A file is its own content."""
    index = walk(layer({"a": b"x", "b": hardlink("a"), "c": hardlink("b"), "d": hardlink("e")}))
    assert [content_number(index, number) for number in range(4)] == [0, 0, 0, None]


def test_too_long_a_chain_of_links_ends_nowhere() -> None:
    """What is asked of every link must not take as many steps as there are links."""
    links: dict[str, Content] = {f"{n:02}": hardlink(f"{n - 1:02}") for n in range(1, 66)}
    index = walk(layer({"00": b"x"} | links))
    assert [content_number(index, number) for number in (63, 64, 65)] == [0, None, None]
    assert link_end(index, 65) is None


def test_link_to_what_stands_further_on_in_its_tar_leads_out_of_the_layer() -> None:
    """It is made to what is there already; a link to itself is no other."""
    index = walk(layer({"a": hardlink("b"), "b": b"x", "c": hardlink("a"), "d": hardlink("d")}))
    assert [link_end(index, number) for number in range(4)] == ["b", None, "b", "d"]
    assert [content_number(index, number) for number in range(4)] == [None, 1, None, None]
