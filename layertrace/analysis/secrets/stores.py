"""Key stores: files that hold private keys in a form that is no text.

Source: the JDK's ``JavaKeyStore`` (its format is stated in the class), RFC 7292 (PKCS #12),
KeePass's file format.
"""

from __future__ import annotations

from typing import Final

from layertrace.analysis.secrets.hits import Hit

SUFFIXES: Final = (".jks", ".keystore", ".p12", ".pfx", ".bks", ".kdbx", ".jceks")

_JKS: Final = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")
_PKCS12: Final = (b"\x30\x82", b"\x30\x80", b"\x30\x83")
_PFX_VERSION: Final = b"\x02\x01\x03"
"""What a PKCS #12 file starts with behind its length: ``version INTEGER {v3(3)}``."""
_PKCS12_STORE: Final = "PKCS #12 key store"
_KEEPASS: Final = b"\x03\xd9\xa2\x9a"
_CERTIFICATE: Final = 2
_MOST_ENTRIES: Final = 10_000


def find_store(data: bytes) -> Hit | None:
    """Return what a file named like a key store is; None for one of certificates alone."""
    kind = _kind(data)
    if not kind:
        return None
    # PKCS #12 may hold certificates alone; only its password would show.
    sure = kind != _PKCS12_STORE
    return Hit(kind=kind, start=0, end=0, shape=f"{len(data):,} bytes", sure=sure)


def _kind(data: bytes) -> str:
    if data.startswith(_JKS):
        return "Java key store" if _holds_key(data) else ""
    if data.startswith(_PKCS12) and _PFX_VERSION in data[2:10]:
        return _PKCS12_STORE
    return "KeePass database" if data.startswith(_KEEPASS) else ""


def _holds_key(data: bytes) -> bool:
    """Return whether a Java key store has an entry other than a trusted certificate."""
    count, position = int.from_bytes(data[8:12], "big"), 12
    for _ in range(min(count, _MOST_ENTRIES)):
        if int.from_bytes(data[position : position + 4], "big") != _CERTIFICATE:
            return position + 4 <= len(data)
        # tag, alias, date; then the certificate's type and bytes
        position = _after_text(data, position + 4) + 8
        position = _after_text(data, position)
        position += 4 + int.from_bytes(data[position : position + 4], "big")
    return False


def _after_text(data: bytes, position: int) -> int:
    return position + 2 + int.from_bytes(data[position : position + 2], "big")
