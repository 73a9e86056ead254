"""Which rule a path falls under, asked once a folder.

What a file is part of is mostly told by the folders above it, and those are few: a folder's
answer is kept, and only names that some rule asks for are looked at one by one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.analysis.leftovers.rules import KEPT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from layertrace.analysis.leftovers.rules import Rule

NOBODY: Final = 1 << 30
"""Of a path that no rule counts: behind all rules."""
_KEEP: Final = -1
"""Of a path that is no leftover whatever rules say: before all rules."""


class Claim(NamedTuple):
    """The rule that counts a path, and what stands for it."""

    rule: int
    """Its position among the rules."""
    root: str
    """The folder, or the path itself."""


class _Pattern(NamedTuple):
    rule: int
    anchored: bool
    above: tuple[str, ...]
    """The names before the last."""
    name: str


class _Folder(NamedTuple):
    claim: Claim
    files: tuple[_Pattern, ...]
    """Of those that ask for a file in certain folders, those that may mean one in this."""


class Matcher:
    """The rules, and what became of the folders asked for so far."""

    def __init__(self, rules: Sequence[Rule], folders: Mapping[str, int]) -> None:
        """Prepare the rules.

        Args:
            rules: by precedence.
            folders: more of them that a rule counts: path to the position of the rule.
        """
        self._given = folders
        self._known: dict[str, _Folder] = {"": _Folder(Claim(NOBODY, ""), ())}
        self._by_name: defaultdict[str, list[_Pattern]] = defaultdict(list)
        self._wild: defaultdict[str, list[_Pattern]] = defaultdict(list)
        """By the name of the folder above, as are the next."""
        self._placed: defaultdict[str, list[_Pattern]] = defaultdict(list)
        self._names: defaultdict[str, list[_Pattern]] = defaultdict(list)
        self._endings: defaultdict[str, list[_Pattern]] = defaultdict(list)
        for pattern in KEPT:
            self._add(_KEEP, pattern)
        for number, rule in enumerate(rules):
            for pattern in rule.patterns:
                self._add(number, pattern)

    def claim(self, path: str) -> Claim | None:
        """Return the first rule that counts a file, None where none does."""
        return next(self.claims((path,)))

    def claims(self, paths: Iterable[str]) -> Iterator[Claim | None]:
        """Yield that for each of many files."""
        known, names, endings = self._known, self._names, self._endings
        for path in paths:
            parent, _, name = path.rpartition("/")
            folder = known.get(parent) or self._folder(parent)
            found = folder.claim
            if folder.files or name in names or name[name.rfind(".") + 1 :] in endings:
                found = self._claim_file(folder, path)
            yield found if _KEEP < found.rule < NOBODY else None

    def _claim_file(self, folder: _Folder, path: str) -> Claim:
        """Return the first rule that counts a file by its name, or by its folder."""
        name = path.rpartition("/")[2]
        found = folder.claim
        asked = (*self._names.get(name, ()), *self._endings.get(name[name.rfind(".") + 1 :], ()))
        for pattern in (*asked, *folder.files):
            if pattern.rule < found.rule and _fits(name, pattern.name):
                found = Claim(pattern.rule, path)
        return found

    def _add(self, rule: int, text: str) -> None:
        *above, name = text.strip("/").split("/")
        pattern = _Pattern(rule, text.startswith("/"), tuple(above), name)
        if text.endswith("/"):
            if "*" in name:
                self._wild[_key(above)].append(pattern)
            else:
                self._by_name[name].append(pattern)
        elif above:
            self._placed[_key(above)].append(pattern)
        elif "*" in name:
            self._endings[name.rpartition(".")[2]].append(pattern)
        else:
            self._names[name].append(pattern)

    def _folder(self, path: str) -> _Folder:
        """Return what is known of a folder, learning those above it first."""
        missing: list[str] = []
        while path not in self._known:
            missing.append(path)
            path = path.rpartition("/")[0]
        found = self._known[path]
        for each in reversed(missing):
            found = self._known[each] = self._below(found.claim, each)
        return found

    def _below(self, above: Claim, path: str) -> _Folder:
        parent, _, name = path.rpartition("/")
        found = above
        given = self._given.get(path, NOBODY)
        if given < found.rule:
            found = Claim(given, path)
        wild = _both(self._wild, parent.rpartition("/")[2])
        for pattern in (*self._by_name.get(name, ()), *wild):
            if pattern.rule < found.rule and _fits(name, pattern.name) and _is_in(parent, pattern):
                found = Claim(pattern.rule, path)
        files = tuple(
            pattern
            for pattern in _both(self._placed, name)
            if pattern.rule < found.rule and _is_in(path, pattern)
        )
        return _Folder(found, files)


def _key(above: Sequence[str]) -> str:
    return above[-1] if above and "*" not in above[-1] else ""


def _both(patterns: Mapping[str, list[_Pattern]], name: str) -> Iterator[_Pattern]:
    """Yield the patterns for folders of one name, and those for folders of many."""
    yield from patterns.get(name, ())
    if name:
        yield from patterns.get("", ())


def _is_in(folder: str, pattern: _Pattern) -> bool:
    """Say whether a folder is one that a pattern's last name is looked for in."""
    count = len(pattern.above)
    depth = folder.count("/") + 1 if folder else 0
    if depth < count or (pattern.anchored and depth != count):
        return False
    return not count or all(map(_fits, folder.rsplit("/", count)[-count:], pattern.above))


def _fits(name: str, pattern: str) -> bool:
    return name == pattern if "*" not in pattern else _compiled(pattern).fullmatch(name) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)
