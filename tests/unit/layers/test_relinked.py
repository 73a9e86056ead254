"""Hard links to files that the same layer replaced."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from layertrace.layers.walk import walk_layer
from layertrace.model.entry import EntryKind
from tests.builders import file, folder, hardlink, layer, sparse, symlink
from tests.readers import MemoryReader, walk

if TYPE_CHECKING:
    from tests.builders import Content

Pairs = list[tuple[str, "Content"]]


def shown(members: Pairs) -> dict[str, str]:
    """Return the content of each file, ``-> PATH`` of a hard link and ``PATH ->`` of a symlink."""
    tar = layer(members)
    index = walk(tar)
    found = {}
    for number, path in enumerate(index.paths):
        start, size = index.offsets[number], index.sizes[number]
        link = index.links.get(number, "")
        found[path] = {
            EntryKind.FILE: tar[start : start + size].decode(),
            EntryKind.HARDLINK: f"-> {link}",
            EntryKind.SYMLINK: f"{link} ->",
            EntryKind.DIR: "/",
        }[EntryKind(index.kinds[number])]
    return found


A_LINKED: Pairs = [("a", b"1"), ("b", hardlink("a")), ("c", hardlink("a"))]


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param(
            [*A_LINKED, ("a", b"2")], {"b": "1", "c": "-> b", "a": "2"}, id="file replaced"),
        pytest.param(
            [*A_LINKED, ("a", folder())], {"b": "1", "c": "-> b", "a": "/"}, id="by a directory"),
        pytest.param(
            [*A_LINKED, ("b", b"2")], {"a": "1", "c": "-> a", "b": "2"}, id="link replaced"),
        pytest.param(
            [*A_LINKED, ("d", hardlink("b")), ("b", b"2")],
            {"a": "1", "c": "-> a", "d": "-> a", "b": "2"}, id="link to a link that was replaced"),
        pytest.param(
            [*A_LINKED, ("a", b"2"), ("b", hardlink("a"))],
            {"c": "1", "a": "2", "b": "-> a"}, id="one linked anew"),
        pytest.param(
            [*A_LINKED, ("a", hardlink("b"))], {"b": "1", "c": "-> b", "a": "-> b"},
            id="by a link to itself"),
        pytest.param(
            [*A_LINKED, ("d", b"2"), ("d", b"3")],
            {"a": "1", "b": "-> a", "c": "-> a", "d": "3"}, id="another file replaced"),
        pytest.param(
            [("a", b"1"), ("a", b"2"), ("b", hardlink("a"))], {"a": "2", "b": "-> a"},
            id="replaced before"),
        pytest.param(
            [("a", hardlink("z")), ("b", hardlink("a")), ("a", b"2")], {"b": "-> z", "a": "2"},
            id="link that leads out of the layer"),
        pytest.param(
            [("a", symlink("z")), ("b", hardlink("a")), ("a", b"2")], {"b": "z ->", "a": "2"},
            id="symbolic link"),
        pytest.param(
            [("a", folder()), ("b", hardlink("a")), ("a", b"2")], {"b": "-> a", "a": "2"},
            id="directory, which no engine links"),
    ],
)  # fmt: skip
def test_hard_link_keeps_the_file_it_was_made_to(members: Pairs, expected: dict[str, str]) -> None:
    """The first link takes a replaced file's place, and the others lead to that."""
    assert shown(members) == expected


def test_link_has_all_that_the_file_had() -> None:
    """Mode, owner, time, holes, capability and digest are the file's."""
    tar = layer([
        ("a", file(b"12", mode=0o4711, uid=1, gid=2, mtime=3, capability=b"cap")),
        ("s", sparse(9000, {4096: b"x"})),
        ("b", hardlink("a")), ("t", hardlink("s")), ("a", b""), ("s", b""),
    ])  # fmt: skip
    walked = walk_layer(MemoryReader(tar), name="layer 0", hash_contents=True)
    index, number = walked.index, walked.index.numbers["b"]
    entry = index.entry(number)
    assert (entry.mode, entry.uid, entry.gid, entry.mtime) == (0o4711, 1, 2, 3)
    assert (index.capabilities, index.links) == ({number: b"cap"}, {})
    assert index.sparse == {index.numbers["t"]: ((4096, 1),)}
    assert walked.digests[number] == hashlib.sha256(b"12").digest()
