"""Private keys as text: PEM and its kin, PuTTY's, and base64 of PEM.

Source: RFC 7468 (PEM), RFC 1421 (encrypted PEM), RFC 9580, section 6.2 (OpenPGP armour),
openssh ``PROTOCOL.key``, PuTTY manual, appendix C.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from layertrace.analysis.secrets.hits import Hit

BEGIN: Final = b"-----BEGIN "
PUTTY: Final = b"PuTTY-User-Key-File-"
ENCODED: Final = base64.b64encode(BEGIN + b"x")[:14]
"""How base64 of PEM starts, as Kubernetes and cloud tools write it."""

_HEADER: Final = re.compile(
    rb"-----BEGIN ((?:[A-Z0-9]{2,10} ){0,2})PRIVATE KEY( BLOCK)?-----", re.ASCII
)
_CLOSE: Final = b"-----"
_LONGEST: Final = 1 << 16
_SHORTEST: Final = 32
_FIELD: Final = re.compile(rb"(?m)^[ \t]*[A-Za-z-]{4,20}: .*$")
_ESCAPED: Final = re.compile(rb"\\[nr]")
_JOINED: Final = re.compile(rb"[\"']\s*\+\s*[\"']")
_NOT_BASE64: Final = re.compile(rb"[^A-Za-z0-9+/=]")
_RUN: Final = re.compile(rb"[A-Za-z0-9+/]{40,%d}={0,2}" % _LONGEST)
_IN_RUN: Final = re.compile(rb"[A-Za-z0-9+/]")
_PUTTY: Final = re.compile(
    rb"PuTTY-User-Key-File-[123]: [^\r\n]{1,80}\r?\nEncryption: ([^\r\n]{1,40})\r?\n"
)
_PUTTY_PRIVATE: Final = b"\nPrivate-Lines: "
_PUTTY_PUBLIC: Final = 8192
"""Bytes that its public part may take."""
_SSH: Final = b"openssh-key-v1\0"
_PGP_SECRET_TAGS: Final = frozenset({0x94, 0x95, 0x96, 0x97, 0xC5})
"""The first byte of a secret-key packet: RFC 9580, section 4.2."""
_SEQUENCE: Final = 0x30
_LONG_FORM: Final = 0x80
_SERVICE_ACCOUNT: Final = re.compile(rb'"type"\s*:\s*"service_account"')
_NEAR: Final = 4096


def find_pem(data: bytes, start: int) -> Hit | None:
    r"""Return the private key whose ``-----BEGIN`` is at ``start``.

    Only whole keys count: programs that read keys hold the first line too, and
    documentation cuts keys short. Newlines may be written ``\n``, as in JSON.
    """
    header = _HEADER.match(data, start)
    if header is None:
        return None
    end = data.find(_CLOSE, header.end(), header.end() + _LONGEST)
    if end < 0 or not data.startswith(b"-----END ", end):
        return None
    text = _JOINED.sub(b"", _ESCAPED.sub(b"\n", data[header.end() : end]))
    secret = _decode(_NOT_BASE64.sub(b"", _armour(_FIELD.sub(b"", text))))
    label = header[1].decode("ascii").strip()
    encrypted = label.startswith("ENCRYPTED") or b"ENCRYPTED" in text[:200]
    if not _is_key(secret, encrypted=encrypted, block=header[2] is not None):
        return None
    return Hit(
        kind=_kind(
            label, encrypted=encrypted, block=header[2] is not None, near=_around(data, start)
        ),
        start=header.end(),
        end=end,
        shape=f"{len(secret):,} bytes",
        sure=True,
    )


def find_encoded_pem(data: bytes, start: int) -> Hit | None:
    """Return the private key whose PEM is base64 from ``start``."""
    # Inside of a longer run it is no beginning, and a hostile run is nothing but beginnings.
    run = None if _IN_RUN.match(data, max(0, start - 1)) and start else _RUN.match(data, start)
    if run is None:
        return None
    inner = find_pem(_decode(run[0]), 0)
    if inner is None:
        return None
    return Hit(
        kind=f"{inner.kind}, base64", start=start, end=run.end(), shape=inner.shape, sure=True
    )


def find_putty(data: bytes, start: int) -> Hit | None:
    """Return PuTTY's private key that begins at ``start``."""
    found = _PUTTY.match(data, start)
    private = data.find(_PUTTY_PRIVATE, start, start + _PUTTY_PUBLIC)
    if found is None or private < 0 or data.find(PUTTY, start + 1, private) >= 0:
        return None
    words = "" if found[1] == b"none" else ", encrypted"
    begin = private + len(_PUTTY_PRIVATE)
    end = data.find(b"Private-MAC", begin, begin + _LONGEST)
    stop = end if end >= 0 else min(len(data), begin + _LONGEST)
    return Hit(kind=f"PuTTY private key{words}", start=begin, end=stop, sure=True)


def _armour(text: bytes) -> bytes:
    # OpenPGP ends with a checksum line, "=" and four characters.
    return re.sub(rb"\n\s*=[A-Za-z0-9+/]{4}\s*$", b"", text)


def _decode(text: bytes) -> bytes:
    whole = text.rstrip(b"=")
    try:
        return base64.b64decode(whole + b"=" * (-len(whole) % 4))
    except binascii.Error:
        return b""


def _is_key(secret: bytes, *, encrypted: bool, block: bool) -> bool:
    if len(secret) < _SHORTEST:
        return False
    if block:
        return secret[0] in _PGP_SECRET_TAGS
    return secret.startswith(_SSH) or is_der(secret) or (encrypted and len(set(secret)) > 1)


def is_der(data: bytes) -> bool:
    """Return whether data is one whole ASN.1 sequence, as long as it says.

    Source: X.690, 8.1.3.
    """
    if len(data) < 2 or data[0] != _SEQUENCE:  # noqa: PLR2004 - tag and length
        return False
    if data[1] < _LONG_FORM:
        return len(data) == 2 + data[1]
    count = data[1] & 0x7F
    length = int.from_bytes(data[2 : 2 + count], "big")
    return 0 < count <= 4 and len(data) == 2 + count + length  # noqa: PLR2004 - 4 GiB


def _around(data: bytes, start: int) -> bytes:
    return data[max(0, start - _NEAR) : start + _NEAR]


def _kind(label: str, *, encrypted: bool, block: bool, near: bytes) -> str:
    if _SERVICE_ACCOUNT.search(near):
        return "Google Cloud service account key"
    if block:
        return "PGP private key"
    names = {"OPENSSH": "OpenSSH private key", "SSH2": "SSH private key"}
    name = names.get(label.partition(" ")[0], f"{label} private key" if label else "private key")
    if encrypted:
        return name.replace("ENCRYPTED ", "") + ", encrypted"
    return name
