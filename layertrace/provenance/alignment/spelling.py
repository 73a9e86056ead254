"""How builders spell an instruction in ``created_by``.

BuildKit writes ``COPY /src /dst # buildkit`` and leaves out ``--from``; the
classic builder and buildah write ``/bin/sh -c #(nop) COPY dir:<hash> in /dst``
and a bare ``/bin/sh -c …`` for a RUN; kaniko the Dockerfile's own text.

Source: moby, ``builder/dockerfile/dispatchers.go`` and ``internals.go``;
BuildKit, ``frontend/dockerfile/dockerfile2llb/convert.go``; measured on builds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from layertrace.model.image import HistoryEntry

KEYWORDS: Final = frozenset({
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL",
    "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
})  # fmt: skip

_NOP: Final = "#(nop)"
_BUILDKIT_SUFFIX: Final = " # buildkit"
_SHELL: Final = re.compile(r"(?:/\S*/)?(?:sh|bash|ash|zsh|dash|ksh)(?: -\S+| pipefail)* -\w*c ")
_ARGS: Final = re.compile(r"\|\d+ ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One ``created_by``, taken apart."""

    keyword: str
    """``""`` where the text is no instruction of a Dockerfile builder."""
    rest: str
    """What follows the keyword: for a RUN the command, arguments and shell still before it."""
    classic: bool
    """As the classic builder and buildah spell it."""

    @property
    def text(self) -> str:
        """The instruction as people would write it."""
        command = split_command(self.rest)[1] if self.keyword == "RUN" else self.rest
        return f"{self.keyword} {command}".strip()


def read_created_by(entry: HistoryEntry) -> Recorded:
    """Take one history entry apart.

    >>> from layertrace.model.image import HistoryEntry
    >>> read_created_by(HistoryEntry(created_by="/bin/sh -c #(nop) WORKDIR /app")).text
    'WORKDIR /app'
    >>> read_created_by(HistoryEntry(created_by="RUN |1 V=1 /bin/sh -c make # buildkit")).text
    'RUN make'
    """
    text = entry.created_by
    nop = _read_nop(text)
    if nop is not None:
        return nop
    text = text.removesuffix(_BUILDKIT_SUFFIX)
    keyword, _, rest = text.partition(" ")
    if keyword in KEYWORDS:
        return Recorded(keyword=keyword, rest=rest.strip(), classic=False)
    if _SHELL.match(text) or _ARGS.match(text):
        return Recorded(keyword="RUN", rest=text.strip(), classic=True)
    return Recorded(keyword="", rest=text.strip(), classic=False)


def split_command(rest: str) -> tuple[str, str]:
    """Split a recorded RUN into what the builder put before the command, and the command.

    Before it may stand ``|2 A=1 B=2``, the arguments in effect, and the shell.
    Where a command without a shell begins after arguments cannot be told.

    >>> split_command("|1 A=x y /bin/sh -c make all")
    ('|1 A=x y /bin/sh -c ', 'make all')
    """
    found = re.search(rf"(?<= ){_SHELL.pattern}", rest) if _ARGS.match(rest) else _SHELL.match(rest)
    return (rest[: found.end()], rest[found.end() :]) if found else ("", rest)


def _read_nop(text: str) -> Recorded | None:
    """Read ``<shell> #(nop) KEYWORD …``; None for a RUN that merely holds the mark."""
    before, mark, after = text.partition(f" {_NOP} ")
    keyword, _, rest = after.strip().partition(" ")
    shell = _SHELL.match(text)
    if not mark or keyword not in KEYWORDS or before.partition(" ")[0] in KEYWORDS:
        return None
    if shell is not None and shell.end() != len(before) + 1:
        return None
    return Recorded(keyword=keyword, rest=rest.strip(), classic=True)
