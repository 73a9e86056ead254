"""Writing below one folder: never out of it, all or nothing, on any system."""

# The error leaves the block of the folder written to, which undoes what was done in it.
# ruff: noqa: PT012

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import pytest

from layertrace.archive.target.target_folder import TargetFolder
from layertrace.archive.target.target_tree import Attributes, TargetTree
from layertrace.errors import StoppedError, StorageError, UsageError
from tests.trees import tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.trees import OnDisk

PLAIN = Attributes(mode=0o644, mtime=1_000)
DEEP = Attributes(mode=0o500, mtime=2_000)


Open = Callable[..., TargetTree]


@pytest.fixture(params=[True, False], ids=["open-folders", "looked-at"])
def target(request: pytest.FixtureRequest) -> Open:
    """A folder to write to, in both ways to keep parts of a path from leading elsewhere."""
    return partial(TargetTree, handles=request.param)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder beside one that must stay empty."""
    (tmp_path / "victim").mkdir()
    (tmp_path / "root").mkdir()
    return tmp_path / "root"


def fill(tree: TargetTree) -> None:
    """Write one of each kind."""
    tree.check(["d", "d/e"], ["d/e/f", "d/same", "link"])
    made = [path for path in ("d", "d/e") if tree.make_folder(path)]
    tree.write_file(["d/e/f", "d/same"], [(0, b"x"), (9, b"y")], 20, PLAIN)
    tree.make_link("link", "../victim", PLAIN)
    for path in reversed(made):
        tree.finish_folder(path, DEEP)


def wrong(*_: object, **__: object) -> NoReturn:
    """Fail as a system without hard links does."""
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_everything_is_written_on_any_system(root: Path, target: Open) -> None:
    """The same tree, by open folders and by looking at each part."""
    with target(root) as tree:
        assert not tree.is_new
        fill(tree)
    found = tree_of(root)
    assert {path: (each.kind, each.mode) for path, each in found.items()} == {
        "d": ("dir", 0o500),
        "d/e": ("dir", 0o500),
        "d/e/f": ("file", 0o644),
        "d/same": ("file", 0o644),
        "link": ("symlink", None),
    }
    assert (root / "d/e/f").read_bytes() == b"x" + bytes(8) + b"y" + bytes(10)
    assert (root / "d/same").samefile(root / "d/e/f")
    assert {each.mtime for each in found.values() if each.kind != "dir"} == {1_000}
    assert {each.mtime for each in found.values() if each.kind == "dir"} == {2_000}


def test_a_system_without_hard_links_gets_copies(
    root: Path, target: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the same content and attributes, holes in them too."""
    monkeypatch.setattr(os, "link", wrong)
    size = 4 << 20
    with target(root) as tree:
        tree.write_file(["a", "b"], [(0, b"x"), (3 << 20, b"y")], size, PLAIN)
    assert not (root / "a").samefile(root / "b")
    assert (root / "a").read_bytes() == (root / "b").read_bytes()
    assert (root / "b").stat().st_blocks * 512 < size
    assert tree_of(root)["a"] == tree_of(root)["b"]


@pytest.mark.parametrize("path", ["../x", "/x", "a/../../x", "", "a//b", "a/.", "..", "a\0b"])
def test_paths_that_are_not_clean_are_refused(root: Path, target: Open, path: str) -> None:
    """Though nobody should hand them in."""
    with pytest.raises(StorageError), target(root) as tree:
        tree.make_folder("a")
        tree.write_file([path], [(0, b"x")], 1, PLAIN)
    assert tree_of(root.parent) == {
        path: each for path, each in tree_of(root.parent).items() if path in {"root", "victim"}
    }


@pytest.mark.parametrize(
    "step",
    [
        lambda tree: tree.make_folder("d/x"),
        lambda tree: tree.write_file(["d/x"], [(0, b"x")], 1, PLAIN),
        lambda tree: tree.make_link("d/x", "y", PLAIN),
        lambda tree: tree.write_file(["g", "d/x"], [], 0, PLAIN),
        lambda tree: tree.finish_folder("d", DEEP),
    ],
    ids=["folder", "file", "link", "hard-link", "finish"],
)
def test_a_folder_that_becomes_a_link_meanwhile_leads_nowhere(
    root: Path, target: Open, step: Callable[[TargetTree], object]
) -> None:
    """Somebody else swaps it after it was made: the work ends, and nothing is out there."""
    victim = root.parent / "victim"
    before = victim.stat().st_mode
    with pytest.raises(StorageError), target(root) as tree:
        tree.write_file(["f"], [(0, b"x")], 1, PLAIN)
        tree.make_folder("d")
        (root / "d").rename(root / "moved")
        (root / "d").symlink_to("../victim")
        # As if it had not been open already.
        tree._folder.forget()
        step(tree)
    assert tree_of(victim) == {}
    assert victim.stat().st_mode == before
    # Neither is ours: what stands at the path is not what was made there.
    assert set(tree_of(root)) == {"d", "moved"}


def test_a_folder_that_is_open_stays_the_one_it_was(root: Path) -> None:
    """What is made in it lands in it, wherever its name leads by now."""
    with TargetTree(root) as tree:
        tree.make_folder("d")
        tree.write_file(["d/a"], [], 0, PLAIN)
        (root / "d").rename(root / "moved")
        (root / "d").symlink_to("../victim")
        tree.write_file(["d/b"], [], 0, PLAIN)
    assert set(tree_of(root)) == {"d", "moved", "moved/a", "moved/b"}


