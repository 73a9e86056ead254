"""Differences of texts: what a patch makes of the old text is the new one."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layertrace.analysis.contents.lines import changed_regions
from layertrace.analysis.contents.texts import (
    COUNT_LIMIT,
    LINE_LIMIT,
    compare_texts,
    diff_texts,
)
from layertrace.views.contents.text import unified_lines
from tests.content_store import storing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from layertrace.analysis.contents.values import TextDifference
    from tests.content_store import Store

UTF_8 = ("utf-8", "utf-8")


@pytest.fixture
def stored() -> Iterator[Store]:
    """Return what stores pieces of a content until the test ends."""
    with storing() as store:
        yield store


def patched(old: str, difference: TextDifference) -> str:
    """Return what hunks make of a text; every line they expect has to be there."""
    lines = old.splitlines(keepends=True) if old else []
    out: list[str] = []
    at = 0
    for hunk in difference.hunks:
        start = hunk.old_start - 1 if hunk.old_count else hunk.old_start
        out += lines[at:start]
        at = start
        for line in hunk.lines:
            text = line.text + ("\n" if line.ended else "")
            if line.mark != "+":
                assert lines[at] == text
                at += 1
            if line.mark != "-":
                out.append(text)
        assert at == start + hunk.old_count
    return "".join([*out, *lines[at:]])


LINES = st.lists(st.sampled_from(["a\n", "b\n", "}\n", "\n", "c d\n"]), max_size=40)


@given(LINES, LINES, st.sampled_from(["", "x", "a"]), st.sampled_from(["", "x", "a"]))
def test_hunks_turn_the_old_text_into_the_new(
    old: list[str], new: list[str], old_end: str, new_end: str
) -> None:
    """Whatever repeats in them, and whether or not a newline ends them."""
    before, after = "".join(old) + old_end, "".join(new) + new_end
    difference = diff_texts(before, after)
    assert patched(before, difference) == after
    assert difference.shortest
    assert bool(difference.hunks) == (before != after)
    assert difference.new_lines - difference.old_lines == difference.added - difference.removed


def test_only_a_newline_ends_a_line() -> None:
    """As in diff(1): a form feed or a carriage return stands in a line."""
    difference = diff_texts("a\x0cb\r\nc\u2028d\n", "a\x0cb\r\nc\n")
    assert (difference.old_lines, difference.removed) == (2, 1)


@pytest.mark.skipif(shutil.which("diff") is None, reason="there is no diff here")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("a\nb\nc\n", "a\nx\nc\n", id="one line"),
        pytest.param("", "a\nb\n", id="from nothing"),
        pytest.param("a\nb\n", "", id="to nothing"),
        pytest.param("a\nb", "a\nb\n", id="newline at the end"),
        pytest.param("a\n", "a", id="no newline at the end"),
        pytest.param("".join(f"{n}\n" for n in range(60)),
                     "".join(f"{n}\n" for n in range(60) if n % 20 != 10), id="three places"),
        pytest.param("".join(f"{n}\n" for n in range(30)),
                     "".join(f"{n}\n" for n in range(30) if n not in {10, 17}), id="near places"),
        pytest.param("0\n" + "".join(f"{n}\n" for n in range(1, 9)),
                     "".join(f"{n}\n" for n in range(1, 9)) + "9\n", id="both ends"),
    ],
)  # fmt: skip
def test_unified_lines_are_those_of_diff(old: str, new: str, tmp_path: Path) -> None:
    """Where there is one shortest difference, every line is the one that diff(1) writes."""
    for name, text in (("old", old), ("new", new)):
        (tmp_path / name).write_text(text)
    told = subprocess.run(  # noqa: S603 - our own words
        [shutil.which("diff") or "", "-u", "old", "new"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = list(unified_lines("f", diff_texts(old, new), sides=(True, True), cut=False))
    assert lines[:2] == ["--- old/f", "+++ new/f"]
    assert lines[2:] == told.stdout.splitlines()[2:]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("}\n" * 40_000, "}\nx\n" * 20_000, id="one line over and over"),
        pytest.param("a\nb\n" * 20_000, "b\na\na\n" * 15_000, id="two lines"),
    ],
)
def test_texts_that_repeat_take_no_longer(old: str, new: str) -> None:
    """What they share is not looked for at any price, and the difference says so."""
    difference = diff_texts(old, new)
    assert not difference.shortest
    assert patched(old, difference) == new


def test_moved_lines_are_found_however_many_there_are() -> None:
    """Lines that stand once on each side hold the two texts together."""
    lines = [f"{n}\n" for n in range(20_000)]
    regions, shortest = changed_regions(lines, [*lines[10:], *lines[:10]])
    assert shortest
    assert sum(each.old_end - each.old for each in regions) == 10


def test_long_texts_are_counted(stored: Store) -> None:
    """Beyond a size there are numbers and no hunks."""
    old = stored(b"a\nb\n" * LINE_LIMIT)
    new = stored(b"a\nb\n" * LINE_LIMIT, b"c\nc")
    found = compare_texts(old, new, UTF_8, "")
    assert found is not None
    assert (found.shown, found.hunks, found.added, found.removed) == (False, (), 2, 0)
    assert (found.old_lines, found.new_lines) == (2 * LINE_LIMIT, 2 * LINE_LIMIT + 2)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"x" * (COUNT_LIMIT + 1), id="too long"),
        pytest.param(b"\n" * 1_000_001, id="too many lines"),
        pytest.param(b"text\n" * 2_000 + b"\0", id="a zero byte further on"),
    ],
)
def test_what_is_no_text_to_compare_is_left_to_bytes(content: bytes, stored: Store) -> None:
    """Too long, or no text after all."""
    assert compare_texts(None, stored(content), UTF_8, "") is None


def test_bytes_that_are_no_characters_are_kept_apart(stored: Store) -> None:
    """Two lines with different odd bytes are different lines."""
    found = compare_texts(stored(b"caf\xe9\n"), stored(b"caf\xe8\n"), UTF_8, "")
    assert found is not None
    assert (found.added, found.removed) == (1, 1)
    shown = list(unified_lines("f", found, sides=(True, True), cut=False))
    assert shown[3:] == ["-caf\\xe9", "+caf\\xe8"]


def test_a_declared_encoding_is_decoded(stored: Store) -> None:
    """The same text in two encodings has the same lines."""
    old, new = stored("né\n".encode("utf-16")), stored("né\n".encode())
    found = compare_texts(old, new, ("utf-16", "utf-8"), "")
    assert found is not None
    assert (found.hunks, found.shown) == ((), True)


def test_secret_values_change_without_being_shown() -> None:
    """The line differs, and neither value stands in it."""
    old, new = "A=1\nDB_PASSWORD=k3Xw9qLz\n", "A=2\nDB_PASSWORD=m8Rt2vNc\n"
    found = diff_texts(old, new, path="app/.env")
    assert (found.added, found.removed, found.hidden) == (2, 2, 2)
    shown = "\n".join(unified_lines("app/.env", found, sides=(True, True), cut=False))
    assert "A=2" in shown
    assert "DB_PASSWORD=…" in shown
    assert not any(value in shown for value in ("k3Xw9qLz", "m8Rt2vNc"))


def test_an_environment_without_secrets_is_shown_whole() -> None:
    """A file of that name is worth a look in an audit; its switches are no secrets."""
    found = diff_texts("PORT=8080\n", "PORT=9090\n", path="app/.env")
    assert found.hidden == 0
    (hunk,) = found.hunks
    assert [line.text for line in hunk.lines] == ["PORT=8080", "PORT=9090"]


def test_every_secret_of_a_long_environment_is_hidden() -> None:
    """An audit tells of the first some; none is shown here."""
    text = "".join(f"A{n}=x\n" for n in range(300)) + "DB_PASSWORD=k3Xw9qLz\n"
    found = diff_texts("", text, path="app/.env")
    assert found.hidden == 1
    assert found.hunks[0].lines[-1].text == "DB_PASSWORD=…"


def test_a_url_keeps_its_password_to_itself() -> None:
    """In any file, and with its other parts."""
    found = diff_texts("", "url = https://me:k3Xw9qLz@example.org/x\nplain\n")
    (hunk,) = found.hunks
    assert [line.text for line in hunk.lines] == ["url = https://me:…@example.org/x", "plain"]


def test_a_long_line_is_cut_for_a_terminal_alone() -> None:
    """A packed script has all of it in one line."""
    found = diff_texts("", "x" * 5_000)
    cut = list(unified_lines("f", found, sides=(False, True), cut=True))
    assert cut[0] == "--- /dev/null"
    assert cut[3] == "+" + "x" * 2_000 + "… 3,000 characters more"
    assert list(unified_lines("f", found, sides=(False, True), cut=False))[3] == "+" + "x" * 5_000
