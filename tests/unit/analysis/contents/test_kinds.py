"""What a content is, by how it begins and ends."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import marshal
import sqlite3
import tarfile
import zipfile
from importlib.util import MAGIC_NUMBER
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layertrace.analysis.contents.kinds import (
    HEAD,
    Kind,
    Nature,
    kind_of,
    recognise,
    script_interpreter,
)

if TYPE_CHECKING:
    from pathlib import Path


def tar_of(name: str, *, form: int = tarfile.PAX_FORMAT) -> bytes:
    """Return a tar with one empty file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        tar.addfile(tarfile.TarInfo(name))
    return out.getvalue()


def zip_of(*names: str) -> bytes:
    """Return a zip with some empty files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        for name in names:
            packed.writestr(name, b"")
    return out.getvalue()


def before_posix() -> bytes:
    """Return a tar's header without the mark that POSIX gave it."""
    block = bytearray(tar_of("a", form=tarfile.USTAR_FORMAT)[:512])
    block[257:265] = bytes(8)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


AR = b"!<arch>\n"
MEMBER = b"%-16s0           0     0     644     4         `\n4444"


def pem(label: bytes) -> bytes:
    """Return something armoured."""
    return b"-----BEGIN %s-----\nMIIB\n-----END %s-----\n" % (label, label)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        pytest.param(b"", Kind.EMPTY, id="nothing"),
        pytest.param(b"caf\xc3\xa9\n", Kind.TEXT, id="utf-8"),
        pytest.param("né".encode("utf-16"), Kind.TEXT, id="utf-16 by its mark"),
        pytest.param(b"\xef\xbb\xbfhello", Kind.TEXT, id="utf-8 with a mark"),
        pytest.param(b"\x1b[31mred\x1b[0m\n", Kind.TEXT, id="a coloured log"),
        pytest.param(b"# -*- coding: latin-1 -*-\n# \xe9\n", Kind.TEXT, id="declared, Python"),
        pytest.param(b'<?xml version="1.0" encoding="windows-1252"?>\xe9', Kind.TEXT, id="XML"),
        pytest.param(b"caf\xe9\n", Kind.BINARY, id="not utf-8, nothing declared"),
        pytest.param(b"# coding: iso-8859-99\n\xe9\n", Kind.BINARY, id="no such encoding"),
        pytest.param(b"# coding: zlib\n\xe9\n", Kind.BINARY, id="a codec that is no encoding"),
        pytest.param(b"a\0b", Kind.BINARY, id="a zero byte"),
        pytest.param(b"a\x7fb", Kind.BINARY, id="a control"),
        pytest.param(b"#!/bin/sh\n", Kind.SCRIPT, id="script"),
        pytest.param(b"#![allow(unused)]\n", Kind.TEXT, id="Rust attribute"),
        pytest.param(b"\x7fELF\2\1\1", Kind.ELF, id="elf"),
        pytest.param(zip_of("a"), Kind.ZIP, id="zip"),
        pytest.param(zip_of(), Kind.ZIP, id="zip of nothing"),
        pytest.param(zip_of("META-INF/MANIFEST.MF", "a"), Kind.JAR, id="jar"),
        pytest.param(zip_of("a.py", "a-1.dist-info/WHEEL"), Kind.WHEEL, id="wheel"),
        pytest.param(tar_of("a"), Kind.TAR, id="tar"),
        pytest.param(before_posix(), Kind.TAR, id="tar before POSIX"),
        pytest.param(b"a" * 512, Kind.TEXT, id="a block that is no header"),
        pytest.param(gzip.compress(b"x"), Kind.GZIP, id="gzip"),
        pytest.param(lzma.compress(b"x"), Kind.XZ, id="xz"),
        pytest.param(bz2.compress(b"x"), Kind.BZIP2, id="bzip2"),
        pytest.param(bz2.compress(b""), Kind.BZIP2, id="bzip2 of nothing"),
        pytest.param(b"BZh9 is a name\n", Kind.TEXT, id="text that begins like bzip2"),
        pytest.param(b"\x28\xb5\x2f\xfd\0", Kind.ZSTD, id="zstd"),
        pytest.param(b"\x50\x2a\x4d\x18\0\0\0\0", Kind.ZSTD, id="zstd after a skipped frame"),
        pytest.param(b"\x04\x22\x4d\x18\0", Kind.LZ4, id="lz4"),
        pytest.param(AR + MEMBER % b"debian-binary", Kind.DEB, id="deb"),
        pytest.param(AR + MEMBER % b"/", Kind.STATIC_LIBRARY, id="static library, GNU"),
        pytest.param(AR + MEMBER % b"__.SYMDEF", Kind.STATIC_LIBRARY, id="static library, BSD"),
        pytest.param(b"!<thin>\n", Kind.STATIC_LIBRARY, id="static library, thin"),
        pytest.param(AR + MEMBER % b"a.txt/", Kind.AR, id="ar"),
        pytest.param(b"\xed\xab\xee\xdb\3", Kind.RPM, id="rpm"),
        pytest.param(b"\x89PNG\r\n\x1a\n", Kind.PNG, id="png"),
        pytest.param(b"\xff\xd8\xff\xe0", Kind.JPEG, id="jpeg"),
        pytest.param(b"GIF89a", Kind.GIF, id="gif"),
        pytest.param(b"RIFF\0\0\0\0WEBPVP8 ", Kind.WEBP, id="webp"),
        pytest.param(b"RIFF\0\0\0\0WAVEfmt ", Kind.BINARY, id="another riff"),
        pytest.param(
            b"\0\0\1\0\1\0\x10\x10\0\0\1\0\x20\0\1\0\0\0\x16\0\0\0", Kind.ICO, id="ico"
        ),
        pytest.param(b"\0\0\1\0\1\0" + bytes(16), Kind.BINARY, id="no ico"),
        pytest.param(pem(b"CERTIFICATE"), Kind.CERTIFICATE, id="certificate"),
        pytest.param(b"# Root\n" + pem(b"TRUSTED CERTIFICATE"), Kind.CERTIFICATE, id="CA"),
        pytest.param(pem(b"EC PRIVATE KEY"), Kind.PRIVATE_KEY, id="key"),
        pytest.param(pem(b"PGP PRIVATE KEY BLOCK"), Kind.PRIVATE_KEY, id="PGP key"),
        pytest.param(pem(b"PUBLIC KEY"), Kind.PUBLIC_KEY, id="public key"),
        pytest.param(pem(b"NONSENSE"), Kind.TEXT, id="PEM of something else"),
        pytest.param(b"see -----BEGIN CERTIFICATE-----\n", Kind.TEXT, id="text about PEM"),
        pytest.param(MAGIC_NUMBER + bytes(12) + marshal.dumps(1), Kind.PYC, id="this pyc"),
        pytest.param(b"\xee\x0c\r\n" + bytes(8) + b"\xe3\0", Kind.PYC, id="pyc of 3.4"),
        pytest.param(b"\x03\xf3\r\n" + bytes(8), Kind.PYC, id="pyc of 2.7"),
        pytest.param(b"ab\r\nabcdefgh", Kind.TEXT, id="text that begins like a pyc"),
        pytest.param(b"\xca\xfe\xba\xbe\0\0\0\x41", Kind.CLASS, id="class"),
        pytest.param(b"\xca\xfe\xba\xbe\0\0\0\2", Kind.MACH_O, id="macOS for two machines"),
        pytest.param(b"\xcf\xfa\xed\xfe\7\0\0\1", Kind.MACH_O, id="macOS"),
        pytest.param(b"\0asm\1\0\0\0", Kind.WASM, id="wasm"),
        pytest.param(b"%PDF-1.7\n%\xe2\xe3", Kind.PDF, id="pdf"),
        pytest.param(b"MZ" + bytes(58) + b"\x40\0\0\0PE\0\0", Kind.PE, id="pe"),
        pytest.param(b"MZ is no program\n", Kind.TEXT, id="text that begins like pe"),
    ],
)  # fmt: skip
def test_a_content_is_what_its_bytes_say(content: bytes, kind: Kind) -> None:
    """Signatures are believed with what has to follow them, names never asked."""
    assert recognise(content, content).kind is kind
    if kind is not Kind.WHEEL:
        assert kind_of(content) is kind


