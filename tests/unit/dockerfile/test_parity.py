"""The same instructions at the same lines as BuildKit's own parser finds.

The reference is the ``dockerfile`` package: BuildKit's Go parser with a thin
binding. The files are put together here, a few pieces from each group.
"""

from __future__ import annotations

from itertools import product

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.errors import DockerfileError

golang = pytest.importorskip("dockerfile", reason="no wheel of BuildKit's parser here")

HEADS = {
    "plain": "FROM alpine:3 AS build\n",
    "directives": "# syntax=docker/dockerfile:1\n# escape=\\\n\nfrom alpine as build\n",
    "arguments": "ARG A=1\n# why\nARG B=$A C\nFROM --platform=linux/amd64 alpine AS build\n",
}
BODIES = {
    "continued": "RUN a \\\n  && b \\\n  # why\n\n  && c\nENV a=1 \\\n    b=2\n",
    "heredocs": "RUN <<EOF\nFROM no\nEOF\nCOPY <<A <<-'B' /x/\n1 \\\nA\n\t2\n\tB\nADD a /b\n",
    "shell heredoc": 'RUN cat <<"E F" > /a && cat <<2\n# no\nE F\n\n2\nUSER a\n',
    "json": 'CMD ["a", "b c"]\nENTRYPOINT [ "a" ]\nVOLUME ["/a", "/b"]\nSHELL ["/bin/sh"]\n',
    "broken json": "CMD ['a']\nRUN [a\nVOLUME /a /b\nCOPY [ab c\n",
    "pairs": 'ENV k value with  spaces\nLABEL a="b c" \'d e\'=f g=h\\ i\nENV x="a\\\n b"\n',
    "flags": "COPY --from=other --chown=a:b --link a b /c/\nRUN --mount=type=cache,target=/a b\n",
    "health": 'HEALTHCHECK NONE\nHEALTHCHECK --interval=1s CMD a || b\nHEALTHCHECK CMD ["a"]\n',
    "onbuild": "ONBUILD RUN a \\\n b\nONBUILD COPY --chown=a . .\nonbuild env a=1\n",
    "onbuild heredoc": "ONBUILD RUN <<A\nONBUILD RUN b\nA\nRUN <<B\nONBUILD COPY <<C /x\nB\n",
    "words": "EXPOSE 80 81/udp\nWORKDIR /a b\nUSER a:b\nSTOPSIGNAL 9\nMAINTAINER a\nARG a b=c\n",
    "odd spaces": "  \tRUN  a\t b  \n\t\n# c\n   # d\nRUN\ta\n",
    "trailing escape": "RUN a \\\n",
    "escapes": "RUN echo \\\\\nCOPY a\\ b c\nRUN echo '\\\n'\n",
}
TAILS = {
    "nothing": "",
    "no newline": "RUN last",
    "stage": "\nFROM scratch\nCOPY --from=0 /a /b",
}
ENDINGS = {"unix": "\n", "dos": "\r\n"}


FILES = [
    pytest.param((a + b + c).replace("\n", newline), id=f"{head}-{body}-{tail}-{ending}")
    for (head, a), (body, b), (tail, c), (ending, newline) in product(
        HEADS.items(), BODIES.items(), TAILS.items(), ENDINGS.items()
    )
    # A file that goes on after its last continuation is another case.
    if body != "trailing escape" or tail == "nothing"
]


@pytest.mark.parametrize("text", FILES)
def test_instructions_and_lines_agree_with_the_go_parser(text: str) -> None:
    """Keyword, first line, last line, JSON form, flags and heredocs are the same."""
    build = parse_build(text)
    first = build.stages[0].line
    found = [
        row
        for stage in build.stages
        for row in (
            ("FROM", stage.line, None, False, None, ()),
            *(
                (
                    i.keyword,
                    i.line,
                    i.end_line,
                    i.json_form,
                    sum(len(values) for values in i.flags.values()),
                    tuple(doc.name for doc in i.heredocs),
                )
                for i in stage.instructions
            ),
        )
    ]
    expected = [
        (
            command.cmd.upper(),
            command.start_line,
            None if command.cmd.upper() == "FROM" else command.end_line,
            command.json and command.cmd.upper() != "ONBUILD",
            {"FROM": None, "ONBUILD": 0}.get(command.cmd.upper(), len(command.flags)),
            () if command.cmd.upper() == "ONBUILD" else tuple(d.name for d in command.heredocs),
        )
        for command in golang.parse_string(text)
        if command.start_line >= first
    ]
    assert found == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("FROM a\nRUN <<A\nb\n", id="open heredoc"),
        pytest.param("FROM a\nENV b\n", id="ENV of one word"),
        pytest.param("FROM a\nLABEL b=1 c\n", id="LABEL without ="),
        pytest.param("# escape=x\nFROM a\n", id="escape directive"),
        pytest.param("", id="empty"),
        pytest.param("FROM a\nRUN [1]\n", id="JSON of numbers"),
    ],
)
def test_what_the_go_parser_refuses_is_refused(text: str) -> None:
    """And for the same reason a builder would not start."""
    with pytest.raises(golang.GoParseError):
        golang.parse_string(text)
    with pytest.raises(DockerfileError):
        parse_build(text)
