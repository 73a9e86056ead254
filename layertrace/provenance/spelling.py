"""How builders spell an instruction in ``created_by``, and whether one is meant.

BuildKit writes ``COPY /src /dst # buildkit`` and leaves out ``--from``; the
classic builder and buildah write ``/bin/sh -c #(nop) COPY dir:<hash> in /dst``
and a bare ``/bin/sh -c …`` for a RUN.

Source: moby, ``builder/dockerfile/dispatchers.go`` and ``internals.go``;
BuildKit, ``frontend/dockerfile/dockerfile2llb/convert.go``.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from layertrace.model.build import Instruction
    from layertrace.model.image import HistoryEntry

KEYWORDS: Final = frozenset({
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL",
    "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
})  # fmt: skip

_NOP: Final = "#(nop)"
_BUILDKIT_SUFFIX: Final = " # buildkit"
_ARG_PREFIX: Final = re.compile(r"\|\d+ ")
_SHELL: Final = re.compile(r"(?:/\S*/)?(?:sh|bash|ash|zsh|dash)(?: -\S+| pipefail)* -\w*c ")
_CLASSIC_COPY: Final = re.compile(
    r"(?:--ch(?:own|mod)=\S*? ?)*(?:file|dir|multi):[0-9a-f]{64} in (?P<destination>.*)", re.DOTALL
)
_FLAGS: Final = re.compile(r"(?:--[a-z-]+(?:=\S+)? +)+")
_TOKEN: Final = re.compile(r"[^\s\"'\[\],={}]+")
_LOOSE: Final = frozenset({"EXPOSE", "HEALTHCHECK", "MAINTAINER", "ONBUILD", "VOLUME"})
"""Spelled too differently from builder to builder to compare more than the words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One ``created_by``, taken apart."""

    keyword: str
    """``""`` where the text is no instruction of a Dockerfile builder."""
    rest: str
    """What follows the keyword: for a RUN the command, the shell still before it."""
    classic: bool

    @property
    def text(self) -> str:
        """The instruction as people would write it."""
        command = self.rest
        if self.keyword == "RUN":
            command = _SHELL.sub("", _without_args(command), count=1)
        return f"{self.keyword} {command}".strip()


def read_created_by(entry: HistoryEntry) -> Recorded:
    """Take one history entry apart.

    >>> from layertrace.model.image import HistoryEntry
    >>> read_created_by(HistoryEntry(created_by="/bin/sh -c #(nop) WORKDIR /app")).text
    'WORKDIR /app'
    >>> read_created_by(HistoryEntry(created_by="RUN /bin/sh -c make # buildkit")).text
    'RUN make'
    """
    text = entry.created_by
    _, nop, after = text.partition(_NOP)
    if nop:
        keyword, _, rest = after.strip().partition(" ")
        return Recorded(keyword=keyword, rest=rest.strip(), classic=True)
    text = text.removesuffix(_BUILDKIT_SUFFIX)
    keyword, _, rest = text.partition(" ")
    if keyword in KEYWORDS:
        return Recorded(keyword=keyword, rest=rest.strip(), classic=False)
    if _SHELL.match(_without_args(text)) or text.startswith("|"):
        return Recorded(keyword="RUN", rest=text.strip(), classic=True)
    return Recorded(keyword="", rest=text.strip(), classic=False)


def agrees(recorded: Recorded, instruction: Instruction) -> bool:
    """Say whether a history entry can be what this instruction left behind."""
    keyword = instruction.keyword
    if keyword == "RUN":
        return recorded.keyword in {"RUN", ""} and _same_command(recorded, instruction)
    if recorded.keyword != keyword:
        return False
    if instruction.unresolved or keyword in _LOOSE:
        return True
    if keyword == "WORKDIR":
        return _same_path(recorded.rest, instruction.args[0], instruction)
    same = _same_copy if keyword in {"COPY", "ADD"} else _same_words
    return same(recorded, instruction)


def _without_args(text: str) -> str:
    """Drop the classic ``|2 A=1 B=2 `` before a RUN's shell, as far as it can be told."""
    if not _ARG_PREFIX.match(text):
        return text
    found = re.search(r"(?<= )(?:/\S*/)?(?:sh|bash|ash|zsh|dash) -", text)
    return text[found.start() :] if found else text


def _same_command(recorded: Recorded, instruction: Instruction) -> bool:
    """Compare a RUN's command; blanks are folded, as builders fold continuations."""
    if instruction.json_form:
        words = " ".join(instruction.args)
    elif instruction.heredocs:
        # Only the first document is the script where the line is a bare <<EOF;
        # else it is the shell's to read. Both ways its text stands in the entry.
        words = instruction.heredocs[0].content
    else:
        words = instruction.args[0] if instruction.args else ""
    wanted, found = _folded(words), _folded(recorded.rest)
    return found == wanted or found.endswith(" " + wanted) or (
        bool(instruction.heredocs) and wanted in found
    )  # fmt: skip


def _same_copy(recorded: Recorded, instruction: Instruction) -> bool:
    destination = instruction.args[-1] if instruction.args else ""
    if recorded.classic:
        found = _CLASSIC_COPY.fullmatch(recorded.rest)
        if found is None:
            # ADD of a URL: "ADD https://… in /dst".
            return _same_path(recorded.rest.rpartition(" in ")[2], destination, instruction)
        return _same_path(found["destination"].strip(), destination, instruction)
    rest = (
        _FLAGS.sub("", recorded.rest, count=1) if recorded.rest.startswith("--") else recorded.rest
    )
    if _folded(rest) == _folded(" ".join(instruction.args)):
        return True
    sources = " ".join(instruction.args[:-1])
    head, _, tail = rest.rpartition(" ")
    return _folded(head) == _folded(sources) and _same_path(tail, destination, instruction)


def _same_path(recorded: str, declared: str, instruction: Instruction) -> bool:
    """Compare two spellings of a path, one perhaps relative to the working directory."""
    if recorded.rstrip("/") == declared.rstrip("/"):
        return True
    if instruction.workdir is None and not declared.startswith("/"):
        return f"/{recorded}".rstrip("/").endswith("/" + declared.strip("./"))
    joined = posixpath.normpath(posixpath.join(instruction.workdir or "/", declared))
    found = posixpath.normpath(posixpath.join(instruction.workdir or "/", recorded))
    return joined == found


def _same_words(recorded: Recorded, instruction: Instruction) -> bool:
    """Compare the words of a metadata instruction, whatever the quoting around them."""
    declared = _TOKEN.findall(" ".join(instruction.args))
    found = _TOKEN.findall(recorded.rest)
    # CMD and ENTRYPOINT in shell form are recorded with their shell before.
    return found[len(found) - len(declared) :] == declared


def _folded(text: str) -> str:
    return " ".join(text.split())
