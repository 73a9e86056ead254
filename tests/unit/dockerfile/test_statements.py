"""How a file falls into instructions: lines, text, heredocs, directives."""

from __future__ import annotations

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.dockerfile.statements import MAX_COMMENT, MAX_LINE
from layertrace.errors import DockerfileError
from layertrace.model.build import Heredoc, Instruction


def first(text: str) -> Instruction:
    """Return the first instruction below ``FROM scratch``, which is line 1."""
    return parse_build(f"FROM scratch\n{text}").stages[0].instructions[0]


@pytest.mark.parametrize(
    ("text", "shown", "lines"),
    [
        pytest.param("RUN make\n", "RUN make", (2, 2), id="one line"),
        pytest.param("\n\n  RUN make", "RUN make", (4, 4), id="blank lines and no newline"),
        pytest.param("run make", "run make", (2, 2), id="case is kept"),
        pytest.param("RUN a && \\\n    b", "RUN a && b", (2, 3), id="join with one space"),
        pytest.param("RUN a \\\n\n  b", "RUN a b", (2, 4), id="blank line inside"),
        pytest.param("RUN a \\\n  # why\n  b", "RUN a b", (2, 4), id="comment inside"),
        pytest.param("RUN a\\\nb", "RUN ab", (2, 3), id="a word cut in two"),
        pytest.param("RUN a\\  \n  b", "RUN a b", (2, 3), id="spaces after the escape"),
        pytest.param("RUN a\\\\\n", "RUN a\\\\", (2, 2), id="escaped escape"),
        pytest.param("RUN a   b \\\n c", "RUN a   b c", (2, 3), id="spaces between words stay"),
        pytest.param("RUN a \\\r\n  b\r\n", "RUN a b", (2, 3), id="CRLF"),
        pytest.param("RUN a \\", "RUN a", (2, 2), id="continued into the end"),
        pytest.param("\\\nRUN a", "RUN a", (2, 3), id="continued before the first word"),
        pytest.param("RUN <<EOF\na\nEOF\n", "RUN <<EOF", (2, 4), id="heredoc"),
    ],
)
def test_instruction_keeps_its_text_and_lines(
    text: str, shown: str, lines: tuple[int, int]
) -> None:
    """The text reads as one line; the lines are those of the file."""
    instruction = first(text)
    assert (instruction.text, (instruction.line, instruction.end_line)) == (shown, lines)


def test_byte_order_mark_is_no_part_of_the_text() -> None:
    """A file from Windows starts with one and is read all the same."""
    assert parse_build("\ufeffFROM scratch").stages[0].text == "FROM scratch"


@pytest.mark.parametrize(
    ("head", "joined"),
    [
        pytest.param("# escape=`\n", True, id="backtick"),
        pytest.param("#ESCAPE = `\n", True, id="any case and spaces"),
        pytest.param("# syntax=docker/dockerfile:1\n# escape=`\n", True, id="after syntax"),
        pytest.param("# hello\n# escape=`\n", False, id="after a comment"),
        pytest.param("\n# escape=`\n", False, id="after a blank line"),
    ],
)
def test_escape_directive_counts_only_at_the_top(head: str, *, joined: bool) -> None:
    """Below anything else the directive is an ordinary comment."""
    text = f"{head}FROM scratch\nRUN a `\n"
    build = parse_build(text)
    assert (build.stages[0].instructions[0].text == "RUN a") is joined


def test_escape_directive_frees_the_backslash() -> None:
    """With the backtick as escape a trailing backslash is a path's."""
    build = parse_build("# escape=`\nFROM scratch\nCOPY a c:\\\nRUN b\n")
    assert [i.text for i in build.stages[0].instructions] == ["COPY a c:\\", "RUN b"]
    assert build.stages[0].instructions[0].args == ("a", "c:\\")


@pytest.mark.parametrize(
    ("text", "heredocs"),
    [
        pytest.param(
            "RUN <<EOF\na $b\nEOF\n",
            (Heredoc(name="EOF", content="a $b\n", expand=True),),
            id="RUN leaves variables to the shell",
        ),
        pytest.param(
            "RUN <<'EOF'\na\nEOF\n",
            (Heredoc(name="EOF", content="a\n", expand=False),),
            id="quoted",
        ),
        pytest.param(
            "RUN <<-EOF\n\ta\n\tEOF\n",
            (Heredoc(name="EOF", content="a\n", expand=True),),
            id="tabs stripped",
        ),
        pytest.param(
            "RUN cat <<-EOF\n\ta\n\tEOF\n",
            (Heredoc(name="EOF", content="\ta\n", expand=True),),
            id="tabs left to the shell of a longer command",
        ),
        pytest.param(
            "COPY <<A <<B /x/\n1\nA\n2\nB\n",
            (
                Heredoc(name="A", content="1\n", expand=True),
                Heredoc(name="B", content="2\n", expand=True),
            ),
            id="two",
        ),
        pytest.param(
            "ADD <<-A /x\n\t\t# not a comment\n\tA\n",
            (Heredoc(name="A", content="# not a comment\n", expand=True),),
            id="ADD, and a comment is content",
        ),
        pytest.param("RUN cat<<EOF\n", (), id="not at the start of a word"),
        pytest.param('RUN ["a", "<<EOF"]\n', (), id="JSON form"),
    ],
)
def test_heredocs_are_read_as_the_builder_uses_them(
    text: str, heredocs: tuple[Heredoc, ...]
) -> None:
    """Content, tabs and quoting follow the Here-Documents section."""
    assert first(text).heredocs == heredocs


