"""Whose certificates a content holds: made by openssl, and broken in every way."""

from __future__ import annotations

import shutil
import subprocess
from base64 import encodebytes
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layertrace.analysis.contents.certificates import MOST, Certificate, certificates_of

_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_OPENSSL = shutil.which("openssl")


def _element(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = length.to_bytes(4, "big")
    return bytes([tag, 0x84]) + size + content


def _name(*attributes: tuple[bytes, int, bytes]) -> bytes:
    sets = (
        _element(0x31, _element(0x30, _element(6, oid), _element(tag, value)))
        for oid, tag, value in attributes
    )
    return _element(0x30, *sets)


_CN = b"\x55\x04\x03"
_TIMES = (_element(0x17, b"490102030405Z"), _element(0x17, b"500102030405Z"))


def _certificate(
    subject: bytes = _name((_CN, 0x0C, b"a")),
    times: tuple[bytes, ...] = _TIMES,
    version: bytes = b"\xa0\3\2\1\2",
) -> bytes:
    body = (
        version,
        _element(2, b"\1"),
        _element(0x30),
        _name((_CN, 0x13, b"b")),
        _element(0x30, *times),
        subject,
    )
    return _element(0x30, _element(0x30, *body), _element(0x30), _element(3, b"\0"))


def _pem(der: bytes, label: bytes = b"CERTIFICATE") -> bytes:
    return b"-----BEGIN %s-----\n%s-----END %s-----\n" % (label, encodebytes(der), label)


def _subject(*attributes: tuple[bytes, int, bytes]) -> str:
    (found,) = certificates_of(_certificate(_name(*attributes)))
    return found.subject


def test_certificate_says_whose_it_is_and_how_long() -> None:
    """In DER or PEM, with a version or, as the first ones, without; two digits of a year."""
    wanted = Certificate(
        subject="CN=a",
        issuer="CN=b",
        not_before=datetime(2049, 1, 2, 3, 4, 5, tzinfo=UTC),
        not_after=datetime(1950, 1, 2, 3, 4, 5, tzinfo=UTC),
    )
    assert certificates_of(_certificate()) == (wanted,)
    assert certificates_of(_certificate(version=b"")) == (wanted,)
    assert certificates_of(b"# a comment\n" + _pem(_certificate())) == (wanted,)
    assert certificates_of(_pem(_certificate(), b"TRUSTED CERTIFICATE")) == (wanted,)
    assert certificates_of(_pem(_certificate(), b"PRIVATE KEY") + _pem(b"0\0")) == ()
    times = (_element(0x18, b"20500102030405Z"), _element(0x18, b"99991231235959Z"))
    assert certificates_of(_certificate(times=times))[0].not_after.year == 9999


def test_names_are_written_as_they_stand() -> None:
    """Every kind of string; what is none as bytes; what has no short name as numbers."""
    oid = b"\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03"
    assert _subject((b"\x55\x04\x06", 0x13, b"DE"), (oid, 0x13, b"DE")) == (
        "C=DE, 1.3.6.1.4.1.311.60.2.1.3=DE"
    )
    assert _subject((_CN, 0x1E, "ü".encode("utf-16-be"))) == "CN=ü"
    assert _subject((_CN, 0x1C, "漢".encode("utf-32-be"))) == "CN=漢"
    assert _subject((_CN, 0x14, b"\xfc"), (_CN, 0x0C, b"\xff")) == "CN=ü, CN=�"
    assert _subject((_CN, 0x04, b"\1\2")) == "CN=#0102"
    assert _subject() == ""
    assert len(_subject((_CN, 0x0C, b"x" * 100_000))) == 1_000
    pair = (_element(0x30, _element(6, _CN), _element(0x0C, value)) for value in (b"a", b"b"))
    (found,) = certificates_of(_certificate(_element(0x30, _element(0x31, *pair))))
    assert found.subject == "CN=a + CN=b"


@pytest.mark.parametrize(
    "der",
    [
        pytest.param(_certificate()[:-1], id="cut short"),
        pytest.param(b"0", id="one byte"),
        pytest.param(b"0\x80\0\0", id="an end to be looked for"),
        pytest.param(b"0\x85\0\0\0\0\1\0", id="a length of five bytes"),
        pytest.param(b"0\x84\0\0", id="a length cut short"),
        pytest.param(_element(0x31, b""), id="no sequence"),
        pytest.param(_element(0x30, _element(0x30)), id="nothing in it"),
        pytest.param(_element(0x30, _element(0x30, b"\x1f\1\0")), id="a tag of many bytes"),
        pytest.param(_certificate(version=b"\5\0"), id="no number"),
        pytest.param(_certificate(times=()), id="no times"),
        pytest.param(_certificate(times=(_TIMES[0],)), id="one time"),
        pytest.param(_certificate(times=(_element(0x13, b"490102030405Z"),) * 2), id="no time"),
        pytest.param(_certificate(times=(_element(0x17, b"491302030405Z"),) * 2), id="month 13"),
        pytest.param(_certificate(times=(_element(0x17, b"4901020304Z"),) * 2), id="no seconds"),
        pytest.param(_certificate(times=(_element(0x17, b"490102030405"),) * 2), id="no zone"),
        pytest.param(_certificate(times=(_element(0x17, b"Z"),) * 2), id="no digits"),
        pytest.param(_certificate(_element(0x30, _element(0x30))), id="a name of no set"),
        pytest.param(_certificate(_name((b"", 0x0C, b"a"))), id="a name of no kind"),
        pytest.param(_certificate(_name((b"\x82", 0x0C, b"a"))), id="a kind cut short"),
        pytest.param(
            _certificate(_element(0x30, _element(0x31, _element(0x30, _element(6, _CN))))),
            id="a name without a value",
        ),
    ],
)
def test_what_breaks_the_rules_is_none(der: bytes) -> None:
    """And keeps none of the others from being read."""
    assert certificates_of(der) == ()
    assert len(certificates_of(_pem(der) + _pem(_certificate()))) == 1


def test_base64_that_is_none_is_passed_over() -> None:
    """So is what ends without having begun, or is too long for a certificate."""
    broken = b"-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n"
    long = _pem(_certificate(_name((_CN, 0x0C, b"x" * 300_000))))
    for data in (broken, b"-----END CERTIFICATE-----\n", long, b"-----BEGIN CERTIFICATE-----"):
        assert len(certificates_of(data + _pem(_certificate()))) == 1


_LAST = len(_certificate()) - 1


@given(st.lists(st.tuples(st.integers(0, _LAST), st.integers(0, 255)), min_size=1, max_size=4))
def test_any_damage_is_survived(changes: list[tuple[int, int]]) -> None:
    """A few bytes changed anywhere: another certificate or none, never an error."""
    data = bytearray(_certificate())
    for place, byte in changes:
        data[place] = byte
    assert len(certificates_of(bytes(data))) <= 1


@pytest.mark.parametrize("piece", [b"-----BEGIN CERTIFICATE-----", b"-----END X", b"0\x84\0\0"])
def test_beginnings_without_end_take_no_time(piece: bytes) -> None:
    """Four megabytes of them are gone over a bounded number of times."""
    began = perf_counter()
    assert certificates_of(piece * (4_000_000 // len(piece))) == ()
    assert perf_counter() - began < 5


def test_very_many_are_not_all_read() -> None:
    """A bundle has a hundred and forty."""
    assert len(certificates_of(_pem(_certificate()) * (MOST + 5))) == MOST


@pytest.mark.skipif(_OPENSSL is None or not _BUNDLE.is_file(), reason="needs openssl and a bundle")
def test_openssl_reads_the_same_in_the_certificates_of_the_system(tmp_path: Path) -> None:
    """Of each the names and the times."""
    data = _BUNDLE.read_bytes()
    blocks = [block + b"-----END CERTIFICATE-----\n" for block in data.split(b"-----END")[:-1]]
    found = certificates_of(data)
    assert len(found) == len(blocks)
    one = tmp_path / "one.pem"
    for certificate, block in list(zip(found, blocks, strict=True))[::9]:
        one.write_bytes(b"-----BEGIN" + block.partition(b"-----BEGIN")[2])
        words = ["-noout", "-subject", "-issuer", "-startdate", "-enddate"]
        names = ["-nameopt", "utf8,sep_comma_plus_space,sname"]
        out = subprocess.run(  # noqa: S603 - a path and words of our own
            [str(_OPENSSL), "x509", "-in", str(one), *words, *names],
            capture_output=True, check=True, text=True,
        ).stdout.splitlines()  # fmt: skip
        told = [line.partition("=")[2] for line in out]
        form = "%b %d %H:%M:%S %Y GMT"
        assert told[:2] == [certificate.subject, certificate.issuer]
        times = [datetime.strptime(each, form).replace(tzinfo=UTC) for each in told[2:]]
        assert times == [certificate.not_before, certificate.not_after]
