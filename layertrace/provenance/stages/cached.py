"""Stages found in a build cache: the steps of the final image lead to what they copied from.

A cached step names the steps whose results it used, so the layer of a
``COPY --from=build`` leads to the whole file system of stage ``build``. Nothing
in a cache says what a step was; only its place among the others does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layertrace.model.buildcache import chain_id
from layertrace.model.origin import Evidence, Trust
from layertrace.provenance.alignment.history import Alignment, LayerStep
from layertrace.provenance.alignment.lineup import LAYER_KEYWORDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from layertrace.model.build import Build, Instruction
    from layertrace.model.buildcache import BuildCache, CachedLayer


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedStage:
    """A stage whose layers are in a build cache."""

    stack: tuple[CachedLayer, ...]
    """Base first."""
    alignment: Alignment


def find_stages(
    cache: BuildCache, build: Build, final: Alignment, diff_ids: Sequence[str]
) -> Mapping[int, CachedStage]:
    """Return the stages that the final image's layers lead to, by index.

    Only what has one answer is returned: of the stages that the cache does not
    hold, or of which it holds two builds, nothing.

    Args:
        cache: exported by the build.
        build: the Dockerfile.
        final: the final image's layers by the Dockerfile.
        diff_ids: of the final image.
    """
    finder = _Finder(cache, build)
    found: dict[int, CachedStage] = {}
    todo = [(final, tuple(diff_ids))]
    while todo:
        alignment, layers = todo.pop()
        for step in alignment.steps:
            if step.instruction is None:
                continue
            sources = finder.sources(step.instruction, layers[: step.layer + 1])
            for index, number in sources.items():
                stage = finder.stage(index, number) if index not in found else None
                if stage is not None:
                    found[index] = stage
                    todo.append((stage.alignment, _diff_ids(stage.stack)))
    return found


class _Finder:
    """One cache, its steps by the layers they resulted in."""

    def __init__(self, cache: BuildCache, build: Build) -> None:
        self._cache = cache
        self._build = build
        self._results = [
            frozenset(chain_id(_diff_ids(stack)) for stack in step.stacks) for step in cache.steps
        ]
        self._makers: dict[str, list[int]] = {}
        for number, results in enumerate(self._results):
            for result in results:
                self._makers.setdefault(result, []).append(number)

    def sources(self, instruction: Instruction, diff_ids: Sequence[str]) -> Mapping[int, int]:
        """Return the stages an instruction took from, and the steps each ended in.

        Args:
            instruction: that made the last of the layers.
            diff_ids: of the image as the instruction left it.
        """
        copied = instruction.source_stage
        wanted = tuple(dict.fromkeys(instruction.mount_stages)) if copied is None else (copied,)
        if not wanted:
            return {}
        below = chain_id(diff_ids[:-1])
        # COPY --link makes its layer on top of nothing.
        makers = self._makers.get(chain_id(diff_ids)) or self._makers.get(diff_ids[-1], [])
        answers = {self._used(maker, below) for maker in makers}
        if len(answers) != 1:
            return {}
        used = answers.pop()
        return dict(zip(wanted, used, strict=True)) if len(used) == len(wanted) else {}

    def _used(self, maker: int, below: str) -> tuple[int, ...]:
        """Return the kept results a step used beside the image it worked on, in its order.

        Nothing where an input may be one of several.
        """
        used: list[int] = []
        for links in self._cache.steps[maker].inputs:
            others = {
                result: link for link in links for result in self._results[link] if result != below
            }
            if len(others) > 1:
                return ()
            used += others.values()
        return tuple(used)

    def stage(self, index: int, last: int) -> CachedStage | None:
        """Return a stage that ended in a cached step, if its steps can be the Dockerfile's."""
        chain = self._build.chain(index)
        makers = [
            step for stage in chain for step in stage.instructions if step.keyword in LAYER_KEYWORDS
        ]
        stack = self._cache.steps[last].stacks[0]
        base = len(stack) - len(makers)
        if not makers or (base != 0 if chain[0].base == "scratch" else base < 1):
            return None
        if list(self._depths(last)) != list(range(len(stack), base, -1)):
            return None
        steps = [
            LayerStep(
                layer=layer,
                trust=Trust.VERIFIED,
                evidence=Evidence.DECLARED,
                recorded=None,
                base=True,
                stage=chain[0],
            )
            for layer in range(base)
        ]
        steps += [
            LayerStep(
                layer=layer,
                trust=Trust.INFERRED if maker.unresolved else Trust.VERIFIED,
                evidence=Evidence.DECLARED,
                recorded=None,
                stage=self._build.stages[maker.stage_index],
                instruction=maker,
            )
            for layer, maker in enumerate(makers, base)
        ]
        alignment = Alignment(steps=tuple(steps), exact=True, base=chain[0])
        return CachedStage(stack=stack, alignment=alignment)

    def _depths(self, last: int) -> Iterator[int]:
        """Yield how many layers a step's result has, and that of the step before it, and so on.

        The base image itself is no step of the Dockerfile: it used nothing.
        """
        number: int | None = last
        while number is not None:
            step = self._cache.steps[number]
            diff_ids = _diff_ids(step.stacks[0])
            if step.inputs:
                yield len(diff_ids)
            below = chain_id(diff_ids[:-1])
            links = (link for links in step.inputs for link in links)
            number = next((link for link in links if below in self._results[link]), None)


def _diff_ids(stack: Sequence[CachedLayer]) -> tuple[str, ...]:
    return tuple(layer.diff_id for layer in stack)
