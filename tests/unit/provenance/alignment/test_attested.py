"""Layers by the builder's own provenance: the walk of its graph, and its word weighed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.model.attestation import (
    Attestation,
    BuildStep,
    Edge,
    LineRange,
    Material,
    StepKind,
    Wire,
)
from layertrace.model.build import BaseDefaults
from layertrace.model.image import HistoryEntry, Image, ImageConfig, LayerRef, Platform
from layertrace.model.origin import Evidence, Trust
from layertrace.provenance.alignment import attested
from layertrace.provenance.alignment.attested import attested_layers, is_of, tie, with_triggers
from layertrace.provenance.alignment.history import CONTRADICTED, MISMATCH, Alignment, align
from layertrace.provenance.alignment.materials import name_bases, with_bases
from layertrace.provenance.alignment.reading import Reading
from layertrace.provenance.alignment.weighing import (
    PROVENANCE_CONTRADICTED,
    first_difference,
    weigh,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.model.build import Build


def at(*lines: int, file: int = 0) -> tuple[LineRange, ...]:
    """Return one place a line."""
    return tuple(LineRange(file, line, line) for line in lines)


def source(name: str, line: int = 1, identifier: str = "docker-image://base") -> BuildStep:
    """Return a step that takes an image or a context."""
    return BuildStep(id=name, kind=StepKind.SOURCE, source=identifier, lines=at(line))


def files(
    name: str, inputs: str, *wires: tuple[int, int], lines: tuple[LineRange, ...] = ()
) -> BuildStep:
    """Return a file operation; by default one action on the first input."""
    return BuildStep(
        id=name,
        kind=StepKind.FILE,
        inputs=edges(inputs),
        wires=tuple(Wire(*wire) for wire in wires or ((0, 0),)),
        lines=lines,
    )


def run(
    name: str, inputs: str, *wires: tuple[int, int], lines: tuple[LineRange, ...] = ()
) -> BuildStep:
    """Return a command; by default its root is its one mount."""
    step = files(name, inputs, *wires, lines=lines)
    return BuildStep(id=name, kind=StepKind.EXEC, inputs=step.inputs, wires=step.wires, lines=lines)


def merge(name: str, inputs: str) -> BuildStep:
    """Return a merge of all its inputs."""
    found = edges(inputs)
    wires = tuple(Wire(number, 0) for number in range(len(found)))
    return BuildStep(id=name, kind=StepKind.MERGE, inputs=found, wires=wires)


def end(inputs: str) -> BuildStep:
    """Return the last step."""
    return BuildStep(id="end", kind=StepKind.TERMINAL, inputs=edges(inputs))


def edges(text: str) -> tuple[Edge, ...]:
    """Return edges as a graph spells them: ``a:0 b:1``."""
    pairs = (word.split(":") for word in text.split())
    return tuple(Edge(step, int(output)) for step, output in pairs)


def graph(*steps: BuildStep, **more: object) -> Attestation:
    """Return a provenance with this graph."""
    return Attestation(document="prov.json", steps=steps, **more)  # type: ignore[arg-type]


def made_by(count: int, *steps: BuildStep) -> list[str] | None:
    """Return the steps that made each layer, those of the base in brackets."""
    found = attested_layers(graph(*steps), count)
    return found and [f"[{layer.step}]" if layer.base else layer.step for layer in found]  # type: ignore[return-value]


# The walk


def test_layers_above_the_base_are_the_last_ones() -> None:
    """Each operation makes one layer; what is left is the base's."""
    steps = (source("b"), files("c", "b:0 x:0"), run("r", "c:0"), end("r:0"))
    assert made_by(2, *steps[:3], end("r:0")) == ["c", "r"]
    assert made_by(5, *steps) == ["[b]", "[b]", "[b]", "c", "r"]


