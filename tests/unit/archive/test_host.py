"""What the host calls the owners of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.archive.host import group_names, user_names

if TYPE_CHECKING:
    from pathlib import Path


def test_names_are_read_as_the_host_lists_them(tmp_path: Path) -> None:
    """Of two names of one number the first counts, and a broken line does not."""
    text = "root:x:0:0:root:/root:/bin/sh\ntoor:x:0:0::/:\nwww-data:x:33:33\n\n+\nno:x:number:\n"
    (tmp_path / "passwd").write_text(text)
    (tmp_path / "group").write_text("wheel:x:0:\n")

    assert user_names(tmp_path) == {0: "root", 33: "www-data"}
    assert group_names(tmp_path) == {0: "wheel"}


def test_host_without_such_lists_names_nobody(tmp_path: Path) -> None:
    """Not every system has these files."""
    assert user_names(tmp_path) == group_names(tmp_path) == {}
