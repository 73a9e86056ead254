"""What this host calls the owners of files: it may be the one whose engine built an image."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_PLACE: Final = Path("/etc")
_NUMBER: Final = 2
"""The field of a line that holds the number, from 0; the first is the name."""


def user_names(place: Path = _PLACE) -> Mapping[int, str]:
    """Return the users by number; none where the host has no such list."""
    return _read_names(place / "passwd")


def group_names(place: Path = _PLACE) -> Mapping[int, str]:
    """Return the groups by number; none where the host has no such list."""
    return _read_names(place / "group")


def _read_names(path: Path) -> Mapping[int, str]:
    try:
        text = path.read_text("utf-8", "surrogateescape")
    except OSError:
        return {}
    names: dict[int, str] = {}
    for line in text.split("\n"):
        fields = line.split(":")
        if len(fields) > _NUMBER and fields[_NUMBER].isdecimal():
            # Of several names of one number a look-up finds the first.
            names.setdefault(int(fields[_NUMBER]), fields[0])
    return names
