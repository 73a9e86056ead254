"""The search in an engine for a build's stages: by what was copied from them.

Asking for the histories of its images tells which were made by a stage's instructions;
those are streamed, the newest first, until one is proven to be the stage.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from layertrace.archive.host import group_names, user_names
from layertrace.errors import SourceError
from layertrace.pipeline.stages.engine_answer import (
    EngineAnswer,
    ambiguous,
    dump_answer,
    found_in_engine,
    load_answer,
    not_found,
)
from layertrace.pipeline.stages.engine_shelf import Shelf
from layertrace.pipeline.streamed import open_together
from layertrace.provenance.alignment.history import align
from layertrace.provenance.copyhash import Owners
from layertrace.provenance.hops import TracedImage
from layertrace.provenance.rootfs_tree import RootfsTree
from layertrace.provenance.stages.kept import (
    best,
    carried_from,
    fit,
    is_proof,
    is_whole,
)
from layertrace.rootfs.squash import squash

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from layertrace.archive.daemon import EngineSource
    from layertrace.layers.cache import IndexCache
    from layertrace.model.build import Build
    from layertrace.model.origin import Finding
    from layertrace.pipeline.parts import AtEngine
    from layertrace.pipeline.stored_image import StoredImage
    from layertrace.pipeline.streamed import StoredInEngine
    from layertrace.pipeline.watch import Watcher
    from layertrace.provenance.alignment.history import LayerStep
    from layertrace.provenance.stages.kept import Carried, Fit

BATCHES: Final = (1, 3, 4, 4)
"""How many images are streamed at a time: the image built last is mostly the one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An image whose layers were walked: the final one, or a stage's."""

    traced: TracedImage
    stored: StoredImage


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proven:
    """An image that holds what was copied."""

    image_id: str
    known: Known
    fit: Fit


def wanted_stages(build: Build, given: AbstractSet[int]) -> tuple[int, ...]:
    """Return the stages that something was copied from and that are not at hand, last first.

    What a stage took from another shows in its own image, so the last come first.
    """
    sources = {
        step.source_stage
        for index in build.used()
        for step in build.stages[index].instructions
        if step.source_stage is not None
    }
    return tuple(sorted(sources - given, reverse=True))


