"""What a filter may go on with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from layertrace.filters.completion import (
    KNOWN,
    MOST,
    Completer,
    complete,
    package_words,
    table_words,
)
from layertrace.filters.language import parse_filter
from layertrace.filters.terms import KEYS
from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change, Trust
from layertrace.model.packages import Package, PackageKind
from tests.tui.fakes import BASE, BUILD, CONTEXT, Row, table

WORDS = {
    **KNOWN,
    "stage": ("build", "Build two", 'a"b'),
    "pkg": ("npm", "none", "@a/b", "openssl", "openssl-dev"),
    "pkg:npm/": ("npm/@a/b", "npm/openssl"),
}


@pytest.mark.parametrize(
    ("text", "offers"),
    [
        pytest.param("", tuple(f"{key}:" for key in KEYS), id="nothing typed"),
        pytest.param("s", ("stage:", "size:"), id="keys"),
        pytest.param("a.js|!-w", ("!-wasted:",), id="a key, negated, after a bar"),
        pytest.param("Sta", ("stage:",), id="a key in capitals"),
        pytest.param("x stage:b", ("stage:build", 'stage:"Build two"'), id="values, any case"),
        pytest.param('stage:"bu', ("stage:build", 'stage:"Build two"'), id="in open quotes"),
        pytest.param('stage:"build t', ('stage:"Build two"',), id="a blank in open quotes"),
        pytest.param("stage:a", ("stage:'a\"b'",), id="a quote in the value"),
        pytest.param("stage:build", ("stage:build", 'stage:"Build two"'), id="whole, and a longer"),
        pytest.param("wasted:yes", (), id="whole already"),
        pytest.param("mark:", ("mark:+", "mark:~", "mark:m", "mark:-"), id="marks"),
        pytest.param("mark:+m", ("mark:+m~", "mark:+m-"), id="one more mark"),
        pytest.param("type:s", ("type:symlink", "type:script"), id="types"),
        pytest.param("pkg:n", ("pkg:npm", "pkg:none"), id="kinds of packages"),
        pytest.param("pkg:npm/", ("pkg:npm/@a/b", "pkg:npm/openssl"), id="packages of a kind"),
        pytest.param("pkg:@a/", ("pkg:@a/b",), id="a slash in a name"),
        pytest.param("size:>1", (), id="what has no words"),
        pytest.param("re:a|st", (), id="a bar of a pattern"),
        pytest.param("nokey:x", (), id="no such key"),
        pytest.param("'sta", (), id="a quoted word"),
    ],
)
def test_terms_go_on_with_what_fits(text: str, offers: tuple[str, ...]) -> None:
    """The last term alone is looked at, and every offer is a whole term."""
    assert complete(text, len(text), WORDS).offers == offers


def test_the_key_of_offers_is_told() -> None:
    """Whoever has to read an image for its words knows when to."""
    assert complete("a !PKG:x", 8, WORDS).key == "pkg"
    assert complete("pkg", 3, WORDS).key == ""


def test_a_term_is_completed_in_the_middle_of_a_filter_but_not_within_itself() -> None:
    """Behind the cursor must stand the end of the term."""
    assert complete("sta *.js", 3, WORDS).offers == ("stage:",)
    assert complete("a sta|b", 5, WORDS).start == 2
    assert complete("stage", 3, WORDS).offers == ()


def test_words_are_those_that_rows_have() -> None:
    """A key without a row that would match is not offered a value."""
    hostile = replace(BUILD, stage="x\x1b[31m", stage_index=7)
    rows = (
        Row(path="a", label=BASE, change=Change.REMOVED),
        Row(path="b", label=BUILD, trust=Trust.INFERRED),
        Row(path="c", label=CONTEXT, kind=EntryKind.SYMLINK),
    )
    found = table_words(replace(table(rows), labels=(BASE, BUILD, CONTEXT, hostile)), 3)
    assert found["stage"] == ("build", "7")
    assert found["layer"] == ("1", "2", "3")
    assert found["origin"] == ("run", "context", "base")
    assert found["trust"] == ("verified", "inferred")
    assert found["mark"] == ("+", "-")
    assert found["type"] == ("file", "symlink", "link", "elf", "script", "zip")
    folders = table_words(table((Row(path="a", kind=EntryKind.DIR),)), 0)
    assert folders["type"] == ("dir",)
    assert folders["layer"] == ()


def _package(kind: PackageKind, name: str) -> Package:
    return Package(kind=kind, name=name, version="1")


def test_names_of_packages_become_globs_of_themselves_alone() -> None:
    """A control character of a hostile name is typed as any letter, a star as itself."""
    npm, dpkg = PackageKind.NPM, PackageKind.DPKG
    names = ("a", "x*y", "e\x1b]0;t\x07", "q\"'")
    packages = [_package(npm, "a"), *(_package(dpkg, name) for name in names)]
    found = package_words(packages)
    assert found["pkg"] == ("dpkg", "npm", "none", "a", "e?]0;t?", "q?'", "x[*]y")
    assert found["pkg:npm/"] == ("npm/a",)
    for offer in complete("pkg:", 4, found).offers:
        assert offer.isprintable()
        assert parse_filter(offer).alternatives


def test_very_many_offers_are_counted_not_gone_through() -> None:
    """A term has a bounded number of them."""
    words = {"pkg": tuple(f"p{number}" for number in range(MOST + 7))}
    found = complete("pkg:p", 5, words)
    assert (len(found.offers), found.more) == (MOST, 7)


def test_steps_write_what_is_shared_then_each_in_turn() -> None:
    """Forth and back, around the ends; typing begins anew."""
    completer = Completer()
    completer.words = {"stage": ("base", "base-two", "base-x")}
    assert completer.step("a stage:b", 9) == "stage:base"
    assert completer.step("a stage:base", 12) == "stage:base"
    assert completer.step("a stage:base", 12) == "stage:base-two"
    assert completer.look("a stage:base-two", 16)[1] == 1
    assert completer.step("a stage:base-two", 16) == "stage:base-x"
    assert completer.step("a stage:base-x", 14) == "stage:base"
    assert completer.step("a stage:base", 12, -1) == "stage:base-x"
    assert completer.step("a stage:base-", 13, -1) == "stage:base-x"
    assert completer.step("a stage:base-t", 14) == "stage:base-two"
    assert completer.step("a stage:base-two", 16) is None
    assert completer.look("a stage:base-two", 16) == (complete("a stage:base-two", 16, {}), -1)


def test_every_word_that_is_known_of_any_image_makes_a_filter() -> None:
    """What is offered is never refused."""
    for key, values in KNOWN.items():
        for value in values:
            assert parse_filter(f"{key}:{value}").alternatives, f"{key}:{value}"
