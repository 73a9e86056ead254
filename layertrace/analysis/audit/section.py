"""One table of a policy, read key by key: every mistake names the key's whole path."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from layertrace.analysis.audit.globs import PathSet
from layertrace.errors import PolicyError, UsageError
from layertrace.filters.language import Filter, parse_filter
from layertrace.filters.paths import TermError
from layertrace.filters.terms import parse_size
from layertrace.model.audit import Level

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_BARE: Final = re.compile(r"[\w-]+", re.ASCII)
_SHOWN: Final = 40


class Section:
    """A table, and the way to it."""

    def __init__(self, document: str, key: str, value: object) -> None:
        """Keep the values.

        Raises:
            PolicyError: it is no table.
        """
        self._document = document
        self.key = key
        if not isinstance(value, dict):
            raise self._not("a table", value, None)
        self._values: Mapping[str, object] = value

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def keys(self) -> Iterable[str]:
        """Return the keys, in their order."""
        return self._values.keys()

    def allow_only(self, known: Iterable[str], *, what: str = "key") -> None:
        """Refuse keys that there are not.

        Raises:
            PolicyError: there is one; it names the nearest that there is.
        """
        names = list(known)
        for key in self._values:
            if key not in names:
                raise self.unknown(key, names, what=what, at=key)

    def unknown(self, name: str, names: list[str], *, what: str, at: str | None) -> PolicyError:
        """Return the error for a name that there is not."""
        near = get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
        return self.error(f"there is no {what} {_shown(name)}", key=at, hint=hint)

    def error(self, message: str, *, key: str | None = None, hint: str = "") -> PolicyError:
        """Return an error about a key, or about the whole table."""
        return PolicyError(message, document=self._document, key=self._path(key), hint=hint)

    def text(self, key: str) -> str:
        """Return a text that is not empty.

        Raises:
            PolicyError: it is none, or missing.
        """
        value = self._values.get(key)
        if key not in self._values:
            raise self.error(f"{key} is missing")
        if not isinstance(value, str) or not value.strip():
            raise self._not("a text", value, key)
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, none if it is missing."""
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise self._not("a list of texts", value, key)
        return tuple(value)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._values.get(key, default)
        if not isinstance(value, bool):
            raise self._not("true or false", value, key)
        return value

    def level(self, key: str) -> Level | None:
        """Return a level; None for ``off``."""
        value = self._values.get(key)
        known = [*map(str, Level), "off"]
        if not isinstance(value, str) or value not in known:
            raise self._not(", ".join(known[:-1]) + " or off", value, key)
        return None if value == "off" else Level(value)

    def count(self, key: str, *, default: int) -> int:
        """Return a whole number, 0 or more."""
        value = self._values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._not("a whole number", value, key)
        return value

    def number(self, key: str, *, most: int) -> float:
        """Return a number from 0 to ``most``."""
        value = self._values.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
            raise self._not(f"a number from 0 to {most}", value, key)
        return value

    def size(self, key: str) -> int:
        """Return bytes, of a number or of a text such as ``20MB``."""
        value = self._values.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        try:
            sign, size = parse_size(value) if isinstance(value, str) else ("?", 0.0)
        except TermError:
            sign, size = "?", 0.0
        if sign:
            raise self._not('a size such as "20MB"', value, key)
        return int(size)

    def globs(self, key: str) -> tuple[str, ...]:
        """Return a list of globs.

        Raises:
            PolicyError: one of them is none.
        """
        globs = self.texts(key)
        for number, glob in enumerate(globs):
            self._check(glob, key, f"[{number}]")
        return globs

    def glob(self, key: str) -> str:
        """Return one glob.

        Raises:
            PolicyError: it is none.
        """
        glob = self.text(key)
        self._check(glob, key)
        return glob

    def _check(self, glob: str, key: str, place: str = "") -> None:
        try:
            PathSet([glob])
        except ValueError as error:
            found = self.error(str(error), key=key)
            found = PolicyError(found.message, document=found.document, key=f"{found.key}{place}")
            raise found from error

    def filter(self, key: str) -> Filter:
        """Return a filter.

        Raises:
            PolicyError: it cannot be read.
        """
        text = self.text(key)
        try:
            return parse_filter(text)
        except UsageError as error:
            raise self.error(error.what, key=key, hint=f"in {_shown(text)}") from error

    def value(self, key: str) -> object:
        """Return whatever stands there, None if nothing."""
        return self._values.get(key)

    def below(self, key: str) -> Section:
        """Return a table inside, an empty one if it is missing."""
        return Section(self._document, self._path(key), self._values.get(key, {}))

    def many(self, key: str) -> tuple[Section, ...]:
        """Return the tables of a list."""
        value = self._values.get(key, [])
        if not isinstance(value, list):
            raise self._not(f"a list of tables, [[{self._path(key)}]]", value, key)
        place = self._path(key)
        return tuple(
            Section(self._document, f"{place}[{number}]", each) for number, each in enumerate(value)
        )

    def _not(self, expected: str, value: object, key: str | None) -> PolicyError:
        got = "nothing" if value is None else _shown(value)
        return self.error(f"expected {expected}, got {got}", key=key)

    def _path(self, key: str | None) -> str:
        if key is None:
            return self.key
        written = key if _BARE.match(key) else _shown(key)
        return f"{self.key}.{written}" if self.key else written


def _shown(value: object) -> str:
    """Return a value as TOML nearly has it, short."""
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
