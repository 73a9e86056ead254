"""The language of a text, and which of its characters are what."""

from __future__ import annotations

import re
from time import monotonic
from typing import TYPE_CHECKING, Final

from layertrace.views.lists.rows import Role
from layertrace.views.preview.pages import LONGEST, Colors, TextLines

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.analysis.contents.kinds import Nature
    from layertrace.views.preview.pages import Page

LIMIT: Final = 1_000_000
"""Bytes of a text beyond which it stays plain."""
_SECONDS: Final = 2.0
"""What is not coloured by then stays plain."""
_EVERY: Final = 500
_INTERPRETERS: Final = {
    "sh": "bash", "bash": "bash", "dash": "bash", "ash": "bash", "zsh": "bash", "ksh": "bash",
    "python": "python", "pypy": "python", "node": "javascript", "nodejs": "javascript",
    "deno": "typescript", "perl": "perl", "ruby": "ruby", "php": "php", "lua": "lua",
    "awk": "awk", "gawk": "awk", "tclsh": "tcl", "make": "make",
}  # fmt: skip
_BEGINNINGS: Final = (
    (re.compile(r"\s*<\?xml\b"), "xml"),
    (re.compile(r"\s*<(?:!doctype html|html)\b", re.IGNORECASE), "html"),
    (re.compile(r"\s*<\?php\b"), "php"),
    (re.compile(r"diff --git |--- \S+.*\n\+\+\+ "), "diff"),
)
_SUFFIXES: Final = {
    "py": "python", "pyi": "python", "js": "javascript", "mjs": "javascript", "cjs": "javascript",
    "jsx": "javascript", "ts": "typescript", "tsx": "typescript", "json": "json", "map": "json",
    "yaml": "yaml", "yml": "yaml", "toml": "toml", "ini": "ini", "cfg": "ini", "conf": "ini",
    "cnf": "ini", "service": "ini", "html": "html", "htm": "html", "xml": "xml", "svg": "xml",
    "css": "css", "scss": "scss", "sh": "bash", "bash": "bash", "zsh": "bash", "c": "c", "h": "c",
    "cc": "cpp", "cpp": "cpp", "hpp": "cpp", "go": "go", "rs": "rust", "java": "java",
    "kt": "kotlin", "rb": "ruby", "pl": "perl", "pm": "perl", "php": "php", "lua": "lua",
    "sql": "sql", "diff": "diff", "patch": "diff", "tcl": "tcl", "awk": "awk", "mk": "make",
}  # fmt: skip
_NAMES: Final = {
    "Dockerfile": "docker", "Containerfile": "docker", "Makefile": "make", ".bashrc": "bash",
    ".profile": "bash", "profile": "bash", ".npmrc": "ini", "pyvenv.cfg": "ini",
}  # fmt: skip
_ROLES: Final = (
    ("Token.Comment", Role.DIM),
    ("Token.Keyword", Role.STRONG),
    ("Token.Literal.String", Role.GOOD),
    ("Token.Literal.Number", Role.MODIFIED),
    ("Token.Name.Tag", Role.STRONG),
    ("Token.Name.Section", Role.STRONG),
    ("Token.Generic.Inserted", Role.ADDED),
    ("Token.Generic.Deleted", Role.GONE),
    ("Token.Generic.Heading", Role.STRONG),
)


def language(nature: Nature, text: str, path: str) -> str | None:
    """Return in what a text is written, by what runs it, how it begins, and last by its name.

    Languages are those of a list, all in wide use: any other name of a lexer would have a file
    choose what is run on it.
    """
    if nature.interpreter is not None:
        name = nature.interpreter.rpartition("/")[2].rstrip("0123456789.")
        if name in _INTERPRETERS:
            return _INTERPRETERS[name]
    for beginning, found in _BEGINNINGS:
        if beginning.match(text):
            return found
    name = path.rpartition("/")[2]
    return _NAMES.get(name) or _SUFFIXES.get(name.rpartition(".")[2].lower())


def color_page(page: Page, stop: Callable[[], bool]) -> Colors | None:
    """Return the colours of a page's text; None where it has none."""
    body = page.body
    if page.written_in is None or not isinstance(body, TextLines) or body.size > LIMIT:
        return None
    return color_text(body.text(), page.written_in, stop)


def color_text(
    text: str, written_in: str, stop: Callable[[], bool], *, seconds: float = _SECONDS
) -> Colors:
    """Return what the characters of a text are, as far as there is time to tell."""
    colors = Colors()
    # A line that nobody reads may take a lexer for ever.
    if max(map(len, text.split("\n"))) > LONGEST:
        return colors
    # A tenth of a second to import: most contents are not coloured.
    from rich.syntax import Syntax  # noqa: PLC0415

    lexer = Syntax("", written_in).lexer
    if lexer is None:
        return colors
    end, known = monotonic() + seconds, 0
    roles: dict[object, Role] = {}
    for number, (at, token, value) in enumerate(lexer.get_tokens_unprocessed(text)):
        late = number % _EVERY == 0 and (stop() or monotonic() > end)
        # Not every lexer gives its tokens in order; none of the rest can be placed then.
        if late or at != known:
            break
        known += len(value)
        role = roles.get(token)
        if role is None:
            role = roles[token] = _role(str(token))
        length = len(value) if value.isascii() else len(value.encode("utf-8", "surrogateescape"))
        colors.add(length, role)
    return colors


def _role(token: str) -> Role:
    return next((role for prefix, role in _ROLES if token.startswith(prefix)), Role.PLAIN)
