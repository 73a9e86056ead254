"""The Dockerfile as rows, given or rebuilt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from layertrace.model.image import HistoryEntry
from layertrace.model.origin import Finding
from layertrace.views.codelines import build_code
from tests.tui.fakes import DOCKERFILE, head


def test_each_line_knows_its_stage_and_what_it_made() -> None:
    """Line 11 is of stage 1 and made L3; FROM stands for the base layers."""
    code = build_code(head())
    assert [row.text for row in code.rows] == DOCKERFILE.splitlines()
    copied = code.rows[10]
    assert (copied.number, copied.stage_index, copied.first) == (11, 1, 11)
    assert (copied.layers, copied.note) == ((2,), "L3 1.5 MB")
    assert code.rows[7].note == "L1 4.7 MB"
    assert code.rows[3].note == ""


def test_all_lines_of_an_instruction_belong_to_it() -> None:
    """The continuation of line 13 is lit with it; a blank line is nobody's."""
    rows = build_code(head()).rows
    assert (rows[12].first, rows[13].first) == (13, 13)
    assert rows[6].first is None
    assert rows[13].note == ""


def test_lines_are_counted_as_the_builder_counts_them() -> None:
    """A form feed ends no line, and CR before LF is not shown."""
    known = head()
    assert known.build is not None
    build = replace(known.build, text="FROM a\x0cb\r\nRUN x\n")
    assert [row.text for row in build_code(replace(known, build=build)).rows] == [
        "FROM a\x0cb",
        "RUN x",
    ]


def test_the_history_stands_in_for_a_dockerfile() -> None:
    """One row an entry, with the layer where it made one."""
    code = build_code(head(dockerfile=False))
    assert code.reconstructed
    assert [(row.text, row.note) for row in code.rows][:3] == [
        ("ADD file:0123 in /", "L1 4.7 MB"),
        ("ENV NODE_VERSION=14", ""),
        ("WORKDIR /app", "L2 0 B"),
    ]


def test_a_history_that_does_not_fit_the_layers_gives_them_no_names() -> None:
    """One entry short: which layer it is of cannot be known."""
    known = head(dockerfile=False)
    config = replace(known.image.config, history=(HistoryEntry(created_by="RUN x"),))
    known = replace(known, image=replace(known.image, config=config))
    assert [row.note for row in build_code(known).rows] == [""]


def test_an_entry_without_words_says_so() -> None:
    """Some builders leave nothing but a comment, or nothing."""
    known = head(dockerfile=False)
    history = (HistoryEntry(comment="imported"), HistoryEntry())
    config = replace(known.image.config, history=history)
    known = replace(known, image=replace(known.image, config=config))
    assert [row.text for row in build_code(known).rows] == ["imported", "(nothing recorded)"]


@pytest.mark.parametrize(
    ("facts", "above", "text"),
    [
        pytest.param(
            {"declared": "line 11, COPY --from=build /app/dist /app/dist", "recorded": "RUN x"},
            11,
            "RUN x",
            id="a line",
        ),
        pytest.param(
            {"declared": "line 13, RUN npm install", "recorded": "no such step"},
            14,
            "no such step",
            id="an instruction of two lines",
        ),
        pytest.param(
            {"declared": "line 8, FROM node:14-slim", "attested": "line 3, FROM node"},
            8,
            "line 3, FROM node",
            id="a stage, by provenance",
        ),
        pytest.param(
            {"declared": "the end", "recorded": "one more step, RUN\n x"},
            15,
            "one more step, RUN x",
            id="the end",
        ),
    ],
)
def test_the_first_difference_stands_under_its_line(
    facts: dict[str, object], above: int, text: str
) -> None:
    """What the image has instead, after all lines of the instruction; the others are as given."""
    finding = Finding(code="dockerfile-contradicted", message="", facts=facts)
    code = build_code(head(findings=(finding,)))
    assert code.contradicted
    (place,) = (number for number, row in enumerate(code.rows) if row.against)
    assert (code.rows[place - 1].number, code.rows[place].text) == (above, text)
    assert code.rows[place].number is None
    assert [row.text for row in code.rows if not row.against] == DOCKERFILE.splitlines()


def test_a_difference_without_words_adds_no_line() -> None:
    """A finding of another layertrace may lack what the image has."""
    code = build_code(head(findings=(Finding(code="dockerfile-contradicted", message="x"),)))
    assert code.contradicted
    assert len(code.rows) == len(DOCKERFILE.splitlines())
