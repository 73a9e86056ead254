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
from layertrace.filters.facts import Asking, Cost
from layertrace.filters.paths import TermError, make_text_term
from layertrace.filters.terms import make_term
from layertrace.model.files import FileTable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.filters.facts import Facts
    from layertrace.filters.paths import Narrow

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
type:link            file dir symlink hardlink link char block fifo; elf script zip by content
via:copy             brought by COPY; add run workdir, from for the base image
mode:setuid          setgid sticky world-writable, or exactly: mode:0755
owner:0  owner:0:0   uid, or uid and gid
pkg:openssl          files of a package; pkg:dpkg pkg:npm/express pkg:none
digest:ab12          content whose sha256 begins so
dup:yes  wasted:yes  same content elsewhere too; bytes in a layer that nobody sees
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
_NAMES: Final = frozenset({"", "re"})
"""Keys of terms that ask for a path."""
_SPECIAL: Final = frozenset("|:*?[\"'")
"""What makes more of a word than letters to look for."""


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
class Term:
    """One term, and where it stands."""

    find: Narrow | Asking
    column: int
    key: str = ""
    negated: bool = False

    @property
    def cost(self) -> Cost:
        """What has to be read for it."""
        return self.find.cost if isinstance(self.find, Asking) else Cost.TABLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What a filter's text asks for."""

    text: str
    alternatives: tuple[tuple[Term, ...], ...]
    """One of these must hold, with all that is in it; none at all: everything."""

    @property
    def cost(self) -> Cost:
        """What has to be read for it: that of its dearest term."""
        costs = (term.cost for terms in self.alternatives for term in terms)
        return max(costs, default=Cost.TABLE)

    @property
    def asks_names(self) -> bool:
        """Whether all it asks for is a path, so that nothing but names is looked at."""
        terms = [term for each in self.alternatives for term in each]
        return all(term.key.lower() in _NAMES for term in terms)

    def among(self, names: Sequence[str]) -> Sequence[int]:
        """Return which of ``names`` match, each taken for a path; none where it asks for more."""
        if not self.asks_names:
            return ()
        # Such terms look at no other column.
        nothing: tuple[()] = ()
        table = FileTable(
            paths=names,
            kinds=nothing,
            sizes=nothing,
            layers=nothing,
            changes=nothing,
            trusts=nothing,
            label_ids=nothing,
            labels=nothing,
        )
        return self.rows(table)

    def narrows(self, other: Filter) -> bool:
        """Say whether what it asks for is surely among what ``other`` does: words typed on."""
        terms = [term for each in self.alternatives for term in each]
        plain = not any(term.key or term.negated for term in terms)
        return plain and self.text.startswith(other.text) and _SPECIAL.isdisjoint(self.text)

    def rows(
        self, table: FileTable, facts: Facts | None = None, *, among: Sequence[int] | None = None
    ) -> Sequence[int]:
        """Return the rows of ``table`` that match, in order.

        Args:
            table: of an image.
            facts: of that image; what is dear is asked of the rows that are left only.
            among: rows, in order, to look at; None: all.

        Raises:
            FilterError: a term needs facts, and there are none.
            LayertraceError: the image cannot be read for them.
        """
        everything = range(len(table)) if among is None else among
        if not self.alternatives:
            return everything
        found: list[Sequence[int]] = []
        for terms in self.alternatives:
            rows: Sequence[int] = everything
            for term in sorted(terms, key=lambda term: term.cost):
                left = self._found(term, table, rows, facts)
                rows = _without(rows, left) if term.negated else left
            found.append(rows)
        return found[0] if len(found) == 1 else sorted(set().union(*found))

    def _found(
        self, term: Term, table: FileTable, rows: Sequence[int], facts: Facts | None
    ) -> Sequence[int]:
        if not isinstance(term.find, Asking):
            return term.find(table, rows)
        if facts is None:
            message = f"{term.key}: asks for more of the image than is at hand here"
            raise FilterError(message, term.column, text=self.text)
        return term.find.ask(table, rows, facts)


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
    alternatives: list[list[Term]] = [[]]
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


def _term(token: _Token, text: str) -> Term:
    letters = token.text
    plain = letters if token.quoted is None else letters[: token.quoted]
    body = len(plain) - len(plain.lstrip("!-"))
    if body == len(letters):
        message = "there is nothing between the quotes" if token.quoted is not None else "not what?"
        raise FilterError(message, token.start, text=text)
    key, colon, _ = plain[body:].partition(":")
    keyed = bool(colon) and key.isascii() and key.isalpha()
    value = letters[body + len(key) + 1 :] if colon else letters[body:]
    start = len(letters) - len(value)
    find: Narrow | Asking
    try:
        if keyed:
            find = make_term(key, value)
        else:
            find = make_text_term(letters[body:], literal=token.quoted is not None)
    except TermError as error:
        offset = body if error.offset is None else start + error.offset
        raise FilterError(str(error), token.column(offset), text=text) from error
    column = token.column(body)
    return Term(find=find, column=column, key=key if keyed else "", negated=body % 2 == 1)


def _without(rows: Sequence[int], found: Sequence[int]) -> Sequence[int]:
    gone = set(found)
    return [row for row in rows if row not in gone]