def test_a_base_keeps_its_identifier_and_lines() -> None:
    """A layer carries where its step stands and what its base is."""
    found = attested_layers(graph(source("b", line=3), end("b:0")), 1)
    assert found is not None
    assert (found[0].source, found[0].lines) == ("docker-image://base", at(3))


def test_a_chain_of_actions_is_followed_to_a_real_input() -> None:
    """An input beyond the inputs is the result of an earlier action."""
    several = files("c", "x:0 b:0", (1, -1), (2, -1), (3, 0))
    assert made_by(2, source("b"), several, end("c:0")) == ["[b]", "c"]


def test_the_action_of_the_edge_is_the_one_taken() -> None:
    """A step of several results was made on another input for each."""
    split = files("c", "b:0 d:0", (0, 0), (1, 1))
    steps = (source("b"), source("s"), run("d", "s:0"), split)
    assert made_by(3, *steps, end("c:0")) == ["[b]", "[b]", "c"]
    assert made_by(3, *steps, end("c:1")) == ["[s]", "d", "c"]


def test_a_step_on_nothing_starts_the_chain() -> None:
    """FROM scratch has no source: input -1; an image of it has no layers of a base."""
    steps = (files("c", "x:0", (-1, 0)), run("r", "c:0"), end("r:0"))
    assert made_by(2, *steps) == ["c", "r"]
    assert made_by(3, *steps) is None


def test_a_command_stands_on_the_mount_it_writes_to() -> None:
    """Other mounts, caches and stages, are no layers below it."""
    command = run("r", "s:0 b:0", (0, -1), (1, 0), (-1, -1))
    assert made_by(2, source("b"), source("s"), command, end("r:0")) == ["[b]", "r"]


def test_a_merge_stacks_its_inputs() -> None:
    """COPY --link is one layer on the first input; merges may follow each other."""
    steps = (
        source("b"),
        files("c", "b:0"),
        files("l", "s:0", (-1, 0)),
        merge("m", "c:0 l:0"),
        files("k", "x:0", (-1, 0)),
        merge("n", "m:0 k:0"),
        run("r", "n:0"),
        end("r:0"),
    )
    assert made_by(5, *steps) == ["[b]", "c", "l", "k", "r"]
    assert made_by(6, *steps) == ["[b]", "[b]", "c", "l", "k", "r"]


def test_unused_steps_make_no_layers() -> None:
    """What the result does not stand on is passed over, even where it is broken."""
    assert made_by(1, source("b"), run("other", "gone:0"), end("b:0")) == ["[b]"]


@pytest.mark.parametrize(
    "steps",
    [
        pytest.param((), id="mode=min: no graph"),
        pytest.param((source("b"),), id="no last step"),
        pytest.param((end(""),), id="a last step on nothing"),
        pytest.param((end("gone:0"),), id="a missing step"),
        pytest.param((source("b"), run("r", "gone:0"), end("r:0")), id="missing below"),
        pytest.param((run("r", "r:0"), end("r:0")), id="round a command"),
        pytest.param((run("r", "s:0"), run("s", "r:0"), end("r:0")), id="round two"),
        pytest.param((merge("m", "m:0"), end("m:0")), id="round a merge"),
        pytest.param((merge("m", "m:0 m:0"), end("m:0")), id="round a merge, twice"),
        pytest.param((files("c", "b:0", (2, 0), (1, 1)), end("c:0")), id="round the actions"),
        pytest.param((files("c", "b:0", (1, 0)), end("c:0")), id="an action on itself"),
        pytest.param((files("c", "b:0", (9, 0)), end("c:0")), id="an action that is not there"),
        pytest.param((source("b"), files("c", "b:0"), end("c:3")), id="an output nothing makes"),
        pytest.param((source("b"), run("r", "b:0", (4, 0)), end("r:0")), id="a missing input"),
        pytest.param((source("b"), run("r", "b:0", (0, 0)), run("q", "r:0"), end("q:0")),
                     id="more steps than layers"),
        pytest.param(
            (BuildStep(id="d", kind=StepKind.OTHER, inputs=edges("b:0")), end("d:0")),
            id="an operation that is not known",
        ),
    ],
)  # fmt: skip
def test_a_graph_that_leads_nowhere_is_no_answer(steps: tuple[BuildStep, ...]) -> None:
    """None, and at once: no graph sends the walk round for ever."""
    assert made_by(1, *steps) is None