class EngineSearch:
    """One image's stages in one engine."""

    def __init__(
        self,
        at_engine: AtEngine,
        build: Build,
        final: Known,
        given: Mapping[int, Known],
        watcher: Watcher,
    ) -> None:
        self._engine: EngineSource = at_engine.engine
        self._bases = at_engine.bases
        self._cache: IndexCache = at_engine.cache
        self._build = build
        self._final = final
        self._given = given
        self._watcher = watcher
        self._shelf = Shelf(self._engine, build, watcher)
        self.found: dict[int, Known] = {}
        self.proven: tuple[LayerStep, ...] = ()
        """Copies whose hash recomputed."""

    def run(self) -> tuple[Finding, ...]:
        """Find what there is, by what was found the last time where that is known."""
        image_id, key = self._engine.facts.id, self._key()
        kept, old = self._cache.load_stages(image_id, key)
        answer = None if kept is None else load_answer(kept)
        if answer is not None and (answer.complete or not old) and self._reopen(answer):
            return answer.findings
        answer = self._search()
        self._cache.store_stages(image_id, key, dump_answer(answer))
        return answer.findings

    def _key(self) -> str:
        """Return what stands for the Dockerfile and all that is told of its stages."""
        build = self._build
        told = (build.text, build.target, sorted(build.arguments.items()), sorted(self._given))
        return hashlib.sha256(repr(told).encode("utf-8", "surrogateescape")).hexdigest()

    def _reopen(self, answer: EngineAnswer) -> bool:
        """Open the stages found before; False where the engine has one of them no more."""
        try:
            sources = [self._engine.other(image_id) for image_id in answer.stages.values()]
        except SourceError:
            return False
        opened = open_together(sources, self._cache, self._watcher)
        for index, stored in zip(answer.stages, opened, strict=True):
            self.found[index] = self._known(index, stored)
        images = self._images()
        self.proven = tuple(
            images[index].traced.alignment.steps[layer] for index, layer in answer.proven
        )
        return True

    def _images(self) -> Mapping[int, Known]:
        """Return the images at hand by the stage they are of."""
        return {self._build.target: self._final, **self._given, **self.found}

    def _search(self) -> EngineAnswer:
        stages: dict[int, str] = {}
        findings: list[Finding] = []
        missing = False
        for index in wanted_stages(self._build, self._given.keys()):
            carried = self._carried(index)
            image_id, finding = self._find(index, carried) if carried else (None, None)
            if image_id is not None:
                stages[index] = image_id
            missing = missing or image_id is None
            findings += [finding] if finding is not None else []
        if stages:
            named = {self._build.stages[n].name: each for n, each in sorted(stages.items())}
            findings.insert(0, found_in_engine(named))
        numbers = {id(each): n for n, known in self._images().items() for each in _steps(known)}
        return EngineAnswer(
            stages=stages,
            proven=tuple((numbers[id(step)], step.layer) for step in self.proven),
            findings=tuple(findings),
            complete=not missing,
        )

    def _carried(self, index: int) -> tuple[Carried, ...]:
        return tuple(
            each
            for one in self._images().values()
            for each in carried_from(one.traced, one.stored, one.stored.image.config, index)
        )

    def _find(self, index: int, carried: Sequence[Carried]) -> tuple[str | None, Finding | None]:
        """Return the image that is a stage, None where there is none or nothing decides."""
        name = self._build.stages[index].name
        images = self._candidates(index, carried)
        tried = 0
        proven: list[_Proven] = []
        for size in BATCHES:
            batch = self._open(index, images, size)
            if not batch:
                break
            tried += len(batch)
            proven += self._proven(batch, carried)
            if any(is_whole(each.fit, carried) for each in proven):
                break
        if proven:
            chosen = best([each.fit for each in proven])
            if chosen is None:
                return None, ambiguous(name, [each.image_id for each in proven])
            self.found[index] = proven[chosen].known
            self.proven += proven[chosen].fit.proven
            return proven[chosen].image_id, None
        more = next(images, None) is not None
        truncated = more or self._shelf.truncated
        if not tried and not truncated:
            return None, None
        return None, not_found(name, tried, truncated=truncated)

    def _proven(
        self, batch: Sequence[tuple[str, Known]], carried: Sequence[Carried]
    ) -> list[_Proven]:
        owners = Owners(users=user_names(), groups=group_names())
        fits = fit([known.traced for _, known in batch], carried, owners)
        return [
            _Proven(image_id=image_id, known=known, fit=found)
            for (image_id, known), found in zip(batch, fits, strict=True)
            if found is not None and is_proof(found, carried)
        ]

    def _candidates(self, index: int, carried: Sequence[Carried]) -> Iterator[EngineSource]:
        """Yield the images that a stage's instructions may have made, each set of layers once."""
        seen: set[tuple[str, ...]] = set()
        for image_id in self._ids(index, carried):
            with suppress(SourceError):
                # It may be gone since they were listed.
                source = self._engine.other(image_id)
                if source.facts.diff_ids not in seen:
                    seen.add(source.facts.diff_ids)
                    yield source

    def _ids(self, index: int, carried: Sequence[Carried]) -> Iterator[str]:
        chain = self._build.chain(index)
        if not any(stage.instructions for stage in chain):
            # The stage is its base image and nothing else.
            base = self._engine.find(chain[0].base)
            yield from () if base is None else (base.id,)
            return
        times = [each.made for each in carried]
        told = [time for time in times if time is not None]
        classic = any(each.hash for each in carried)
        yield from self._shelf.made_by(index, before=max(told, default=None), classic=classic)

    def _open(
        self, index: int, images: Iterator[EngineSource], count: int
    ) -> list[tuple[str, Known]]:
        sources = list(islice(images, count))
        opened = open_together(sources, self._cache, self._watcher)
        known = [
            (source.facts.id, self._known(index, stored))
            for source, stored in zip(sources, opened, strict=True)
        ]
        return [each for each in known if each[1].traced.alignment.exact]

    def _known(self, index: int, stored: StoredInEngine) -> Known:
        config = stored.image.config
        base = self._bases.of(self._build, config, index)
        indexes = stored.walk(self._watcher, hashing=True, verify=False)
        traced = TracedImage(
            name=self._build.stages[index].name,
            tree=RootfsTree(squash(indexes), stored.digest, stored),
            alignment=align(config, self._build, stage_index=index, base=base),
        )
        return Known(traced=traced, stored=stored)


def _steps(known: Known) -> tuple[LayerStep, ...]:
    return known.traced.alignment.steps
