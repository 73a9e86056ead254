"""What each instruction must look like for a builder to take it.

Source: the Dockerfile reference, one section for each instruction; BuildKit,
``frontend/dockerfile/instructions``.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import TYPE_CHECKING, Final

from layertrace.errors import DockerfileError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layertrace.dockerfile.statements import Statement


class FlagKind(Enum):
    """What a flag may hold, and how often it may be given."""

    SWITCH = "true or false"
    ONE = "one value"
    MANY = "several values"


_COPY_FLAGS: Final[Mapping[str, FlagKind]] = {
    "chown": FlagKind.ONE,
    "chmod": FlagKind.ONE,
    "link": FlagKind.SWITCH,
    "exclude": FlagKind.MANY,
}
_FLAGS: Final[Mapping[str, Mapping[str, FlagKind]]] = {
    "FROM": {"platform": FlagKind.ONE},
    "RUN": {
        "mount": FlagKind.MANY,
        "device": FlagKind.MANY,
        "network": FlagKind.ONE,
        "security": FlagKind.ONE,
    },
    "COPY": {**_COPY_FLAGS, "from": FlagKind.ONE, "parents": FlagKind.SWITCH},
    "ADD": {
        **_COPY_FLAGS,
        "checksum": FlagKind.ONE,
        "keep-git-dir": FlagKind.SWITCH,
        "unpack": FlagKind.SWITCH,
    },
    "HEALTHCHECK": dict.fromkeys(
        ("interval", "timeout", "start-period", "start-interval", "retries"), FlagKind.ONE
    ),
}
_STAGE_NAME: Final = re.compile(r"[a-z][a-z0-9\-_.]*")
_ALIASED: Final = 3
"""Words of ``FROM image AS name``."""


def check_statement(statement: Statement) -> Mapping[str, tuple[str, ...]]:
    """Return the statement's flags by name, its words being in order.

    Raises:
        DockerfileError: the builder would refuse it.
    """
    _WORD_RULES.get(statement.keyword, _any_words)(statement)
    return _read_flags(statement)


def _refuse(statement: Statement, message: str) -> DockerfileError:
    return DockerfileError(message, line=statement.line)


def _read_flags(statement: Statement) -> Mapping[str, tuple[str, ...]]:
    known = _FLAGS.get(statement.keyword, {})
    flags: dict[str, tuple[str, ...]] = {}
    for flag in statement.flags:
        name, equals, value = flag.removeprefix("--").partition("=")
        kind = known.get(name)
        if kind is None:
            hint = f", it takes {', '.join(f'--{flag}' for flag in known)}" if known else ""
            raise _refuse(statement, f"{statement.keyword} has no flag --{name}{hint}")
        if name in flags and kind is not FlagKind.MANY:
            raise _refuse(statement, f"--{name} is given twice")
        if not equals and kind is not FlagKind.SWITCH:
            raise _refuse(statement, f"--{name} needs a value: --{name}=…")
        if kind is FlagKind.SWITCH and equals and value.lower() not in {"true", "false"}:
            raise _refuse(statement, f"--{name} takes true or false, not {value!r}")
        flags[name] = (*flags.get(name, ()), value)
    return flags


def _any_words(_: Statement) -> None:
    """RUN, CMD and ENTRYPOINT: the builder takes whatever there is."""


def _some_words(statement: Statement) -> None:
    if not statement.words:
        raise _refuse(statement, f"{statement.keyword} needs at least one argument")


def _one_word(statement: Statement) -> None:
    if len(statement.words) != 1:
        raise _refuse(statement, f"{statement.keyword} needs an argument")


def _from_words(statement: Statement) -> None:
    words = statement.words
    if len(words) == 1:
        return
    if len(words) != _ALIASED or words[1].lower() != "as":
        raise _refuse(statement, "FROM takes an image, or an image AS a name")
    if not _STAGE_NAME.fullmatch(words[2].lower()):
        message = (
            f"invalid stage name {words[2]!r}: it must start with a letter and hold "
            "letters, digits, '-', '_' and '.' only"
        )
        raise _refuse(statement, message)


def _copy_words(statement: Statement) -> None:
    if len(statement.words) <= 1:
        message = f"{statement.keyword} needs at least one source and a destination"
        raise _refuse(statement, message)


def _named_values(statement: Statement) -> None:
    _some_words(statement)
    if "" in statement.words[::2]:
        raise _refuse(statement, f"{statement.keyword} has a value without a name")


def _arg_words(statement: Statement) -> None:
    _some_words(statement)
    if any(word.startswith("=") for word in statement.words):
        raise _refuse(statement, "ARG has a value without a name")


def _volume_words(statement: Statement) -> None:
    _some_words(statement)
    if any(not word.strip() for word in statement.words):
        raise _refuse(statement, "VOLUME has an empty path")


def _shell_words(statement: Statement) -> None:
    _some_words(statement)
    if not statement.json_form:
        raise _refuse(statement, 'SHELL takes the JSON form only: SHELL ["/bin/sh", "-c"]')


def _healthcheck_words(statement: Statement) -> None:
    _some_words(statement)
    kind = statement.words[0].upper()
    command = [word for word in statement.words[1:] if word]
    if kind not in {"NONE", "CMD"}:
        raise _refuse(statement, f"HEALTHCHECK takes CMD or NONE, not {statement.words[0]!r}")
    if kind == "NONE" and command:
        raise _refuse(statement, "HEALTHCHECK NONE takes no arguments")
    if kind == "CMD" and not command:
        raise _refuse(statement, "HEALTHCHECK CMD needs a command")


def _onbuild_words(statement: Statement) -> None:
    if statement.trigger is None:
        raise _refuse(statement, "ONBUILD needs an instruction")
    keyword = statement.trigger.keyword
    if keyword in {"ONBUILD", "FROM", "MAINTAINER"}:
        raise _refuse(statement, f"{keyword} cannot be an ONBUILD trigger")
    check_statement(statement.trigger)


_WORD_RULES: Final[Mapping[str, Callable[[Statement], None]]] = {
    "ADD": _copy_words,
    "ARG": _arg_words,
    "COPY": _copy_words,
    "ENV": _named_values,
    "EXPOSE": _some_words,
    "FROM": _from_words,
    "HEALTHCHECK": _healthcheck_words,
    "LABEL": _named_values,
    "MAINTAINER": _one_word,
    "ONBUILD": _onbuild_words,
    "SHELL": _shell_words,
    "STOPSIGNAL": _one_word,
    "USER": _one_word,
    "VOLUME": _volume_words,
    "WORKDIR": _one_word,
}
