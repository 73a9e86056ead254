"""What may be typed next in a filter: keys, then the values that an image has.

>>> complete("origin:c", 8, KNOWN).offers
('origin:context',)
>>> Completer().step("!wa", 3)
'!wasted:'
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from layertrace.filters import asked, terms
from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change, OriginKind, Trust
from layertrace.model.packages import PackageKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from layertrace.model.files import FileTable
    from layertrace.model.packages import Package

Words: TypeAlias = "Mapping[str, Sequence[str]]"
"""The values of each key, as they are typed but for quotes; under ``pkg:npm/`` those of a kind."""

PACKAGES: Final = "pkg"
MOST: Final = 500
"""Offers that are gone through; an image may have a hundred thousand packages."""
_MARK: Final = "mark"
_LINKS: Final = frozenset({int(EntryKind.SYMLINK), int(EntryKind.HARDLINK)})
_FILE: Final = int(EntryKind.FILE)
_SIGNS: Final = {change: sign for sign, change in terms.MARKS.items()}

KNOWN: Final[Words] = {
    "origin": tuple(kind.value for kind in OriginKind),
    "trust": tuple(trust.value for trust in Trust),
    _MARK: tuple(terms.MARKS),
    "type": (*(kind.word for kind in EntryKind), "link", *asked.FORMS),
    "via": asked.VIA,
    "mode": tuple(asked.BITS),
    PACKAGES: (*(kind.value for kind in PackageKind), asked.NONE),
    "dup": ("yes", "no"),
    "wasted": ("yes", "no"),
}
"""What can be asked of any image."""


def table_words(table: FileTable, layers: int) -> Words:
    """Return the values that rows of ``table``, of an image of so many layers, have."""
    labels = {(label.stage_index or 0, label.stage) for label in table.labels if label.stage}
    kinds = {label.kind for label in table.labels}
    trusts, changes = set(table.trusts), set(table.changes)
    return {
        **KNOWN,
        "stage": tuple(_stage_word(*each) for each in sorted(labels)),
        "layer": tuple(str(number) for number in range(1, layers + 1)),
        "origin": tuple(kind.value for kind in OriginKind if kind in kinds),
        "trust": tuple(trust.value for trust in Trust if trust in trusts),
        _MARK: tuple(_SIGNS[change] for change in Change if change in changes),
        "type": tuple(_type_words(set(table.kinds))),
    }


def package_words(packages: Iterable[Package]) -> Words:
    """Return the names of packages, and under ``pkg:npm/`` those of one kind."""
    found: dict[PackageKind, dict[str, None]] = {}
    for package in packages:
        word = _glob_of(package.name)
        found.setdefault(package.kind, {})[word] = None
    names = sorted({name for each in found.values() for name in each})
    kinds = {kind: tuple(f"{kind.value}/{name}" for name in sorted(found[kind])) for kind in found}
    return {
        PACKAGES: (*(kind.value for kind in PackageKind if kind in found), asked.NONE, *names),
        **{f"{PACKAGES}:{kind.value}/": words for kind, words in kinds.items()},
    }


def _type_words(kinds: set[int]) -> Iterable[str]:
    yield from (kind.word for kind in EntryKind if int(kind) in kinds)
    if kinds & _LINKS:
        yield "link"
    if _FILE in kinds:
        yield from asked.FORMS


def _stage_word(index: int, name: str) -> str:
    """Return what stands for a stage: its number if nobody could type the name."""
    return name if name.isprintable() and not {"'", '"'} <= set(name) else str(index)


def _glob_of(name: str) -> str:
    """Return the glob of a package's name alone; what cannot be typed may be any letter."""
    return "".join(
        f"[{letter}]"
        if letter in "*?["
        else letter
        if letter.isprintable() and letter != '"'
        else "?"
        for letter in name
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What may stand in place of the term that is being typed."""

    start: int
    """Where that begins."""
    typed: str
    offers: tuple[str, ...]
    """Whole terms, all of them good for a filter."""
    more: int = 0
    """How many there are besides."""

    @property
    def key(self) -> str:
        """The key whose values these are; ``""`` where they are keys."""
        key, colon, _ = self.typed.lstrip("!-").partition(":")
        return key.lower() if colon else ""


def complete(text: str, cursor: int, words: Words) -> Completion:
    """Return how the term that ends at ``cursor`` may go on; without offers: in no known way."""
    start = _term_start(text[:cursor])
    typed = text[start:cursor]
    none = Completion(start=start, typed=typed, offers=())
    if cursor < len(text) and not (text[cursor].isspace() or text[cursor] == "|"):
        return none
    letters = typed.replace('"', "").replace("'", "")
    body = letters.lstrip("!-")
    marks = letters[: len(letters) - len(body)]
    key, colon, value = body.partition(":")
    if colon:
        found = [
            f"{marks}{key}:{_quoted(word)}" for word in _values(key.lower(), value.lower(), words)
        ]
    elif letters == typed:
        found = [f"{marks}{each}:" for each in terms.KEYS if each.startswith(key.lower())]
    else:
        # A word in quotes is looked for as it stands.
        return none
    if found == [typed]:
        return none
    return Completion(
        start=start, typed=typed, offers=tuple(found[:MOST]), more=max(0, len(found) - MOST)
    )


def _values(key: str, value: str, words: Words) -> list[str]:
    if key == _MARK:
        # Several may stand in one term.
        return [value + sign for sign in words.get(_MARK, ()) if sign not in value]
    kind, slash, _ = value.partition("/")
    pool = words.get(f"{key}:{kind}/") if slash else None
    return [word for word in pool or words.get(key, ()) if word.lower().startswith(value)]


def _quoted(word: str) -> str:
    if not any(letter.isspace() or letter in "\"'|" for letter in word):
        return word
    mark = "'" if '"' in word else '"'
    return f"{mark}{word}{mark}"


def _term_start(text: str) -> int:
    """Return where the last term of ``text`` begins; what is in quotes parts none."""
    start, quote = 0, ""
    for place, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'":
            quote = letter
        elif letter.isspace() or (letter == "|" and not _is_pattern(text[start:place])):
            start = place + 1
    return start


def _shared(offers: Sequence[str]) -> str:
    """Return what all of them begin with."""
    first, last = min(offers), max(offers)
    ends = (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b)
    return first[: next(ends, min(len(first), len(last)))]


def _is_pattern(term: str) -> bool:
    return term.lstrip("!-").startswith("re:")


class Completer:
    """Goes through the offers: what all share first, then one after the other."""

    def __init__(self) -> None:
        """Know no image yet."""
        self.words: Words = KNOWN
        self._turn: Completion | None = None
        self._made, self._end = "", 0
        self._chosen = -1

    def look(self, text: str, cursor: int) -> tuple[Completion, int]:
        """Return what may be typed, and which of it was chosen last; -1 for none."""
        if self._turn is not None and text == self._made and cursor == self._end:
            return self._turn, self._chosen
        self._turn = None
        return complete(text, cursor, self.words), -1

    def step(self, text: str, cursor: int, by: int = 1) -> str | None:
        """Return the term to put in place of the one at ``cursor``; None: nothing is known."""
        found, chosen = self.look(text, cursor)
        if not found.offers:
            return None
        shared = _shared(found.offers)
        if chosen < 0 and (len(found.offers) == 1 or len(shared) > len(found.typed)):
            return shared
        first = 0 if by > 0 else len(found.offers) - 1
        self._chosen = first if chosen < 0 else (chosen + by) % len(found.offers)
        self._turn, term = found, found.offers[self._chosen]
        rest = text[cursor:]
        self._made, self._end = text[: found.start] + term + rest, found.start + len(term)
        return term