def test_copy_heredoc_has_its_variables_substituted() -> None:
    """An unquoted delimiter: variables are replaced and a backslash escapes."""
    text = 'ENV v=1\nCOPY <<A <<"B" /x/\n$v "q" \\$v\nA\n$v\nB\n'
    copy = parse_build(f"FROM scratch\n{text}").stages[0].instructions[1]
    assert [doc.content for doc in copy.heredocs] == ['1 "q" $v\n', "$v\n"]
    assert copy.args == ("<<A", "<<B", "/x/")


def test_copy_heredoc_without_variables_is_kept() -> None:
    """Quotes mean nothing there."""
    assert first("COPY <<A /x\n'a\"\nA\n").heredocs[0].content == "'a\"\n"


@pytest.mark.parametrize(
    ("text", "keyword", "args", "end_line"),
    [
        pytest.param("ONBUILD RUN make", "ONBUILD", ("RUN make",), 2, id="plain"),
        pytest.param("onbuild  run make", "ONBUILD", ("run make",), 2, id="any case"),
        pytest.param("ONBUILD RUN a \\\n  b", "ONBUILD", ("RUN a b",), 3, id="continued"),
        pytest.param("ONBUILD RUN <<A\nx\nA", "ONBUILD", ("RUN <<A",), 4, id="heredoc"),
        pytest.param("RUN <<A\nONBUILD RUN <<B\nA", "RUN", ("<<A",), 4, id="inside a heredoc"),
        pytest.param("RUN a \\\nONBUILD b", "RUN", ("a ONBUILD b",), 3, id="in a continuation"),
    ],
)
def test_onbuild_keeps_its_instruction(
    text: str, keyword: str, args: tuple[str, ...], end_line: int
) -> None:
    """ONBUILD is one instruction whatever its trigger holds."""
    instruction = first(text)
    found = (instruction.keyword, instruction.args, instruction.end_line)
    assert found == (keyword, args, end_line)


def test_heredoc_that_looks_like_onbuild_keeps_its_content() -> None:
    """A line of a heredoc is never read as an instruction."""
    assert first("RUN <<A\nONBUILD RUN x\nA").heredocs[0].content == "ONBUILD RUN x\n"


def test_parser_warnings_reach_the_build() -> None:
    """What the builder only warns of is not lost."""
    build = parse_build("FROM scratch\nRUN a \\\n\n  b\n")
    assert build.warnings == ("4: Empty continuation line found in: RUN a   b",)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param("FROM scratch\nFOO a\n", 2, "unknown instruction: FOO", id="unknown word"),
        pytest.param("FROM scratch\nRUN <<A\nx\n", 2, "unterminated heredoc", id="open heredoc"),
        pytest.param("FROM scratch\nENV A\n", 2, "ENV must have two arguments", id="ENV alone"),
        pytest.param(
            "# escape=x\nFROM scratch\n", 1, "invalid escape token", id="escape directive"
        ),
        pytest.param(f"FROM a\nRUN {'é' * MAX_LINE}\n", 2, "65535 bytes", id="long line"),
        pytest.param("FROM a\nRUN [1]\n", 2, "Only strings", id="JSON of numbers"),
        pytest.param(f"FROM a\nRUN {'[' * 60_000}\n", None, "too deeply", id="deep JSON"),
    ],
)
def test_syntax_errors_name_their_line(text: str, line: int | None, message: str) -> None:
    """What no builder can read is refused with the line it is in."""
    with pytest.raises(DockerfileError, match=message) as caught:
        parse_build(text, name="app/Dockerfile")
    assert (caught.value.line, caught.value.name) == (line, "app/Dockerfile")


def test_overlong_comment_at_the_top_is_read_quickly() -> None:
    """A hostile directive of 60,000 spaces would take half a minute otherwise."""
    text = f"# a = b{' ' * 60_000}c\nFROM scratch\n"
    assert parse_build(text).stages[0].line == 2


def test_overlong_comment_in_a_heredoc_is_kept() -> None:
    """Only comments at the top are cut."""
    line = f"#{'x' * MAX_COMMENT}y\n"
    assert first(f"RUN <<A\n{line}A\n").heredocs[0].content == line
