r"""What a content is, by how it begins and, where its standard asks for it, how it ends.

A name proves nothing: the same rules serve the filters, the preview and the comparison. A
signature that text may begin with too (``BM``, ``MZ``) is believed only with what has to
follow it.

Sources: gABI 4.1 (ELF), APPNOTE.TXT 6.3.10 4.3 (zip), POSIX pax (ustar), RFC 1952 (gzip), RFC
8878 (zstd), xz-file-format 1.2, ar(5), deb(5), SQLite "Database File Format" 1.3, PNG 1.2, JFIF,
GIF89a, RFC 7468 (PEM), PEP 263 and PEP 552 (Python), JVMS 4.1, WebAssembly 5.5.16, ISO 32000.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from layertrace.analysis.contents.encodings import text_encoding
from layertrace.analysis.contents.pictures import picture_of

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD: Final = 4_096
"""As many first bytes tell all that there is to tell."""
TAIL: Final = 4_096
"""As many last bytes tell a wheel from another zip."""


class Kind(StrEnum):
    """What a content is."""

    EMPTY = "empty"
    TEXT = "text"
    SCRIPT = "script"
    ELF = "elf"
    ZIP = "zip"
    JAR = "jar"
    WHEEL = "wheel"
    TAR = "tar"
    GZIP = "gzip"
    XZ = "xz"
    BZIP2 = "bzip2"
    ZSTD = "zstd"
    LZ4 = "lz4"
    AR = "ar"
    DEB = "deb"
    STATIC_LIBRARY = "static library"
    RPM = "rpm"
    SQLITE = "sqlite"
    PNG = "png"
    JPEG = "jpeg"
    GIF = "gif"
    WEBP = "webp"
    ICO = "ico"
    CERTIFICATE = "certificate"
    PRIVATE_KEY = "private key"
    PUBLIC_KEY = "public key"
    PYC = "pyc"
    CLASS = "class"
    WASM = "wasm"
    PDF = "pdf"
    PE = "pe"
    MACH_O = "mach-o"
    BINARY = "binary"

    @property
    def textual(self) -> bool:
        """Whether people read it line by line."""
        return self in _TEXTUAL


_TEXTUAL: Final = frozenset(
    {Kind.TEXT, Kind.SCRIPT, Kind.CERTIFICATE, Kind.PRIVATE_KEY, Kind.PUBLIC_KEY}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nature:
    """What a content is, and what goes with that."""

    kind: Kind
    encoding: str | None = None
    """Of text, as Python names it; None for anything else."""
    interpreter: str | None = None
    """Of a script, as its first line names it, without arguments."""


def kind_of(first_bytes: bytes) -> Kind:
    r"""Return what a content is that begins like this; all of it, or :data:`HEAD` bytes, will do.

    >>> [kind_of(head).value for head in (b"", b"caf\xc3\xa9\n", b"#!/bin/sh\n", b"\0\1")]
    ['empty', 'text', 'script', 'binary']
    """
    return recognise(first_bytes).kind


def recognise(head: bytes, tail: bytes = b"") -> Nature:
    r"""Return what a content is, by its first and last bytes.

    >>> recognise(b"#!/usr/bin/env -S python3 -u\n")
    Nature(kind=<Kind.SCRIPT: 'script'>, encoding='utf-8', interpreter='python3')
    """
    head = head[:HEAD]
    if not head:
        return Nature(kind=Kind.EMPTY)
    kind = next((kind for kind, fits in _RULES if fits(head)), None)
    if kind is Kind.ZIP:
        return Nature(kind=_zip_kind(head, tail[-TAIL:]))
    if kind is not None:
        return Nature(kind=kind)
    interpreter = script_interpreter(head)
    encoding = text_encoding(head)
    if interpreter is not None:
        return Nature(kind=Kind.SCRIPT, encoding=encoding, interpreter=interpreter)
    if encoding is None:
        return Nature(kind=Kind.BINARY)
    return Nature(kind=_pem_kind(head) or Kind.TEXT, encoding=encoding)


def script_interpreter(head: bytes) -> str | None:
    r"""Return the program that a first line ``#!`` names, looked up by ``env`` or not.

    Source: execve(2), "Interpreter scripts": a line of at most 255 bytes.

    >>> script_interpreter(b"#! /bin/sh -e\n"), script_interpreter(b"#!/usr/bin/env A=1 node")
    ('/bin/sh', 'node')
    >>> script_interpreter(b"#!\n"), script_interpreter(b"#![allow(dead_code)]\n")
    (None, None)
    """
    if not head.startswith(b"#!"):
        return None
    words = head[2:256].split(b"\n", 1)[0].split()
    # A Rust file may begin with "#![attribute]"; what is run is a path.
    if not words or words[0].startswith(b"["):
        return None
    if words[0].rpartition(b"/")[2] == b"env":
        named = (word for word in words[1:] if not word.startswith(b"-") and b"=" not in word)
        words[0] = next(named, words[0])
    return words[0].decode("utf-8", "surrogateescape")


def _starts(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(signatures)


_TAR_BLOCK: Final = 512
_TAR_SUM: Final = slice(148, 156)


def _is_tar(head: bytes) -> bool:
    block = head[:_TAR_BLOCK]
    if len(block) < _TAR_BLOCK or not block[0]:
        return False
    field = block[_TAR_SUM].strip(b" \0")
    # The checksum is right, whatever dialect it is: tars before POSIX have no signature.
    rest = sum(block) - sum(block[_TAR_SUM]) + 8 * ord(" ")
    return field.isdigit() and field.translate(None, b"89") == field and int(field, 8) == rest


_AR: Final = b"!<arch>\n"
_AR_NAME: Final = slice(8, 24)
_AR_INDEXES: Final = (b"/ ", b"/SYM64/", b"__.SYMDEF")


def _is_library(head: bytes) -> bool:
    indexed = head.startswith(_AR) and head[_AR_NAME].startswith(_AR_INDEXES)
    return indexed or head.startswith(b"!<thin>\n")


def _is_deb(head: bytes) -> bool:
    return head.startswith(_AR) and head[_AR_NAME].startswith(b"debian-binary")


_OLDEST_CLASS: Final = 45


def _is_class(head: bytes) -> bool:
    # Programs of macOS for several machines begin alike; they are not for 45 machines.
    return head.startswith(b"\xca\xfe\xba\xbe") and (
        int.from_bytes(head[6:8], "big") >= _OLDEST_CLASS
    )


def _is_pyc(head: bytes) -> bool:
    # A number of the version that ends in "\r\n", then, since 3.7, flags of which two are used;
    # before, the time of the source. Python 2 counted from 62,000 at its end.
    number = int.from_bytes(head[:2], "little")
    if head[2:4] != b"\r\n" or len(head) < 12:  # noqa: PLR2004 - the shortest header
        return False
    new = 3390 <= number < 4500 and int.from_bytes(head[4:8], "little") <= 3  # noqa: PLR2004
    return new or 3000 <= number < 3390 or 62_000 <= number < 62_300  # noqa: PLR2004


def _is_pe(head: bytes) -> bool:
    at = int.from_bytes(head[60:64], "little")
    return head.startswith(b"MZ") and head[at : at + 4] == b"PE\0\0"


def _is_bzip2(head: bytes) -> bool:
    block = head[4:10] in {b"1AY&SY", b"\x17\x72\x45\x38\x50\x90"}
    return head.startswith(b"BZh") and head[3:4].isdigit() and block


def _is_zstd(head: bytes) -> bool:
    skippable = 0x50 <= head[0] <= 0x5F and head[1:4] == b"\x2a\x4d\x18"  # noqa: PLR2004
    return skippable or head.startswith(b"\x28\xb5\x2f\xfd")


_RULES: Final[tuple[tuple[Kind, Callable[[bytes], bool]], ...]] = (
    (Kind.ELF, _starts(b"\x7fELF")),
    (Kind.ZIP, _starts(b"PK\3\4", b"PK\5\6", b"PK\7\x08PK")),
    (Kind.TAR, _is_tar),
    (Kind.GZIP, _starts(b"\x1f\x8b\x08")),
    (Kind.XZ, _starts(b"\xfd7zXZ\0")),
    (Kind.BZIP2, _is_bzip2),
    (Kind.ZSTD, _is_zstd),
    (Kind.LZ4, _starts(b"\x04\x22\x4d\x18")),
    (Kind.DEB, _is_deb),
    (Kind.STATIC_LIBRARY, _is_library),
    (Kind.AR, _starts(_AR)),
    (Kind.RPM, _starts(b"\xed\xab\xee\xdb")),
    (Kind.SQLITE, _starts(b"SQLite format 3\0")),
    (Kind.PNG, _starts(b"\x89PNG\r\n\x1a\n")),
    (Kind.JPEG, _starts(b"\xff\xd8\xff")),
    (Kind.GIF, _starts(b"GIF87a", b"GIF89a")),
    (Kind.WEBP, lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP"),
    (Kind.ICO, lambda head: head.startswith(b"\0\0\1\0") and picture_of(head) is not None),
    (Kind.CLASS, _is_class),
    (Kind.PYC, _is_pyc),
    (Kind.WASM, _starts(b"\0asm")),
    (Kind.PDF, _starts(b"%PDF-")),
    (Kind.PE, _is_pe),
    (Kind.MACH_O, _starts(b"\xfe\xed\xfa\xce", b"\xfe\xed\xfa\xcf", b"\xce\xfa\xed\xfe",
                          b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")),
)  # fmt: skip
"""The first that fits holds."""


def _zip_kind(head: bytes, tail: bytes) -> Kind:
    # The list of what a zip holds is at its end, where a wheel has its description; a jar's
    # manifest comes first, and its own mark before it where the tool set one.
    if b".dist-info/WHEEL" in tail or b".dist-info/WHEEL" in head:
        return Kind.WHEEL
    return Kind.JAR if b"META-INF/" in head[:512] or b"META-INF/MANIFEST.MF" in tail else Kind.ZIP


_PEM_KINDS: Final = (
    (b"PRIVATE KEY", Kind.PRIVATE_KEY),
    (b"PUBLIC KEY", Kind.PUBLIC_KEY),
    (b"CERTIFICATE", Kind.CERTIFICATE),
)


def _pem_kind(head: bytes) -> Kind | None:
    lines = (line.strip() for line in head.splitlines())
    # What stands before, tools write as comments; a text that only quotes a key is none.
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    if not (first.startswith(b"-----BEGIN ") and first.endswith(b"-----")):
        return None
    label = first[11:-5].removesuffix(b" BLOCK")
    return next((kind for ending, kind in _PEM_KINDS if label.endswith(ending)), None)
