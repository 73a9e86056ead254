"""Whether a history entry can be what an instruction left behind.

Builders spell some instructions in full and others hardly at all, so each
keyword is compared as far as every builder's spelling of it allows: what they
agree to write must be the same, what one of them leaves out proves nothing.
"""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from layertrace.provenance.alignment.spelling import split_command

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from layertrace.model.build import Instruction
    from layertrace.provenance.alignment.spelling import Recorded

DEFAULT_SHELL: Final = "/bin/sh -c"
_COPYING: Final = frozenset({"COPY", "ADD"})

_TOKEN: Final = re.compile(r"[^\s\"'\[\],={}]+")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-f]{2})|U([0-9a-f]{8})|.)", re.DOTALL)
_FLAG: Final = re.compile(r"--([a-z-]+)(?:=(\S*))? +")
_CLASSIC_COPY: Final = re.compile(
    r"(?:--chown=(?P<chown>\S*?) ?)?(?:(?:file|dir|multi):)?[0-9a-f]{64} in (?P<destination>.*)",
    re.DOTALL,
)
_PORT: Final = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/([a-z]+))?", re.IGNORECASE)
_LONE_HEREDOC: Final = re.compile(r"0?<<-?[^<\s]+")


def agrees(
    recorded: Recorded,
    instruction: Instruction,
    *,
    shell: str = DEFAULT_SHELL,
    given: Collection[str] = (),
) -> bool:
    """Say whether a history entry can be what this instruction left behind.

    Args:
        recorded: the entry.
        instruction: of the Dockerfile, variables substituted.
        shell: of the last SHELL the history records.
        given: the names of the build arguments that were given.
    """
    keyword = instruction.keyword
    if keyword == "RUN" and recorded.keyword == "":
        return _same_run(recorded, instruction, shell)
    if recorded.keyword != keyword:
        return False
    if instruction.unresolved or _folded(recorded.text) == _folded(instruction.text):
        # buildah and kaniko record most instructions as they were written.
        return True
    if keyword == "RUN":
        return _same_run(recorded, instruction, shell)
    if keyword == "ARG":
        return _same_arguments(recorded, instruction, given)
    return _SAME[keyword](recorded, instruction)


def _same_run(recorded: Recorded, instruction: Instruction, shell: str) -> bool:
    """Compare a RUN's command; blanks are folded, as some builders fold continuations."""
    found, wanted = _folded(recorded.rest), _folded(_command(instruction))
    if instruction.json_form:
        return found == wanted or (found.startswith("|") and found.endswith(f" {wanted}"))
    before, command = split_command(recorded.rest)
    if before:
        return _folded(command) == wanted
    # No shell in front (kaniko), or one that only a SHELL of this history explains.
    return found in {wanted, f"{shell} {wanted}"} or (
        found.startswith("|") and found.partition(f" {shell} ")[2] == wanted
    )


def _command(instruction: Instruction) -> str:
    """Return what a RUN hands to its shell, or runs without one.

    Source: BuildKit, ``dispatchRun``: a lone heredoc is the script, or a file
    that is run where it names its interpreter; any other goes to the shell whole.
    """
    if instruction.json_form or not instruction.args:
        return " ".join(instruction.args)
    command = instruction.args[0]
    documents = instruction.heredocs
    if len(documents) == 1 and _LONE_HEREDOC.fullmatch(command.strip()):
        script = documents[0].content
        return f"/dev/pipes/{documents[0].name}" if script.startswith("#!") else script
    return "\n".join([command, *(f"{each.content}{each.name}" for each in documents)])


def _same_arguments(recorded: Recorded, instruction: Instruction, given: Collection[str]) -> bool:
    """Compare an ARG's names, and the values as far as both sides have one.

    Of an argument that was given some builders record the default, some the value.
    """
    declared = [arg.partition("=")[::2] for arg in instruction.args]
    names = (rf"{re.escape(name)}(?:=(?P<v{n}>.*))?" for n, (name, _) in enumerate(declared))
    found = re.fullmatch(" ".join(names), recorded.rest, re.DOTALL)
    if found is None:
        return recorded.classic and _lists(recorded.rest.split(" "), dict(declared))
    return all(
        found[f"v{number}"] in {None, value} or not value or name in given
        for number, (name, value) in enumerate(declared)
    )


