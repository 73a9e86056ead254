"""Every builder's way to write an instruction into an image's history."""

from __future__ import annotations

import pytest

from layertrace.model.image import HistoryEntry
from layertrace.provenance.alignment.spelling import read_created_by, split_command

HASH = "9b758a0c44cea84997fb3aabe1e2e4e095cf872635f64c8766d55ace86fc29de"


def _case(created_by: str, keyword: str, text: str, *, classic: bool, name: str) -> object:
    return pytest.param(created_by, keyword, text, classic, id=name)


@pytest.mark.parametrize(
    ("created_by", "keyword", "text", "classic"),
    [
        _case(
            "COPY /app/dist /app/dist # buildkit",
            "COPY",
            "COPY /app/dist /app/dist",
            classic=False,
            name="buildkit copy",
        ),
        _case("WORKDIR /app", "WORKDIR", "WORKDIR /app", classic=False, name="buildkit workdir"),
        _case(
            "RUN /bin/sh -c npm ci # buildkit",
            "RUN",
            "RUN npm ci",
            classic=False,
            name="buildkit run",
        ),
        _case(
            "RUN |1 VERSION=1.2.3 /bin/sh -eu -c true # buildkit",
            "RUN",
            "RUN true",
            classic=False,
            name="buildkit run with arguments",
        ),
        _case(
            "RUN |1 V=two words /bin/echo json  form # buildkit",
            "RUN",
            "RUN |1 V=two words /bin/echo json  form",
            classic=False,
            name="buildkit run without a shell, after arguments",
        ),
        _case(
            "RUN echo sh -c x # buildkit",
            "RUN",
            "RUN echo sh -c x",
            classic=False,
            name="buildkit run that starts a shell itself",
        ),
        _case(
            "RUN /bin/sh -c grep ' #(nop) COPY' log # buildkit",
            "RUN",
            "RUN grep ' #(nop) COPY' log",
            classic=False,
            name="buildkit run that holds the classic mark",
        ),
        _case(
            f"/bin/sh -c #(nop) COPY dir:{HASH} in /app/dist ",
            "COPY",
            f"COPY dir:{HASH} in /app/dist",
            classic=True,
            name="classic copy",
        ),
        _case(
            "/bin/sh -c #(nop)  ENV A=1",
            "ENV",
            "ENV A=1",
            classic=True,
            name="classic env, two spaces",
        ),
        _case(
            "/bin/sh -e -c #(nop)  SHELL [/bin/sh -e -c]",
            "SHELL",
            "SHELL [/bin/sh -e -c]",
            classic=True,
            name="classic, shell with options",
        ),
        _case(
            "powershell -Command $x = 'Stop'; #(nop)  USER me",
            "USER",
            "USER me",
            classic=True,
            name="classic, shell of another system",
        ),
        _case("/bin/sh -c make all", "RUN", "RUN make all", classic=True, name="classic run"),
        _case(
            "|2 A=1 B=two words /bin/sh -c make",
            "RUN",
            "RUN make",
            classic=True,
            name="classic run with arguments",
        ),
        _case(
            "/bin/bash -o pipefail -c a | b", "RUN", "RUN a | b", classic=True, name="classic bash"
        ),
        _case(
            '/bin/sh -c echo " #(nop) COPY x"',
            "RUN",
            'RUN echo " #(nop) COPY x"',
            classic=True,
            name="classic run that holds the mark",
        ),
        _case(
            "/bin/sh -c #(nop) TODO later",
            "RUN",
            "RUN #(nop) TODO later",
            classic=True,
            name="the mark before no instruction",
        ),
        _case("/bin/echo x", "", "/bin/echo x", classic=False, name="classic run without a shell"),
        _case(
            "COPY --from=build /a /b",
            "COPY",
            "COPY --from=build /a /b",
            classic=False,
            name="kaniko",
        ),
        _case("", "", "", classic=False, name="nothing recorded"),
        _case("crane append", "", "crane append", classic=False, name="another tool"),
    ],
)
def test_read_created_by_takes_every_spelling_apart(
    created_by: str,
    keyword: str,
    text: str,
    classic: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Keyword, text and family come out of what a builder wrote."""
    recorded = read_created_by(HistoryEntry(created_by=created_by))
    assert (recorded.keyword, recorded.text, recorded.classic) == (keyword, text, classic)


def test_split_command_leaves_a_command_without_shell_whole() -> None:
    """Where no shell stands in front nothing is taken off, arguments or not."""
    assert split_command("make all") == ("", "make all")
    assert split_command("|1 A=1 /bin/echo x") == ("", "|1 A=1 /bin/echo x")
