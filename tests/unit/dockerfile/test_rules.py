"""What a builder refuses, one case a rule."""

from __future__ import annotations

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.errors import DockerfileError

BELOW_FROM = [
    pytest.param("COPY a", "COPY needs at least one source and a destination", id="COPY one word"),
    pytest.param("ADD", "ADD needs at least one source and a destination", id="ADD nothing"),
    pytest.param('COPY ["a"]', "COPY needs at least one source", id="COPY JSON of one"),
    pytest.param("COPY a <<A\nx\nA", "COPY cannot have a heredoc as its destin", id="COPY into <<"),
    pytest.param('COPY "a b" /c', "matching double-quote", id="COPY quotes hold no spaces"),
    pytest.param("COPY --from=7 a b", "there is no such stage, the last is 0", id="--from number"),
    pytest.param("COPY --from=-1 a b", "there is no such stage", id="--from negative"),
    pytest.param(f"COPY --from={'9' * 5000} a b", "there is no such stage", id="--from huge"),
    pytest.param("COPY --from=0 a b", "takes files from itself", id="--from itself"),
    pytest.param("COPY --from=me a b", "takes files from itself", id="--from its own name"),
    pytest.param("RUN --mount=from=me,target=/x a", "takes files from itself", id="mounts itself"),
    pytest.param("COPY --form=x a b", "COPY has no flag --form, it takes --chown", id="COPY flag"),
    pytest.param("COPY --from a b", "--from needs a value: --from=…", id="flag without value"),
    pytest.param("COPY --chown=a --chown=b a b", "--chown is given twice", id="flag twice"),
    pytest.param("COPY --link=maybe a b", "--link takes true or false, not 'maybe'", id="switch"),
    pytest.param("CMD --x a", "CMD has no flag --x$", id="CMD flag"),
    pytest.param("ENV", "ENV needs at least one argument", id="ENV nothing"),
    pytest.param("ENV =1", "ENV has a value without a name", id="ENV no name"),
    pytest.param("ENV a=1 b", "can't find = in", id="ENV mixed forms"),
    pytest.param("LABEL", "LABEL needs at least one argument", id="LABEL nothing"),
    pytest.param("ARG", "ARG needs at least one argument", id="ARG nothing"),
    pytest.param("ARG =1", "ARG has a value without a name", id="ARG no name"),
    pytest.param("EXPOSE", "EXPOSE needs at least one argument", id="EXPOSE nothing"),
    pytest.param("USER", "USER needs an argument", id="USER nothing"),
    pytest.param("WORKDIR", "WORKDIR needs an argument", id="WORKDIR nothing"),
    pytest.param("STOPSIGNAL", "STOPSIGNAL needs an argument", id="STOPSIGNAL nothing"),
    pytest.param("MAINTAINER", "MAINTAINER needs an argument", id="MAINTAINER nothing"),
    pytest.param("VOLUME", "VOLUME needs at least one argument", id="VOLUME nothing"),
    pytest.param('VOLUME ["/a", ""]', "VOLUME has an empty path", id="VOLUME empty"),
    pytest.param("SHELL", "SHELL needs at least one argument", id="SHELL nothing"),
    pytest.param("SHELL /bin/bash -c", "SHELL takes the JSON form only", id="SHELL not JSON"),
    pytest.param("HEALTHCHECK", "HEALTHCHECK needs at least one", id="HEALTHCHECK nothing"),
    pytest.param("HEALTHCHECK RUN a", "takes CMD or NONE, not 'RUN'", id="HEALTHCHECK other"),
    pytest.param("HEALTHCHECK NONE a", "NONE takes no arguments", id="HEALTHCHECK NONE more"),
    pytest.param("HEALTHCHECK CMD", "CMD needs a command", id="HEALTHCHECK CMD nothing"),
    pytest.param("ONBUILD", "ONBUILD needs an instruction", id="ONBUILD nothing"),
    pytest.param("ONBUILD FROM a", "FROM cannot be an ONBUILD trigger", id="ONBUILD FROM"),
    pytest.param("ONBUILD ONBUILD RUN a", "ONBUILD cannot be an ONBUILD", id="ONBUILD ONBUILD"),
    pytest.param("ONBUILD MAINTAINER a", "MAINTAINER cannot be", id="ONBUILD MAINTAINER"),
    pytest.param("ONBUILD COPY a", "COPY needs at least one source", id="ONBUILD checks within"),
    pytest.param("FROM", "FROM takes an image, or an image AS a name", id="FROM nothing"),
    pytest.param("FROM a b", "FROM takes an image, or an image AS a name", id="FROM two words"),
    pytest.param("FROM a TO b", "FROM takes an image, or an image AS a name", id="FROM not AS"),
    pytest.param("FROM a AS 1b", "invalid stage name '1b'", id="stage name starts with a digit"),
    pytest.param("FROM a AS b/c", "invalid stage name 'b/c'", id="stage name with a slash"),
    pytest.param('FROM ""', "FROM has an empty image name", id="FROM empty"),
    pytest.param('FROM --platform="" a', "--platform is empty", id="FROM platform empty"),
    pytest.param("WORKDIR ${a:?gone}", "a: gone", id="required variable"),
    pytest.param("WORKDIR ${}", "bad substitution", id="no variable name"),
    pytest.param("WORKDIR ${a.b}", "unsupported modifier", id="a template's braces"),
    pytest.param("COPY <<'a b", "matching single-quote", id="heredoc whose quote does not end"),
    pytest.param(f"WORKDIR ${{{'x' * 999}.", "cannot read .{60}…: ", id="long words are cut"),
]


