"""File systems to compare: of an image, of its lower layers, of a build context."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.model.bundle import ContextEntry
from layertrace.model.entry import EntryKind
from layertrace.provenance.context_tree import ContextTree
from layertrace.provenance.trees import MAX_HOPS, Item, resolve, resolve_folder
from layertrace.rootfs.places import Place
from tests.builders import file, folder, hardlink, sha256, symlink
from tests.tracing import context_tree, rootfs_tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.provenance.trees import Tree
    from tests.builders import Content

LINKS: Mapping[str, Content] = {
    "usr/bin/sh": b"sh",
    "bin": symlink("usr/bin"),
    "abs": symlink("/usr"),
    "up/down": symlink("../usr/bin"),
    "chain": symlink("bin"),
    "round": symlink("round"),
    "dangling": symlink("no/where"),
}


@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("", ""),
        ("usr/bin/sh", "usr/bin/sh"),
        ("bin/sh", "usr/bin/sh"),
        ("bin", "usr/bin"),
        ("abs/bin/sh", "usr/bin/sh"),
        ("up/down/sh", "usr/bin/sh"),
        ("chain/sh", "usr/bin/sh"),
        ("dangling/x", "no/where/x"),
        ("no/such", "no/such"),
    ],
)
@pytest.mark.parametrize("tree", [rootfs_tree(LINKS), context_tree(LINKS)])
def test_resolve_follows_every_link(tree: Tree, path: str, real: str) -> None:
    """Relative, absolute, chained and dangling links, in a context as in an image."""
    assert resolve(tree, path) == real


def test_resolve_gives_up_on_links_in_a_circle() -> None:
    """A circle of links ends after as many as the kernel would follow."""
    tree = context_tree({"a": symlink("b"), "b": symlink("a")})
    assert resolve(tree, "a/x") in {"a/x", "b/x"}
    straight = {f"l{n}": symlink(f"l{n + 1}") for n in range(MAX_HOPS + 1)}
    assert resolve(context_tree(straight), "l0") == f"l{MAX_HOPS}"


def test_resolve_folder_keeps_the_last_part() -> None:
    """A link that is itself asked for is not followed, those on the way are."""
    tree = rootfs_tree({**LINKS, "usr/bin/link": symlink("sh")})
    assert resolve_folder(tree, "bin/link") == "usr/bin/link"
    assert resolve_folder(tree, "bin") == "bin"
    assert resolve_folder(tree, "") == ""
    slash = rootfs_tree({"to-root": symlink("/"), "x": b""})
    assert resolve_folder(slash, "to-root/x") == "x"


def test_rootfs_tree_finds_entries_and_implied_directories() -> None:
    """What an entry made has its attributes; a folder no entry made has none."""
    tree = rootfs_tree({"a/b": file(b"xyz", mode=0o600, uid=1, gid=2, mtime=3, capability=b"c")})
    assert tree.find("a/b") == Item(
        kind=EntryKind.FILE, size=3, mode=0o600, uid=1, gid=2, mtime=3, capability=b"c"
    )
    assert tree.find("a") == Item(kind=EntryKind.DIR, size=0)
    assert tree.find("c") is None
    assert tree.digest("a/b") == sha256(b"xyz")
    assert tree.digest("a") is None
    assert tree.children == {"": ["a"], "a": ["b"]}
    assert tree.by_size == {3: ["a/b"]}


def test_rootfs_tree_lists_files_alone_by_size() -> None:
    """Neither a folder, the root's own entry among them, nor a link has content."""
    tree = rootfs_tree({"./": folder(), "d/": folder(), "d/l": symlink("f"), "d/f": b"xyz"})
    assert tree.by_size == {3: ["d/f"]}
    assert tree.children == {"": ["d"], "d": ["l", "f"]}


def test_rootfs_tree_takes_a_hard_link_for_its_file() -> None:
    """A hard link has the attributes and the content of the file it links to."""
    tree = rootfs_tree({"a": file(b"x", mode=0o755), "b": hardlink("a"), "lost": hardlink("no")})
    assert tree.find("b") == tree.find("a")
    assert tree.digest("b") == sha256(b"x")
    lost = tree.find("lost")
    assert lost is not None
    assert lost.kind is EntryKind.HARDLINK
    assert tree.digest("lost") is None