def test_a_graph_that_branches_without_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Merges of merges double with each step: the walk is bounded."""
    monkeypatch.setattr(attested, "MAX_STEPS", 1000)
    doubled = [merge(f"m{n}", f"m{n - 1}:0 m{n - 1}:0") for n in range(1, 60)]
    steps = (files("m0", "", (-1, 0)), *doubled, end("m59:0"))
    assert made_by(1, *steps) is None


# The word added to the history's


def config(*history: str, layers: int | None = None) -> ImageConfig:
    """Return a configuration with one layer an entry, or as many as asked for."""
    count = len(history) if layers is None else layers
    return ImageConfig(
        digest="sha256:00",
        platform=Platform(os="linux", architecture="amd64"),
        diff_ids=tuple(f"sha256:{n:064x}" for n in range(count)),
        history=tuple(HistoryEntry(created_by=text) for text in history),
    )


PLAIN = "FROM base\nRUN one\nRUN two\n"
BASE = "/bin/sh -c #(nop) ADD file:00 in / "
HISTORY = (BASE, "RUN /bin/sh -c one # buildkit", "RUN /bin/sh -c two # buildkit")


def provenance(*lines: tuple[LineRange, ...], text: str = PLAIN) -> Attestation:
    """Return a provenance of one base and a command for each further place."""
    steps = [source("s0")]
    for number, place in enumerate(lines, start=1):
        steps.append(run(f"s{number}", f"s{number - 1}:0", lines=place))
    return graph(*steps, end(f"s{len(lines)}:0"), dockerfiles=(text,))


def tied(
    image: ImageConfig,
    told: Attestation,
    *,
    bound: bool = True,
) -> Alignment | int:
    """Return the layers by history and provenance."""
    build = parse_build(told.dockerfiles[0], target=told.target)
    layers = attested_layers(told, len(image.diff_ids))
    assert layers is not None
    return tie(align(image, build), layers, build, bound=bound)


def lines_of(alignment: Alignment | int) -> list[tuple[str | None, int | None]]:
    """Return stage and line of each layer; a base's has no line."""
    assert isinstance(alignment, Alignment)
    return [
        (s.stage and s.stage.name, s.instruction and s.instruction.line)  # type: ignore[misc]
        for s in alignment.steps
    ]


def test_what_history_and_provenance_agree_on_is_attested() -> None:
    """Base and instructions are verified, on the provenance's word."""
    found = tied(config(*HISTORY), provenance(at(2), at(3)))
    assert isinstance(found, Alignment)
    assert lines_of(found) == [("stage-0", None), ("stage-0", 2), ("stage-0", 3)]
    assert {s.evidence for s in found.steps} == {Evidence.ATTESTED}
    assert {s.trust for s in found.steps} == {Trust.VERIFIED}
    assert found.exact


@pytest.mark.parametrize("bound", [True, False])
def test_a_history_that_was_stripped_is_made_up_for(*, bound: bool) -> None:
    """Layers without history are tied by position; verified if it is surely this image's."""
    found = tied(config(layers=3), provenance(at(2), at(3)), bound=bound)
    assert isinstance(found, Alignment)
    assert lines_of(found) == [("stage-0", None), ("stage-0", 2), ("stage-0", 3)]
    assert [s.base for s in found.steps] == [True, False, False]
    trust = Trust.VERIFIED if bound else Trust.INFERRED
    assert {s.trust for s in found.steps} == {trust}
    assert found.exact is bound
    assert MISMATCH not in {f.code for f in found.findings}


