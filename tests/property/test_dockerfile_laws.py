"""Laws for every text: a build or an error, and lines that are in the file."""

from __future__ import annotations

import re
from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st

from layertrace.dockerfile.parse import parse_build
from layertrace.errors import DockerfileError
from layertrace.model.build import BaseDefaults, Build

KEYWORDS = [
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
    "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR", "from",
]  # fmt: skip
PIECES = [
    *KEYWORDS, " ", " ", " ", "\n", "\n", "\n", "\r\n", "\\\n", "\\", "`\n", "#", "# escape=`\n",
    "a", "b", "/a", "a=1", "b=$a", "${a:-b}", "${", "}", "$", "'", '"', "[", "]", '["a", "b"]',
    "<<A", "<<-A", "\nA\n", "--from=a", "--from=0", "--mount=from=a,target=/x", "--chown=a", "AS a",
    "as b", "scratch", "é", "\u2028", "\x85", "\ufeff", "\0", "\t",
]  # fmt: skip
LINES = st.builds(
    " ".join, st.tuples(st.sampled_from(KEYWORDS), st.sampled_from(PIECES), st.sampled_from(PIECES))
)
TEXTS = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
    st.lists(LINES, max_size=8).map(lambda lines: "FROM scratch AS a\n" + "\n".join(lines)),
)

# The first example pays for importing the parser.
in_its_own_time = settings(deadline=None)


def read(text: str) -> Build | None:
    """Return the build, None where the text is refused with a line of the file."""
    try:
        return parse_build(text, bases={"b": BaseDefaults(env={"c": "1"})})
    except DockerfileError as error:
        line = error.line
    assert line is None or 1 <= line <= text.count("\n") + 1
    return None


@in_its_own_time
@given(TEXTS)
@example("ONBUILD\\\n\n")
@example("FROM a\nONBUILD RUN <<A\nONBUILD RUN <<B\nA\n")
def test_any_text_is_a_build_or_refused(text: str) -> None:
    """Nothing else ever escapes."""
    build = read(text)
    assert build is None or build.stages


@in_its_own_time
@given(TEXTS)
def test_lines_lie_in_the_file_and_do_not_overlap(text: str) -> None:
    """Instructions follow each other, each inside its stage."""
    build = read(text)
    if build is None:
        return
    line = 0
    for stage in build.stages:
        assert line < stage.line <= stage.end_line
        line = stage.line
        for number, step in enumerate((i for i in stage.instructions if not i.triggered), start=1):
            assert (step.stage_index, step.step) == (stage.index, number)
            assert line < step.line <= step.end_line <= stage.end_line
            line = step.end_line
    assert line <= text.count("\n") + 1


@in_its_own_time
@given(TEXTS)
def test_text_of_an_instruction_stands_in_its_lines(text: str) -> None:
    """Nothing is made up: every word of it is written there, and begins with its keyword."""
    build = read(text)
    if build is None:
        return
    lines = text.removeprefix("\ufeff").split("\n")
    for step in (i for stage in build.stages for i in stage.instructions if not i.triggered):
        written = re.sub(r"[\s\\`]", "", "".join(lines[step.line - 1 : step.end_line]))
        assert step.text.upper().startswith(step.keyword)
        for word in step.text.split():
            assert set(re.sub(r"[\s\\`]", "", word)) <= set(written)


@in_its_own_time
@given(TEXTS)
def test_sources_name_stages_that_exist(text: str) -> None:
    """Every index in a build can be followed, and what is used includes the target."""
    build = read(text)
    if build is None:
        return
    count = len(build.stages)
    for stage in build.stages:
        assert stage.base_stage is None or stage.base_stage < stage.index
        for step in stage.instructions:
            assert step.source_stage is None or 0 <= step.source_stage < count
            assert not (step.source_stage is not None and step.source_image is not None)
    assert build.target in build.used()
    assert build.chain(build.target)[-1].index == build.target


@in_its_own_time
@given(st.text(max_size=60), st.text(max_size=60))
def test_values_are_never_read_twice(name: str, value: str) -> None:
    """A build argument's text is taken as it is, whatever it looks like."""
    with suppress(DockerfileError):
        build = parse_build("FROM scratch\nARG v\nUSER ${v}\n", build_args={"v": value, name: name})
        expected = name if name == "v" else value
        assert build.stages[0].instructions[1].args == (expected,)
