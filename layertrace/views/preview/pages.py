"""A page of lines that are made when they are drawn: a content may have a million of them."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from layertrace.views.lists.rows import Role
from layertrace.views.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Span = tuple[str, Role]
"""A piece of a line, as the image has it: not yet safe to show; without tabs and newlines."""
Spans = tuple[Span, ...]

LONGEST: Final = 2_000
"""Characters of a line that are shown: a packed script has all its text in one."""
LINES: Final = 1_000_000
_WIDEST: Final = 4 * LONGEST
"""Bytes that so many characters take at most."""
_TAB: Final = 8
_ROW: Final = 16


class Lines(Protocol):
    """Numbered lines."""

    def __len__(self) -> int:
        """Return how many there are."""
        ...

    def line(self, number: int) -> Spans:
        """Return one of them; quick, for it is called while drawing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedLines:
    """Lines that are at hand."""

    rows: tuple[Spans, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def line(self, number: int) -> Spans:
        """Return one of them."""
        return self.rows[number]


@dataclass(frozen=True, slots=True, kw_only=True)
class HexLines:
    """Bytes, sixteen a line, with what of them is ASCII."""

    data: bytes

    def __len__(self) -> int:
        return (len(self.data) + _ROW - 1) // _ROW

    def line(self, number: int) -> Spans:
        """Return sixteen bytes, or what is left."""
        at = number * _ROW
        row = self.data[at : at + _ROW]
        shown = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in row)  # noqa: PLR2004
        left, right = row[: _ROW // 2].hex(" "), row[_ROW // 2 :].hex(" ")
        return (
            (f"{at:08x}  ", Role.DIM),
            (f"{left:<{3 * _ROW // 2}} {right:<{3 * _ROW // 2 - 1}}  ", Role.PLAIN),
            (shown, Role.GOOD),
        )


class Colors:
    """Which characters of a text have which role; without any, all are plain."""

    def __init__(self) -> None:
        """Colour nothing yet."""
        self._ends = array("L")
        self._roles: list[Role] = []

    def add(self, length: int, role: Role) -> None:
        """Give the next bytes of the text a role."""
        end = (self._ends[-1] if self._ends else 0) + length
        if self._roles and self._roles[-1] is role:
            self._ends[-1] = end
        else:
            self._ends.append(end)
            self._roles.append(role)

    def pieces(self, start: int, end: int) -> Iterator[tuple[int, int, Role]]:
        """Yield the parts of a range of bytes, each with its role."""
        number = bisect_right(self._ends, start)
        while start < end:
            known = number < len(self._ends)
            stop = min(end, self._ends[number]) if known else end
            yield start, stop, self._roles[number] if known else Role.PLAIN
            start, number = stop, number + 1


class TextLines:
    """A text, decoded line by line."""

    def __init__(self, text: str) -> None:
        """Find the lines; what is beyond :data:`LINES` of them is left out."""
        self._data = text.encode("utf-8", "surrogateescape")
        self._starts = array("L", [0])
        at = 0
        while (at := self._data.find(b"\n", at) + 1) and len(self._starts) <= LINES:
            self._starts.append(at)
        self.whole = not at
        """False: not every line is shown."""
        if self._starts[-1] != len(self._data) and self.whole:
            self._starts.append(len(self._data) + 1)
        self.digits = len(str(len(self)))
        self.colors = Colors()

    def __len__(self) -> int:
        return len(self._starts) - 1

    @property
    def size(self) -> int:
        """Bytes of the text in UTF-8."""
        return len(self._data)

    def text(self, size: int | None = None) -> str:
        """Return the text, or about its first ``size`` bytes."""
        return self._data[:size].decode("utf-8", "surrogateescape")

    def line(self, number: int) -> Spans:
        """Return one line, its number before it."""
        number_cell = (f"{number + 1:>{self.digits}}  ", Role.DIM)
        return (number_cell, *self._shown(number))

    def _shown(self, number: int) -> Iterator[Span]:
        start, end = self._starts[number], self._starts[number + 1] - 1
        if end > start and self._data[end - 1] == ord("\r"):
            end -= 1
        column, cut = 0, min(end, start + _WIDEST)
        whole = cut == end
        for at, stop, role in self.colors.pieces(start, cut):
            text = expanded(self._data[at:stop].decode("utf-8", "surrogateescape"), column)
            whole = whole and column + len(text) <= LONGEST
            text = text[: LONGEST - column]
            column += len(text)
            if text:
                yield text, role
        if not whole:
            yield f"… {plural(end - start, 'byte')} in this line", Role.WARNING


def expanded(text: str, column: int = 0) -> str:
    r"""Return a part of a line that begins in ``column``, with blanks for its tabs.

    >>> expanded("a\tb"), expanded("\tb", 6)
    ('a       b', '  b')
    """
    if "\t" not in text:
        return text
    lead = column % _TAB
    return (" " * lead + text).expandtabs(_TAB)[lead:]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What stands on a page: facts at its head, and the lines below them."""

    words: str
    """What it is, for the frame."""
    facts: tuple[Spans, ...] = ()
    body: Lines = FixedLines(rows=())
    ours: bool = False
    """Its lines are words and marks of ours with something of the image between them."""
    written_in: str | None = None
    """The language of a text, as lexers call it."""

    def __len__(self) -> int:
        return len(self.facts) + len(self.body)

    def line(self, number: int) -> Spans:
        """Return one line of the page."""
        if number < len(self.facts):
            return self.facts[number]
        return self.body.line(number - len(self.facts))


def fixed(rows: Iterable[Sequence[Span]]) -> FixedLines:
    """Return lines as they are."""
    return FixedLines(rows=tuple(tuple(row) for row in rows))


def fact(name: str, value: str, role: Role = Role.PLAIN) -> Spans:
    """Return a line that says one thing of a content."""
    return (f"  {name:<13}", Role.DIM), (value, role)


def remark(text: str) -> Spans:
    """Return a line about what is shown rather than the content."""
    return ((f"  {text}", Role.WARNING),)
