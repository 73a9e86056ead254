"""Images of stages, and others that a build copied from: those that are given, or bundled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.errors import UsageError
from layertrace.pipeline.parts import OpenImage, OpenStage
from layertrace.provenance.alignment.history import align

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layertrace.model.build import Build
    from layertrace.pipeline.opening.bases import Bases
    from layertrace.pipeline.opening.bundled import Bundled
    from layertrace.pipeline.opening.references import Opener
    from layertrace.pipeline.stored_image import StoredImage
    from layertrace.provenance.alignment.history import Alignment


def open_given(
    build: Build, bases: Bases, bundled: Bundled, opener: Opener
) -> tuple[tuple[OpenStage, ...], tuple[OpenImage, ...]]:
    """Open the stages and other images of a build; what the user names goes first.

    Raises:
        UsageError: the Dockerfile has nothing of a name.
        LayertraceError: an image that the user names cannot be found or read.
    """
    stages, images = bundled.stages(build), bundled.images()
    for name, text in opener.hints.stages.items():
        place = place_of(build, name)
        stored = opener.open(text).stored
        if isinstance(place, int):
            stages[place] = stored
        else:
            images[place] = stored
    return (
        tuple(_stage(build, index, stored, bases) for index, stored in sorted(stages.items())),
        tuple(OpenImage(reference=name, stored=stored) for name, stored in images.items()),
    )


def open_squashed_base(
    build: Build, alignments: Iterable[Alignment], opener: Opener
) -> tuple[OpenImage, ...]:
    """Open the base that the user names where a layer holds its files among others.

    Else its configuration is all that is ever needed of it.

    Raises:
        LayertraceError: it cannot be read.
    """
    steps = [step for each in alignments for step in each.steps]
    if opener.hints.base is None or not any(step.holds_base for step in steps):
        return ()
    reference = build.chain(build.target)[0].base
    return (OpenImage(reference=reference, stored=opener.open(opener.hints.base).stored),)


def _stage(build: Build, index: int, stored: StoredImage, bases: Bases) -> OpenStage:
    config = stored.image.config
    return OpenStage(
        index=index,
        name=build.stages[index].name,
        stored=stored,
        alignment=align(config, build, stage_index=index, base=bases.of(build, config, index)),
    )


def open_nameless(opener: Opener) -> tuple[OpenStage, ...]:
    """Open stages of a Dockerfile that nobody knows, in the order they are given."""
    opened = [(name, opener.open(text).stored) for name, text in opener.hints.stages.items()]
    return tuple(
        OpenStage(index=index, name=name, stored=stored, alignment=align(stored.image.config, None))
        for index, (name, stored) in enumerate(opened)
    )


def place_of(build: Build, name: str) -> int | str:
    """Return the stage that ``--stage NAME=IMAGE`` means, else the image outside of it.

    Raises:
        UsageError: the Dockerfile names neither.
    """
    for stage in reversed(build.stages):
        if stage.name == name.lower() or str(stage.index) == name:
            return stage.index
    images = build.images()
    if name in images:
        return name
    stages = ", ".join(stage.name for stage in build.stages)
    taken = f" and takes files from {', '.join(images)}" if images else ""
    raise UsageError(
        f"--stage {name}: {build.name} has no such stage", why=f"it has {stages}{taken}"
    )
