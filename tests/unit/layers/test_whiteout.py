"""What a marker removes. Source: OCI image-spec, layer.md, "Whiteouts"."""

from __future__ import annotations

import pytest

from layertrace.errors import InvalidWhiteoutError
from layertrace.layers.whiteout import Whiteout, is_aufs_metadata, parse_whiteout


@pytest.mark.parametrize(
    ("path", "removed"),
    [
        pytest.param(".wh.hosts", "hosts", id="in the root"),
        pytest.param("etc/.wh.hosts", "etc/hosts", id="in a directory"),
        pytest.param("etc/.wh..profile", "etc/.profile", id="of a hidden file"),
        pytest.param("etc/.wh..wh.x", "etc/.wh.x", id="of a marker's name"),
        pytest.param("a/.wh. ", "a/ ", id="of a blank"),
        pytest.param("a/.wh.....", "a/....", id="of four dots"),
    ],
)
def test_whiteout_names_the_path_beside_it(path: str, removed: str) -> None:
    """``.wh.<name>`` removes ``<name>`` in its own directory."""
    assert parse_whiteout(path) == Whiteout(path=removed)


@pytest.mark.parametrize(
    ("path", "emptied"),
    [
        pytest.param(".wh..wh..opq", "", id="root"),
        pytest.param("a/b/.wh..wh..opq", "a/b", id="directory"),
    ],
)
def test_opaque_whiteout_empties_its_own_directory(path: str, emptied: str) -> None:
    """``.wh..wh..opq`` removes the children of the directory it stands in."""
    assert parse_whiteout(path) == Whiteout(path=emptied, opaque=True)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "etc/hosts",
        "etc/wh.hosts",
        "etc/a.wh.b",
        ".wh",
        "etc/.wh.a/b",
        ".wh..wh..opq/a",
        ".WH.a",
    ],
)
def test_other_paths_are_ordinary_entries(path: str) -> None:
    """Only the last part of a path makes it a marker."""
    assert parse_whiteout(path) is None


@pytest.mark.parametrize("name", [".wh.", ".wh..", ".wh..."])
@pytest.mark.parametrize("folder", ["", "etc/"])
def test_whiteout_of_no_child_is_refused(folder: str, name: str) -> None:
    """A marker that would remove the directory itself or its parent is an error."""
    with pytest.raises(InvalidWhiteoutError) as caught:
        parse_whiteout(folder + name)
    assert caught.value.path == folder + name
    assert folder + name in str(caught.value)


@pytest.mark.parametrize(
    ("path", "known"),
    [
        (".wh..wh.plnk", True),
        (".wh..wh.plnk/12.3", True),
        ("a/.wh..wh.aufs", True),
        ("a/.wh..wh..opq", False),
        ("a/.wh.b", False),
        ("a/b", False),
    ],
)
def test_aufs_metadata_is_known_by_its_names(path: str, known: bool) -> None:  # noqa: FBT001
    """Two markers in a row begin the names AUFS kept for itself, save the opaque one."""
    assert is_aufs_metadata(path) is known
