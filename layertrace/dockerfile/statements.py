"""Text to statements: continuations, heredocs, the escape directive, ONBUILD.

The splitting itself is done by a port of BuildKit's own parser; this module adds
what a reader of the file needs beside it. Source: the Dockerfile reference,
"Format", "Parser directives", "Here-Documents".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from e2b_dockerfile_utils import (
    DockerfileSyntaxError,
    chomp_heredoc_content,
    parse_dockerfile_ast,
    parse_heredoc,
)

from layertrace.errors import DockerfileError
from layertrace.model.build import Heredoc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from e2b_dockerfile_utils import DockerfileAst, DockerfileInstruction

MAX_LINE: Final = 65_535
"""Bytes of one physical line; the builder's scanner takes no more."""
MAX_COMMENT: Final = 1_000
"""Characters of a comment at the top that are looked at."""

_WIDEST: Final = 4
"""Bytes of a character in UTF-8 at most."""
_ONBUILD: Final = re.compile(r"[ \t]*ONBUILD[ \t]+(?=\S)", re.IGNORECASE)
_LINES: Final = re.compile(r"[^\n]*\n|[^\n]+")
_SPACES: Final = re.compile(r"[\t\v\f\r ]+")
_PARSER_PREFIX: Final = re.compile(r"^Dockerfile parse error(?: on line \d+)?: ")
_PAIRED: Final = frozenset({"ENV", "LABEL"})
_COPYING: Final = frozenset({"COPY", "ADD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One instruction as written: nothing substituted, nothing resolved."""

    keyword: str
    text: str
    words: tuple[str, ...]
    """ENV and LABEL: name, value, name, value…"""
    flags: tuple[str, ...]
    json_form: bool
    heredocs: tuple[Heredoc, ...]
    line: int
    end_line: int
    trigger: Statement | None = None
    """ONBUILD: the instruction it keeps for later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A Dockerfile cut into statements."""

    statements: tuple[Statement, ...]
    escape: str
    warnings: tuple[str, ...]
    """What the builder warns of, each with its line in front."""


def read_statements(text: str) -> Document:
    """Cut ``text`` into statements.

    Raises:
        DockerfileError: the builder would refuse the text.
    """
    lines = _LINES.findall(text.removeprefix("\ufeff"))
    for number, line in enumerate(lines, start=1):
        if len(line) * _WIDEST > MAX_LINE < len(line.encode(errors="surrogatepass")):
            message = f"a line may have {MAX_LINE} bytes at most"
            raise DockerfileError(message, line=number)
    _shorten_directives(lines)
    ast, wrapped = _parse(lines)
    joiner = _Joiner(lines, ast.escape_token)
    return Document(
        statements=tuple(_statement(item, wrapped, joiner) for item in ast.instructions),
        escape=ast.escape_token,
        warnings=tuple(f"{warning.line}: {warning.message}" for warning in ast.warnings),
    )


def _shorten_directives(lines: list[str]) -> None:
    """Cut overlong comments at the top, where parser directives may stand.

    A directive is looked for with a pattern whose time grows with the square of
    the line's length: half a minute for one hostile line.
    """
    for index, line in enumerate(lines):
        if not line.lstrip().startswith("#"):
            return
        if len(line) > MAX_COMMENT:
            lines[index] = f"{line[:MAX_COMMENT]}\n"


def _parse(lines: Sequence[str]) -> tuple[DockerfileAst, frozenset[int]]:
    """Return the parsed file and the lines that start an ONBUILD.

    The port leaves a trigger unparsed, heredocs included. With the word ONBUILD
    blanked out it parses the trigger as what it is. Whether a line starts an
    instruction or lies in a heredoc only parsing tells, so lines blanked by
    mistake are put back and the file is parsed again.
    """
    wrapped = {n for n, line in enumerate(lines, start=1) if _ONBUILD.match(line)}
    while True:
        ast = _parse_text(
            "".join(
                _ONBUILD.sub("", line, count=1) if number in wrapped else line
                for number, line in enumerate(lines, start=1)
            )
            if wrapped
            else "".join(lines)
        )
        mistaken = wrapped.difference(item.start_line for item in ast.instructions)
        if not mistaken:
            return ast, frozenset(wrapped)
        wrapped -= mistaken


def _parse_text(text: str) -> DockerfileAst:
    try:
        return parse_dockerfile_ast(text)
    except DockerfileSyntaxError as error:
        message = _PARSER_PREFIX.sub("", str(error))
        raise DockerfileError(message, line=error.line) from error
    except RecursionError as error:
        message = "a JSON array is nested too deeply"
        raise DockerfileError(message) from error


def _statement(item: DockerfileInstruction, wrapped: frozenset[int], joiner: _Joiner) -> Statement:
    text = joiner.join(item.start_line)
    statement = Statement(
        keyword=item.name,
        text=text,
        words=_words(item),
        flags=tuple(item.flags),
        json_form=item.json,
        heredocs=_heredocs(item),
        line=item.start_line,
        end_line=item.end_line,
    )
    if item.start_line not in wrapped:
        return statement
    inner = _ONBUILD.sub("", text, count=1)
    return Statement(
        keyword="ONBUILD",
        text=text,
        words=(inner,),
        flags=(),
        json_form=False,
        heredocs=(),
        line=item.start_line,
        end_line=item.end_line,
        trigger=Statement(
            keyword=statement.keyword,
            text=inner,
            words=statement.words,
            flags=statement.flags,
            json_form=statement.json_form,
            heredocs=statement.heredocs,
            line=statement.line,
            end_line=statement.end_line,
        ),
    )


def _words(item: DockerfileInstruction) -> tuple[str, ...]:
    if item.name in _PAIRED:
        return tuple(word for index, word in enumerate(item.args) if index % 3 != 2)  # noqa: PLR2004
    if item.name in _COPYING and not item.json:
        # The port minds quotes here; the builder splits at every space, and a
        # path with spaces needs the JSON form.
        return tuple(word for arg in item.args for word in _SPACES.split(arg) if word)
    return tuple(item.args)


def heredoc_name(word: str) -> str | None:
    """Return the name of the heredoc that a word begins, None for any other word.

    >>> heredoc_name("<<-'EOF'"), heredoc_name("a<b"), heredoc_name("<<'EOF")
    ('EOF', None, None)
    >>> heredoc_name("9" * 5000 + "<<EOF")
    """
    try:
        heredoc = parse_heredoc(word)
    except ValueError:
        # A quote without its end, or a file descriptor of thousands of digits.
        return None
    return None if heredoc is None else heredoc.name


def _heredocs(item: DockerfileInstruction) -> tuple[Heredoc, ...]:
    if not item.heredocs:
        return ()
    # A RUN that is more than one heredoc goes to the shell as written, which
    # then strips the tabs of "<<-" itself.
    kept = item.name == "RUN" and heredoc_name(item.args[0]) is None
    return tuple(
        Heredoc(
            name=doc.name,
            content=chomp_heredoc_content(doc.content) if doc.chomp and not kept else doc.content,
            expand=doc.expand,
        )
        for doc in item.heredocs
    )


class _Joiner:
    """Joins continuation lines for people to read: one space at each join."""

    def __init__(self, lines: Sequence[str], escape: str) -> None:
        self._lines = lines
        token = re.escape(escape)
        self._continued = re.compile(f"(?<!{token}){token}[ \\t]*$")

    def join(self, start: int) -> str:
        """Return the instruction whose first line is ``start``, from 1."""
        joined = ""
        for index in range(start - 1, len(self._lines)):
            line = self._lines[index].rstrip("\r\n")
            stripped = line.strip()
            if index >= start and (not stripped or stripped.startswith("#")):
                continue
            match = self._continued.search(line)
            piece = line[: match.start()] if match else line
            spaced = joined[-1:].isspace() or piece[:1].isspace()
            joined = f"{joined.rstrip()}{' ' if spaced else ''}{piece.lstrip()}"
            if match is None:
                break
        return joined.strip()
