"""Stages: names, numbers, parents, targets, sources, directories, triggers."""

from __future__ import annotations

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.errors import DockerfileError
from layertrace.model.build import BaseDefaults

TWO = "FROM node:14 AS Build\nRUN make\nFROM node:14-slim\nCOPY --from=build /a /b\n"


def test_stage_has_name_base_lines_and_text() -> None:
    """Names are lower case; an unnamed stage has its number for a name."""
    build = parse_build(TWO, name="app.Dockerfile")
    assert [(s.index, s.name, s.named, s.base, s.base_stage) for s in build.stages] == [
        (0, "build", True, "node:14", None),
        (1, "stage-1", False, "node:14-slim", None),
    ]
    assert [(s.line, s.end_line, s.text) for s in build.stages] == [
        (1, 2, "FROM node:14 AS Build"),
        (3, 4, "FROM node:14-slim"),
    ]
    assert (build.name, build.text, build.target) == ("app.Dockerfile", TWO, 1)


def test_stage_without_instructions_ends_at_its_from() -> None:
    """There is nothing below it."""
    build = parse_build("FROM a AS \\\n\n b\n")
    assert [(s.line, s.end_line) for s in build.stages] == [(1, 3)]


@pytest.mark.parametrize(
    ("source", "stage", "image"),
    [
        pytest.param("build", 0, None, id="name"),
        pytest.param("BUILD", 0, None, id="name in any case"),
        pytest.param("0", 0, None, id="number"),
        pytest.param("+0", 0, None, id="number with a sign"),
        pytest.param("stage-0", None, "stage-0", id="a shown name is no name"),
        pytest.param("nginx:1", None, "nginx:1", id="image"),
        pytest.param('""', None, None, id="nothing means the context"),
    ],
)
def test_copy_from_names_a_stage_or_an_image(
    source: str, stage: int | None, image: str | None
) -> None:
    """A stage's name or number first, else an image."""
    copy = (
        parse_build(f"FROM a AS build\nFROM b\nCOPY --from={source} x y\n")
        .stages[1]
        .instructions[0]
    )
    assert (copy.source_stage, copy.source_image) == (stage, image)


def test_copy_from_with_a_variable_is_followed_with_a_warning() -> None:
    """BuildKit refuses it, but buildah builds such images."""
    build = parse_build(
        "FROM a AS b\nFROM scratch\nARG s=b\nCOPY --from=$s x y\nRUN --mount=target=$s x"
    )
    assert build.stages[1].instructions[1].source_stage == 0
    assert build.warnings == ("4: BuildKit refuses a variable in --from, other builders may not",)


def test_copy_from_with_an_unknown_variable_keeps_it() -> None:
    """The name is not known, and is said not to be."""
    copy = parse_build("FROM a\nCOPY --from=x:$V a b\n").stages[0].instructions[0]
    assert (copy.source_image, copy.unresolved) == ("x:$V", ("V",))


@pytest.mark.parametrize(
    ("mount", "stages"),
    [
        pytest.param("from=build,target=/x", (0,), id="name"),
        pytest.param('type=bind,"FROM=BUILD",target=/x', (0,), id="any case, quoted"),
        pytest.param("from=0,target=/x", (), id="numbers are images here"),
        pytest.param("from=alpine,target=/x", (), id="image"),
        pytest.param("type=cache,target=/x", (), id="no source"),
        pytest.param("", (), id="empty"),
    ],
)
def test_run_mount_names_stages(mount: str, stages: tuple[int, ...]) -> None:
    """What a RUN mounts from a stage makes that stage a part of the build."""
    build = parse_build(f"FROM a AS build\nFROM b\nRUN --mount={mount} x\n")
    assert build.stages[1].instructions[0].mount_stages == stages
    assert build.used() == {1, *stages}


def test_from_prefers_a_stage_above_it() -> None:
    """A stage's name hides the image of that name; one defined later does not."""
    build = parse_build("FROM later\nFROM x AS alpine\nFROM ALPINE AS later\nFROM later\n")
    assert [s.base_stage for s in build.stages] == [None, None, 1, 2]
    assert build.chain(3) == build.stages[1:]


def test_second_stage_of_a_name_is_reported() -> None:
    """FROM means the one above it, ``--from`` and the target the last."""
    build = parse_build("FROM x AS a\nFROM a AS b\nFROM y AS a\nFROM z\nCOPY --from=a x y\n")
    assert build.stages[1].base_stage == 0
    assert build.stages[3].instructions[0].source_stage == 2
    assert build.warnings == ("3: stage a has the name of the one in line 1",)


