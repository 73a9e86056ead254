r"""Whose certificates a content holds, and when each is valid; PEM, one or many, or DER.

No signature is looked at: this says what is written in them. A certificate that breaks the
rules is left out, whatever it breaks.

Sources: X.690 8.1 (tags and lengths), RFC 5280 4.1 (Certificate), RFC 4514 3 (short names), RFC
7468 5 (PEM).

>>> certificates_of(b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n")
()
"""

from __future__ import annotations

from binascii import Error, a2b_base64
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST: Final = 1_000
"""Certificates of one content that are read; the usual bundle has 140."""
_LARGEST: Final = 1 << 18
"""Bytes of one, as PEM; those in use have two thousand."""
_LONGEST: Final = 1_000
"""Characters of a name that are kept."""
_LABELS: Final = (b"CERTIFICATE", b"TRUSTED CERTIFICATE", b"X509 CERTIFICATE")
_BEGIN: Final = b"-----BEGIN "
_END: Final = b"-----END "

_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_INTEGER: Final = 0x02
_OID: Final = 0x06
_UTC_TIME: Final = 0x17
_TIME: Final = 0x18
_VERSION: Final = 0xA0
_MANY_BYTES: Final = 0x1F
"""A tag that goes on in the next byte; no certificate has one where we look."""
_CODECS: Final[Mapping[int, str]] = {
    0x0C: "utf-8",
    0x12: "ascii",
    0x13: "ascii",
    0x14: "latin-1",
    0x16: "ascii",
    0x1A: "ascii",
    0x1C: "utf-32-be",
    0x1E: "utf-16-be",
}
"""Of the kinds of strings."""
_NAMES: Final[Mapping[str, str]] = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.15": "businessCategory",
    "2.5.4.17": "postalCode",
    "2.5.4.42": "GN",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}
_CENTURY: Final = 50
"""Two digits of a year below it are of this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """What one certificate says."""

    subject: str
    """``C=US, O=Example, CN=example.org``, in the order in which it is written."""
    issuer: str
    not_before: datetime
    not_after: datetime


class _BrokenError(ValueError):
    """This is no certificate."""


def certificates_of(data: bytes) -> tuple[Certificate, ...]:
    """Return the certificates that a content holds, :data:`MOST` at most."""
    found: list[Certificate] = []
    for der in _encoded(data):
        try:
            found.append(_certificate(der))
        except _BrokenError:
            continue
        if len(found) == MOST:
            break
    return tuple(found)


def _encoded(data: bytes) -> Iterator[bytes]:
    """Yield what claims to be a certificate, in DER."""
    if data[:1] == bytes([_SEQUENCE]):
        yield data
    at = 0
    while (end := data.find(_END, at)) >= 0:
        # The nearest beginning before an end: each byte is gone over a bounded number of times.
        start = data.rfind(_BEGIN, at, end)
        at = end + len(_END)
        if start < 0 or end - start > _LARGEST:
            continue
        label, dashes, text = data[start + len(_BEGIN) : end].partition(b"-----")
        if dashes and label in _LABELS:
            try:
                yield a2b_base64(text)
            except Error:
                continue


def _certificate(der: bytes) -> Certificate:
    # What a "TRUSTED" one has behind it is OpenSSL's own.
    parts = _elements(_first(_first(der, _SEQUENCE), _SEQUENCE))
    tag, _ = _next(parts)
    if tag == _VERSION:
        tag, _ = _next(parts)
    if tag != _INTEGER:
        raise _BrokenError
    _expect(parts, _SEQUENCE)
    issuer = _expect(parts, _SEQUENCE)
    times = _elements(_expect(parts, _SEQUENCE))
    subject = _expect(parts, _SEQUENCE)
    return Certificate(
        subject=_name(subject),
        issuer=_name(issuer),
        not_before=_time(*_next(times)),
        not_after=_time(*_next(times)),
    )


# -- DER ------------------------------------------------------------------------


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of the elements that stand one after the other in ``data``."""
    at = 0
    while at < len(data):
        if at + 2 > len(data) or data[at] & _MANY_BYTES == _MANY_BYTES:
            raise _BrokenError
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            count = length & 0x7F
            # None at all is an end that has to be looked for, which DER does not have.
            if not 1 <= count <= 4 or at + count > len(data):  # noqa: PLR2004 - more bytes than a file has
                raise _BrokenError
            length = int.from_bytes(data[at : at + count], "big")
            at += count
        if at + length > len(data):
            raise _BrokenError
        yield tag, data[at : at + length]
        at += length


def _next(parts: Iterator[tuple[int, bytes]]) -> tuple[int, bytes]:
    found = next(parts, None)
    if found is None:
        raise _BrokenError
    return found


def _expect(parts: Iterator[tuple[int, bytes]], tag: int) -> bytes:
    found, content = _next(parts)
    if found != tag:
        raise _BrokenError
    return content


def _first(data: bytes, tag: int) -> bytes:
    return _expect(_elements(data), tag)


# -- names and times --------------------------------------------------------------


def _name(data: bytes) -> str:
    """Return a name; of several values in one part, joined by ``+``."""
    parts: list[str] = []
    for tag, values in _elements(data):
        if tag != _SET:
            raise _BrokenError
        parts.append(" + ".join(_attribute(value) for _, value in _elements(values)))
    return ", ".join(parts)[:_LONGEST]


def _attribute(data: bytes) -> str:
    parts = _elements(data)
    name = _dotted(_expect(parts, _OID))
    tag, value = _next(parts)
    codec = _CODECS.get(tag)
    text = f"#{value.hex()}" if codec is None else value.decode(codec, "replace")
    return f"{_NAMES.get(name, name)}={text}"


def _dotted(data: bytes) -> str:
    """Return an object identifier: seven bits a byte, the last of a number below 128."""
    numbers: list[int] = []
    number = 0
    for byte in data[:64]:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    if not numbers:
        raise _BrokenError
    root = min(numbers[0] // 40, 2)
    return ".".join(map(str, (root, numbers[0] - 40 * root, *numbers[1:])))


def _time(tag: int, data: bytes) -> datetime:
    """Return a moment; seconds and ``Z`` are a must."""
    digits = data[:-1]
    if tag not in {_UTC_TIME, _TIME} or data[-1:] != b"Z" or not digits.isdigit():
        raise _BrokenError
    text = digits.decode("ascii")
    if tag == _UTC_TIME:
        text = ("20" if int(text[:2]) < _CENTURY else "19") + text
    if len(text) != len("20260102030405"):
        raise _BrokenError
    try:
        return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:
        raise _BrokenError from error
