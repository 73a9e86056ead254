"""Opening: a reference and hints to the parts of an image, its stages and lines known.

Nothing here reads a layer, but for an image of the engine, which is only to be
had as one stream.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from layertrace.pipeline.bounds import refuse_layers
from layertrace.pipeline.heads import make_head
from layertrace.pipeline.opening.bases import Bases, claim_finding, claim_of, open_base
from layertrace.pipeline.opening.builds import read_builds, weigh_builds
from layertrace.pipeline.opening.bundled import Bundled
from layertrace.pipeline.opening.context import open_context
from layertrace.pipeline.opening.evidence import find_provenance
from layertrace.pipeline.opening.given import open_given, open_nameless, open_squashed_base
from layertrace.pipeline.opening.references import Opener
from layertrace.pipeline.parts import AtEngine, OpenImage, OpenStage, Parts
from layertrace.provenance.alignment.history import CONTRADICTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layertrace.layers.cache import IndexCache
    from layertrace.model.build import Build
    from layertrace.model.image import ImageConfig
    from layertrace.model.origin import Finding
    from layertrace.pipeline.hints import Hints
    from layertrace.pipeline.opening.references import Opened
    from layertrace.pipeline.watch import Watcher
    from layertrace.provenance.alignment.history import Alignment


def open_parts(
    reference: str, hints: Hints, cache: IndexCache, watcher: Watcher, *, early: bool = False
) -> Parts:
    """Open an image and everything told about its build.

    Args:
        reference: the image.
        hints: what else is told.
        cache: of what was read before.
        watcher: told of progress, asked whether to stop.
        early: an image of the engine is opened by what that tells of it, and read by walking it.

    Raises:
        LayertraceError: the image, the Dockerfile or something else named
            cannot be found or read.
    """
    with ExitStack() as undo:
        opener = Opener(hints, cache, watcher, undo, early=early)
        main = opener.open(reference)
        parts = _assemble(main, opener)
        undo.pop_all()

    def again() -> Parts:
        with ExitStack() as undo:
            whole = _assemble(main, Opener(hints, cache, watcher, undo))
            undo.pop_all()
        return whole

    return replace(parts, again=again) if early and main.engine is not None else parts


def _assemble(main: Opened, opener: Opener) -> Parts:
    image, hints = main.stored.image, opener.hints
    refuse_layers(image, hints.limits)
    bundled = Bundled(main.archive, opener.cache)
    bases = Bases(
        bundled.bases(),
        given=None if hints.base is None else open_base(hints.base, hints.platform, hints.limits),
        engine=main.engine,
        claim=claim_of(image),
    )
    told = find_provenance(image, hints.provenance, main.attested, main.bundle, hints.limits)
    builds = read_builds(image, hints, told, main.bundle, bases)
    reading = weigh_builds(image, builds, told, bases)
    build, alignment = reading.build, reading.alignment
    findings = told.findings + builds.findings + claim_finding(bases.claim, build, alignment)
    findings += main.archive.findings if main.archive is not None else ()
    stages: tuple[OpenStage, ...] = ()
    images: tuple[OpenImage, ...] = ()
    if build is None:
        stages = open_nameless(opener)
    elif not alignment.contradicted:
        stages, images = open_given(build, bases, bundled, opener)
        stages, missing = _with_cached(build, alignment, image.config, stages, opener)
        images += open_squashed_base(build, [alignment, *(s.alignment for s in stages)], opener)
        findings += missing
        findings += tuple(_stage_finding(s, f) for s in stages for f in s.alignment.findings)
    head = make_head(image, build, alignment, (*findings, *bundled.lost))
    sparse = told.attestation is not None and told.attestation.is_min
    return Parts(
        head=replace(head, provenance_min=sparse),
        stored=main.stored,
        images=images,
        alignment=alignment,
        stages=stages,
        context=open_context(hints, main.bundle, builds.own, image.config),
        base_reference=hints.base or bases.claimed_name,
        at_engine=_at_engine(main, bases, opener),
        limits=hints.limits,
        attestation=told.attestation if told.bound else None,
    )


def _at_engine(main: Opened, bases: Bases, opener: Opener) -> AtEngine | None:
    if main.engine is None:
        return None
    return AtEngine(engine=main.engine, bases=bases, cache=opener.cache)


def _with_cached(
    build: Build,
    alignment: Alignment,
    config: ImageConfig,
    stages: Iterable[OpenStage],
    opener: Opener,
) -> tuple[tuple[OpenStage, ...], tuple[Finding, ...]]:
    """Add the stages of a build cache, what was given otherwise first; say what it lacks."""
    folder = opener.hints.stage_cache
    if folder is None:
        return tuple(stages), ()
    # Few have one.
    from layertrace.archive.stage_cache import open_stage_cache  # noqa: PLC0415
    from layertrace.pipeline.stages.cached_stages import (  # noqa: PLC0415
        missing_stages,
        open_cached_stages,
    )

    source = open_stage_cache(folder, opener.hints.limits)
    found = open_cached_stages(source, build, alignment, config, opener.cache)
    for stage in found.values():
        opener.keep(stage.stored)
    found |= {stage.index: stage for stage in stages}
    whole = tuple(stage for _, stage in sorted(found.items()))
    return whole, missing_stages(folder, build, found.keys())


def _stage_finding(stage: OpenStage, finding: Finding) -> Finding:
    if finding.code != CONTRADICTED:
        return replace(finding, message=f"stage {stage.name}: {finding.message}")
    return replace(
        finding,
        code="stage-contradicted",
        message=f"the image given for stage {stage.name} is of another build: {finding.message}",
    )