@pytest.mark.parametrize(("text", "message"), BELOW_FROM)
def test_instruction_is_refused_as_by_the_builder(text: str, message: str) -> None:
    """The error names the line of the instruction."""
    with pytest.raises(DockerfileError, match=message) as caught:
        parse_build(f"FROM scratch AS me\n{text}\n")
    assert caught.value.line == 2


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param("", None, "the file is empty", id="nothing"),
        pytest.param("# a\n\n", None, "the file is empty", id="comments alone"),
        pytest.param("ARG a=1\n", None, "the file has no FROM", id="ARG alone"),
        pytest.param("ARG a\nRUN b\nFROM c", 2, "RUN before the first FROM", id="RUN first"),
    ],
)
def test_file_without_a_stage_is_refused(text: str, line: int | None, message: str) -> None:
    """There is nothing to build in it."""
    with pytest.raises(DockerfileError, match=message) as caught:
        parse_build(text)
    assert caught.value.line == line


def test_stages_that_need_each_other_are_refused() -> None:
    """Neither could be built first."""
    text = "FROM x AS a\nCOPY --from=b x y\nFROM x AS b\nCOPY --from=a x y\n"
    with pytest.raises(DockerfileError, match="stage a takes files from itself") as caught:
        parse_build(text)
    assert caught.value.line == 2


def test_stages_that_need_each_other_through_a_third_are_refused() -> None:
    """A mount closes the circle as a COPY does."""
    text = (
        "FROM x AS a\nCOPY --from=b x y\nFROM x AS b\nRUN --mount=from=c,target=/m x\n"
        "FROM x AS c\nCOPY --from=a x y\nCOPY --from=x/y x y\n"
    )
    with pytest.raises(DockerfileError, match="stage a takes files from itself"):
        parse_build(text)


def test_copy_from_a_later_stage_is_refused_where_it_is_built() -> None:
    """The later stage does not exist yet."""
    text = "FROM x AS a\nCOPY --from=b x y\nFROM x AS b\nFROM a\n"
    with pytest.raises(DockerfileError, match="stage b must be defined before stage a"):
        parse_build(text)


def test_copy_from_a_later_stage_passes_where_it_is_not_built() -> None:
    """The builder never looks into a stage that nothing needs."""
    text = "FROM x AS a\nCOPY --from=b x y\nFROM x AS b\n"
    assert parse_build(text).stages[0].instructions[0].source_stage == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("RUN", id="RUN nothing"),
        pytest.param("CMD []", id="CMD empty"),
        pytest.param("HEALTHCHECK NONE", id="HEALTHCHECK NONE"),
        pytest.param("HEALTHCHECK --interval=5s CMD a", id="HEALTHCHECK CMD"),
        pytest.param('SHELL ["/bin/bash", "-c"]', id="SHELL"),
        pytest.param("COPY --link --parents=TRUE --exclude=a --exclude=b a /b/", id="COPY flags"),
        pytest.param("ADD --checksum=sha256:0 --keep-git-dir --unpack=false a b", id="ADD flags"),
        pytest.param("RUN --network=none --security=insecure --device=a a", id="RUN flags"),
        pytest.param("STOPSIGNAL SIGTERM", id="STOPSIGNAL"),
        pytest.param("MAINTAINER a b", id="MAINTAINER"),
    ],
)
def test_instruction_is_taken_as_by_the_builder(text: str) -> None:
    """Unusual, but no builder minds."""
    assert parse_build(f"FROM scratch\n{text}\n").stages[0].instructions[0].text == text
