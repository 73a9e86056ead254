"""Entries that stand below what is no directory in their own layer.

The specification knows no such layers, but engines take them member by member:
a path below a symbolic link that stands before it lands where the link leads,
inside the layer; one that stands before what takes its directory's place is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DIR: Final = int(EntryKind.DIR)
_SYMLINK: Final = int(EntryKind.SYMLINK)
_HARDLINK: Final = int(EntryKind.HARDLINK)
_MAX_LINKS: Final = 40
"""As many symbolic links in one path as Linux follows."""
_MAX_PATH: Final = 4096
"""Bytes of a path that Linux takes, and names looked at on the way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misplaced:
    """Where entries stand if not where their names say."""

    paths: Mapping[int, str | None]
    """Entry number to path; None: the entry is lost."""
    targets: Mapping[int, str]
    """Number of a hard link to the path it means."""


def find_misplaced(
    paths: Sequence[str], kinds: Sequence[int], links: Mapping[int, str], last: Mapping[str, int]
) -> Misplaced | None:
    """Return the entries that stand elsewhere, None where all stand where they say.

    Args:
        paths: of the entries, in the order of the tar.
        kinds: of the entries.
        links: entry number to link target.
        last: path to the number of the last entry that has it.
    """
    if not _is_any_blocked(paths, kinds, last):
        return None
    layer = _Layer(kinds, links, last)
    landings = ((number, layer.land(path, number)) for number, path in enumerate(paths))
    moved = {number: path for number, path in landings if path != paths[number]}
    targets = {
        number: landing
        for number, target in links.items()
        if kinds[number] == _HARDLINK
        and len(target) <= _MAX_PATH
        and (landing := layer.land(target, number)) is not None
    }
    return Misplaced(paths=moved, targets=targets)


def _is_any_blocked(paths: Sequence[str], kinds: Sequence[int], last: Mapping[str, int]) -> bool:
    checked = {""}
    for path in {path.rpartition("/")[0] for path in paths}:
        directory = path
        while directory not in checked:
            checked.add(directory)
            number = last.get(directory)
            if number is not None and kinds[number] != _DIR:
                return True
            directory = directory.rpartition("/")[0]
    return False


@dataclass(frozen=True, slots=True)
class _Layer:
    kinds: Sequence[int]
    links: Mapping[int, str]
    last: Mapping[str, int]

    def land(self, path: str, number: int) -> str | None:
        """Return where the path of entry ``number`` leads when that is extracted."""
        directory, _, name = path.rpartition("/")
        todo = directory.split("/")[::-1]
        done: list[str] = []
        followed = looked = 0
        while todo:
            part = todo.pop()
            looked += 1
            if part in {"", ".", ".."}:
                done = done[:-1] if part == ".." else done
                continue
            done.append(part)
            above = self.last.get("/".join(done))
            if above is None or self.kinds[above] == _DIR:
                continue
            followed += 1
            target = self.links.get(above, "")
            if above > number or self.kinds[above] != _SYMLINK:
                return None
            if followed > _MAX_LINKS or looked > _MAX_PATH or len(target) > _MAX_PATH:
                return None
            done = [] if target.startswith("/") else done[:-1]
            todo += target.split("/")[::-1]
        return "/".join([*done, name])
