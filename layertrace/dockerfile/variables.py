"""Variables: which are in effect, and what a word becomes.

Source: the Dockerfile reference, "Environment replacement", "ARG" and "Scope";
BuildKit, ``dockerfile2llb`` and ``shell/lex.go``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from e2b_dockerfile_utils import ShellLex

from layertrace.errors import DockerfileError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")

MAX_RESULT: Final = 1 << 20
"""Bytes a word may grow to: ``ENV A=$A$A`` sixty times would fill any memory."""
MAX_TRIES: Final = 20_000_000
"""Steps a ``${A/pattern/}`` may take; Python's matcher goes back over its tracks."""

_TOO_MANY_STARS: Final = 24
_SHOWN: Final = 60
_PATTERN: Final = re.compile(r"\$\{\w+[#%/]")

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""PATH of a base image that sets none."""

PLATFORM_ARGUMENTS: Final = frozenset(
    f"{side}{part}"
    for side in ("BUILD", "TARGET")
    for part in ("PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT")
)
"""Set by the builder from the platforms it runs on and builds for."""


@dataclass(slots=True, kw_only=True)
class Scope:
    """The variables in effect at one place; it changes as a stage is read."""

    escape: str
    values: dict[str, str] = field(default_factory=dict)
    """What a word may name: ENV and ARG."""
    env: dict[str, str] = field(default_factory=dict)
    """ENV alone, which is what the stage's image keeps."""
    unset: set[str] = field(default_factory=set)
    """ARG without any value."""
    unknown: set[str] = field(default_factory=set)
    """Set, but to something that cannot be known here."""
    open_ended: bool = False
    """The base image's ENV is not known, so any name may have a value."""
    arguments_yield: bool = False
    """ENV beats ARG whatever the order, as in the classic builder."""

    def set_env(self, name: str, value: str | None) -> None:
        """Apply ``ENV name=value``; None: the value cannot be known."""
        self.unset.discard(name)
        if value is None:
            self._forget(name)
        else:
            self.unknown.discard(name)
            self.env[name] = self.values[name] = value

    def set_argument(self, name: str, value: str | None) -> None:
        """Apply ``ARG name`` with a value; None: the value cannot be known."""
        if self.arguments_yield and name in self.env:
            return
        self.unset.discard(name)
        if value is None:
            self._forget(name)
        else:
            self.unknown.discard(name)
            self.values[name] = value

    def _forget(self, name: str) -> None:
        self.values.pop(name, None)
        self.env.pop(name, None)
        self.unknown.add(name)

    def child(self) -> Scope:
        """Return the scope in which a stage built on this one starts.

        BuildKit hands ARG values down, the classic builder does not; both start
        from the image's ENV.
        """
        inherited = {} if self.arguments_yield else self.values
        return Scope(
            escape=self.escape,
            values={**inherited, **self.env},
            env=dict(self.env),
            unset=set(self.unset),
            unknown=set(self.unknown),
            open_ended=self.open_ended,
            arguments_yield=self.arguments_yield,
        )


class Substitution:
    """Substitutes the words of one instruction and notes what it cannot know.

    A word with a variable whose value is not known stays as written, quotes and
    escapes apart: the empty text a builder would put there would be a guess.
    """

    def __init__(self, scope: Scope, *, line: int) -> None:
        """Work with the values ``scope`` has while the instruction is read."""
        self._scope = scope
        self._line = line
        self._special = frozenset(("$", "'", '"', scope.escape))
        self._unresolved: dict[str, None] = {}

    @property
    def unresolved(self) -> tuple[str, ...]:
        """Names met so far that have no known value, in order."""
        return tuple(self._unresolved)

    def word(self, text: str) -> str:
        """Return the one word ``text`` becomes."""
        return self.known(text)[0]

    def known(self, text: str) -> tuple[str, str | None]:
        """Return the one word ``text`` becomes twice, None where it cannot be known."""
        if self._special.isdisjoint(text):
            return text, text
        value, sure = self._read(text, ShellLex.process_word)
        return value, value if sure else None

    def words(self, text: str) -> list[str]:
        """Return the words ``text`` falls into, as EXPOSE has it."""
        return self._read(text, ShellLex.process_words)[0]

    def body(self, text: str) -> str:
        """Return a heredoc of COPY or ADD: quotes mean nothing, a backslash escapes."""
        if "$" not in text and "\\" not in text:
            return text
        return self._read(text, ShellLex.process_word, body=True)[0]

    def _read(
        self, text: str, process: Callable[[ShellLex, str], _T], *, body: bool = False
    ) -> tuple[_T, bool]:
        """Return what ``process`` makes of ``text`` and whether that is all known."""
        escape = "\\" if body else self._scope.escape
        watched = _Watched({} if self._is_costly(text) else self._scope.values)
        try:
            kept = process(ShellLex(escape, skip_process_quotes=body, env=watched), text)
            unknown = [name for name in watched.missed if self._is_unknown(name, text)]
            if unknown or not watched.missed:
                self._unresolved.update(dict.fromkeys(unknown))
                return kept, not unknown
            lexer = ShellLex(escape, skip_process_quotes=body, env=watched, skip_unset_env=False)
            return process(lexer, text), True
        except ValueError as error:
            why = str(error).removeprefix(f"failed to process {text!r}: ")
            shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
            raise DockerfileError(f"cannot read {shown}: {why}", line=self._line) from error

    def _is_costly(self, text: str) -> bool:
        """Whether ``text`` holds a pattern that could take very long to match.

        Raises:
            DockerfileError: the result could be too large to hold.
        """
        if "$" not in text:
            return False
        values = self._scope.values.values()
        longest = max(map(len, values), default=0)
        if text.count("$") * longest > MAX_RESULT:
            message = f"substituting variables here could give more than {MAX_RESULT} bytes"
            raise DockerfileError(message, line=self._line)
        if not _PATTERN.search(text):
            return False
        # Each star may try every place in the value, and a value may hold stars.
        stars = text.count("*") + sum(value.count("*") for value in values)
        tries = longest + 1
        for _ in range(min(stars, _TOO_MANY_STARS)):
            tries *= longest + 1
        return tries > MAX_TRIES

    def _is_unknown(self, name: str, text: str) -> bool:
        if not name.isidentifier():
            # $1, $@ and the like: a builder looks them up and never finds them.
            return False
        if self._scope.open_ended or name in self._scope.unknown or name in self._scope.values:
            return True
        # An ARG without any value expands to nothing, but far more often its
        # --build-arg is what is missing here; a default written beside it says
        # that leaving it out was meant.
        return name in self._scope.unset and not re.search(rf"\$\{{{name}:?[-+]", text)


class _Watched(Mapping[str, str]):
    """The same values, noting each name asked for in vain."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self.missed: dict[str, None] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self._values:
            self.missed[name] = None
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