def test_a_merged_step_is_taken_where_the_target_stands() -> None:
    """Identical instructions of several stages are one step of several places."""
    text = "FROM base AS a\nRUN one\nFROM base AS b\nRUN one\nRUN two\n"
    found = tied(config(layers=3), provenance(at(4, 2), at(5), text=text))
    assert lines_of(found) == [("b", None), ("b", 4), ("b", 5)]
    told = provenance(at(4, 2), text=text)
    other = graph(*told.steps, dockerfiles=(text,), target="a")
    assert lines_of(tied(config(layers=2), other)) == [("a", None), ("a", 2)]


def test_the_stages_below_the_target_are_its_layers_too() -> None:
    """FROM of a stage: its instructions keep their stage."""
    text = "FROM base AS a\nRUN one\nFROM a\nRUN two\n"
    found = tied(config(*HISTORY), provenance(at(2), at(4), text=text))
    assert lines_of(found) == [("a", None), ("a", 2), ("stage-1", 4)]


def test_triggers_of_a_stage_are_told_apart_in_their_order() -> None:
    """Both carry the line of FROM; without a history the order decides."""
    text = "FROM base AS a\nONBUILD RUN one\nONBUILD RUN two\nFROM a\n"
    found = tied(config(layers=3), provenance(at(4), at(4), text=text))
    assert isinstance(found, Alignment)
    made = [s.instruction.text for s in found.steps if s.instruction is not None]
    assert made == ["RUN one", "RUN two"]


def test_triggers_of_an_unknown_base_are_the_doing_of_from() -> None:
    """Made by this build on the line of FROM, though no Dockerfile has their text."""
    text = "FROM base\nRUN two\n"
    found = tied(config(*HISTORY), provenance(at(1), at(2), text=text))
    assert isinstance(found, Alignment)
    trigger = found.steps[1]
    assert (trigger.base, trigger.instruction, trigger.trust) == (False, None, Trust.VERIFIED)
    assert trigger.stage is not None
    assert trigger.stage.line == 1


TRIGGERED = "FROM base AS t\nRUN one\nFROM t AS u\nFROM base\nCOPY --from=u a /a\n"


def test_triggers_of_another_stage_are_told_by_the_graph() -> None:
    """What ONBUILD of its base made of a stage that is copied from, one layer a step."""
    steps = (
        source("base", 1),
        files("copied", "base:0 context:0", (0, -1), (2, 0), lines=at(1)),
        run("ran", "copied:0", lines=at(1)),
        BuildStep(id="linked", kind=StepKind.FILE, inputs=edges("context:0"),
                  wires=(Wire(-1, 0),), lines=at(1)),
        BuildStep(id="merged", kind=StepKind.MERGE, inputs=edges("ran:0 linked:0"),
                  wires=(Wire(0, 0), Wire(1, 0)), lines=at(1)),
        run("one", "merged:0", lines=at(2)),
        files("lost", "nowhere:0", lines=at(4)),
    )  # fmt: skip
    told = with_triggers(parse_build(TRIGGERED), graph(*steps, dockerfiles=(TRIGGERED,)))
    assert [stage.triggers for stage in told.stages] == [3, 0, 0]


def test_triggers_that_the_dockerfile_tells_are_not_told_twice() -> None:
    """With the base's configuration at hand its triggers are instructions already."""
    build = parse_build(TRIGGERED, bases={"base": BaseDefaults(on_build=("RUN x",))})
    steps = (source("base"), run("x", "base:0", lines=at(1)))
    told = with_triggers(build, graph(*steps, dockerfiles=(TRIGGERED,)))
    assert [stage.triggers for stage in told.stages] == [0, 0, 0]


def test_what_a_second_dockerfile_made_lies_below_from() -> None:
    """A named context that is another target has lines in another file: base to this one."""
    text = "FROM app\nRUN two\n"
    found = tied(config(*HISTORY), provenance(at(1, file=1), at(2), text=text))
    assert isinstance(found, Alignment)
    assert [s.base for s in found.steps] == [True, True, False]


