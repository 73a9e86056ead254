"""Values that are secret by the name they are given, not by a form of their own.

Source of the names: BuildKit's build check ``SecretsUsedInArgOrEnv`` (docs.docker.com, "Build
checks"), less the words that mostly name what is public or no value: a bare ``key``, ``auth``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from layertrace.analysis.secrets.hits import MADE_UP, Hit, doubt_of, shape_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME: Final = re.compile(
    rb"(?:^|[_.-])(?:api_?key|(?:secret|private|access|account|encryption|signing|master|app)_?key"
    rb"|auth_?token|credentials?|pass|pwd|passwd|password|pword|passphrase|secret|token"
    rb"|secret_key_base)[0-9]*$",
    re.IGNORECASE,
)
_CAMEL: Final = re.compile(rb"([a-z0-9])([A-Z])")
_PUBLIC: Final = re.compile(rb"(?:^|[_.-])(?:public|publishable)(?:[_.-]|$)", re.IGNORECASE)
_NO_VALUE: Final = re.compile(
    rb"\$(?![0-9a-z]{1,4}\$)|%\(|\{\{|<[^>]*>$|\*+$|\.{0,2}/(?:run|var|etc|usr|home|root|tmp|opt|app|mnt|srv"
    rb"|proc|dev|secrets?)/|(?:true|false|null|none|nil|undefined|yes|no|on|off)$|[0-9]{1,3}$",
    re.IGNORECASE,
)
"""A reference to a value that is elsewhere, a path, a switch or a small number."""
_PLAIN_WORDS: Final = frozenset(
    b"password passwd pass secret token test testing changeit todo tbd foo bar foobar xxx abc "
    b"default root admin guest user postgres mysql dev development".split()
)
# Possessive: a quote that is never closed costs one look at what follows, not one a length.
_QUOTES: Final = b"\"'"
_LINE: Final = re.compile(
    rb"(?m)^[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_.-]{0,100})[ \t]*=[ \t]*"
    rb"(?P<value>\"[^\"\n]*+\"|'[^'\n]*+'|[^\s#]*+)"
)
_WORD: Final = re.compile(
    rb"(?<![A-Za-z0-9_$.])(?:--)?(?P<name>[A-Za-z_][A-Za-z0-9_-]{0,100})=[ \t]*"
    rb"(?P<value>\"(?:[^\"\\]|\\.)*+\"|'[^']*+'|[\"']?[^\s;&|\"']++)"
)
_OPTION: Final = re.compile(
    rb"(?<![\w-])--(?P<name>[a-z][a-z0-9-]{0,100})[ \t]+"
    rb"(?P<value>\"[^\"]*+\"|'[^']*+'|[^\s;&|\"'-][^\s;&|\"']*+)"
)
_HEADER: Final = re.compile(
    rb"(?i)(?:authorization|private-token|x-api-key|x-auth-token):[ \t]{0,4}"
    rb"(?:(?:bearer|basic|token)[ \t]{1,4})?(?P<value>[^\s\"'\\]{8,}+)"
)
_WRITTEN: Final = r"(?P<value>\"[^\"]*+\"|'[^']*+'|[^\s;&|\"'-][^\s;&|\"']*+)"
_SAME: Final = r"(?:\\\n|[^;&|\n]){0,200}"
"""What may follow within one command: a line ends it, unless a backslash is before its end."""
_COMMANDS: Final = tuple(
    re.compile(rf"(?<![\w.-]){pattern}".encode("ascii"))
    for pattern in (
        # curl(1), "-u, --user"; a user alone, and what is in a variable, is none.
        (
            rf"curl\s{_SAME}?(?<=\s)(?:-[fgikLsSv]{{0,8}}u[ \t]*|--(?:proxy-)?user[ \t=]+)[\"']?"
            r"[^\s:\"']{1,200}:(?P<value>[^\s;&|\"']{1,500})"
        ),
        # docs.docker.com, "docker login"; podman, buildah, helm and az have the same options.
        rf"(?<!/)login\s(?:{_SAME}?(?<=\s))?-p[ \t=]*{_WRITTEN}",
        (
            rf"(?:echo|printf)\s+(?:-[neE]+\s+|[\"']?%s(?:\\n)?[\"']?\s+)?{_WRITTEN}"
            rf"\s*\|{_SAME}?--password-stdin"
        ),
        # sshpass(1); dev.mysql.com, "-p": with a space between, it is no password.
        rf"sshpass\s+-p[ \t]*{_WRITTEN}",
        rf"(?:mysql|mariadb)[a-z-]{{0,20}}\s(?:{_SAME}?(?<=\s))?-p{_WRITTEN}",
    )
)
URL: Final = re.compile(
    rb"[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>]{0,200}:(?P<value>[^\s/:@\"'<>]{1,500})@[A-Za-z0-9\[]"
)


def is_secret_name(name: bytes) -> bool:
    """Return whether a variable of such a name is meant to hold a secret.

    >>> is_secret_name(b"DB_PASSWORD"), is_secret_name(b"npmAuthToken"), is_secret_name(b"GPG_KEY")
    (True, True, False)
    """
    words = _CAMEL.sub(rb"\1_\2", name)
    return bool(_NAME.search(words)) and not _PUBLIC.search(words)


def value_hit(kind: str, data: bytes, start: int, end: int) -> Hit | None:
    """Return the value between two offsets as a hit; None where it is none of its own."""
    value = data[start:end].strip(b" \t\r")
    if value[:1] in {b'"', b"'"} and value[-1:] == value[:1]:
        value = value[1:-1]
    if not value.strip(_QUOTES) or _NO_VALUE.match(value):
        return None
    start = data.index(value, start)
    words = value.lower()
    doubt = MADE_UP if words in _PLAIN_WORDS else doubt_of(value)
    return Hit(kind=kind, start=start, end=start + len(value), shape=shape_of(value), doubt=doubt)


def line_values(data: bytes) -> Iterator[tuple[bytes, Hit]]:
    """Yield every variable that lines set to a value, with its name."""
    for found in _LINE.finditer(data):
        yield from _named("value", data, found)


def word_values(data: bytes) -> Iterator[tuple[bytes, Hit]]:
    """Yield what a command or instruction says under a name that tells of a secret."""
    for pattern in (_WORD, _OPTION):
        for found in pattern.finditer(data):
            if is_secret_name(found["name"].lstrip(b"_")):
                yield from _named(f"value of {found['name'].decode('ascii')}", data, found)


def _named(kind: str, data: bytes, found: re.Match[bytes]) -> Iterator[tuple[bytes, Hit]]:
    hit = value_hit(kind, data, *found.span("value"))
    if hit is not None:
        yield found["name"], hit


def carried_values(data: bytes) -> Iterator[Hit]:
    """Yield passwords in URLs and commands, and what authorization headers carry."""
    commands = (("password of a command", pattern) for pattern in _COMMANDS)
    forms = (("password in a URL", URL), ("authorization header", _HEADER), *commands)
    for kind, pattern in forms:
        for found in pattern.finditer(data):
            hit = value_hit(kind, data, *found.span("value"))
            if hit is not None:
                yield hit
