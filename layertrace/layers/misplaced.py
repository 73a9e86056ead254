"""Entries that stand below what is no directory in their own layer.

The specification knows no such layers, but engines take them member by member:
a path below a symbolic link that stands before it lands where the link leads,
inside the layer; one that stands before what takes its directory's place is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.errors import LayerError
from layertrace.model.entry import EntryKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

_DIR: Final = int(EntryKind.DIR)
_SYMLINK: Final = int(EntryKind.SYMLINK)
_HARDLINK: Final = int(EntryKind.HARDLINK)
_MAX_LINKS: Final = 40
"""As many symbolic links in one path as Linux follows."""
_MAX_PATH: Final = 4096
"""Bytes of a path that Linux takes, and names looked at on the way."""
_MAX_TOIL: Final = 4 << 30
"""Characters of names looked up for all entries of a layer: some seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Misplaced:
    """Where entries stand if not where their names say."""

    paths: Mapping[int, str | None]
    """Entry number to path; None: the entry is lost."""
    targets: Mapping[int, str]
    """Number of a hard link to the path it means."""


def find_misplaced(  # noqa: PLR0913, PLR0917 - all that a layer's entries are
    paths: Sequence[str],
    kinds: Sequence[int],
    links: Mapping[int, str],
    last: Mapping[str, int],
    parents: AbstractSet[str],
    take: Callable[[int, str], None],
) -> Misplaced | None:
    """Return the entries that stand elsewhere, None where all stand where they say.

    Args:
        paths: of the entries, in the order of the tar.
        kinds: of the entries.
        links: entry number to link target.
        last: path to the number of the last entry that has it.
        parents: the directories of all entries.
        take: called with 1 and its path for every directory without an entry of
            its own, and with 0 and the path for every entry that stands elsewhere;
            raises where those are too many.

    Raises:
        LayerError: finding where links lead takes too long.
    """
    if not _is_any_blocked(parents, kinds, last, take):
        return None
    layer = _Layer(kinds, links, last)
    moved: dict[int, str | None] = {}
    for number, path in enumerate(paths):
        landing = layer.land(path, number)
        if landing != path:
            take(0, landing or "")
            moved[number] = landing
    targets = {
        number: landing
        for number, target in links.items()
        if kinds[number] == _HARDLINK
        and len(target) <= _MAX_PATH
        and (landing := layer.land(target, number)) is not None
    }
    return Misplaced(paths=moved, targets=targets)


def _is_any_blocked(
    parents: AbstractSet[str],
    kinds: Sequence[int],
    last: Mapping[str, int],
    take: Callable[[int, str], None],
) -> bool:
    blocked = False
    checked = {""}
    for parent in parents:
        directory = parent
        while directory not in checked:
            checked.add(directory)
            number = last.get(directory)
            if number is None:
                take(1, directory)
            elif kinds[number] != _DIR:
                blocked = True
            directory = directory.rpartition("/")[0]
    return blocked


@dataclass(slots=True)
class _Layer:
    kinds: Sequence[int]
    links: Mapping[int, str]
    last: Mapping[str, int]
    toil: int = 0
    """Characters of all names looked up so far."""

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
            here = "/".join(done)
            self.toil += len(here)
            if self.toil > _MAX_TOIL:
                raise LayerError("symbolic links of a layer that take too long to follow")
            above = self.last.get(here)
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