def test_a_step_without_a_place_is_left_as_it_was() -> None:
    """Nothing says what made it."""
    found = tied(config(layers=3), provenance((), at(3)))
    assert isinstance(found, Alignment)
    assert found.steps[1].trust is Trust.UNKNOWN
    assert not found.exact


@pytest.mark.parametrize(
    ("places", "layer"),
    [
        pytest.param((at(3), at(2)), 1, id="lines exchanged"),
        pytest.param((at(2), at(9)), 2, id="a line that makes nothing"),
        pytest.param((at(2), at(1, file=1)), 2, id="a base above an instruction"),
        pytest.param((at(2), ()), 2, id="no place where history has one"),
    ],
)
def test_a_layer_of_another_line_is_named(
    places: tuple[tuple[LineRange, ...], ...], layer: int
) -> None:
    """The first layer on which history and provenance part."""
    assert tied(config(*HISTORY), provenance(*places)) == layer


@pytest.mark.parametrize(
    ("places", "layer"),
    [
        pytest.param((at(3), at(2)), 2, id="against the order of the file"),
        pytest.param((at(2), at(9)), 2, id="a line that makes nothing"),
        pytest.param((at(2), at(1, file=1)), 2, id="a base above an instruction"),
    ],
)
def test_a_graph_against_its_own_dockerfile_is_named(
    places: tuple[tuple[LineRange, ...], ...], layer: int
) -> None:
    """Without a history the provenance still has to agree with itself."""
    assert tied(config(layers=3), provenance(*places)) == layer


def test_a_layer_of_the_base_cannot_be_made_without_a_place() -> None:
    """History says base, provenance says it was made by something."""
    assert tied(config(*HISTORY, layers=3), graph(
        source("b"), run("x", "b:0"), run("r", "x:0", lines=at(2)), end("r:0"),
        dockerfiles=("FROM base\nRUN two\n",),
    )) == 1  # fmt: skip


# Whether it is of this image


def stored(*digests: str, manifest: str | None = None) -> Image:
    """Return an image with layers stored under these digests."""
    return Image(
        reference="app",
        config=config(layers=len(digests)),
        manifest_digest=manifest,
        layers=tuple(
            LayerRef(index=n, diff_id=f"sha256:{n:064x}", blob="", digest=digest)
            for n, digest in enumerate(digests)
        ),
    )


def test_a_provenance_is_of_the_image_it_names() -> None:
    """By the manifest it is about, or by the whole chain of layers, stored or plain."""
    image = stored("x", "y", manifest="m")
    plain = image.config.diff_ids
    assert is_of(graph(subjects=("m",)), image)
    assert is_of(graph(chains=(("x", "y"),)), image)
    assert is_of(graph(chains=(("z",), plain)), image)


def test_a_few_layers_in_common_prove_nothing() -> None:
    """Bases and empty layers are shared by many images."""
    image = stored("x", "y", manifest="m")
    assert not is_of(graph(subjects=("n",), chains=(("x",), ("y",), ("x", "z"))), image)
    assert not is_of(graph(chains=((),)), stored())
    assert not is_of(graph(subjects=("m",)), stored("x"))


# Weighed against a Dockerfile given


def weighed(
    image: ImageConfig,
    told: Attestation,
    given: str | None = None,
    *,
    bound: bool = True,
    args: Mapping[str, str] | None = None,
) -> Reading:
    """Return what there is to go by."""

    def by(text: str, name: str) -> Reading:
        build = parse_build(text, name=name, build_args=args or {})
        return Reading(build=build, alignment=align(image, build))

    return weigh(
        told,
        own=by(told.dockerfiles[0], "Dockerfile"),
        given=by(given, "given") if given is not None else None,
        plain=align(image, None),
        bound=bound,
    )