def test_a_database_that_sqlite_made_is_one(tmp_path: Path) -> None:
    """The first bytes that the library itself writes."""
    path = tmp_path / "db"
    connection = sqlite3.connect(path)
    connection.execute("create table t (a)")
    connection.commit()
    connection.close()
    assert kind_of(path.read_bytes()) is Kind.SQLITE


@pytest.mark.parametrize(
    ("line", "program"),
    [
        (b"#!/bin/sh -e\n", "/bin/sh"),
        (b"#! /usr/bin/env node\n", "node"),
        (b"#!/usr/bin/env -S A=1 python3 -u\n", "python3"),
        (b"#!/usr/bin/env\n", "/usr/bin/env"),
        (b"#!\n/bin/sh", None),
        (b"/bin/sh", None),
        (b"#!/bin/caf\xe9\n", "/bin/caf\udce9"),
    ],
)
def test_a_script_names_its_interpreter(line: bytes, program: str | None) -> None:
    """The first line says what runs it, ``env`` what to look up."""
    assert script_interpreter(line) == program


def test_a_script_with_a_payload_is_a_script() -> None:
    """What an installer carries behind its script makes it no other thing."""
    assert recognise(b"#!/bin/sh\nexit\n\0\1\xff") == Nature(
        kind=Kind.SCRIPT, encoding=None, interpreter="/bin/sh"
    )


def test_a_character_cut_by_the_head_is_no_damage() -> None:
    """Only the first bytes are asked for, wherever they end."""
    text = "é".encode() * HEAD
    assert kind_of(text[: HEAD - 1]) is Kind.TEXT
    assert recognise(text).encoding == "utf-8"


@given(st.binary(max_size=600), st.binary(max_size=100))
def test_any_bytes_are_something(head: bytes, tail: bytes) -> None:
    """There is an answer for everything, and it is the same for what has no tail."""
    nature = recognise(head, tail)
    assert nature.kind.textual >= (nature.encoding is not None)
    assert kind_of(head) is recognise(head).kind
