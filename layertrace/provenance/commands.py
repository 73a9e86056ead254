"""What the commands of a RUN copy, move or link: read from their text, as far as that goes.

No shell is run and none is imitated: words that only a shell could tell, such as variables,
make a command one that may copy anything. What is read here decides nothing alone; equal
content does, at the places that the commands name.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import clean_path
from layertrace.provenance.shellwords import (
    OPERATORS,
    fill_words,
    is_short,
    name_command,
    read_operands,
    read_tokens,
    without_comments,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from layertrace.model.build import Instruction

MAX_COPIES: Final = 200
"""Commands of one RUN that are looked at one by one."""
MAX_PATHS: Final = 64
"""Places that one file is looked for at."""
_MAX_NESTING: Final = 4

_SCRIPT_OPTION: Final = re.compile(r"-\w*c")
_SHELLS: Final = frozenset({"sh", "bash", "ash", "dash", "zsh", "ksh", "su", "runuser"})
_LAUNCHERS: Final = frozenset({
    "builtin", "busybox", "command", "env", "exec", "fakeroot", "gosu", "ionice", "nice",
    "nohup", "su-exec", "sudo", "time", "timeout",
})  # fmt: skip
_REPEATERS: Final = frozenset({"chroot", "find", "parallel", "xargs"})
_PLAIN: Final = frozenset({"cp", "install", "ln", "mv", "rsync"})
_COPIERS: Final = _PLAIN | {"cat", "cpio", "dd", "ditto", "pax", "rename", "tar"}
_SHELL_WORK: Final = re.compile(r"[$`{~]")
_GLOB: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyCommand:
    """One command that copies, moves or hard-links; paths are rootfs-relative."""

    sources: tuple[str, ...]
    """The last part may be a pattern."""
    destination: str
    whole: bool = False
    """``--parents``: a source's whole path goes below the destination."""

    def origins_of(self, path: str, destination: str) -> Iterator[str]:
        """Yield where what it put at a path may have stood.

        Whether the destination was a directory is not known here: both are told.

        Args:
            path: of a file when the command was done.
            destination: its own, links on the way followed.
        """
        if path == destination:
            yield from (source for source in self.sources if not _GLOB.search(source))
            return
        start = f"{destination}/" if destination else ""
        if not path.startswith(start):
            return
        rest = path[len(start) :]
        for source in self.sources:
            folder, _, name = source.rpartition("/")
            first, slash, more = rest.partition("/")
            if self.whole:
                yield rest
            elif _GLOB.search(name):
                if fnmatch.fnmatchcase(first, name):
                    yield f"{folder}/{rest}".lstrip("/")
            else:
                if first == name:
                    yield f"{source}{slash}{more}"
                yield f"{source}/{rest}".lstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """What the commands of one RUN copy, in their order."""

    copies: tuple[CopyCommand, ...] = ()
    into: tuple[str, ...] = ()
    """Where commands put files of which their text does not tell the source; the root: anywhere."""


def read_commands(instruction: Instruction) -> Commands:
    """Return what a RUN copies by its own words; what a program it starts does is not in them."""
    workdir = instruction.workdir
    if instruction.json_form:
        return _read(workdir, words=instruction.args)
    return _read(
        workdir, texts=(*instruction.args, *(each.content for each in instruction.heredocs))
    )


def read_text(text: str) -> Commands:
    """Return what a recorded RUN copies; in which directory it ran is not known.

    >>> read_text("cd /srv && cp -a app/dist .").copies
    (CopyCommand(sources=('srv/app/dist',), destination='srv', whole=False),)
    >>> read_text("cp $FROM /app").into
    ('app',)
    """
    return _read(None, texts=(text,))


def _read(workdir: str | None, *, texts: Iterable[str] = (), words: Sequence[str] = ()) -> Commands:
    reader = _Reader()
    reader.run(words, "", [workdir], 0)
    for text in texts:
        reader.script(text, [workdir], 0)
    many = len(reader.copies) > MAX_COPIES
    return Commands(
        copies=() if many else tuple(reader.copies),
        into=("",) if many else tuple(sorted(reader.into)),
    )