def codes(reading: Reading) -> list[str]:
    """Return the codes of what was found."""
    return [finding.code for finding in reading.alignment.findings]


def test_the_dockerfile_in_the_provenance_is_used_when_none_is_given() -> None:
    """Its stages and lines are the image's."""
    reading = weighed(config(*HISTORY), provenance(at(2), at(3)))
    assert reading.build is not None
    assert reading.build.text == PLAIN
    assert lines_of(reading.alignment)[1:] == [("stage-0", 2), ("stage-0", 3)]
    assert codes(reading) == []


def test_a_dockerfile_with_other_comments_keeps_its_own_lines() -> None:
    """The same instructions elsewhere are the same build; names of stages do not matter."""
    text = "FROM base AS a\nRUN one\nFROM a\nRUN two\nCOPY --from=a /x /y\n"
    same = "# why\nFROM base AS z\n\nRUN one\nFROM z AS last\nRUN two\nCOPY --from=0 /x /y\n"
    told = provenance(at(2), at(4), at(5), text=text)
    reading = weighed(config(*HISTORY, "COPY /x /y # buildkit"), told, same)
    assert lines_of(reading.alignment) == [("z", None), ("z", 4), ("last", 6), ("last", 7)]
    assert {s.evidence for s in reading.alignment.steps} == {Evidence.ATTESTED}
    assert codes(reading) == []


def test_translating_keeps_what_has_no_instruction() -> None:
    """Triggers of the base move to the FROM of the Dockerfile given; the unknown stays."""
    told = provenance(at(1), at(2), text="FROM base\nRUN two\n")
    reading = weighed(config(*HISTORY), told, "\nFROM base\nRUN two\n")
    trigger = reading.alignment.steps[1]
    assert trigger.stage is not None
    assert trigger.stage.line == 2
    reading = weighed(config(layers=3), provenance((), at(3)), "\n" + PLAIN)
    assert [s.stage is None for s in reading.alignment.steps] == [False, True, False]


def test_a_dockerfile_with_other_lines_has_the_triggers_told_of() -> None:
    """What the builder tells of a stage holds for the same stage of the Dockerfile given."""
    text = "FROM base AS t\nRUN one\nFROM base\nCOPY --from=t a /a\n"
    steps = (source("s0"), run("t1", "s0:0", lines=at(1)), files("s1", "s0:0", lines=at(4)))
    told = graph(*steps, end("s1:0"), dockerfiles=(text,))
    image = config(BASE, "COPY a /a # buildkit")
    own, other = parse_build(text), parse_build(f"\n{text}", name="given")
    reading = weigh(
        told,
        own=Reading(build=with_triggers(own, told), alignment=align(image, own)),
        given=Reading(build=other, alignment=align(image, other)),
        plain=align(image, None),
        bound=True,
    )
    assert reading.build is not None
    assert [stage.triggers for stage in reading.build.stages] == [1, 0]


def test_a_dockerfile_that_names_another_source_is_contradicted() -> None:
    """No history keeps --from: only the provenance shows that this is not the file."""
    text = "FROM base AS a\nRUN x\nFROM base\nCOPY --from=a /f /f\n"
    wrong = text.replace("--from=a", "--from=other:1")
    history = (BASE, "COPY /f /f # buildkit")
    reading = weighed(config(*history), provenance(at(4), text=text), wrong)
    assert codes(reading) == [CONTRADICTED]
    finding = reading.alignment.findings[0]
    assert finding.facts == {
        "declared": "line 4, COPY --from=other:1 /f /f",
        "attested": "line 4, COPY --from=a /f /f",
    }
    assert {s.trust for s in reading.alignment.steps} == {Trust.CONTRADICTED}
    assert all(s.instruction is None for s in reading.alignment.steps)


