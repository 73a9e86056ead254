"""Pages of contents: what stands on them, and that a line costs what a line costs."""

from __future__ import annotations

import gzip
import struct
from binascii import a2b_base64
from typing import Final

import pytest

from layertrace.analysis.contents.compare import Given, compare_contents
from layertrace.analysis.contents.kinds import recognise
from layertrace.analysis.contents.preview import look_into
from layertrace.model.entry import EntryKind
from layertrace.provenance.trees import Item
from layertrace.views.lists.rows import Role
from layertrace.views.preview import pages
from layertrace.views.preview.coloring import color_page, color_text, language
from layertrace.views.preview.content import content_page
from layertrace.views.preview.difference import difference_page
from layertrace.views.preview.pages import HexLines, Page, TextLines
from layertrace.views.preview.plain import plain_lines
from tests.builders import layer
from tests.elf_builder import Part, make_elf

KEY: Final = b"-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----\n"
EXPIRED: Final = b"""\
-----BEGIN CERTIFICATE-----
MIIBXzCCAQYCAQEwCgYIKoZIzj0EAwIwPDELMAkGA1UEBhMCREUxFjAUBgNVBAoM
DUV4YW1wbGUgG1szMW0xFTATBgNVBAMMDGdvbmUuZXhhbXBsZTAeFw0wMTAyMDMw
MDAwMDBaFw0wMjAyMDMwMDAwMDBaMDwxCzAJBgNVBAYTAkRFMRYwFAYDVQQKDA1F
eGFtcGxlIBtbMzFtMRUwEwYDVQQDDAxnb25lLmV4YW1wbGUwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAAR0hRgBO9pZt3SPoyI8vXB4DwipNZipFJttCC21UFlPlXBj
UF5E2v0JQH6u/CEs+ljtVXbJXawiS0k8jZMhxz0TMAoGCCqGSM49BAMCA0cAMEQC
IDZw1TCSTdfsDq6X4n7koDBvHHPKe6gcoE0/7nX855gqAiBBWXrHyuxbJcRhVRt6
PBb6Lm86qBlPd1GWyhXx9Aeimw==
-----END CERTIFICATE-----
"""
"""Made by openssl; its key was thrown away."""
TOKEN: Final = b"token = 'ghp_a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'\n"


def given(data: bytes) -> Given:
    """Return a regular file."""
    return Given(item=Item(kind=EntryKind.FILE, size=len(data)), pieces=[data])


def page_of(data: bytes, path: str = "a", *, shown: int = 1 << 22, raw: bool = False) -> Page:
    """Return the page of a regular file."""
    return content_page(look_into(given(data), shown=shown), path, raw=raw)


def lines(page: Page) -> list[str]:
    """Return all of a page as text."""
    return ["".join(text for text, _ in page.line(n)).rstrip() for n in range(len(page))]


def test_a_text_has_numbered_lines() -> None:
    """However they end; tabs are blanks, and the last needs no newline."""
    assert lines(page_of(b"one\r\n\ttwo\n\nab\tc")) == [
        "1  one",
        "2          two",
        "3",
        "4  ab      c",
    ]


def test_a_long_line_is_cut_and_says_so() -> None:
    """What is drawn does not grow with it; one of just that length is whole."""
    first, second = lines(page_of(b"x" * 9_000 + b"\n" + b"y" * pages.LONGEST + b"\n"))
    assert first == "1  " + "x" * pages.LONGEST + "… 9,000 bytes in this line"
    assert second == "2  " + "y" * pages.LONGEST
    (tabs,) = lines(page_of(b"\t" * 9_000))
    assert len(tabs) < pages.LONGEST + 50