def _lists(recorded: list[str], declared: Collection[str]) -> bool:
    """Say whether buildah recorded an ARG: all that the stage has by then, by name, in order."""
    return recorded == sorted(recorded) and set(declared) <= set(recorded)


def _same_copy(recorded: Recorded, instruction: Instruction) -> bool:
    destination = instruction.args[-1]
    if not recorded.classic:
        return _same_spelled_copy(recorded.rest, instruction)
    found = _CLASSIC_COPY.fullmatch(recorded.rest)
    if found is None:
        return recorded.rest.endswith(f" in {destination}")
    # buildah leaves --chown out, so that its absence proves nothing.
    owner = found["chown"]
    if owner is not None and instruction.flags.get("chown") != (owner,):
        return False
    recorded_path = found["destination"]
    # buildah records the destination as it was written, variables and all.
    return instruction.text.endswith(f" {recorded_path}") or _same_path(
        recorded_path, destination, instruction.workdir
    )


def completed(recorded: Recorded, instruction: Instruction) -> Instruction:
    """Return a COPY with the words that it lacks a variable for, as the history has them.

    The classic builder records the destination alone; who records a word as it
    was written tells nothing.
    """
    if not instruction.unresolved or recorded.keyword != instruction.keyword:
        return instruction
    if instruction.keyword not in _COPYING or instruction.heredocs:
        return instruction
    args = instruction.args
    if recorded.classic:
        found = _CLASSIC_COPY.fullmatch(recorded.rest)
        words = [*args[:-1], found["destination"]] if found is not None else []
    else:
        words = _without_flags(recorded.rest)[1].split(" ")
    # A word with a space in it would be two here.
    if len(words) != len(args):
        return instruction
    pairs = zip(args, words, strict=True)
    return replace(instruction, args=tuple(word if "$" in arg else arg for arg, word in pairs))


def _same_spelled_copy(rest: str, instruction: Instruction) -> bool:
    """Compare a COPY that is recorded as it was written, some flags apart."""
    recorded, rest = _without_flags(rest)
    if ("parents" in recorded) != ("parents" in instruction.flags):
        return False
    if not all(_same_flag(instruction.flags, *flag) for flag in recorded.items()):
        return False
    *sources, destination = instruction.args
    documents = [s for s in sources if s.startswith("<<") and instruction.heredocs]
    plain = [s for s in sources if s not in documents]
    # BuildKit records heredocs after all other sources, kaniko what was written.
    spellings = ([*plain, *documents, destination], [*sources, destination])
    return any(rest == " ".join(words) for words in spellings)


def _without_flags(rest: str) -> tuple[dict[str, str | None], str]:
    """Return the flags a COPY is recorded with, and what follows them."""
    flags: dict[str, str | None] = {}
    while flag := _FLAG.match(rest):
        flags[flag[1]] = flag[2]
        rest = rest[flag.end() :]
    return flags, rest


def _same_flag(flags: Mapping[str, tuple[str, ...]], name: str, value: str | None) -> bool:
    return name in flags and (value is None or value in flags[name])


def _same_path(recorded: str, declared: str, workdir: str | None) -> bool:
    """Compare two spellings of a path, one perhaps relative to the working directory."""
    if recorded == declared:
        return True
    if recorded.startswith("/") == declared.startswith("/"):
        return False
    absolute, relative = sorted((recorded, declared), key=lambda path: not path.startswith("/"))
    if workdir is not None:
        return posixpath.normpath(posixpath.join(workdir, relative)) == posixpath.normpath(absolute)
    tail = posixpath.normpath(relative)
    return ".." in tail or tail == "." or f"{posixpath.normpath(absolute)}/".endswith(f"/{tail}/")


