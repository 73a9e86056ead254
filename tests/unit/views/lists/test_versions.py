"""What each layer did to one path, and which two versions are compared."""

from __future__ import annotations

from layertrace.model.files import Version
from layertrace.model.origin import Change
from layertrace.views.lists.versions import (
    Pair,
    compared,
    compared_layers,
    list_versions,
    pair_words,
)
from tests.tui.fakes import head

VERSIONS = (
    Version(layer=0, change=Change.ADDED, size=900, mode=0o644, digest="sha256:" + "ab" * 32),
    Version(layer=2, change=Change.MODIFIED, size=1_000, mode=0o4755, digest=None),
    Version(layer=4, change=Change.REMOVED, size=None, mode=None, digest=None),
)


def test_each_version_says_who_made_it_and_what_it_weighs() -> None:
    """A row a layer; what is stored in vain counts too."""
    listing = list_versions(head(), VERSIONS, "a", base=1)
    rows = [[field.text for field in listing.row(line).fields] for line in range(len(listing))]
    assert listing.summary == "3 versions · 1.9 kB stored"
    assert rows[0][:6] == ["L1", "base", "+", "900 B", "0644", "abababa"]
    assert rows[1][:1] + rows[1][2:6] == ["L3*", "~", "1.0 kB", "4755", ""]
    assert rows[2][:1] + rows[2][2:6] == ["L5", "-", "", "", ""]
    assert rows[1][6:] == ["✔ declared", ":11", "COPY --from=build /app/dist /app/dist"]


def test_a_path_that_no_entry_made_has_no_versions() -> None:
    """It is said in words."""
    listing = list_versions(head(), (), "a")
    assert (len(listing), listing.empty) == (
        0,
        "no entry of any layer made it: only what lies below it did",
    )


def test_a_version_is_compared_with_the_one_before_or_a_chosen_one() -> None:
    """The older one is always the old side; the first has none before it."""
    assert compared(0, None) == Pair(old=None, new=0)
    assert compared(2, None) == Pair(old=1, new=2)
    assert compared(2, 0) == Pair(old=0, new=2)
    assert compared(0, 2) == Pair(old=0, new=2)
    assert compared(1, 1) == Pair(old=0, new=1)


def test_what_was_removed_has_nothing_to_compare() -> None:
    """Words name the layers all the same."""
    assert compared_layers(VERSIONS, Pair(old=1, new=2)) == (2, None)
    assert compared_layers(VERSIONS, Pair(old=None, new=0)) == (None, 0)
    assert pair_words(VERSIONS, Pair(old=1, new=2)) == "L3 → L5"
    assert pair_words(VERSIONS, Pair(old=None, new=0)) == "L1"
