"""Stages found in a build cache, by which step used which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from layertrace.dockerfile.parse import parse_build
from layertrace.model.buildcache import BuildCache, CachedLayer, CachedStep
from layertrace.model.image import HistoryEntry, ImageConfig, Platform
from layertrace.model.origin import Trust
from layertrace.provenance.alignment.history import align
from layertrace.provenance.stages.cached import find_stages
from tests.builders import sha256

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layertrace.provenance.stages.cached import CachedStage

DOCKERFILE = """\
FROM node AS build
WORKDIR /app
COPY . .
RUN make
FROM slim
WORKDIR /app
COPY --from=build /app/dist dist
RUN true
"""
STEPS = (
    "base",
    "WORKDIR /app",
    "COPY /app/dist dist # buildkit",
    "RUN /bin/sh -c true # buildkit",
)


def layer(name: str) -> CachedLayer:
    """Return the layer of that name."""
    return CachedLayer(diff_id=sha256(name.encode()), digest=sha256(f"packed {name}".encode()))


def kept(*stacks: str, uses: Sequence[Sequence[int]] = ()) -> CachedStep:
    """Return a step; each stack names its layers, base first: ``n w c``."""
    return CachedStep(
        stacks=tuple(tuple(layer(name) for name in stack.split()) for stack in stacks),
        inputs=tuple(map(tuple, uses)),
    )


def used(*uses: Sequence[int]) -> CachedStep:
    """Return a step of which no result is kept."""
    return CachedStep(stacks=(), inputs=tuple(map(tuple, uses)))


# As a real cache has it: steps in no order, a source image and a context
# without results, one source by several keys.
STEPS_OF_BUILD = (
    kept("n w c m", uses=[[1]]),
    kept("n w c", uses=[[2], [6]]),
    kept("n w", uses=[[7, 8]]),
    kept("s w d t", uses=[[4]]),
    kept("s w d", uses=[[5], [0, 9]]),
    kept("s w", uses=[[7]]),
    used(),
    used(),
    used(),
    used(),
)


def find(
    steps: Sequence[CachedStep],
    dockerfile: str = DOCKERFILE,
    final: str = "s w d t",
    created: Sequence[str] = STEPS,
) -> Mapping[int, CachedStage]:
    """Return the stages found."""
    build = parse_build(dockerfile)
    diff_ids = tuple(layer(name).diff_id for name in final.split())
    config = ImageConfig(
        digest="sha256:00",
        platform=Platform(os="linux", architecture="amd64"),
        diff_ids=diff_ids,
        history=tuple(HistoryEntry(created_by=text) for text in created),
    )
    alignment = align(config, build)
    assert not alignment.findings
    return find_stages(BuildCache(steps=tuple(steps)), build, alignment, diff_ids)


def shown(stage: CachedStage) -> list[str]:
    """Return what each layer of a stage is."""
    return [
        "base" if step.base else step.instruction.text if step.instruction else "?"
        for step in stage.alignment.steps
    ]


def test_copy_leads_to_its_stage() -> None:
    """With every layer tied to the stage's instructions, the base's below them."""
    stages = find(STEPS_OF_BUILD)
    assert list(stages) == [0]
    assert shown(stages[0]) == ["base", "WORKDIR /app", "COPY . .", "RUN make"]
    assert [each.diff_id for each in stages[0].stack] == [layer(x).diff_id for x in "nwcm"]
    assert {step.trust for step in stages[0].alignment.steps} == {Trust.VERIFIED}
    assert stages[0].alignment.steps[0].stage is stages[0].alignment.base


def test_link_makes_its_layer_on_top_of_nothing() -> None:
    """The copied layer is a step of its own, merged afterwards."""
    steps = list(STEPS_OF_BUILD)
    steps[4] = kept("s w d merged", uses=[[5], [10]])
    steps.append(kept("d", uses=[[0]]))
    dockerfile = DOCKERFILE.replace("COPY --from", "COPY --link --from")
    assert list(find(steps, dockerfile)) == [0]


def test_stages_lead_to_further_stages() -> None:
    """What a stage copied from another is followed too, and RUN mounts."""
    dockerfile = (
        "FROM scratch AS src\nCOPY . .\n"
        "FROM node AS tools\nRUN make tools\n"
        "FROM node AS build\n"
        "RUN --mount=from=src,target=/src --mount=from=tools,target=/tools make\n"
        "FROM slim\nCOPY --from=build /dist .\n"
    )
    steps = (
        kept("s d", uses=[[4], [1]]),
        kept("n m", uses=[[4], [2], [3]]),
        kept("src", uses=[[4]]),
        kept("n t", uses=[[4]]),
        used(),
    )
    stages = find(steps, dockerfile, "s d", ("base", "COPY /dist . # buildkit"))
    assert {index: shown(stage)[-1] for index, stage in stages.items()} == {
        0: "COPY . .",
        1: "RUN make tools",
        2: "RUN --mount=from=src,target=/src --mount=from=tools,target=/tools make",
    }
    assert [step.base for step in stages[0].alignment.steps] == [False]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({4: kept("s w x", uses=[[5], [0]])}, id="another build of the final image"),
        pytest.param({4: kept("s w d", uses=[[5], [9]])}, id="stage not kept: mode=min"),
        pytest.param({4: kept("s w d", uses=[[5], [0, 2]])}, id="one of two results"),
        pytest.param({4: kept("s w d", uses=[[5], [0], [2]])}, id="one input too many"),
        pytest.param({9: kept("s w d", uses=[[5], [2]])}, id="two makers of one layer"),
        pytest.param({4: kept("s w d", uses=[[5], [2]])}, id="fewer steps than the stage has"),
        pytest.param({1: kept("n w c", uses=[[7], [6]])}, id="a step is missing"),
        pytest.param({2: kept("n w", uses=[[7]]), 7: kept("n", uses=[[6]])}, id="a step too many"),
    ],
)
def test_nothing_is_found_where_the_cache_does_not_fit(change: Mapping[int, CachedStep]) -> None:
    """Better no stage than the wrong one."""
    steps = [change.get(number, step) for number, step in enumerate(STEPS_OF_BUILD)]
    assert not find(steps)


def test_base_image_may_be_kept_as_a_step_that_used_nothing() -> None:
    """It is none of the Dockerfile's steps."""
    steps = [kept("n") if number == 7 else step for number, step in enumerate(STEPS_OF_BUILD)]
    assert list(find(steps)) == [0]


