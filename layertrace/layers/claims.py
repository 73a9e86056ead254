"""The names in a layer's tar to paths, and to what its markers remove."""

from __future__ import annotations

import re
from collections import Counter
from sys import getsizeof
from typing import TYPE_CHECKING, Final

from layertrace.errors import InvalidWhiteoutError
from layertrace.layers.whiteout import is_aufs_metadata, parse_whiteout
from layertrace.model.entry import EntryKind, clean_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.layers.room import Room

_DIR: Final = int(EntryKind.DIR)
_OUTSIDE: Final = re.compile(r"\A/.|(?:\A|/)\.\.(?:/|\Z)", re.DOTALL)
_UNCLEAN: Final = re.compile(r"//|/\.\.?(?:/|\Z)|\A(?:/|\.\.?(?:/|\Z))")
_DOTTED: Final = ("/./", "/../", "/.\0", "/..\0")
_TELLING: Final = ("\0.", "\0/", "\0\0")
_MARKER: Final = ".wh."


class Notes:
    """What was strange but legal, each kind told once, with how often."""

    def __init__(self) -> None:
        """Begin with none."""
        self._messages: dict[str, str] = {}
        self._times: Counter[str] = Counter()

    def add(self, code: str, message: str) -> None:
        """Take a note; of several with one code the first is told."""
        self._messages.setdefault(code, message)
        self._times[code] += 1

    def all(self) -> tuple[tuple[str, str], ...]:
        """Return code and message of each."""
        return tuple(
            (code, f"{message} ({times:,} times)" if (times := self._times[code]) > 1 else message)
            for code, message in self._messages.items()
        )


class Claims:
    """What the names of one layer claim."""

    def __init__(self, room: Room, notes: Notes) -> None:
        """Keep where names are counted and notes taken."""
        self._room = room
        self._notes = notes
        self.whiteouts: list[str] = []
        self.opaques: list[str] = []

    def take_all(self, names: list[bytes], kinds: Sequence[int]) -> Sequence[str | None]:
        """Return the cleaned path of each name, None for a marker, which is kept apart.

        Args:
            names: as they stand in their fields, with or without zeros behind them.
            kinds: of what they name.
        """
        joined = b"\0".join([name.rstrip(b"\0") for name in names])
        if joined.count(b"\0") >= len(names):
            # What follows a NUL in a name's field is not part of it.
            joined = b"\0".join([name.partition(b"\0")[0] for name in names])
        text = joined.decode("utf-8", "surrogateescape")
        paths = _clean_together(text)
        if paths is None or max(map(len, paths)) > self._room.short:
            return list(map(self.take, text.split("\0"), kinds))
        return self._take_markers(paths) if _MARKER in text else paths

    def _take_markers(self, paths: list[str]) -> list[str | None]:
        return [None if _MARKER in path and self._take_marker(path) else path for path in paths]

    def take(self, name: str, kind: int) -> str | None:
        """Return the cleaned path of one name, None for a marker, which is kept apart."""
        path = name.rstrip("/")
        if len(path) > self._room.short and (refusal := self._room.refusal(path)) is not None:
            self._notes.add(*refusal)
            return None
        if _UNCLEAN.search(path):
            if _OUTSIDE.search(path):
                self._notes.add(
                    "unsafe-name", "names that begin with / or hold .., read below the root"
                )
            path = clean_path(path)
        if _MARKER in path and self._take_marker(path):
            return None
        if not path and kind != _DIR:
            self._notes.add(
                "root-not-directory", "an entry for / that is not a directory, passed over"
            )
            return None
        return path

    def _take_marker(self, path: str) -> bool:
        """Keep what a marker removes; False for an ordinary entry."""
        if is_aufs_metadata(path):
            self._notes.add("aufs-metadata", "AUFS bookkeeping entries, which no container sees")
            return True
        self._room.names += getsizeof(path)
        try:
            whiteout = parse_whiteout(path)
        except InvalidWhiteoutError as error:
            self._notes.add("invalid-whiteout", error.what)
            return True
        if whiteout is not None:
            (self.opaques if whiteout.opaque else self.whiteouts).append(whiteout.path)
        return whiteout is not None


def _clean_together(text: str) -> list[str] | None:
    """Return the paths that names, a NUL between each, are; None where one is to be looked at.

    Searching all at once costs a twentieth of looking at each.
    """
    framed = f"\0{text}\0"
    if "//" in framed:
        return None
    framed = framed.replace("/\0", "\0").replace("\0./", "\0")
    if any(map(framed.__contains__, _TELLING)):
        return None
    if "/." in framed and any(map(framed.__contains__, _DOTTED)):
        return None
    return framed[1:-1].split("\0")