def test_a_dockerfile_against_the_history_stays_contradicted() -> None:
    """There is no need of the provenance for that."""
    reading = weighed(config(*HISTORY), provenance(at(2), at(3)), "FROM base\nRUN other\nRUN two\n")
    assert codes(reading) == [CONTRADICTED]
    assert reading.build is not None
    assert reading.build.name == "given"


@pytest.mark.parametrize(
    ("told", "why"),
    [
        pytest.param(provenance(*[at(2)] * 9), "it cannot have made 3 layers", id="count"),
        pytest.param(
            provenance(at(2), at(3), text="FROM base\nRUN one\nRUN other\n"),
            "first difference at line 3, RUN other",
            id="another Dockerfile",
        ),
        pytest.param(provenance(at(2), at(9)), "layer 2, for which it has line 9", id="a line"),
        pytest.param(
            graph(source("b"), run("r", "b:0", lines=at(2)), end("r:0"), dockerfiles=(PLAIN,)),
            "layer 1, for which it has line 1",
            id="a base where an instruction was",
        ),
    ],
)
def test_a_provenance_of_another_image_is_contradicted(told: Attestation, why: str) -> None:
    """It is said where they part, nothing of it is used, and nothing is verified."""
    reading = weighed(config(*HISTORY), told)
    assert codes(reading) == [PROVENANCE_CONTRADICTED]
    assert why in reading.alignment.findings[0].message
    assert reading.build is None
    assert {s.trust for s in reading.alignment.steps} == {Trust.CONTRADICTED}
    given = weighed(config(*HISTORY), told, PLAIN)
    assert codes(given) == [PROVENANCE_CONTRADICTED]
    assert lines_of(given.alignment)[1:] == [("stage-0", 2), ("stage-0", 3)]
    assert {s.trust for s in given.alignment.steps} == {Trust.CONTRADICTED}


def test_what_was_compared_stands_against_a_wrong_provenance() -> None:
    """A base whose layers are at hand is the base, whatever a provenance says."""
    image = config(*HISTORY)
    base = ImageConfig(
        digest="", platform=image.platform, diff_ids=image.diff_ids[:1], history=image.history[:1]
    )
    told = provenance(*[at(2)] * 9)
    own = Reading(build=parse_build(PLAIN), alignment=align(image, parse_build(PLAIN), base=base))
    reading = weigh(told, own=own, given=None, plain=align(image, None, base=base), bound=True)
    assert [s.trust for s in reading.alignment.steps] == [
        Trust.VERIFIED,
        Trust.CONTRADICTED,
        Trust.CONTRADICTED,
    ]


def test_a_graph_without_a_dockerfile_says_nothing_of_lines() -> None:
    """Then the history is all there is."""
    image = config(*HISTORY)
    plain = align(image, None)
    told = provenance(at(2), at(3))
    none = Reading(build=None, alignment=plain)
    reading = weigh(told, own=none, given=none, plain=plain, bound=True)
    assert (reading.build, reading.alignment) == (None, plain)


def difference(given: str, own: str) -> tuple[str, str] | None:
    """Return where two Dockerfiles ask for something else."""
    return first_difference(parse_build(given), parse_build(own))


def test_only_what_the_target_needs_is_compared() -> None:
    """Unused stages, names of stages and comments make no difference."""
    assert difference("FROM x AS unused\nRUN a\nFROM y\nRUN b\n", "FROM y\n# c\nRUN b\n") is None
    mounts = "FROM x AS {0}\nFROM y\nRUN --mount=from={1},target=/m b\n"
    assert difference(mounts.format("a", "a"), mounts.format("a", "a")) is None


