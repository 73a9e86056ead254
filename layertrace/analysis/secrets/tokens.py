"""Tokens that vendors gave a form of their own, so that they can be told from other text.

Each begins with letters that say whose it is; patterns follow what the vendor publishes.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.analysis.secrets.hits import Hit, doubt_of, shape_of

if TYPE_CHECKING:
    from collections.abc import Callable

_DIGITS: Final = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CRC: Final = 6
_PREFIX: Final = 12
_AHEAD: Final = 4096
"""Bytes behind its first letters that a token is looked for in."""
_AROUND: Final = 256
"""The same of one whose letters stand further in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """One form of tokens."""

    kind: str
    anchors: tuple[bytes, ...]
    """What is searched for: a pattern matches from there, or from up to ``back`` before."""
    pattern: re.Pattern[bytes]
    back: int = 0
    before: bytes = b""
    """What may stand right before an anchor; empty: anything."""
    doubt: str = ""
    """Why such a token is of little worth to who finds it."""
    check: Callable[[bytes], str] | None = None
    """Returns why a token is none after all; without a checksum nothing is sure."""

    def find(self, data: bytes, start: int) -> Hit | None:
        """Return the token that the anchor at ``start`` belongs to."""
        found = self._around(data, start) if self.back else self._from(data, start)
        if found is None:
            return None
        value = found["value"] if "value" in self.pattern.groupindex else found[0]
        begin = found.start("value") if "value" in self.pattern.groupindex else found.start()
        doubt = self.check(value) if self.check else doubt_of(value)
        return Hit(
            kind=self.kind,
            start=begin,
            end=begin + len(value),
            shape=shape_of(value, self._shown(value)),
            doubt=doubt or self.doubt,
            sure=self.check is not None and not doubt,
        )

    def _from(self, data: bytes, start: int) -> re.Match[bytes] | None:
        # First what is cheap: hostile data may be nothing but anchors.
        alone = _stands_alone(data, start)
        return self.pattern.match(data, start, start + _AHEAD) if alone else None

    def _around(self, data: bytes, start: int) -> re.Match[bytes] | None:
        if self.before and data[start - 1 : start] not in self.before:
            return None
        for found in self.pattern.finditer(data, max(0, start - self.back), start + _AROUND):
            if found.end() > start:
                fits = found.start() <= start and _stands_alone(data, found.start())
                return found if fits else None
        return None

    def _shown(self, value: bytes) -> bytes:
        prefix = next((each for each in self.anchors if value.startswith(each)), b"")
        return prefix[:_PREFIX]


def _stands_alone(data: bytes, start: int) -> bool:
    r"""Return whether no longer word leads up to ``start``; an escape (``\n``) is no word."""
    before = data[start - 1 : start]
    if not (before.isalnum() or before == b"_"):
        return True
    return before in {b"n", b"r", b"t"} and data[start - 2 : start - 1] == b"\\"


def check_github(token: bytes) -> str:
    """Return why a token cannot be GitHub's: its last six characters are a checksum.

    Source: "Behind GitHub's new authentication token formats": CRC-32 of what stands between
    prefix and checksum, in base 62.
    """
    number = 0
    for digit in token[-_CRC:]:
        number = number * 62 + _DIGITS.index(digit)
    text = token[token.index(b"_") + 1 : -_CRC]
    return "" if zlib.crc32(text) == number else "its checksum does not fit"


def check_grafana(token: bytes) -> str:
    """Return why a token cannot be Grafana's: its last eight characters are a checksum.

    Source: grafana, ``pkg/components/satokengen``: CRC-32 of all before the last ``_``, in hex.
    """
    text, _, checksum = token.rpartition(b"_")
    fits = zlib.crc32(text) == int(checksum, 16)
    return "" if fits else "its checksum does not fit"


def check_jwt(token: bytes) -> str:
    """Return why a token is no signed JSON Web Token.

    Source: RFC 7519, section 3; RFC 7515, section 4.1.1.
    """
    header, payload, _ = token.split(b".")
    algorithm = _json(header).get("alg")
    if not isinstance(algorithm, str) or algorithm.lower() == "none" or not _json(payload):
        return "is no signed JSON Web Token"
    # The one that jwt.io shows, and half of the web with it.
    subject = _json(payload).get("sub")
    return "looks like an example" if subject == "1234567890" else ""


def _json(part: bytes) -> dict[str, object]:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def token(  # noqa: PLR0913 - what a form of tokens has
    kind: str,
    anchors: str,
    tail: str,
    *,
    back: int = 0,
    before: bytes = b"",
    doubt: str = "",
    check: Callable[[bytes], str] | None = None,
) -> Token:
    """Return a form of tokens: one of ``anchors`` and, behind it or around it, ``tail``."""
    some = tuple(each.encode("ascii") for each in anchors.split())
    head = "" if back else "(?:" + "|".join(re.escape(each.decode()) for each in some) + ")"
    pattern = re.compile(f"{head}{tail}(?![0-9A-Za-z])".encode("ascii"))
    return Token(
        kind=kind,
        anchors=some,
        pattern=pattern,
        back=back,
        before=before,
        doubt=doubt,
        check=check,
    )
