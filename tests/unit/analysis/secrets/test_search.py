"""What looks like a secret and is none, and what is likely none."""

from __future__ import annotations

import base64
from time import process_time
from typing import Final

import pytest

from layertrace.analysis.secrets.files import _RULES, file_finder
from layertrace.analysis.secrets.hits import MADE_UP
from layertrace.analysis.secrets.places import doubt_of_place
from layertrace.analysis.secrets.search import find_hits
from layertrace.analysis.secrets.stores import find_store
from layertrace.analysis.secrets.texts import find_in_text
from tests.planted import Grower, pem

GROWER: Final = Grower(11)
RSA: Final = "RSA PRIVATE" + " KEY"
BEGIN: Final = f"{'-' * 5}BEGIN {RSA}{'-' * 5}"
END: Final = f"{'-' * 5}END {RSA}{'-' * 5}"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f'if line == "{BEGIN}":', id="the first line in a program"),
        pytest.param(f"{BEGIN}\nMIIEpAIBAAKCAQEA\n...\n{END}\n", id="cut short in documentation"),
        pytest.param(pem(RSA, GROWER.der()[:-40]), id="not as long as its structure says"),
        pytest.param(pem(RSA, b"\x30\x82\x00"), id="too short"),
        pytest.param(pem(RSA, b"\x30"), id="a tag without length"),
        pytest.param(f"{BEGIN}\n!\n{END}\n", id="no base64"),
        pytest.param(pem(RSA, GROWER.bytes(600)), id="no ASN.1"),
        pytest.param(pem("PUBLIC KEY", GROWER.der()), id="a public key"),
        pytest.param(pem("CERTIFICATE", GROWER.der()), id="a certificate"),
        pytest.param(f"{BEGIN}\n{pem(RSA, GROWER.der(60))[:40]}", id="without an end"),
        pytest.param(
            pem("PGP PRIVATE" + " KEY BLOCK", b"\x99\x03" + GROWER.bytes(99)), id="a PGP public key"
        ),
        pytest.param("PuTTY-User-Key" + "-File-2: ssh-rsa\n", id="PuTTY's first line alone"),
        pytest.param(base64.b64encode(pem("CERTIFICATE", GROWER.der()).encode()).decode(),
                     id="base64 of a certificate"),
        pytest.param("LS0tLS1" + "CRUdJTi", id="base64 of a first line"),
        pytest.param(f"{BEGIN}\n{'A' * 45}\n{END}\n", id="a length that base64 cannot have"),
        pytest.param("PuTTY-User-Key" + "-File-2: a\nEncryption: none\n" * 2, id="PuTTY's twice"),
        pytest.param(f"{GROWER.draw(10)}:A" + f"A{GROWER.draw(33)}", id="no bot's number"),
        pytest.param("gh" + "p_short", id="a prefix"),
        pytest.param("xgh" + f"p_{GROWER.draw(36)}", id="part of a longer word"),
        pytest.param(GROWER.github() + "x", id="too long"),
        pytest.param("AK" + f"IA{GROWER.draw(16, 'ABCDEFGH')} alone", id="an AWS id alone"),
        pytest.param("ey" + f"JhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.{GROWER.draw(30)}",
                     id="a JWT without signature"),
        pytest.param("ey" + f"J{GROWER.draw(30)}.eyJ{GROWER.draw(30)}.{GROWER.draw(30)}",
                     id="dots and letters"),
        pytest.param("AccountKey=" + "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6"
                     "tq/K1SZFPTOtr/KBHBeksoGMGw==", id="the storage emulator's key"),
        pytest.param("s4b8" + "Q~", id="an Azure sign alone"),
    ],
)  # fmt: skip
def test_is_no_secret(text: str) -> None:
    """What programs, documents and certificates hold is no match."""
    assert find_hits(text.encode()) == ()


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        pytest.param("gh" + f"p_{'a1B2c3D4e5' * 3}000000", "its checksum does not fit", id="crc"),
        pytest.param("np" + f"m_{'x' * 36}", MADE_UP, id="one letter"),
        pytest.param("np" + f"m_{GROWER.draw(20)}EXAMPLE{GROWER.draw(9)}", MADE_UP, id="a word"),
        pytest.param("AI" + f"za{GROWER.draw(35)}", "such keys", id="Google's"),
        pytest.param("sk" + f"_test_{GROWER.draw(24)}", "of a test account", id="Stripe's tests"),
        pytest.param("gls" + f"a_{GROWER.draw(32)}_0000000f", "its checksum", id="Grafana's"),
        pytest.param(
            "ey" + "JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6"
            f"IkpvaG4gRG9lIn0.{GROWER.draw(43)}", MADE_UP, id="the JWT of jwt.io",
        ),
    ],
)  # fmt: skip
def test_is_doubtful(text: str, doubt: str) -> None:
    """A value that vendors or checksums tell to be none is told apart."""
    (hit,) = find_hits(text.encode())
    assert hit.doubt.startswith(doubt)


