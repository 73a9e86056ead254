"""What differs between two file systems, path by path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import CAPABILITY, block, char, fifo, file, folder, hardlink, symlink
from tests.difference_images import compared, of_layers, rows

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders import Content

CAPABLE = b"\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(b"1", b"1", None, id="same"),
        pytest.param(None, b"123", ("added", (), 3), id="added"),
        pytest.param(b"123", None, ("removed", (), -3), id="removed"),
        pytest.param(b"123", b"12345", ("modified", (), 2), id="other size"),
        pytest.param(b"123", b"321", ("modified", (), 0), id="other content of one size"),
        pytest.param(b"", b"", None, id="empty"),
        pytest.param(
            file(b"1"), file(b"1", mode=0o755), ("metadata", ("mode",), 0), id="other mode"
        ),
        pytest.param(file(b"1"), file(b"1", gid=5), ("metadata", ("owner",), 0), id="other group"),
        pytest.param(file(b"1"), file(b"1", mtime=9), ("metadata", ("time",), 0), id="other time"),
        pytest.param(
            file(b"1"), file(b"1", capability=CAPABLE), ("metadata", ("capability",), 0),
            id="another capability",
        ),
        pytest.param(
            file(b"12", uid=1), file(b"21", mode=0, mtime=1),
            ("modified", ("mode", "owner", "time"), 0), id="content and attributes",
        ),
        pytest.param(symlink("a"), symlink("b"), ("modified", (), 0), id="another target"),
        pytest.param(symlink("a"), symlink("a"), None, id="the same link"),
        pytest.param(symlink("a"), b"a", ("type", ("mode",), 1), id="a link became a file"),
        pytest.param(b"12", folder(), ("type", ("mode",), -2), id="a file became a folder"),
        pytest.param(folder(), folder(0o700), ("metadata", ("mode",), 0), id="a folder's mode"),
        pytest.param(char(1, 3), char(1, 5), ("modified", (), 0), id="another device"),
        pytest.param(char(1, 3), block(1, 3), ("type", (), 0), id="a device of another kind"),
        pytest.param(char(1, 3), char(1, 3), None, id="the same device"),
        pytest.param(fifo(), fifo(), None, id="the same pipe"),
    ],
)  # fmt: skip
def test_a_path_differs_as_it_should(
    tmp_path: Path,
    old: Content | None,
    new: Content | None,
    expected: tuple[str, tuple[str, ...], int] | None,
) -> None:
    """In kind, content or attributes; a path that does not is no change."""
    sides = [of_layers({"k": b"k"} | ({} if c is None else {"p": c})) for c in (old, new)]
    found = compared(tmp_path, *sides)
    assert rows(found) == ([] if expected is None else [("p", *expected)])
    assert (found.old.visible, found.new.visible) == (
        1 + _size(old),
        1 + _size(new),
    )


def _size(content: Content | None) -> int:
    if content is None:
        return 0
    return len(content) if isinstance(content, bytes) else len(content.content)


def test_times_may_be_of_no_matter(tmp_path: Path) -> None:
    """A path that differs in nothing else is no change then; one that does keeps its times."""
    old = of_layers({"a": file(b"1", mtime=1), "b": file(b"1", mtime=1), "c": b"1"})
    new = of_layers({"a": file(b"1", mtime=2), "b": file(b"1", mtime=2, mode=0o600), "c": b"1"})
    found = compared(tmp_path, old, new, times=False)
    assert rows(found) == [("b", "metadata", ("mode", "time"), 0)]


def test_what_layers_add_up_to_is_compared(tmp_path: Path) -> None:
    """Not the layers: one image has in three what the other has in one."""
    old = of_layers({"d/": folder(), "d/a": b"1", "d/x": b"gone"}, {"d/.wh.x": b""}, {"d/b": b"22"})
    new = of_layers({"d/": folder(), "d/b": b"22", "d/a": b"1"})
    found = compared(tmp_path, old, new)
    assert rows(found) == []
    assert (found.old.stored, found.old.wasted) == (7, 4)
    assert (found.stored_delta, found.visible_delta, found.wasted_delta) == (-4, 0, -4)


def test_names_of_one_file_are_one_file(tmp_path: Path) -> None:
    """Whichever name a tar holds first."""
    old = of_layers({"a": b"12345", "b": hardlink("a")})
    new = of_layers({"b": b"12345", "a": hardlink("b")})
    assert rows(compared(tmp_path, old, new)) == []


def test_a_hard_link_to_a_folder_is_no_folder(tmp_path: Path) -> None:
    """No container makes one: it stays the link that it says it is."""
    new = of_layers({"a": folder(), "b": folder()})
    found = compared(tmp_path, of_layers({"a": folder(), "b": hardlink("a")}), new)
    assert [row[:2] for row in rows(found)] == [("b", "type")]


def test_a_name_that_became_a_copy_weighs_more(tmp_path: Path) -> None:
    """Its content is the same, and its bytes are its own now."""
    old = of_layers({"a": b"12345", "b": hardlink("a")})
    new = of_layers({"a": b"12345", "b": b"12345"})
    found = compared(tmp_path, old, new)
    assert rows(found) == [("b", "metadata", ("links",), 5)]


def test_a_name_that_is_gone_takes_no_bytes_along(tmp_path: Path) -> None:
    """The other name keeps them: of one layer that both images have, too."""
    files: dict[str, Content] = {"a": b"12345", "b": hardlink("a")}
    old, new = of_layers(files), of_layers(files, {".wh.a": b""})
    assert rows(compared(tmp_path, old, new)) == [
        ("a", "removed", (), -5),
        ("b", "metadata", ("links",), 5),
    ]


def test_a_folder_no_entry_made_has_no_attributes(tmp_path: Path) -> None:
    """Where both have none there is nothing to compare; else they are new."""
    old, new = of_layers({"d/a": b"1"}), of_layers({"d/": folder(), "d/a": b"1"})
    assert rows(compared(tmp_path / "1", old, old)) == []
    implied = [("d", "metadata", ("mode", "owner", "time"), 0)]
    assert rows(compared(tmp_path / "2", old, new)) == implied
    assert rows(compared(tmp_path / "3", new, old)) == implied
    link = of_layers({"d": symlink("e")})
    assert rows(compared(tmp_path / "4", link, old))[0] == ("d", "type", (), 0)


def test_hostile_names_are_compared_as_they_are(tmp_path: Path) -> None:
    """In the order of folders: what lies in one follows it at once."""
    old = of_layers({"a\udcff": b"1", "d/x": b"1", "d.x": b"1", "\x1b[2J": b"1"})
    new = of_layers({"a\udcff": b"22", "d/x": b"1", "d.x": b"22", "\x1b[2J": b"1"})
    assert [row[0] for row in rows(compared(tmp_path, old, new))] == ["a\udcff", "d.x"]


def test_capability_name_is_known() -> None:
    """Without it the case above would compare nothing."""
    assert file(b"", capability=CAPABLE).pax.keys() == {CAPABILITY}