@pytest.mark.parametrize(
    ("target", "index"),
    [
        pytest.param(None, 2, id="default"),
        pytest.param("", 2, id="empty"),
        pytest.param("a", 0, id="name"),
        pytest.param("A", 0, id="any case"),
        pytest.param("1", 1, id="number"),
        pytest.param("stage-1", 1, id="shown name"),
    ],
)
def test_target_chooses_the_stage(target: str | None, index: int) -> None:
    """By name, by number, or the last."""
    assert parse_build("FROM x AS a\nFROM y\nFROM z AS b\n", target=target).target == index


@pytest.mark.parametrize("target", ["c", "3", "stage-0", "stage-9", "-1", "²", "9" * 5000])
def test_unknown_target_is_refused_with_the_names(target: str) -> None:
    """The error lists what there is."""
    with pytest.raises(DockerfileError, match="there are a, stage-1, b"):
        parse_build("FROM x AS a\nFROM y\nFROM z AS b\n", target=target)


@pytest.mark.parametrize(
    ("text", "build_args", "base"),
    [
        pytest.param("ARG V=14\nFROM node:$V", {}, "node:14", id="global default"),
        pytest.param("ARG V=14\nFROM node:$V", {"V": "16"}, "node:16", id="build argument"),
        pytest.param("ARG A=1\nARG B=$A-x\nFROM node:$B", {}, "node:1-x", id="one by another"),
        pytest.param("FROM node:${V:-14}", {}, "node:14", id="default beside it"),
        pytest.param("ARG B\nFROM ${B:-node}", {}, "node", id="default beside an ARG"),
        pytest.param(
            "FROM host:5000/a/b:1.2@sha256:ab", {}, "host:5000/a/b:1.2@sha256:ab", id="all"
        ),
        pytest.param("FROM Node", {}, "Node", id="as written"),
    ],
)
def test_from_uses_global_arguments(text: str, build_args: dict[str, str], base: str) -> None:
    """Only what stands before the first FROM, and what the caller gives."""
    build = parse_build(text, build_args=build_args)
    assert (build.stages[0].base, build.arguments, build.warnings) == (base, build_args, ())


@pytest.mark.parametrize(
    ("text", "base"),
    [
        pytest.param("ARG V\nFROM node:$V", "node:$V", id="declared without a value"),
        pytest.param("FROM node:${V}-slim", "node:${V}-slim", id="never declared"),
        pytest.param("FROM $V", "$V", id="nothing else"),
        pytest.param("FROM base-${TARGETARCH}", "base-${TARGETARCH}", id="platform"),
        pytest.param("ARG TARGETARCH\nFROM a-$TARGETARCH", "a-$TARGETARCH", id="platform declared"),
    ],
)
def test_from_with_a_missing_value_keeps_it_and_warns(text: str, base: str) -> None:
    """The image was built, so someone gave the value."""
    build = parse_build(f"{text}\n")
    assert build.stages[0].base == base
    line = build.stages[0].line
    assert build.warnings == (
        f"{line}: FROM {base}: not every variable has a value, --build-arg gives one",
    )


def test_stage_argument_does_not_reach_from() -> None:
    """An ARG below a FROM is that stage's own."""
    build = parse_build("FROM a\nARG V=1\nFROM b:$V\n")
    assert build.stages[1].base == "b:$V"


def test_platform_variable_chooses_the_stage_when_given() -> None:
    """``FROM base-${TARGETARCH}`` is how stages are chosen by platform."""
    text = "FROM a AS base-arm64\nFROM b AS base-amd64\nFROM base-${TARGETARCH}\n"
    build = parse_build(text, build_args={"TARGETARCH": "arm64"})
    assert build.stages[2].base_stage == 0


def test_platform_flag_is_kept() -> None:
    """With what is known of it."""
    text = "ARG P=linux/arm64\nFROM --platform=$P a\nFROM --platform=$BUILDPLATFORM b\nFROM c\n"
    assert [s.platform for s in parse_build(text).stages] == ["linux/arm64", "$BUILDPLATFORM", ""]