def test_github_checksum_is_as_published() -> None:
    """The checksum is computed as GitHub computes it: a token it gave out and took back fits."""
    token = "gh" + "p_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ" + "0mLq17"
    (hit,) = find_hits(token.encode())
    assert (hit.kind, hit.doubt, hit.sure) == ("GitHub token", "", True)


@pytest.mark.parametrize("before", [b"\\n", b"\\t", b"=", b"'", b" ", b""])
def test_token_stands_alone_behind_escapes_and_signs(before: bytes) -> None:
    """An escape written out before a token is no part of a word."""
    assert len(find_hits(before + GROWER.github().encode())) == 1


def test_one_secret_is_one_hit() -> None:
    """A key inside of what was found already is not found again."""
    key = pem("PRIVATE" + " KEY", GROWER.der())
    assert len(find_hits((key + key).encode())) == 2


@pytest.mark.parametrize(
    ("path", "content"),
    [
        pytest.param("root/.npmrc", b"//r/:_authToken=${NPM_TOKEN}\n", id="a variable"),
        pytest.param("root/.npmrc", b"registry=https://x/\n", id="no token"),
        pytest.param("app/.env", b"# nothing\nDB_PASSWORD=\n", id="an empty value"),
        pytest.param("app/.env.example", b"DB_PASSWORD=x8\n", id="an example"),
        pytest.param("app/.env", b"TOKEN_FILE=/run/secrets/token\nDB_TOKEN=/run/x\n", id="a path"),
        pytest.param("etc/shadow", b"root:*:1:0:::::\nbin:!:1:::::\n", id="locked accounts"),
        pytest.param("root/.docker/config.json", b'{"auths": {"r": {}}}', id="a helper's"),
        pytest.param("app/config.json", b'{"auth": "abcdefgh"}', id="another folder"),
        pytest.param("app/x.tfstate", b"{}", id="no state"),
        pytest.param("app/x.tfvars", b'region = "eu"\n', id="variables"),
        pytest.param("app/x.p12", b"text", id="no store"),
        pytest.param("root/.git-credentials", b"https://git.corp\n", id="no password"),
        pytest.param("root/.vault-token", b"\n", id="an empty file"),
    ],
)
def test_name_alone_is_no_secret(path: str, content: bytes) -> None:
    """A file that could hold a secret and does not is no match."""
    find = file_finder(path)
    assert [hit for hit in (find(content) if find else ()) if not hit.doubt] == []


def test_environment_file_without_secret_names_is_doubtful() -> None:
    """An environment file is told even where no name in it tells of a secret."""
    find = file_finder("app/.env")
    assert find is not None
    (hit,) = find(b"PORT=8080\nHOST=a\n")
    assert (hit.kind, hit.doubt) == ("environment file", "no name in it tells of a secret")