def _same_workdir(recorded: Recorded, instruction: Instruction) -> bool:
    declared = instruction.args[0]
    if declared.startswith("/") and recorded.rest.startswith("/"):
        return posixpath.normpath(recorded.rest) == posixpath.normpath(declared)
    return _same_path(recorded.rest, declared, instruction.workdir)


def _same_list(recorded: Recorded, instruction: Instruction) -> bool:
    """Compare CMD and ENTRYPOINT: recorded as a list, the shell form's shell in front."""
    found = _read_list(recorded.rest)
    if found is None:
        return _same_words(recorded, instruction)
    if instruction.json_form or not instruction.args:
        return found == list(instruction.args)
    return len(found) > 1 and _folded(found[-1]) == _folded(instruction.args[0])


def _same_check(recorded: Recorded, instruction: Instruction) -> bool:
    """Compare a HEALTHCHECK's test; its times are spelled in too many ways."""
    found = _read_list(recorded.rest)
    if not found:
        return True
    kind, *words = instruction.args
    folded = [_folded(word) for word in words]
    return (
        found[0].removesuffix("-SHELL") == kind.upper() and list(map(_folded, found[1:])) == folded
    )


def _read_list(text: str) -> list[str] | None:
    """Return the first ``["a" "b"]`` in a text, commas or not; None without one."""
    start, end = text.find("["), text.rfind("]")
    if start == -1 or end < start:
        return None
    quoted: list[str] = _QUOTED.findall(text[start:end])
    if not quoted and text[start + 1 : end].strip():
        return None
    return [_unquoted(word) for word in quoted]


def _unquoted(word: str) -> str:
    r"""Return a string that Go's ``%q`` quoted.

    >>> _unquoted(r'"a\"b\x1b\a"') == 'a"b\x1b\x07'
    True
    """
    try:
        return str(json.loads(_ESCAPE.sub(_json_escape, word), strict=False))
    except (ValueError, OverflowError):
        return word


def _json_escape(escape: re.Match[str]) -> str:
    written, byte, code = escape[0], escape[1], escape[2]
    if byte:
        return f"\\u00{byte}"
    if code:
        return json.dumps(chr(int(code, 16)))[1:-1]
    return {r"\a": r"\u0007", r"\v": r"\u000b"}.get(written, written)


def _same_ports(recorded: Recorded, instruction: Instruction) -> bool:
    declared = " ".join(instruction.args)
    return ":" in declared or _ports(recorded.rest) == _ports(declared)


def _ports(text: str) -> list[tuple[str, int, int]]:
    """Return the ports that ``80 53/udp 7000-7002`` or Go's print of a map names, in ranges."""
    ranges = sorted(
        ((protocol or "tcp").lower(), int(first), int(last or first))
        for first, last, protocol in _PORT.findall(text)
    )
    merged = ranges[:1]
    for protocol, first, last in ranges[1:]:
        previous, start, end = merged[-1]
        if previous == protocol and first <= end + 1:
            merged[-1] = (protocol, start, max(last, end))
        else:
            merged.append((protocol, first, last))
    return merged


def _same_words(recorded: Recorded, instruction: Instruction) -> bool:
    """Compare the words, whatever the quoting and brackets around them."""
    declared = " ".join(instruction.args)
    if _folded(recorded.rest) == _folded(declared):
        return True
    return _TOKEN.findall(recorded.rest) == _TOKEN.findall(declared)


def _folded(text: str) -> str:
    return " ".join(text.split())


_SAME: Final[Mapping[str, Callable[[Recorded, Instruction], bool]]] = {
    "ADD": _same_copy,
    "CMD": _same_list,
    "COPY": _same_copy,
    "ENTRYPOINT": _same_list,
    "ENV": _same_words,
    "EXPOSE": _same_ports,
    "HEALTHCHECK": _same_check,
    "LABEL": _same_words,
    "MAINTAINER": _same_words,
    "ONBUILD": _same_words,
    "SHELL": _same_words,
    "STOPSIGNAL": _same_words,
    "USER": _same_words,
    "VOLUME": _same_words,
    "WORKDIR": _same_workdir,
}