@dataclass(slots=True)
class _Reader:
    copies: list[CopyCommand] = field(default_factory=list)
    into: set[str] = field(default_factory=set)

    def script(self, text: str, folders: list[str | None], nesting: int) -> None:
        """Read shell text; the last of ``folders`` is the working directory, None: not known."""
        try:
            tokens = read_tokens(text)
        except ValueError:
            self.into.add("")
            return
        words: list[str] = []
        output = redirect = ""
        for token in without_comments([*tokens, "\n"]):
            if not OPERATORS.issuperset(token) or not token:
                if not redirect:
                    words.append(token)
                elif redirect.startswith(">") and "&" not in redirect:
                    output = token
                redirect = ""
            elif "<" in token or ">" in token:
                # What stands in "2>" is no word of the command; errors are no output.
                number = words.pop() if words and words[-1].isdigit() else "1"
                redirect = token if number == "1" else "2>&"
            else:
                self.run(words, output, folders, nesting)
                words, output, redirect = [], "", ""
                _enter_and_leave(folders, token)

    def run(
        self, words: Sequence[str], output: str, folders: list[str | None], nesting: int
    ) -> None:
        """Read one command and where its output goes."""
        name, arguments = name_command(words)
        if name in {"cd", "pushd"}:
            folders[-1] = _folder(arguments, folders[-1])
        elif name in _SHELLS or name == "eval":
            self._nested(name, arguments, folders, nesting)
        elif name in _LAUNCHERS:
            known = _COPIERS | _SHELLS | _REPEATERS
            found = [n for n, word in enumerate(arguments) if posixpath.basename(word) in known]
            if found:
                self.run(arguments[found[0] :], output, folders, nesting)
        elif name in _REPEATERS:
            self._repeat(name, arguments, folders)
        elif name in _COPIERS:
            self._copy(name, arguments, output, folders[-1])

    def _nested(
        self, name: str, arguments: Sequence[str], folders: list[str | None], nesting: int
    ) -> None:
        if nesting == _MAX_NESTING:
            self.into.add("")
        elif name == "eval":
            self.script(" ".join(arguments), folders, nesting + 1)
        else:
            options = [n for n, word in enumerate(arguments) if _SCRIPT_OPTION.fullmatch(word)]
            for text in arguments[options[0] + 1 :][:1] if options else ():
                self.script(text, folders[-1:], nesting + 1)

    def _repeat(self, name: str, arguments: Sequence[str], folders: list[str | None]) -> None:
        """Read a command that is run for each of many files."""
        names = [posixpath.basename(word) for word in arguments]
        found = [n for n, each in enumerate(names) if each in _COPIERS | _SHELLS]
        if not found:
            return
        words, options = list(arguments[found[0] :]), arguments[: found[0]]
        if names[found[0]] not in _PLAIN or name not in {"find", "xargs"} or "-execdir" in options:
            self.into.add("")
            return
        if name == "xargs":
            words = fill_words(words, options)
        self._copy(names[found[0]], words[1:], "", folders[-1])

    def _copy(self, name: str, arguments: Sequence[str], output: str, folder: str | None) -> None:
        letters = {letter for word in arguments if is_short(word) for letter in word[1:]}
        if name in _PLAIN:
            if not _makes_none(name, arguments, letters):
                self._place(name, arguments, folder)
        elif name == "cat":
            self._add([word for word in arguments if word[:1] != "-"], output, folder)
        elif name == "dd":
            pairs = dict(word.split("=", 1) for word in arguments if "=" in word)
            self._add([pairs["if"]] if "if" in pairs else [], pairs.get("of", ""), folder)
        else:
            self.into.update([""] if _may_copy(name, arguments, letters) else [])

    def _place(self, name: str, arguments: Sequence[str], folder: str | None) -> None:
        """Read ``cp`` and those that take their sources and destination like it."""
        words, destination = read_operands(name, arguments)
        if not destination and len(words) == 1 and name == "ln":
            destination = "."
        if not destination and words:
            *words, destination = words
        self._add(words or ["$"], destination or "$", folder, whole="--parents" in arguments)

    def _add(
        self, words: Sequence[str], destination: str, folder: str | None, *, whole: bool = False
    ) -> None:
        """Keep what a command copies; one without a source or a destination copies nothing."""
        if not words or not destination:
            return
        end = _path(destination, folder)
        end = None if _GLOB.search(end or "") else end
        found = [_path(word, folder) for word in words]
        sources = tuple(
            path for path in found if path is not None and not _GLOB.search(posixpath.dirname(path))
        )
        if end is None or len(sources) < len(words):
            self.into.add(end or "")
        if end is not None and sources:
            self.copies.append(CopyCommand(sources=sources, destination=end, whole=whole))


def _enter_and_leave(folders: list[str | None], operator: str) -> None:
    """Remember the working directory for the time of a subshell."""
    for character in operator:
        if character == "(":
            folders.append(folders[-1])
        elif character == ")" and len(folders) > 1:
            folders.pop()


def _makes_none(name: str, arguments: Sequence[str], letters: set[str]) -> bool:
    """Say whether it makes symbolic links or directories instead of copies."""
    if name == "install":
        return "d" in letters or "--directory" in arguments
    symbolic = not {"--symbolic", "--symbolic-link"}.isdisjoint(arguments)
    return name in {"cp", "ln"} and ("s" in letters or symbolic)


def _may_copy(name: str, arguments: Sequence[str], letters: set[str]) -> bool:
    """Say whether a command of no plain sources copies: not one that unpacks an archive."""
    if name == "cpio":
        return "i" not in letters
    if name == "tar":
        bundled = arguments[0] if arguments and arguments[0].isalpha() else ""
        return "c" in letters | set(bundled) or "--create" in arguments
    return True


def _folder(arguments: Sequence[str], folder: str | None) -> str | None:
    """Return the working directory after a ``cd``."""
    words = [word for word in arguments if not word.startswith("-")]
    path = _path(words[0], folder) if len(words) == 1 and len(arguments) == 1 else None
    return None if path is None else f"/{path}"


def _path(word: str, folder: str | None) -> str | None:
    """Return the path that a word names, None where only the shell could tell."""
    if _SHELL_WORK.search(word) or (folder is None and not word.startswith("/")):
        return None
    return clean_path(posixpath.join(folder or "/", word))