def _store(*tags: int) -> bytes:
    entry = b"\0\3abc" + bytes(8) + b"\0\5X.509" + b"\0\0\0\4cert"
    entries = b"".join(tag.to_bytes(4, "big") + entry for tag in tags)
    return b"\xfe\xed\xfe\xed\0\0\0\2" + len(tags).to_bytes(4, "big") + entries


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        pytest.param(_store(2, 2), None, id="certificates alone"),
        pytest.param(_store(), None, id="empty"),
        pytest.param(_store(2, 1), "Java key store", id="a key behind a certificate"),
        pytest.param(_store(2, 2)[:20], None, id="cut"),
    ],
)
def test_java_store_is_walked(data: bytes, kind: str | None) -> None:
    """A Java key store is one only where an entry of it is a key."""
    hit = find_store(data)
    assert (hit.kind if hit else None) == kind


@pytest.mark.parametrize(
    ("path", "sure", "doubt"),
    [
        ("app/test/key.pem", True, ""),
        ("app/node_modules/x/test/key.pem", True, "in the tests or documents"),
        ("app/node_modules/x/lib/key.pem", True, ""),
        ("app/node_modules/x/lib/key.js", False, "in an installed package"),
        ("app/node_modules/x/README.md", True, "in the tests or documents"),
        ("usr/lib/python3.11/test/certdata/keycert.pem", True, "in the tests or documents"),
        ("usr/local/lib/python3.12/idlelib/idle_test/x.py", True, "in the tests or documents"),
        ("usr/share/doc/x/key.pem", True, "in the tests or documents"),
        ("usr/lib/python3/dist-packages/PyJWT-2.egg-info/PKG-INFO", True, "in the tests or"),
        ("usr/lib/x/dummyserver/certs/server.key", True, "in the tests or documents"),
        ("usr/share/nginx/html/app.js", False, ""),
        ("usr/src/app/key.pem", False, ""),
        ("etc/ssl/private/ssl-cert-snakeoil.key", True, "the snake-oil key"),
        ("etc/ssl/private/server.key", True, ""),
    ],
)
def test_place_tells_of_tests_and_packages(path: str, doubt: str, *, sure: bool) -> None:
    """Keys in the tests of packages are told apart; those of the application are not."""
    key = pem(RSA, GROWER.der()).encode()
    (hit,) = find_hits(key if sure else f"np{'m_'}{GROWER.draw(36)}".encode())
    found = doubt_of_place(path, hit)
    assert found.startswith(doubt)
    assert bool(found) == bool(doubt)


def test_short_ed25519_key_is_found() -> None:
    """A key whose length stands in one byte is a whole sequence too."""
    (hit,) = find_hits(pem("PRIVATE" + " KEY", b"\x30\x2e" + GROWER.bytes(46)).encode())
    assert (hit.kind, hit.shape) == ("private key", "48 bytes")


def test_encrypted_putty_key_without_an_end_is_found() -> None:
    """A PuTTY key that is cut behind its private part still holds it."""
    text = "PuTTY-User-Key" + "-File-2: ssh-rsa\nEncryption: aes256-cbc\nComment: x\n"
    data = f"{text}Public-Lines: 1\nAAAA\nPrivate-Lines: 1\n{GROWER.draw(60)}\n".encode()
    (hit,) = find_hits(data)
    assert (hit.kind, hit.end) == ("PuTTY private key, encrypted", len(data))


@pytest.mark.parametrize(
    "unit",
    [
        b"\n", b" ", b"\t\n", b"ey" + b"J", b"eyJ.", b"T3Blbk" + b"FJ", b":A" + b"A",
        b"gh" + b"p_", b"a://a:", b'A_TOKEN="', b'TOKEN=\\"', b"--token '", b"token: ",
        BEGIN.encode(), b"LS0tLS1" + b"CRUdJTi", b"PuTTY-User-Key" + b"-File-2: a\nEncryption: b\n",
    ],
)  # fmt: skip
def test_hostile_content_costs_no_more_than_its_length(unit: bytes) -> None:
    """Nothing but beginnings, or nothing but newlines: no pattern looks at a byte for ever."""
    data = (unit * (1 << 16))[: 1 << 16]
    started = process_time()
    find_hits(data)
    find_in_text(data)
    for rule in _RULES:
        tuple(rule.find(data))
    assert process_time() - started < 3
