"""Shell text taken apart into commands and their words, as far as that takes no shell."""

from __future__ import annotations

import posixpath
import re
import shlex
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_PUNCTUATION: Final = "();<>|&\n"
OPERATORS: Final = frozenset(_PUNCTUATION)
_ASSIGNMENT: Final = re.compile(r"\w+\+?=")
_KEYWORDS: Final = frozenset({"if", "then", "else", "elif", "do", "while", "until", "!", "{", "}"})
_VALUE_LETTERS: Final = {"install": "mogtS", "cp": "tS", "mv": "tS", "ln": "tS", "rsync": "e"}


def read_tokens(text: str) -> list[str]:
    """Return the words and operators of shell text; a newline is an operator.

    Raises:
        ValueError: a quote is not closed.
    """
    lexer = shlex.shlex(text.replace("\\\n", " "), posix=True, punctuation_chars=_PUNCTUATION)
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    # Its comments begin anywhere, a shell's only where a word does.
    lexer.commenters = ""
    return list(lexer)


def without_comments(tokens: Iterable[str]) -> Iterator[str]:
    """Yield the tokens that are in no comment."""
    comment = False
    for token in tokens:
        comment = (comment or token.startswith("#")) and "\n" not in token
        if not comment:
            yield token


def name_command(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the name of a command and its arguments; no name where there is none."""
    for number, word in enumerate(words):
        if word not in _KEYWORDS and not _ASSIGNMENT.match(word):
            return posixpath.basename(word), words[number + 1 :]
    return "", ()


def read_operands(name: str, arguments: Sequence[str]) -> tuple[list[str], str]:
    """Return the words that are no options, and the destination if an option gives it."""
    words: list[str] = []
    destination = option = ""
    options_end = False
    for word in arguments:
        if option:
            destination = word if option == "t" else destination
            option = ""
        elif options_end or not word.startswith("-") or word == "-":
            words.append(word)
        elif word == "--":
            options_end = True
        elif word.startswith("--target-directory="):
            destination = word.partition("=")[2]
        elif is_short(word) and word[-1] in _VALUE_LETTERS[name]:
            option = word[-1]
    return words, destination


def fill_words(words: Sequence[str], options: Sequence[str]) -> list[str]:
    """Return a command of xargs with ``$`` for what it reads: at its marks, else at the end."""
    for option, after in zip(options, [*options, ""][1:], strict=True):
        if option.startswith(("-I", "-i", "--replace")):
            mark = option.partition("=")[2] if option.startswith("--") else option[2:]
            mark = mark or (after if option == "-I" else "{}")
            return [word.replace(mark, "$") for word in words]
    return [*words, "$"]


def is_short(word: str) -> bool:
    """Say whether a word is an option of one letter, or several of them."""
    return len(word) > 1 and word[0] == "-" and word[1] != "-"
