"""Stages that the engine kept of an image's build.

The classic builder leaves the image of every step of every stage in the engine.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from layertrace.errors import LayertraceError, StoppedError
from layertrace.model.origin import Finding
from layertrace.pipeline.heads import with_findings
from layertrace.pipeline.parts import OpenStage
from layertrace.pipeline.stages.engine_search import EngineSearch, Known, wanted_stages
from layertrace.provenance.hops import TracedImage
from layertrace.provenance.rootfs_tree import RootfsTree
from layertrace.provenance.tracer import FINAL
from layertrace.rootfs.squash import squash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layertrace.layers.index import LayerIndex
    from layertrace.model.build import Build
    from layertrace.pipeline.parts import Parts
    from layertrace.pipeline.watch import Watcher

UNREAD: Final = "stages-not-searched"


def with_engine_stages(
    parts: Parts,
    indexes: Sequence[LayerIndex],
    stages: Mapping[int, TracedImage],
    watcher: Watcher,
) -> tuple[Parts, Mapping[int, TracedImage]]:
    """Return the parts with the stages that the engine still has, and those stages walked.

    Args:
        parts: of an image of the engine.
        indexes: of its layers.
        stages: those at hand already, walked.
        watcher: told of progress, asked whether to stop.

    Raises:
        StoppedError: the watcher said so.
    """
    build, at_engine = parts.head.build, parts.at_engine
    if build is None or at_engine is None or parts.alignment.contradicted:
        return parts, {}
    opened = {stage.index: stage.stored for stage in parts.stages}
    given = {n: Known(traced=each, stored=opened[n]) for n, each in stages.items()}
    if not wanted_stages(build, given.keys()):
        return parts, {}
    search = EngineSearch(at_engine, build, _final(parts, indexes), given, watcher)
    try:
        findings = search.run()
    except StoppedError:
        raise
    except LayertraceError as error:
        # Nobody asked for it, and the image is none the worse.
        message = f"the engine was not searched for the image's stages: {error}"
        finding = Finding(code=UNREAD, message=message.partition("\n")[0])
        return replace(parts, head=with_findings(parts.head, (finding,))), {}
    found = dict(sorted(search.found.items()))
    parts = replace(
        parts,
        stages=(*parts.stages, *(_stage(build, index, each) for index, each in found.items())),
        head=with_findings(parts.head, findings),
        proven=search.proven,
    )
    return parts, {index: each.traced for index, each in found.items()}


def _final(parts: Parts, indexes: Sequence[LayerIndex]) -> Known:
    tree = RootfsTree(squash(indexes), parts.stored.digest, parts.stored)
    final = TracedImage(name=FINAL, tree=tree, alignment=parts.alignment)
    return Known(traced=final, stored=parts.stored)


def _stage(build: Build, index: int, found: Known) -> OpenStage:
    return OpenStage(
        index=index,
        name=build.stages[index].name,
        stored=found.stored,
        alignment=found.traced.alignment,
    )