def test_scratch_has_no_layer_below() -> None:
    """A stage from scratch is its own steps alone, any other has a base."""
    dockerfile = "FROM {} AS build\nCOPY . .\nFROM slim\nCOPY --from=build /dist .\n"
    created = ("base", "COPY /dist . # buildkit")
    whole = (kept("s d", uses=[[2], [1]]), kept("c", uses=[[2]]), used())
    based = (kept("s d", uses=[[2], [1]]), kept("n c", uses=[[2]]), used())
    assert list(find(whole, dockerfile.format("scratch"), "s d", created)) == [0]
    assert not find(whole, dockerfile.format("node"), "s d", created)
    assert list(find(based, dockerfile.format("node"), "s d", created)) == [0]
    assert not find(based, dockerfile.format("scratch"), "s d", created)


def test_stage_without_steps_of_its_own_is_not_looked_for() -> None:
    """It is its base image, which no step of the cache stands for."""
    dockerfile = "FROM node AS build\nFROM slim\nCOPY --from=build /dist .\n"
    steps = (kept("s d", uses=[[2], [1]]), kept("n"), used())
    assert not find(steps, dockerfile, "s d", ("base", "COPY /dist . # buildkit"))


def test_instruction_with_an_unknown_variable_is_inferred() -> None:
    """Its place is known, what it asked for is not."""
    dockerfile = DOCKERFILE.replace("COPY . .", "COPY ${WHAT} .")
    stages = find(STEPS_OF_BUILD, dockerfile)
    assert [step.trust for step in stages[0].alignment.steps] == [
        Trust.VERIFIED, Trust.VERIFIED, Trust.INFERRED, Trust.VERIFIED,
    ]  # fmt: skip
