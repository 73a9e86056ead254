"""Environment replacement: where it happens, what wins, what stays unknown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.dockerfile.variables import DEFAULT_PATH, MAX_RESULT, _Watched
from layertrace.errors import DockerfileError
from layertrace.model.build import BaseDefaults, Instruction

if TYPE_CHECKING:
    from collections.abc import Mapping


def last(
    text: str,
    *,
    build_args: Mapping[str, str] | None = None,
    bases: Mapping[str, BaseDefaults] | None = None,
    builder: Literal["buildkit", "classic"] = "buildkit",
) -> Instruction:
    """Return the last instruction of the last stage of ``text``."""
    build = parse_build(text, build_args=build_args or {}, bases=bases or {}, builder=builder)
    return build.stages[-1].instructions[-1]


@pytest.mark.parametrize(
    ("word", "becomes"),
    [
        pytest.param("$v", "one", id="$v"),
        pytest.param("${v}", "one", id="${v}"),
        pytest.param("$v_", "", id="name goes as far as it can"),
        pytest.param("${v}_", "one_", id="braces end the name"),
        pytest.param("${v:-x}", "one", id=":- set"),
        pytest.param("${u:-x}", "x", id=":- unset"),
        pytest.param("${e:-x}", "x", id=":- empty"),
        pytest.param("${e-x}", "", id="- empty"),
        pytest.param("${u-x}", "x", id="- unset"),
        pytest.param("${v:+x}", "x", id=":+ set"),
        pytest.param("${e:+x}", "", id=":+ empty"),
        pytest.param("${e+x}", "x", id="+ empty"),
        pytest.param("${u:+x}", "", id=":+ unset"),
        pytest.param("${u:-${v}}", "one", id="default with a variable"),
        pytest.param("${v?no}", "one", id="? set"),
        pytest.param("${f#*/}", "b/c", id="# shortest"),
        pytest.param("${f##*/}", "c", id="## longest"),
        pytest.param("${f%/*}", "a/b", id="% shortest"),
        pytest.param("${f%%/*}", "a", id="%% longest"),
        pytest.param("${f/b/x}", "a/x/c", id="/ once"),
        pytest.param("${f//\\//.}", "a.b.c", id="// everywhere"),
        pytest.param("\\$v", "$v", id="escaped"),
        pytest.param("'$v'", "$v", id="single quotes"),
        pytest.param('"$v"', "one", id="double quotes"),
        pytest.param("a\\b", "ab", id="escape is dropped"),
        pytest.param('"a\\b"', "a\\b", id="escape in double quotes"),
        pytest.param("a$", "a$", id="dollar at the end"),
        pytest.param("$1$@", "", id="what no builder ever sets"),
        pytest.param("/a", "/a", id="nothing to replace"),
    ],
)
def test_word_becomes_what_the_builder_makes_of_it(word: str, becomes: str) -> None:
    """Every form of the Environment replacement section."""
    user = last(f"FROM scratch\nENV v=one e= f=a/b/c\nUSER {word}\n")
    assert (user.args, user.unresolved) == ((becomes,), ())


@pytest.mark.parametrize(
    ("text", "args"),
    [
        pytest.param("ADD $v /$v", ("1", "/1"), id="ADD"),
        pytest.param('COPY ["$v", "/a b"]', ("1", "/a b"), id="COPY JSON"),
        pytest.param("ENV x=$v y$v=2", ("x=1", "y1=2"), id="ENV names too"),
        pytest.param("ENV x $v  and 'so' on", ("x=1  and so on",), id="ENV old form"),
        pytest.param("LABEL a=$v", ("a=1",), id="LABEL"),
        pytest.param("EXPOSE $v $p", ("1", "80", "81/udp"), id="EXPOSE splits again"),
        pytest.param("STOPSIGNAL $v", ("1",), id="STOPSIGNAL"),
        pytest.param("USER $v", ("1",), id="USER"),
        pytest.param("VOLUME /$v /b", ("/1", "/b"), id="VOLUME"),
        pytest.param("WORKDIR /$v", ("/1",), id="WORKDIR"),
        pytest.param("ARG a=$v b=$a c", ("a=1", "b=1", "c"), id="ARG, one after the other"),
        pytest.param("RUN echo $v", ("echo $v",), id="not RUN"),
        pytest.param("CMD $v", ("$v",), id="not CMD"),
        pytest.param('ENTRYPOINT ["$v"]', ("$v",), id="not ENTRYPOINT"),
        pytest.param("HEALTHCHECK CMD $v", ("CMD", "$v"), id="not HEALTHCHECK"),
        pytest.param("ONBUILD RUN $v", ("RUN $v",), id="ONBUILD only when triggered"),
        pytest.param("MAINTAINER $v", ("$v",), id="not MAINTAINER"),
    ],
)
def test_variables_are_replaced_only_where_the_builder_does(
    text: str, args: tuple[str, ...]
) -> None:
    """The list of instructions in the Environment replacement section."""
    instruction = last(f'FROM scratch\nENV v=1 p="80 81/udp"\n{text}\n')
    assert (instruction.args, instruction.unresolved) == (args, ())


@pytest.mark.parametrize(
    ("text", "flag", "value"),
    [
        pytest.param("COPY --chown=$v a b", "chown", "1", id="chown"),
        pytest.param("COPY --chmod=$v a b", "chmod", "1", id="chmod"),
        pytest.param("ADD --checksum=$v a b", "checksum", "1", id="checksum"),
        pytest.param(
            "RUN --mount=type=cache,target=/$v a", "mount", "type=cache,target=/1", id="mount"
        ),
        pytest.param("COPY --exclude=$v a b", "exclude", "$v", id="not exclude"),
        pytest.param("RUN --network=$v a", "network", "$v", id="not network"),
        pytest.param("COPY --link a b", "link", "", id="bare flag"),
    ],
)
def test_flags_are_replaced_only_where_the_builder_does(text: str, flag: str, value: str) -> None:
    """Owners, modes, checksums and mounts are; patterns are not."""
    assert last(f"FROM scratch\nENV v=1\n{text}\n").flags[flag] == (value,)


def test_env_sees_the_values_before_its_own_line() -> None:
    """``ENV a=1 b=$a`` gives b the a that stood before."""
    assert last("FROM scratch\nENV a=old\nENV a=new b=$a\nUSER $b\n").args == ("old",)


@pytest.mark.parametrize(
    ("text", "build_args", "user"),
    [
        pytest.param("FROM scratch\nARG v=1\nUSER $v", {}, "1", id="default"),
        pytest.param("FROM scratch\nARG v=1\nUSER $v", {"v": "2"}, "2", id="build argument"),
        pytest.param("FROM scratch\nARG v=${gone?}\nUSER $v", {"v": "2"}, "2", id="default unread"),
        pytest.param("FROM scratch\nUSER a$v", {"v": "2"}, "a", id="not declared"),
        pytest.param("ARG v=1\nFROM scratch\nUSER a$v", {}, "a", id="global, not declared again"),
        pytest.param("ARG v=1\nFROM scratch\nARG v\nUSER $v", {}, "1", id="global, declared again"),
        pytest.param("ARG v=1\nFROM scratch\nARG v=2\nUSER $v", {}, "2", id="own default wins"),
        pytest.param("ARG v=1\nFROM scratch\nARG v\nUSER $v", {"v": "3"}, "3", id="global, given"),
        pytest.param("FROM scratch\nARG v=1\nENV v=2\nUSER $v", {"v": "3"}, "2", id="ENV wins"),
        pytest.param("FROM scratch\nENV v=1\nARG v\nUSER $v", {}, "1", id="empty ARG leaves ENV"),
        pytest.param("FROM scratch\nARG v\nENV v=1\nUSER $v", {}, "1", id="ENV fills an ARG"),
        pytest.param("FROM scratch\nUSER $v\nARG v=1\nUSER a$v", {}, "a1", id="from its line on"),
        pytest.param("FROM scratch\nARG v\nUSER ${v:-x}", {}, "x", id="default beside it"),
        pytest.param(
            "FROM scratch\nARG TARGETARCH\nUSER $TARGETARCH",
            {"TARGETARCH": "arm64"},
            "arm64",
            id="platform given",
        ),
        pytest.param(
            "FROM scratch\nARG TARGETARCH=mips\nUSER $TARGETARCH", {}, "mips", id="platform default"
        ),
        pytest.param(
            "FROM scratch AS Last\nARG TARGETSTAGE\nUSER $TARGETSTAGE",
            {},
            "last",
            id="target stage",
        ),
        pytest.param(
            "FROM scratch\nARG TARGETSTAGE\nUSER $TARGETSTAGE", {}, "default", id="unnamed target"
        ),
        pytest.param(
            "FROM scratch AS a\nENV v=1\nFROM a\nUSER $v", {}, "1", id="ENV of the parent stage"
        ),
        pytest.param("FROM scratch AS a\nENV v=1\nFROM scratch\nUSER a$v", {}, "a", id="no parent"),
        pytest.param("FROM scratch\nUSER $PATH", {}, DEFAULT_PATH, id="PATH of scratch"),
    ],
)
def test_scope_decides_the_value(text: str, build_args: dict[str, str], user: str) -> None:
    """The Scope and ARG sections of the reference."""
    instruction = last(text, build_args=build_args)
    assert (instruction.args, instruction.unresolved) == ((user,), ())


@pytest.mark.parametrize(
    ("builder", "user"),
    [
        pytest.param("buildkit", ("x-arg", "y-env-parent-"), id="BuildKit"),
        pytest.param("classic", ("x-env", "y-env--"), id="classic"),
    ],
)
def test_builders_disagree_on_arguments(
    builder: Literal["buildkit", "classic"], user: tuple[str, str]
) -> None:
    """Docker 20.10 gave these four answers to this file."""
    text = (
        "FROM scratch AS p\nARG P=parent\nENV X=env\nARG X=arg\nUSER x-$X\n"
        "FROM p\nUSER y-$X-$P-$U\n"
    )
    build = parse_build(text, builder=builder)
    assert tuple(stage.instructions[-1].args[0] for stage in build.stages) == user


BASE = {"node": BaseDefaults(env={"HOME": "/root", "PATH": "/bin"}, workdir="/srv")}


@pytest.mark.parametrize(
    ("text", "bases", "args", "unresolved"),
    [
        pytest.param("USER $HOME", {}, ("$HOME",), ("HOME",), id="base unknown"),
        pytest.param("USER $HOME", BASE, ("/root",), (), id="base known"),
        pytest.param("USER a$GONE", BASE, ("a",), (), id="base known to lack it"),
        pytest.param("USER ${HOME:-x}", {}, ("${HOME:-x}",), ("HOME",), id="default of no use"),
        pytest.param("USER ${HOME?no}", {}, ("${HOME?no}",), ("HOME",), id="no failure either"),
        pytest.param("COPY $A$B /$A", {}, ("$A$B", "/$A"), ("A", "B"), id="each name once"),
        pytest.param("USER $1", {}, ("",), (), id="no variable at all"),
        pytest.param("ENV A=$HOME\nUSER $A", {}, ("$A",), ("A",), id="known by halves"),
        pytest.param("ENV A=$HOME\nENV A=1\nUSER $A", {}, ("1",), (), id="known again"),
        pytest.param("ARG V\nUSER $V", BASE, ("$V",), ("V",), id="ARG without a value"),
        pytest.param("ARG V=$A\nUSER $V", {}, ("$V",), ("V",), id="ARG with an unknown default"),
        pytest.param("ARG TARGETOS\nUSER $TARGETOS", BASE, ("$TARGETOS",), ("TARGETOS",), id="os"),
        pytest.param(
            "ARG TARGETOS\nUSER ${TARGETOS:-x}",
            BASE,
            ("${TARGETOS:-x}",),
            ("TARGETOS",),
            id="os with a default",
        ),
        pytest.param("ARG V=$A", {}, ("V=$A",), ("A",), id="in the ARG itself"),
        pytest.param("EXPOSE $A 80", {}, ("$A", "80"), ("A",), id="EXPOSE"),
        pytest.param("RUN --mount=target=$A a", {}, ("a",), ("A",), id="in a flag"),
        pytest.param("COPY <<A /x\n$B\nA", {}, ("<<A", "/x"), ("B",), id="in a heredoc"),
    ],
)
def test_unknown_values_are_named_and_left_as_written(
    text: str,
    bases: dict[str, BaseDefaults],
    args: tuple[str, ...],
    unresolved: tuple[str, ...],
) -> None:
    """The base may set what the file does not; a guess would be wrong."""
    instruction = last(f"FROM node\n{text}\n", bases=bases)
    assert (instruction.args, instruction.unresolved) == (args, unresolved)


def test_unknown_global_argument_stays_unknown_in_a_stage() -> None:
    """Declaring it again does not make it known."""
    text = "ARG a=$TARGETOS\nFROM scratch\nARG a\nUSER $a\n"
    assert last(text).unresolved == ("a",)


def test_classic_builder_keeps_env_over_an_unknown_argument() -> None:
    """There ENV wins whatever the ARG holds."""
    text = "FROM scratch\nENV TARGETOS=x\nARG TARGETOS\nUSER $TARGETOS\n"
    assert last(text, builder="classic").args == ("x",)


def test_doubling_a_variable_ends_in_an_error_not_in_memory() -> None:
    """Sixty lines of it would ask for more than any machine has."""
    text = f"FROM scratch\nENV A={'a' * 5000}\n" + "ENV A=$A$A\n" * 60
    with pytest.raises(DockerfileError, match=f"more than {MAX_RESULT} bytes"):
        parse_build(text)


def test_costly_pattern_is_left_alone() -> None:
    """Four stars against 3,000 letters would run for days."""
    text = f"FROM scratch\nENV A={'a' * 3000}\nUSER ${{A/*a*a*a*b/x}}\n"
    user = last(text)
    assert (user.args, user.unresolved) == (("${A/*a*a*a*b/x}",), ("A",))


def test_watched_values_are_the_values_and_note_what_is_missing() -> None:
    """The lexer sees an ordinary mapping."""
    values = {"a": "1", "b": ""}
    watched = _Watched(values)
    assert (dict(watched), len(watched), watched.get("c")) == (values, 2, None)
    assert list(watched.missed) == ["c"]