@pytest.mark.parametrize(
    ("text", "workdir"),
    [
        pytest.param("FROM scratch\n", "/", id="scratch"),
        pytest.param("FROM node\n", "/srv/x", id="known base"),
        pytest.param("FROM other\n", None, id="unknown base"),
        pytest.param("FROM other\nWORKDIR app\n", None, id="relative to an unknown base"),
        pytest.param("FROM other\nWORKDIR /app/\n", "/app", id="absolute"),
        pytest.param("FROM other\nWORKDIR /a\nWORKDIR b/../c\n", "/a/c", id="joined"),
        pytest.param("FROM scratch\nWORKDIR a\n", "/a", id="relative to the root"),
        pytest.param("FROM other\nWORKDIR $HOME/a\n", None, id="unknown variable"),
        pytest.param("FROM other\nWORKDIR /$HOME\nWORKDIR b\n", None, id="below an unknown one"),
        pytest.param("FROM scratch AS p\nWORKDIR /a\nFROM p\n", "/a", id="of the parent stage"),
        pytest.param("FROM scratch AS p\nWORKDIR /a\nFROM scratch\n", "/", id="not of another"),
    ],
)
def test_workdir_is_joined_and_inherited(text: str, workdir: str | None) -> None:
    """As the builder joins it; None where only the base image knows."""
    bases = {"node": BaseDefaults(workdir="/srv/./x/")}
    build = parse_build(f"{text}RUN x\n", bases=bases)
    assert build.stages[-1].instructions[-1].workdir == workdir


def test_workdir_counts_from_the_next_instruction_on() -> None:
    """An instruction is given the directory in effect before it."""
    stage = parse_build("FROM scratch\nWORKDIR /a\nRUN x\n").stages[0]
    assert [i.workdir for i in stage.instructions] == ["/", "/a"]


def test_steps_are_numbered_in_each_stage() -> None:
    """FROM is not counted."""
    build = parse_build("FROM a\nENV b=1\nRUN c\nFROM d\nRUN e\n")
    steps = [(i.stage_index, i.step) for s in build.stages for i in s.instructions]
    assert steps == [(0, 1), (0, 2), (1, 1)]


def test_triggers_of_a_base_image_run_first() -> None:
    """They carry FROM's line and step 0, and change the stage like any other."""
    bases = {"node:onbuild": BaseDefaults(on_build=("WORKDIR /app", "COPY . ."))}
    stage = parse_build("# a\nFROM node:onbuild\nRUN x\n", bases=bases).stages[0]
    assert [(i.text, i.line, i.end_line, i.step, i.triggered) for i in stage.instructions] == [
        ("WORKDIR /app", 2, 2, 0, True),
        ("COPY . .", 2, 2, 0, True),
        ("RUN x", 3, 3, 1, False),
    ]
    assert stage.instructions[1].workdir == "/app"


def test_triggers_of_a_stage_run_in_its_children_only() -> None:
    """Not where they are written, and not in grandchildren."""
    text = "FROM scratch AS a\nENV v=1\nONBUILD USER $v\nFROM a AS b\nENV v=2\nFROM b\nENV x=1\n"
    build = parse_build(text)
    assert [[(i.keyword, i.args) for i in s.instructions] for s in build.stages] == [
        [("ENV", ("v=1",)), ("ONBUILD", ("USER $v",))],
        [("USER", ("1",)), ("ENV", ("v=2",))],
        [("ENV", ("x=1",))],
    ]


@pytest.mark.parametrize("trigger", ["", "RUN a\nRUN b", "# nothing"])
def test_broken_trigger_of_a_base_image_is_refused(trigger: str) -> None:
    """A trigger is one instruction."""
    bases = {"a": BaseDefaults(on_build=(trigger,))}
    with pytest.raises(DockerfileError, match="ONBUILD trigger that is no instruction") as caught:
        parse_build("\nFROM a\n", bases=bases)
    assert caught.value.line == 2


def test_add_is_read_like_copy() -> None:
    """Both have sources and a destination, and both split at spaces."""
    stage = parse_build("FROM scratch\nADD a\\ b\tc/ /d/\n").stages[0]
    assert stage.instructions[0].args == ("a", "b", "c/", "/d/")


def test_json_form_is_marked() -> None:
    """The builder runs it without a shell."""
    stage = parse_build('FROM scratch\nRUN ["a", "b c"]\nRUN [a]\n').stages[0]
    assert [(i.json_form, i.args) for i in stage.instructions] == [
        (True, ("a", "b c")),
        (False, ("[a]",)),
    ]
