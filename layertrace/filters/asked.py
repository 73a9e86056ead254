"""The terms that ask for more than a file table holds: ``mode:setuid``, ``pkg:openssl``."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

from layertrace.filters.facts import Asking, Cost
from layertrace.filters.paths import TermError, choose
from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change
from layertrace.model.packages import PackageKind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from layertrace.filters.facts import Facts, Rows
    from layertrace.model.files import FileTable
    from layertrace.model.packages import Package

FORMS: Final = ("elf", "script", "zip")
"""What ``type:`` knows by content."""

VIA: Final = ("copy", "add", "run", "workdir", "from")
BITS: Final[Mapping[str, int]] = {
    "setuid": 0o4000,
    "setgid": 0o2000,
    "sticky": 0o1000,
    "world-writable": 0o0002,
}
_OCTAL: Final = re.compile(r"[0-7]{1,5}")
_OWNER: Final = re.compile(r"([0-9]{1,10})(?::([0-9]{1,10}))?")
_DIGEST: Final = re.compile(r"(?:sha256:)?([0-9a-f]{1,64})", re.IGNORECASE)
NONE: Final = "none"
_DIR: Final = int(EntryKind.DIR)
_SYMLINK: Final = int(EntryKind.SYMLINK)
_FILES: Final = frozenset({int(EntryKind.FILE), int(EntryKind.HARDLINK)})


def via(value: str) -> Asking:
    """Return ``via:copy``: the instruction that brought the shipped copy."""
    keyword = choose(value, VIA, "via")

    def ask(_: FileTable, rows: Rows, facts: Facts) -> Rows:
        found = facts.instructions(rows)
        return [row for row, each in zip(rows, found, strict=True) if each == keyword]

    return Asking(cost=Cost.ENTRIES, ask=ask)


def mode(value: str) -> Asking:
    """Return ``mode:setuid`` or ``mode:0755``; links have no mode of their own."""
    bits = BITS.get(value.lower())
    if bits is None and _OCTAL.fullmatch(value) is None:
        raise TermError(f"mode: takes {', '.join(BITS)} or octal digits such as 0755, not {value}")
    exact = int(value, 8) if bits is None else None

    def ask(table: FileTable, rows: Rows, facts: Facts) -> Rows:
        rows = [row for row in rows if table.kinds[row] != _SYMLINK]
        modes = zip(rows, facts.modes(rows), strict=True)
        if bits is None:
            return [row for row, each in modes if each == exact]
        return [row for row, each in modes if each > 0 and each & bits]

    return Asking(cost=Cost.ENTRIES, ask=ask)


def owner(value: str) -> Asking:
    """Return ``owner:0`` or ``owner:0:0``."""
    match = _OWNER.fullmatch(value)
    if match is None:
        raise TermError(f"owner: takes numbers, a uid or uid:gid such as 1000:1000, not {value}")
    uid, gid = int(match[1]), None if match[2] is None else int(match[2])

    def ask(_: FileTable, rows: Rows, facts: Facts) -> Rows:
        owners = zip(rows, facts.owners(rows), strict=True)
        return [row for row, (u, g) in owners if u == uid and gid in {None, g}]

    return Asking(cost=Cost.ENTRIES, ask=ask)


def package(value: str) -> Asking:
    """Return ``pkg:openssl``, ``pkg:npm/express``, ``pkg:dpkg`` or ``pkg:none``."""
    word = value.lower()
    if word == NONE:
        return Asking(cost=Cost.DATABASES, ask=_unowned)
    kind, slash, name = word.partition("/")
    known = frozenset(each.value for each in PackageKind)
    if word in known:
        kind, name = word, "*"
    elif not slash or kind not in known:
        kind, name = "", word
    elif not name:
        raise TermError(f"pkg:{kind}/ needs a name", len(value))

    def holds(package: Package) -> bool:
        return kind in {"", package.kind} and fnmatchcase(package.name.lower(), name)

    def ask(table: FileTable, rows: Rows, facts: Facts) -> Rows:
        packages = facts.packages()
        chosen = {number for number, each in enumerate(packages.packages) if holds(each)}
        owned = packages.rows(table.paths[row] for row in rows)
        return [row for row, number in zip(rows, owned, strict=True) if number in chosen]

    return Asking(cost=Cost.DATABASES, ask=ask)


def _unowned(table: FileTable, rows: Rows, facts: Facts) -> Rows:
    """Return what ships and is no package's; a directory is everybody's who puts files there."""
    kinds, changes, removed = table.kinds, table.changes, Change.REMOVED
    rows = [row for row in rows if kinds[row] != _DIR and changes[row] is not removed]
    owned = facts.packages().rows(table.paths[row] for row in rows)
    return [row for row, number in zip(rows, owned, strict=True) if number < 0]


def digest(value: str) -> Asking:
    """Return ``digest:ab12``."""
    match = _DIGEST.fullmatch(value)
    if match is None:
        raise TermError(f"digest: takes the first hex digits of a sha256, not {value}")
    start = f"sha256:{match[1].lower()}"

    def ask(table: FileTable, rows: Rows, facts: Facts) -> Rows:
        files = _files(table, rows)
        digests = facts.digests(files)
        return [row for row in files if digests.get(row, "").startswith(start)]

    return Asking(cost=Cost.CONTENTS, ask=ask)


def form(word: str) -> Asking:
    """Return ``type:elf`` and other types that only the content shows."""

    def ask(table: FileTable, rows: Rows, facts: Facts) -> Rows:
        files = _files(table, rows)
        forms = facts.forms(files)
        return [row for row in files if forms.get(row) == word]

    return Asking(cost=Cost.CONTENTS, ask=ask)


def duplicate(value: str) -> Asking:
    """Return ``dup:yes``: the same content stands at another path too."""
    return Asking(cost=Cost.CONTENTS, ask=_one_of(value, "dup", lambda facts: facts.duplicates()))


def wasted(value: str) -> Asking:
    """Return ``wasted:yes``: some layer stores bytes for the path that nobody sees."""
    return Asking(cost=Cost.ENTRIES, ask=_one_of(value, "wasted", lambda facts: facts.wasted()))


def _one_of(
    value: str, key: str, chosen: Callable[[Facts], Collection[int]]
) -> Callable[[FileTable, Rows, Facts], Rows]:
    wanted = choose(value, ("yes", "no"), key) == "yes"

    def ask(_: FileTable, rows: Rows, facts: Facts) -> Rows:
        found = chosen(facts)
        return [row for row in rows if (row in found) is wanted]

    return ask


def _files(table: FileTable, rows: Iterable[int]) -> list[int]:
    return [row for row in rows if table.kinds[row] in _FILES]
