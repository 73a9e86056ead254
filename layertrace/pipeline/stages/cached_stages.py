"""Stages out of an exported build cache: ``--stage-cache DIR``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.model.origin import Finding
from layertrace.pipeline.parts import OpenStage
from layertrace.pipeline.stored import StoredArchive
from layertrace.provenance.stages.cached import find_stages

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from layertrace.archive.stage_cache import CacheSource
    from layertrace.layers.cache import IndexCache
    from layertrace.model.build import Build
    from layertrace.model.image import ImageConfig
    from layertrace.provenance.alignment.history import Alignment

INCOMPLETE: Final = "stage-cache-incomplete"


def open_cached_stages(
    source: CacheSource, build: Build, final: Alignment, config: ImageConfig, cache: IndexCache
) -> dict[int, OpenStage]:
    """Return the stages that the final image's layers lead to in a build cache, by index."""
    found: dict[int, OpenStage] = {}
    for each in source.caches:
        for index, stage in find_stages(each, build, final, config.diff_ids).items():
            if index in found:
                continue
            image = source.image(stage.stack, config.platform)
            found[index] = OpenStage(
                index=index,
                name=build.stages[index].name,
                stored=StoredArchive(source, image, cache),
                alignment=stage.alignment,
            )
    if not found:
        source.close()
    return found


def missing_stages(folder: Path, build: Build, found: AbstractSet[int]) -> tuple[Finding, ...]:
    """Say which stages that something was copied from a build cache does not tell of."""
    sources = {
        index
        for stage in build.used()
        for step in build.stages[stage].instructions
        for index in (step.source_stage, *step.mount_stages)
        if index is not None
    }
    missing = [build.stages[index].name for index in sorted(sources - found)]
    if not missing:
        return ()
    return (
        Finding(
            code=INCOMPLETE,
            message=f"{folder} does not lead to stage {', '.join(missing)}: "
            "it is of another build, or was not exported with mode=max",
            facts={"stages": missing},
        ),
    )