def test_a_link_put_where_a_file_will_be_is_not_written_through(root: Path, target: Open) -> None:
    """Nor is a file that appeared there overwritten, without or with force."""
    for force in (False, True):
        with (
            pytest.raises(StorageError, match="File exists"),
            target(root, force=force) as tree,
        ):
            tree.check([], ["a", "f"])
            (root / "f").unlink(missing_ok=True)
            (root / "f").symlink_to("../victim/f")
            if not force:
                tree.write_file(["a"], [], 0, PLAIN)
            tree._journal.in_the_way.clear()
            tree.write_file(["f"], [(0, b"x")], 1, PLAIN)
    assert tree_of(root.parent / "victim") == {}
    assert set(tree_of(root)) == {"f"}


def test_a_file_swapped_before_it_gets_its_second_name_is_noticed(root: Path, target: Open) -> None:
    """Its second name would be that of somebody else's file."""
    with pytest.raises(StorageError), target(root) as tree:

        def swapping() -> Iterator[tuple[int, bytes]]:
            yield 0, b"x"
            (root / "a").unlink()
            (root / "a").write_bytes(b"secret")

        tree.write_file(["a", "b"], swapping(), 1, PLAIN)
    assert set(tree_of(root)) == {"a"}
    assert (root / "a").stat().st_nlink == 1


def test_undoing_removes_what_was_made_and_nothing_else(root: Path, target: Open) -> None:
    """Folders in which something else stands stay, and what made way comes back."""
    (root / "link").symlink_to("mine")
    (root / "d").mkdir()
    (root / "d/e").write_bytes(b"mine")
    (root / "d/same").write_bytes(b"mine too")
    before = tree_of(root)
    tree = target(root, force=True)
    with pytest.raises(StoppedError), tree:
        fill(tree)
        raise StoppedError
    assert tree_of(root) == before
    with pytest.raises(StoppedError), target(root) as tree:
        tree.make_folder("new")
        tree.make_folder("new/empty")
        (root / "new/theirs").write_bytes(b"theirs")
        raise StoppedError
    assert set(tree_of(root)) == {*before, "new", "new/theirs"}


def test_what_made_way_and_cannot_come_back_is_kept_aside(root: Path) -> None:
    """Somebody else took its place."""
    (root / "f").write_bytes(b"mine")
    with pytest.raises(StoppedError), TargetTree(root, force=True) as tree:
        tree.check([], ["f"])
        tree.write_file(["f"], [], 0, PLAIN)
        (root / "theirs").write_bytes(b"theirs")
        (root / "theirs").rename(root / "f")
        raise StoppedError
    found: dict[str, OnDisk] = tree_of(root)
    assert sorted((root / name).read_bytes() for name in found) == [b"mine", b"theirs"]


def test_a_last_step_that_fails_undoes_everything(
    root: Path, target: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mode of a folder that keeps its owner out comes last."""
    plain = os.chmod

    def picky(path: int | str | bytes, mode: int, **how: object) -> None:
        if mode == DEEP.mode:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))
        plain(path, mode)

    monkeypatch.setattr(os, "chmod", picky)
    with (
        pytest.raises(StorageError, match="not permitted"),
        target(root / "new") as tree,
    ):
        fill(tree)
    assert tree_of(root) == {}


def test_what_made_way_and_cannot_be_removed_is_told(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything is written by then."""
    (root / "f").write_bytes(b"mine")
    with (
        pytest.raises(StorageError, match="cannot be written"),
        TargetTree(root, force=True) as tree,
    ):
        tree.check([], ["f"])
        tree.write_file(["f"], [(0, b"new")], 3, PLAIN)
        monkeypatch.setattr(os, "unlink", wrong)
    assert (root / "f").read_bytes() == b"new"


def test_times_and_owners_that_no_system_has(root: Path, target: Open) -> None:
    """A time stays as it is, an owner is an error: nobody else may get the file."""
    with target(root) as tree:
        tree.write_file(["a"], [], 0, Attributes(mode=0o644, mtime=1 << 62))
        tree.make_link("b", "a", Attributes(mode=0o777, mtime=-(1 << 63)))
        tree.make_folder("c")
        tree.finish_folder("c", Attributes(mode=0o755))
    assert set(tree_of(root)) == {"a", "b", "c"}
    with pytest.raises(StorageError), target(root, owners=True) as tree:
        tree.write_file(["d"], [], 0, Attributes(mode=0o644, uid=1 << 62, gid=0))
    assert set(tree_of(root)) == {"a", "b", "c"}


def test_a_folder_that_cannot_be_made_or_opened_is_told(
    root: Path, target: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was made above it goes again."""
    (root / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="is no folder"), TargetTree(root / "file/x"):
        pass
    long = root / "new" / ("x" * 300)
    with pytest.raises(StorageError, match="cannot be made"), target(long):
        pass
    assert set(tree_of(root)) == {"file"}
    with pytest.raises(StorageError, match="Not a directory"):
        TargetFolder(root / "file", handles=True)


def test_a_name_taken_by_another_is_told(root: Path, target: Open) -> None:
    """A folder where a file stands that was not looked for."""
    (root / "d").write_bytes(b"mine")
    with (
        pytest.raises(StorageError, match="File exists"),
        target(root) as tree,
    ):
        tree.make_folder("d")
    assert (root / "d").read_bytes() == b"mine"