def test_more_lines_than_are_counted_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says how many it has."""
    monkeypatch.setattr(pages, "LINES", 3)
    assert lines(page_of(b"a\nb\nc\nd\ne\n")) == ["  first 3 lines", "", "1  a", "2  b", "3  c"]


def test_what_is_no_character_keeps_its_byte() -> None:
    """In UTF-8; other encodings are as the text declares them."""
    text = TextLines("a\udce9b")
    assert text.line(0)[1:] == (("a\udce9b", Role.PLAIN),)
    assert lines(page_of("# coding: latin-1\n# é\n".encode("latin-1")))[1] == "2  # é"
    assert lines(page_of("héllo\n".encode("utf-16")))[0] == "1  héllo"


def test_bytes_stand_sixteen_a_line() -> None:
    """With ASCII beside them; the last line is shorter."""
    found = HexLines(data=bytes(range(0x41, 0x41 + 18)))
    assert len(found) == 2
    assert [text for text, _ in found.line(1)] == [
        "00000010  ",
        "51 52" + " " * 45,
        "QR",
    ]
    assert lines(page_of(b"text\n", raw=True))[0].startswith("00000000  74 65 78 74 0a")


def test_text_turned_binary_is_shown_as_bytes() -> None:
    """A zero far behind the beginning tells."""
    assert lines(page_of(b"x\n" * 3_000 + b"\0"))[0].startswith("00000000  78 0a")


def test_a_cut_content_says_how_much_of_it_is_shown() -> None:
    """Of what is packed, only that there is more."""
    assert lines(page_of(b"abc\n" * 1_000, shown=2_000))[0] == "  first 2.0 kB of 4.0 kB"
    packed = lines(page_of(gzip.compress(b"abc\n" * 9_000), shown=2_000))
    assert packed[:2] == ["  unpacked", "  first 2.0 kB of what it holds"]


def test_a_program_says_what_it_needs() -> None:
    """And what it is made of; one that is damaged says that."""
    data = make_elf(Part(name=".text", type=1, data=b"\xc3" * 16, flags=6))
    page = page_of(data)
    text = "\n".join(lines(page))
    assert page.words.startswith("elf")
    assert "needs        no library" in text
    assert "PROGBITS        .text" in text
    assert "cut short" in "\n".join(lines(page_of(data[:-40])))


def test_an_archive_lists_what_it_holds() -> None:
    """With sizes; packed or not."""
    for data in (layer({"a": b"12345"}), gzip.compress(layer({"a": b"12345"}))):
        text = "\n".join(lines(page_of(data)))
        assert "holds        1 member, 5 B" in text
        assert "             5  a" in text


def test_a_certificate_says_whose_it_is_and_when_it_ends() -> None:
    """Above its text; one that ended is told, whatever the day."""
    page = page_of(EXPIRED)
    assert page.words.startswith("certificate")
    assert lines(page)[:4] == [
        "  certificate  C=DE, O=Example \x1b[31m, CN=gone.example",
        "  issued by    itself",
        "  valid        2001-02-03 to 2002-02-03  expired",
        "",
    ]
    assert "1  -----BEGIN CERTIFICATE-----" in lines(page)[4]
    der = page_of(a2b_base64(EXPIRED.partition(b"-----\n")[2].partition(b"-----")[0]))
    assert lines(der)[0].startswith("  certificate  C=DE")
    assert lines(der)[4].startswith("00000000  30 82")


def test_a_bundle_has_a_line_for_each_certificate() -> None:
    """With how many they are."""
    found = lines(page_of(EXPIRED * 6))
    assert found[0] == "  holds        6 certificates"
    ended = "  until 2002-02-03  C=DE, O=Example \x1b[31m, CN=gone.example  expired"
    assert found[1:7] == [ended] * 6


def test_a_drawing_says_how_large_it_is() -> None:
    """And is shown as the text it is."""
    page = page_of(b'<svg width="24" height="16">\n</svg>\n')
    assert lines(page)[0] == "  picture      24 by 16 pixels"
    assert lines(page)[2].startswith("1  <svg width")


@pytest.mark.parametrize(
    ("item", "words", "line"),
    [
        pytest.param(
            Item(kind=EntryKind.SYMLINK, size=0, link_target="../b"),
            "symbolic link",
            "  leads to     ../b",
            id="link",
        ),
        pytest.param(Item(kind=EntryKind.FIFO, size=0), "fifo", "  it has no content", id="pipe"),
    ],
)
def test_what_is_no_file_has_no_content(item: Item, words: str, line: str) -> None:
    """A link leads somewhere."""
    page = content_page(look_into(Given(item=item)), "a")
    assert (page.words, lines(page)) == (words, [line])


def test_an_empty_file_and_a_picture_say_what_they_are() -> None:
    """The picture's bytes follow."""
    assert lines(page_of(b"")) == ["  empty", ""]
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480)
    assert lines(page_of(png))[0] == "  picture      640 by 480 pixels"