@pytest.mark.parametrize(
    ("given", "own", "found"),
    [
        pytest.param("FROM x\n", "FROM y\n", ("line 1, FROM x", "line 1, FROM y"), id="base"),
        pytest.param(
            "FROM x AS a\nFROM a\nRUN b\n", "FROM x\nRUN b\n",
            ("line 2, FROM a", "line 1, FROM x"), id="a stage for an image",
        ),
        pytest.param(
            "FROM x\nRUN a\n", "FROM x\nRUN a\nRUN b\n",
            ("no more steps in stage stage-0", "line 3, RUN b"), id="one less",
        ),
        pytest.param(
            "FROM x\nRUN a\nRUN b\n", "FROM x\nRUN a\n",
            ("line 3, RUN b", "no more steps in stage stage-0"), id="one more",
        ),
        pytest.param(
            "FROM x\nCOPY --chmod=1 a b\n", "FROM x\nCOPY a b\n",
            ("line 2, COPY --chmod=1 a b", "line 2, COPY a b"), id="a flag",
        ),
        pytest.param(
            "FROM x\nCOPY <<E /e\n1\nE\n", "FROM x\nCOPY <<E /e\n2\nE\n",
            ("line 2, COPY <<E /e", "line 2, COPY <<E /e"), id="a heredoc",
        ),
        pytest.param(
            "FROM x AS a\nFROM x AS b\nFROM z\nCOPY --from=a /1 /1\nCOPY --from=a /2 /2\n",
            "FROM x AS a\nFROM x AS b\nFROM z\nCOPY --from=a /1 /1\nCOPY --from=b /2 /2\n",
            ("line 1, FROM x AS a", "line 2, FROM x AS b"), id="one stage for two equal ones",
        ),
        pytest.param(
            "FROM x AS a\nRUN 1\nFROM z\nRUN 2\nCOPY --from=a /1 /1\n",
            "FROM x AS a\nRUN 3\nFROM z\nRUN 4\nCOPY --from=a /1 /1\n",
            ("line 2, RUN 1", "line 2, RUN 3"), id="the first of two",
        ),
    ],
)  # fmt: skip
def test_the_first_difference_is_told(given: str, own: str, found: tuple[str, str]) -> None:
    """By the line in the Dockerfile given."""
    assert difference(given, own) == found


# What the bases were


def material(reference: str, digest: str) -> Material:
    """Return an image that the build took."""
    return Material(uri="", digest=digest, reference=reference)


def test_bases_are_named_by_what_was_taken() -> None:
    """However the reference is spelled; stages and unknown images have none."""
    build = parse_build(
        "FROM docker.io/library/node:20 AS a\nFROM a\nFROM acme/tools\nFROM other\n"
    )
    taken = [material("node:20", "1"), material("acme/tools:latest", "2"), material("", "3")]
    named = name_bases(build, [*taken, material("other", "")])
    assert [stage.base_digest for stage in named.stages] == ["1", None, "2", None]


def test_one_reference_on_two_platforms_is_not_named() -> None:
    """Which of them a stage started from is not told."""
    build: Build = parse_build("FROM node\n")
    named = name_bases(build, [material("node", "1"), material("node:latest", "2")])
    assert named.stages[0].base_digest is None


def test_layers_tell_the_digest_of_their_base() -> None:
    """A provenance of another image says nothing of it."""
    image = config(*HISTORY)
    reading = weighed(image, provenance(at(2), at(3)))
    named = with_bases(reading, [material("base", "1")])
    assert {s.stage and s.stage.base_digest for s in named.alignment.steps} == {"1"}
    assert named.alignment.base is not None
    assert named.alignment.base.base_digest == "1"
    wrong = weighed(image, provenance(*[at(2)] * 9), PLAIN)
    assert with_bases(wrong, [material("base", "1")]) is wrong
    none = Reading(build=None, alignment=align(image, None))
    assert with_bases(none, [material("base", "1")]) is none


def test_layers_without_a_stage_have_no_base_to_name() -> None:
    """Where a Dockerfile does not fit, no layer is of a stage."""
    build = parse_build("FROM base\nRUN other\n")
    reading = Reading(build=build, alignment=align(config(*HISTORY), build))
    named = with_bases(reading, [material("base", "1")])
    assert {s.stage for s in named.alignment.steps} == {None}
