"""The filter language: one grammar for the TUI, ``files`` and rules.

    filter       = alternative { "|" alternative }
    alternative  = { term }                 all of them must hold
    term         = { "!" | "-" } ( word | glob | key ":" value )

Quotes, single or double, take away every meaning but the letters' own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from layertrace.errors import UsageError
from layertrace.filters.paths import TermError, make_text_term
from layertrace.filters.terms import make_term

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.filters.paths import Narrow
    from layertrace.model.trace import FileTable

HELP: Final = """\
word                 the path holds it; any case if it is all lower case
*.js  /usr/**/*.so   glob: without "/" the name, else the path; ** is any folders
re:^/app/.*\\.map$    regular expression on the path
stage:build          made in that stage (name or number)
layer:3  layer:3..5  lies in these layers, numbered as shown: L1 is the lowest
origin:run           run context url inline base image workdir unknown
trust:inferred       verified inferred unknown contradicted
mark:+               + added, ~ modified, m metadata only, - removed
size:>1MB            > < >= <= =, with B kB MB GB or KiB MiB GiB; files only
type:link            file dir symlink hardlink link char block fifo
a b   a | b   !a     both; one of them; not (also -a)
"two words"          quotes: nothing in them is special
"""
"""What a user needs to know, a line for each form."""

_QUOTED: Final = r"\"[^\"]*\"|'[^']*'"
# A "|" belongs to a regular expression that has begun.
_LEXEME: Final = re.compile(
    rf"(?P<space>\s+)|(?P<bar>\|)"
    rf"|(?P<pattern>[!\-]*re:(?:{_QUOTED}|[^\s\"'])*)|(?P<term>(?:{_QUOTED}|[^\s|\"'])+)"
)


class FilterError(UsageError):
    """A filter that cannot be read, and where."""

    def __init__(self, message: str, column: int, *, text: str = "") -> None:
        """Keep the place as an index into ``text``, the filter as typed."""
        line = text.replace("\n", " ").replace("\t", " ")
        super().__init__(message, why=line, hint=f"{' ' * column}^" if line else "")
        self.message = message
        self.column = column
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a filter's text asks for."""

    text: str
    alternatives: tuple[tuple[Narrow, ...], ...]
    """One of these must hold, with all that is in it; none at all: everything."""

    def rows(self, table: FileTable) -> Sequence[int]:
        """Return the rows of ``table`` that match, in order."""
        everything = range(len(table))
        if not self.alternatives:
            return everything
        found: list[Sequence[int]] = []
        for terms in self.alternatives:
            rows: Sequence[int] = everything
            for narrow in terms:
                rows = narrow(table, rows)
            found.append(rows)
        return found[0] if len(found) == 1 else sorted(set().union(*found))


@dataclass(slots=True, kw_only=True)
class _Token:
    """One term as typed: its letters without the quotes, and where each stood."""

    start: int
    letters: list[str] = field(default_factory=list)
    columns: list[int] = field(default_factory=list)
    quoted: int | None = None
    """How many letters stood before the first quote; None: there is none."""
    bar: bool = False
    """It is the ``|`` between two alternatives."""

    @property
    def text(self) -> str:
        return "".join(self.letters)

    def column(self, index: int) -> int:
        """Return where letter ``index`` stands in the filter."""
        if index < len(self.columns):
            return self.columns[index]
        return self.columns[-1] + 1 if self.columns else self.start

    def add(self, letter: str, column: int) -> None:
        self.letters.append(letter)
        self.columns.append(column)


def parse_filter(text: str) -> Filter:
    """Return what ``text`` asks for; an empty one asks for everything.

    Raises:
        FilterError: it cannot be read; the column says where.
    """
    alternatives: list[list[Narrow]] = [[]]
    bar: _Token | None = None
    for token in _tokens(text):
        if not token.bar:
            alternatives[-1].append(_term(token, text))
            continue
        if not alternatives[-1]:
            raise FilterError("nothing stands before this |", token.start, text=text)
        bar = token
        alternatives.append([])
    if bar is not None and not alternatives[-1]:
        raise FilterError("nothing stands after this |", bar.start, text=text)
    return Filter(text=text, alternatives=tuple(tuple(terms) for terms in alternatives if terms))


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while place < len(text):
        match = _LEXEME.match(text, place)
        if match is None:
            raise FilterError(f"this {text[place]} has no partner", place, text=text)
        place = match.end()
        if match.lastgroup != "space":
            yield _token(match)


def _token(match: re.Match[str]) -> _Token:
    start = match.start()
    token = _Token(start=start, bar=match.lastgroup == "bar")
    quote = ""
    for column, letter in enumerate(match[0], start):
        if letter == quote:
            quote = ""
        elif not quote and letter in "\"'":
            quote = letter
            token.quoted = len(token.letters) if token.quoted is None else token.quoted
        else:
            token.add(letter, column)
    return token


def _term(token: _Token, text: str) -> Narrow:
    letters = token.text
    plain = letters if token.quoted is None else letters[: token.quoted]
    body = len(plain) - len(plain.lstrip("!-"))
    negated = body % 2 == 1
    if body == len(letters):
        message = "there is nothing between the quotes" if token.quoted is not None else "not what?"
        raise FilterError(message, token.start, text=text)
    key, colon, _ = plain[body:].partition(":")
    value = letters[body + len(key) + 1 :] if colon else letters[body:]
    start = len(letters) - len(value)
    try:
        if colon and key.isascii() and key.isalpha():
            narrow = make_term(key, value)
        else:
            narrow = make_text_term(letters[body:], literal=token.quoted is not None)
    except TermError as error:
        offset = body if error.offset is None else start + error.offset
        raise FilterError(str(error), token.column(offset), text=text) from error
    return _without(narrow) if negated else narrow


def _without(narrow: Narrow) -> Narrow:
    def others(table: FileTable, rows: Sequence[int]) -> Sequence[int]:
        gone = set(narrow(table, rows))
        return [row for row in rows if row not in gone]

    return others