def test_before_tells_what_lower_layers_show() -> None:
    """An older entry counts unless a layer between removed it, or what it lay in."""
    tree = rootfs_tree(
        {"d/a": b"1", "d/b": b"1", "d/c": b"1", "e/x": b"1", "f/x": b"1", "g": b"1"},
        {"d/.wh.a": b"", "e/.wh..wh..opq": b"", "f": b"no folder", ".wh.g": b""},
        {"d/a": b"3", "d/b": b"3", "e/x": b"3", "f/x": b"3", "g": b"3"},
    )
    found = {path: tree.before(path, 2) for path in ("d/a", "d/b", "d/c", "e/x", "f/x", "g")}
    assert found == {
        "d/a": None,
        "d/b": Place(0, tree.rootfs.layers[0].numbers["d/b"]),
        "d/c": Place(0, tree.rootfs.layers[0].numbers["d/c"]),
        "e/x": None,
        "f/x": None,
        "g": None,
    }
    assert tree.before("d/b", 0) is None


def test_before_sees_a_folder_removed_above() -> None:
    """A whiteout of a folder takes all that is below it along."""
    tree = rootfs_tree({"d/sub/a": b"1"}, {".wh.d": b""}, {"d/sub/a": b"2"})
    assert tree.before("d/sub/a", 2) is None


def test_below_shows_the_image_as_a_step_found_it() -> None:
    """What later layers do to a path is not seen, and folders no entry made are."""
    tree = rootfs_tree(
        {"d/a": b"1", "l": symlink("d"), "gone/x": b""}, {".wh.gone": b""}, {"l/": folder()}
    )
    below = tree.below(2)
    assert tree.below(2) is below
    assert resolve(below, "l/a") == "d/a"
    assert below.find("d") == Item(kind=EntryKind.DIR, size=0)
    assert below.find("gone") is None
    assert below.find("gone") is None
    assert below.find("") == Item(kind=EntryKind.DIR, size=0)
    first = tree.below(0)
    assert first.find("d") is None


def test_is_remade_knows_a_folder_that_replaced_one() -> None:
    """An opaque directory is a new one."""
    tree = rootfs_tree(
        {"d/": folder(), "e/": folder()}, {"d/": folder(), "d/.wh..wh..opq": b"", "e/": folder()}
    )
    assert tree.is_remade("d", 1)
    assert not tree.is_remade("e", 1)


def test_context_tree_owns_everything_by_root() -> None:
    """COPY out of the context makes root the owner; times and modes are the file's."""
    tree = context_tree(
        {"a/b": file(b"xyz", mode=0o600, uid=7, mtime=3), "l": symlink("a"), "d": folder()}
    )
    assert tree.find("a/b") == Item(kind=EntryKind.FILE, size=3, mode=0o600, uid=0, gid=0, mtime=3)
    assert tree.find("a") == Item(kind=EntryKind.DIR, size=0)
    link, made = tree.find("l"), tree.find("d")
    assert link is not None
    assert made is not None
    assert (link.kind, link.link_target, made.kind) == (EntryKind.SYMLINK, "a", EntryKind.DIR)
    assert tree.find("no") is None
    assert tree.children == {"": ["a", "d", "l"], "a": ["b"]}
    assert tree.by_size == {3: ["a/b"]}


def test_context_tree_hashes_what_its_listing_does_not() -> None:
    """A listed digest is taken; else the file is read; anything but a file has none."""
    listed = context_tree({"a": b"x", "d": folder()})
    assert listed.digest("a") == sha256(b"x")
    assert listed.digest("d") is None
    assert listed.digest("no") is None
    entry = ContextEntry(path="a", kind="file", size=1, mode=0o644, mtime=0)
    assert ContextTree([entry], lambda path: f"hash of {path}").digest("a") == "hash of a"
    assert ContextTree([entry]).digest("a") is None
    assert ContextTree([entry]).files == 1
