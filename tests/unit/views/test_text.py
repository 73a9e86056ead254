"""Names, sizes and commands as people see them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layertrace.model.origin import Change, Trust
from layertrace.views.text import (
    CHANGE_MARKS,
    TRUST_MARKS,
    TRUST_MARKS_ASCII,
    plural,
    show_command,
    show_name,
    show_size,
    to_ascii,
    trust_mark,
)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("\x1b]0;owned\x07", "\\x1b]0;owned\\x07", id="escape"),
        pytest.param("a\nb\rc\td", "a\\x0ab\\x0dc\\x09d", id="lines"),
        pytest.param("\x7f\x9b", "\\x7f\\u009b", id="del-and-c1"),
        pytest.param("gpj\u202e.exe\u2066", "gpj\\u202e.exe\\u2066", id="bidi"),
        pytest.param("a\u200bb\ufeffc\u00add", "a\\u200bb\\ufeffc\\u00add", id="zero-width"),
        pytest.param("a\u2028b\u2029", "a\\u2028b\\u2029", id="separators"),
        pytest.param("caf\udce9", "caf\\xe9", id="byte"),
        pytest.param("\ud800", "\\ud800", id="lone-surrogate"),
        pytest.param("heart\ufe0f", "heart\\ufe0f", id="variation"),
        pytest.param("\U000e0001x", "\\U000e0001x", id="tag"),
        pytest.param("a\u00a0b\u3000c", "a\\u00a0b\\u3000c", id="odd-spaces"),
        pytest.param("[/red].js", "[/red].js", id="markup"),
        pytest.param("naïve 漢字 Ж", "naïve 漢字 Ж", id="letters"),
        pytest.param("dev-disk\\x2d", "dev-disk\\x2d", id="backslash"),
    ],
)
def test_show_name_spells_out_what_a_terminal_would_obey(name: str, shown: str) -> None:
    """Controls, bidi, invisible marks and bad bytes are visible; letters stay."""
    assert show_name(name) == shown


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_show_name_is_one_printable_line(name: str) -> None:
    """Whatever the name, nothing in the result is a control, a format mark or a surrogate."""
    shown = show_name(name)
    assert shown.isprintable()
    assert not {unicodedata.category(c) for c in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert show_name(shown) == shown
    assert show_name(name, ascii_only=True).isascii()


@given(st.integers(-(10**19), 10**19))
def test_show_size_fits_nine_cells_and_keeps_the_order_of_magnitude(size: int) -> None:
    """A size is a number under a thousand and a unit, and close to what it stands for."""
    number, unit = show_size(size).split()
    power = ("B", "kB", "MB", "GB", "TB", "PB").index(unit)
    assert abs(float(number)) < 1000 or unit == "PB"
    assert abs(float(number) * 1000**power - size) <= 0.05 * 1000**power


def test_marks_cover_every_trust_and_change_in_one_cell_each() -> None:
    """No trust and no change is without its mark, and no two share one."""
    assert set(TRUST_MARKS) == set(TRUST_MARKS_ASCII) == set(Trust)
    assert set(CHANGE_MARKS) == set(Change)
    for marks in (TRUST_MARKS, TRUST_MARKS_ASCII, CHANGE_MARKS):
        assert len(set(marks.values())) == len(marks)
        assert all(len(mark) == 1 for mark in marks.values())
    assert trust_mark(Trust.INFERRED, ascii_only=True) == "i"


@pytest.mark.parametrize(
    ("recorded", "shown"),
    [
        pytest.param("/bin/sh -c #(nop) COPY dir:f11b in /app ", "COPY dir:f11b in /app", id="nop"),
        pytest.param("/bin/sh -c npm ci", "RUN npm ci", id="classic"),
        pytest.param("RUN /bin/sh -c npm ci # buildkit", "RUN npm ci", id="buildkit"),
        pytest.param("RUN |2 A=1 B=2 /bin/sh -c npm ci # buildkit", "RUN npm ci", id="args"),
        pytest.param("COPY --from=build /a /b", "COPY --from=build /a /b", id="kaniko"),
        pytest.param('CMD ["node"]', 'CMD ["node"]', id="plain"),
        pytest.param("RUN npm   ci\n\t&& true", "RUN npm ci && true", id="lines"),
    ],
)
def test_show_command_undoes_what_builders_wrap(recorded: str, shown: str) -> None:
    """A history entry reads as an instruction of a Dockerfile."""
    assert show_command(recorded) == shown


def test_to_ascii_keeps_every_row_as_wide_as_it_was() -> None:
    """Marks and frames are swapped cell for cell."""
    text = "▾ ● build ◆ ↳ │ ✔ ≈ ✘ … · ↓ █░ ◀"
    assert to_ascii(text).isascii()
    assert len(to_ascii(text)) == len(text)


def test_plural_counts_in_words() -> None:
    """One layer, but two layers."""
    assert plural(0, "file") == "0 files"
    assert plural(1, "entry") == "1 entry"
    assert plural(1_234, "entry") == "1,234 entries"