def test_secrets_stand_on_no_page_but_in_the_pager() -> None:
    """A value is an ellipsis, a private key is not shown."""
    found = lines(page_of(TOKEN))
    assert found[0] == "  … stands for 1 secret value; o shows all in the pager"
    assert "ghp_" not in "".join(found)
    assert "MII" not in "".join(lines(page_of(KEY)))
    assert "ghp_" in "".join(plain_lines(look_into(given(TOKEN)), "a"))
    assert "MIIabc" in list(plain_lines(look_into(given(KEY)), "a"))


def test_the_pager_is_given_whole_lines_and_nothing_raw() -> None:
    """Of a text each line, of a program its facts, of bytes a dump."""
    text = b"\x1b[31m" + b"x" * 9_000 + b"\r\n\tb\n"
    assert list(plain_lines(look_into(given(text)), "a")) == [
        "\\x1b[31m" + "x" * 9_000,
        "        b",
        "",
    ]
    dump = list(plain_lines(look_into(given(b"\0\x1b")), "a"))
    assert dump == ["00000000  00 1b" + " " * 45 + ".."]
    first = next(plain_lines(look_into(given(b"abc\n" * 9), shown=8), "a"))
    assert first == "  first 8 B of 36 B"


@pytest.mark.parametrize(
    ("data", "path", "expected"),
    [
        pytest.param(b"#!/usr/bin/env python3.11\n", "a.js", "python", id="interpreter"),
        pytest.param(b"#!/opt/odd\n", "a.rb", "ruby", id="odd-interpreter"),
        pytest.param(b"<?xml version='1.0'?>", "a.json", "xml", id="beginning"),
        pytest.param(b"diff --git a b\n", "a", "diff", id="diff"),
        pytest.param(b"{}", "a.JSON", "json", id="suffix"),
        pytest.param(b"FROM a\n", "x/Dockerfile", "docker", id="name"),
        pytest.param(b"words", "README", None, id="none"),
    ],
)
def test_a_language_is_told_by_content_before_the_name(
    data: bytes, path: str, expected: str | None
) -> None:
    """What runs it, then how it begins, then what it is called."""
    assert language(recognise(data), data.decode(), path) == expected


def test_colours_fall_on_the_right_characters() -> None:
    """Also behind characters of several bytes, and across lines."""
    page = page_of("é = '漢'  # x\nif é: pass\n".encode(), "a.py")
    colors = color_page(page, lambda: False)
    assert colors is not None
    assert isinstance(page.body, TextLines)
    page.body.colors = colors
    assert page.line(0)[1:] == (("é = ", Role.PLAIN), ("'漢'", Role.GOOD), ("  ", Role.PLAIN),
                                ("# x", Role.DIM))  # fmt: skip
    assert page.line(1)[1] == ("if", Role.STRONG)


def test_what_takes_too_long_to_colour_stays_plain() -> None:
    """Out of time, stopped, a line no one reads, no language, too much."""
    for colors in (
        color_text("if a: pass\n", "python", lambda: True),
        color_text("if a: pass\n", "python", lambda: False, seconds=-1),
        color_text("x" * 9_000, "python", lambda: False),
        color_text("x", "no such language", lambda: False),
    ):
        assert list(colors.pieces(0, 5)) == [(0, 5, Role.PLAIN)]
    assert color_page(page_of(b"words\n"), lambda: False) is None
    assert color_page(page_of(b"x = 1\n" * 200_000, "a.py"), lambda: False) is None


def test_a_difference_keeps_lines_that_look_like_its_own_head() -> None:
    """The names of the files go, a removed comment of SQL stays."""
    found = compare_contents(given(b"-- x\nb\n"), given(b"++ y\nb\n"), path="a.sql")
    page = difference_page("a.sql", found, "L1 → L2")
    assert [line for line in lines(page) if line[:1] in "-+@"] == [
        "@@ -1,2 +1,2 @@",
        "--- x",
        "+++ y",
    ]
    roles = {text: role for n in range(len(page)) for text, role in page.line(n)}
    assert (roles["--- x"], roles["+++ y"]) == (Role.GONE, Role.ADDED)
