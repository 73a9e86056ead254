"""An instruction and the history entry it may have left: each keyword's rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.model.image import HistoryEntry
from layertrace.provenance.alignment.agreement import agrees
from layertrace.provenance.alignment.spelling import read_created_by

if TYPE_CHECKING:
    from layertrace.model.build import Instruction

HASH = "9b758a0c44cea84997fb3aabe1e2e4e095cf872635f64c8766d55ace86fc29de"
NOP = "/bin/sh -c #(nop)"


def _instruction(text: str) -> Instruction:
    """Return the last instruction of a stage with a named and a known directory."""
    build = parse_build(f"FROM base AS build\nFROM scratch\nWORKDIR /w\n{text}\n")
    return build.stages[1].instructions[-1]


def _agrees(text: str, created_by: str) -> bool:
    return agrees(read_created_by(HistoryEntry(created_by=created_by)), _instruction(text))


@pytest.mark.parametrize(
    ("text", "created_by"),
    [
        ("RUN npm ci", "RUN /bin/sh -c npm ci # buildkit"),
        ("RUN npm ci", "/bin/sh -c npm ci"),
        ("RUN npm ci", "RUN npm ci"),
        ("RUN a \\\n  && b", "RUN /bin/sh -c a   && b # buildkit"),
        ("RUN a \\\n  # why\n  && b", "/bin/sh -c a   && b"),
        ("RUN a\t&& b", "RUN |2 A=1 B=x y /bin/sh -c a\t&& b # buildkit"),
        ("RUN a", "|1 A=1 /bin/sh -c a"),
        ("RUN a", "|1 A=1 /bin/bash -c a"),
        ("RUN a", "RUN /bin/bash -o pipefail -c a # buildkit"),
        ('RUN ["/bin/echo", "a  b", "x\\"y"]', 'RUN /bin/echo a  b x"y # buildkit'),
        ('RUN ["/bin/echo", "a"]', "/bin/echo a"),
        ('RUN ["/bin/echo", "a"]', "|1 A=1 /bin/echo a"),
        ("RUN <<EOF\na\nb\nEOF", "RUN /bin/sh -c a\nb\n # buildkit"),
        ("RUN <<-EOF\n\ta\nEOF", "RUN /bin/sh -c a\n # buildkit"),
        ("RUN <<EOF\n#!/bin/foo\nx\nEOF", "RUN /bin/sh -c /dev/pipes/EOF # buildkit"),
        ("RUN cat <<EOF > /f\na\nEOF", "RUN /bin/sh -c cat <<EOF > /f\na\nEOF # buildkit"),
        ("RUN --mount=type=cache,target=/c a", "RUN /bin/sh -c a # buildkit"),
        ("COPY /app/dist /app/dist", "COPY /app/dist /app/dist # buildkit"),
        ("COPY --from=build --link /a /b", "COPY /a /b # buildkit"),
        ("COPY --from=build /a /b", "COPY --from=build /a /b"),
        ("COPY --chown=1:2 --chmod=0640 a b/", "COPY --chown=1:2 --chmod=0640 a b/ # buildkit"),
        ("COPY --chown=1:2 a b/", "COPY a b/ # buildkit"),
        ("COPY --parents a/./b /c/", "COPY --parents a/./b /c/ # buildkit"),
        ('COPY ["b c.txt", "a", "/sp ace/"]', "COPY b c.txt a /sp ace/ # buildkit"),
        ("COPY <<EOF /v.txt\nx\nEOF", "COPY <<EOF /v.txt # buildkit"),
        ("COPY <<EOF a /d/\nx\nEOF", "COPY a <<EOF /d/ # buildkit"),
        ("COPY a b /d/", f"{NOP} COPY multi:{HASH} in /d/ "),
        ("COPY a .", f"{NOP} COPY file:{HASH} in . "),
        ("COPY a sub", f"{NOP} COPY file:{HASH} in /w/sub "),
        ("COPY --chown=1:2 a ../up/", f"{NOP} COPY --chown=1:2dir:{HASH} in ../up/ "),
        ("COPY --chown=1:2 a b", f"{NOP} COPY --chown=1:2 file:{HASH} in b "),
        ("ENV X=/x\nCOPY a $X/", f"{NOP} COPY file:{HASH} in /x/ "),
        ("ARG B=1", f"{NOP} ARG A B C"),
        ("ARG B C=2", f"{NOP} ARG A B C"),
        ("COPY --chown=1:2 a b", f"{NOP} COPY file:{HASH} in b "),
        ("COPY a ${UNSET:-b}/c", f"{NOP} COPY file:{HASH} in ${{UNSET:-b}}/c "),
        ("ADD x.tgz .", f"{NOP} ADD file:{HASH} in . "),
        ("ADD http://h/x /d/", f"{NOP} ADD {HASH} in /d/ "),
        ("ADD http://h/x /d/", f"{NOP} ADD http://h/x in /d/ "),
        ("WORKDIR /app/", "WORKDIR /app"),
        ("WORKDIR sub", "WORKDIR /w/sub"),
        ("WORKDIR sub", f"{NOP} WORKDIR sub"),
        ("ARG A", "ARG A"),
        ("ARG A=1", f"{NOP}  ARG A=1"),
        ("ARG A=1", "ARG A"),
        ("ARG TARGETARCH", "ARG TARGETARCH=amd64"),
        ('ARG A B="two words" C', "ARG A B=two words C"),
        ("ARG OTHER\nARG A=${OTHER}1", "ARG A=x1"),
        ('ENV A=1 B="two words"', "ENV A=1 B=two words"),
        ("ENV OLD old style", f"{NOP}  ENV OLD=old style"),
        ('LABEL a="v \\"q\\"" "b c"=x', 'LABEL a=v "q" b c=x'),
        ("LABEL a='it''s'", f"{NOP} LABEL a='it''s'"),
        ("LABEL a=1", 'LABEL "a"="1"'),
        ("EXPOSE 80 443/tcp 53/udp 70-72", f"{NOP}  EXPOSE 443/tcp 53/udp 70-72 80"),
        (
            "EXPOSE 80 443/TCP 53/udp 70-72",
            "EXPOSE map[443/tcp:{} 53/udp:{} 70/tcp:{} 71/tcp:{} 72/tcp:{} 80/tcp:{}]",
        ),
        ("EXPOSE 3000", "EXPOSE [3000/tcp]"),
        ("EXPOSE 8080:80", "EXPOSE [80/tcp]"),
        ("VOLUME /data /data2", "VOLUME [/data /data2]"),
        ('VOLUME ["/json vol"]', f"{NOP}  VOLUME [/json vol]"),
        (
            'HEALTHCHECK --interval=5s CMD echo "hi" || exit 1',
            r"""HEALTHCHECK &{["CMD-SHELL" "echo \"hi\" || exit 1"] "5s" "0s" "0s" '\x00'}""",
        ),
        (
            'HEALTHCHECK CMD ["a", "b c"]',
            r"""HEALTHCHECK &{["CMD" "a" "b c"] "0s" "0s" "0s" '\x00'}""",
        ),
        ("HEALTHCHECK NONE", r"""HEALTHCHECK &{["NONE"] "0s" "0s" "0s" '\x00'}"""),
        ("HEALTHCHECK NONE", "HEALTHCHECK 0xc000123456"),
        ("STOPSIGNAL SIGTERM", "STOPSIGNAL SIGTERM"),
        ("ONBUILD COPY a /b/", f"{NOP}  ONBUILD COPY a /b/"),
        ("USER node", "USER node"),
        ("MAINTAINER Some Body <a@b>", "MAINTAINER Some Body <a@b>"),
        ('SHELL ["/bin/sh", "-e", "-c"]', "SHELL [/bin/sh -e -c]"),
        (
            r"""CMD ["sh", "-c", "echo \"hi\" é\t\n 'x' \\ $A"]""",
            r"""CMD ["sh" "-c" "echo \"hi\" é\t\n 'x' \\ $A"]""",
        ),
        (r'CMD ["\u0001\u0007\u000b"]', r'CMD ["\x01\a\v"]'),
        ('CMD ["\U000e0001"]', r'CMD ["\U000e0001"]'),
        ("CMD npm start", 'CMD ["/bin/sh" "-c" "npm start"]'),
        ('CMD ["node", "x.js"]', f'{NOP} CMD ["node", "x.js"]'),
        ("CMD npm start", f"{NOP} CMD npm start"),
        ("ENTRYPOINT []", "ENTRYPOINT []"),
        ('ENTRYPOINT ["/tini", "--"]', 'ENTRYPOINT ["/tini" "--"]'),
        ("CMD a [b]", f"{NOP} CMD a  [b]"),
    ],
)
def test_agrees_takes_every_builders_spelling(text: str, created_by: str) -> None:
    """What a builder writes for an instruction agrees with it."""
    assert _agrees(text, created_by)


@pytest.mark.parametrize(
    ("text", "created_by"),
    [
        ("RUN make", "RUN /bin/sh -c cd x && make # buildkit"),
        ("RUN make", "/bin/sh -c cd x && make"),
        ("RUN make", "RUN /bin/sh -c make # later # buildkit"),
        ("RUN make", "RUN /bin/sh -c remake # buildkit"),
        ("RUN make", "RUN |1 A=1 /bin/sh -c cd /x; /bin/sh -c make # buildkit"),
        ("RUN make", "COPY make # buildkit"),
        ("RUN make", ""),
        ("RUN \\\n", "RUN /bin/sh -c make # buildkit"),
        ('RUN ["make"]', "RUN /bin/sh -c make # buildkit"),
        ("RUN <<EOF\na\nEOF", "RUN /bin/sh -c a\nb\n # buildkit"),
        ("RUN cat <<EOF > /f\na\nEOF", "RUN /bin/sh -c cat <<EOF > /g\na\nEOF # buildkit"),
        ("COPY /a /b", "COPY /a /c # buildkit"),
        ("COPY /a /b", "COPY /a /b/ # buildkit"),
        ("COPY /a /b", "COPY /x /a /b # buildkit"),
        ("COPY /a /b", "ADD /a /b # buildkit"),
        ("COPY --chown=1:2 a b", "COPY --chown=1:3 a b # buildkit"),
        ("COPY a b", "COPY --chown=1:3 a b # buildkit"),
        ("COPY a /c/", "COPY --parents a /c/ # buildkit"),
        ("COPY --parents a /c/", "COPY a /c/ # buildkit"),
        ("COPY --from=build /a /b", "COPY --from=other /a /b"),
        ("COPY a /b", f"{NOP} COPY file:{HASH} in /c "),
        ("COPY a sub", f"{NOP} COPY file:{HASH} in /x/sub "),
        ("COPY a sub", f"{NOP} COPY file:{HASH} in other "),
        ("COPY --chown=1:2 a b", f"{NOP} COPY --chown=1:3file:{HASH} in b "),
        ("ARG B=1", "ARG A B C"),
        ("ARG B=1", f"{NOP} ARG A C"),
        ("ARG B=1", f"{NOP} ARG C B"),
        ("COPY a b", f"{NOP} COPY --chown=1:3 file:{HASH} in b "),
        ("ADD http://h/x /d/", f"{NOP} ADD http://h/x in /e/ "),
        ("WORKDIR /app", "WORKDIR /srv"),
        ("WORKDIR sub", "WORKDIR /x/sub"),
        ("ARG A=1", "ARG B=1"),
        ("ARG A=1", "ARG A=2"),
        ("ARG A=1 B", "ARG A=1"),
        ("ENV A=1", "ENV X=0 A=1"),
        ("ENV A=1", "ENV A=2"),
        ("LABEL a=1 b=2", "LABEL a=1"),
        ("EXPOSE 80", "EXPOSE [81/tcp]"),
        ("EXPOSE 80 53/udp", "EXPOSE map[53/tcp:{} 80/tcp:{}]"),
        ("VOLUME /data", "VOLUME [/data2]"),
        ("HEALTHCHECK CMD a", r"""HEALTHCHECK &{["CMD-SHELL" "b"] "0s" "0s" "0s" '\x00'}"""),
        ("HEALTHCHECK NONE", r"""HEALTHCHECK &{["CMD-SHELL" "b"] "0s" "0s" "0s" '\x00'}"""),
        ("ONBUILD RUN a", f"{NOP}  ONBUILD RUN b"),
        ('CMD ["node"]', 'CMD ["node" "x"]'),
        ('CMD ["x"]', 'CMD ["node" "x"]'),
        ("CMD x", 'CMD ["x"]'),
        ("CMD x", 'CMD ["/bin/sh" "-c" "y"]'),
        ("CMD x", "CMD y"),
        ("CMD x", "CMD [x y]"),
        (r'CMD ["\u0001"]', r'CMD ["\Uffffffff"]'),
        ("USER a", "USER b"),
    ],
)
def test_agrees_refuses_another_instruction(text: str, created_by: str) -> None:
    """An entry that this instruction cannot have left does not agree, however alike."""
    assert not _agrees(text, created_by)


def test_agrees_uses_the_shell_the_history_records() -> None:
    """Behind SHELL a command stands after that shell, whatever it is."""
    instruction, shell = _instruction("RUN print(1)"), "/usr/bin/python3 -c"
    for created_by in (f"RUN {shell} print(1) # buildkit", f"|1 A=x {shell} print(1)"):
        recorded = read_created_by(HistoryEntry(created_by=created_by))
        assert agrees(recorded, instruction, shell=shell)
        assert not agrees(recorded, instruction)


def test_agrees_takes_the_default_of_an_argument_that_was_given() -> None:
    """Of ``--build-arg A=2`` builders record ``ARG A=1`` or ``ARG A=2``; both agree."""
    build = parse_build("FROM scratch\nARG A=1\n", build_args={"A": "2"})
    (instruction,) = build.stages[0].instructions
    for created_by in ("ARG A=1", "ARG A=2", "ARG A"):
        recorded = read_created_by(HistoryEntry(created_by=created_by))
        assert agrees(recorded, instruction, given={"A": "2"})


def test_agrees_on_an_instruction_whose_variables_are_not_known() -> None:
    """What a variable stands for cannot be compared; the keyword still is."""
    build = parse_build("FROM base\nCOPY $SRC /dst\n")
    (instruction,) = build.stages[0].instructions
    assert instruction.unresolved
    for created_by, expected in (("COPY a /dst # buildkit", True), ("ADD a /dst", False)):
        assert agrees(read_created_by(HistoryEntry(created_by=created_by)), instruction) is expected


def test_agrees_on_relative_paths_where_the_directory_is_not_known() -> None:
    """Below an unknown base a relative path is compared by its own parts."""
    build = parse_build("FROM base\nWORKDIR sub/dir/\nWORKDIR ../..\n")
    first, second = build.stages[0].instructions
    for instruction, created_by, expected in (
        (first, "WORKDIR /any/sub/dir", True),
        (first, "WORKDIR /any/other/dir", False),
        (first, "WORKDIR /anysub/dir", False),
        (second, "WORKDIR /any", True),
    ):
        assert agrees(read_created_by(HistoryEntry(created_by=created_by)), instruction) is expected
