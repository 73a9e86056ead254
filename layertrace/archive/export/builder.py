"""``export --build``: a build and all of its stages in one trace archive."""

from __future__ import annotations

import re
from contextlib import closing, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO, Final, Literal

from layertrace.archive.engine import connect, inspect_image, open_save
from layertrace.archive.export.build_plan import BuildOrder
from layertrace.archive.export.buildkit import build_buildkit, find_buildkit
from layertrace.archive.export.classic import build_classic
from layertrace.archive.export.saved_image import ExportResult, Tracked
from layertrace.archive.export.target_file import check_target, complete_file
from layertrace.archive.export.temporary_tags import TemporaryTags
from layertrace.archive.export.trace_archive import SavedImages, TraceArchive
from layertrace.archive.trace_json import MAX_TRACE_BYTES, encode_bundle
from layertrace.errors import EngineError, SourceError, UsageError
from layertrace.model.bundle import BundleBase, BundleImage, BundleStage, TraceBundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from docker import DockerClient

    from layertrace.archive.engine import EngineImage
    from layertrace.archive.export.build_plan import BuiltImages
    from layertrace.archive.export.saved_image import Progress
    from layertrace.model.build import Build

_REFERENCE: Final = re.compile(
    r"[a-z0-9]+(?:[._:/-]+[a-z0-9]+)*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?"
)

Builder = Literal["auto", "buildkit", "classic"]


def export_build(  # noqa: PLR0913 - one for each option of the command
    context: Path,
    build: Build,
    *,
    dockerfile: Path,
    target_file: Path,
    progress: Callable[[Progress], None],
    stop: Callable[[], bool],
    log: Callable[[str], None],
    builder: Builder = "auto",
    network: str | None = None,
    no_cache: bool = False,
    tag: str | None = None,
    force: bool = False,
) -> ExportResult:
    """Build the target of ``build`` and its stages, and write one archive of them all.

    Args:
        context: the folder the build may copy from.
        build: what ``dockerfile`` holds, its target and its arguments.
        dockerfile: inside the context or not.
        target_file: appears only when it is complete, and is never part of the context.
        progress: called in the caller's thread, often.
        stop: looked at often, also while the engine is silent.
        log: takes each line the builder prints.
        builder: ``auto`` is BuildKit where a docker command line offers it.
        network: of the RUN instructions, as ``docker build --network``.
        no_cache: run every step of the target anew.
        tag: the final image's name in the archive; the engine's tags stay as they are.
        force: replace an existing ``target_file``.

    Raises:
        UsageError: ``target_file`` exists, or is no regular file.
        SourceError: the context cannot be read.
        DockerfileError: the builder refuses the Dockerfile.
        EngineError: the engine is away or breaks off, or a step of the build fails.
        StorageError: the archive cannot be written.
        StoppedError: ``stop`` returned true.
    """
    if not context.is_dir():
        raise SourceError(f"{context}: no such folder to build from")
    order = BuildOrder(
        context=context,
        dockerfile=dockerfile,
        target_file=target_file,
        build=build,
        network=network,
        no_cache=no_cache,
        progress=progress,
        stop=stop,
        log=log,
    )
    names = () if tag is None else (_full_name(tag),)
    check_target(target_file, force=force)
    with closing(connect()) as client, TemporaryTags(client, log) as tags:
        built = _build(client, order, builder, tags)
        export = _Export(client, order, built)
        # Not before: the file may lie in the context, which must not hold it.
        with complete_file(target_file, force=force) as file:
            size = export.write(file, names)
        return export.result(target_file, size=size, tags=names)


def _full_name(tag: str) -> str:
    """Return ``NAME:TAG``, as an archive lists it.

    >>> _full_name("acme/app"), _full_name("localhost:5000/app:1")
    ('acme/app:latest', 'localhost:5000/app:1')
    """
    if not _REFERENCE.fullmatch(tag):
        raise UsageError(f"{tag!r} is not a name an image can have", hint="use NAME[:TAG]")
    return tag if ":" in tag.rpartition("/")[2] else f"{tag}:latest"


def _build(
    client: DockerClient, order: BuildOrder, builder: Builder, tags: TemporaryTags
) -> BuiltImages:
    if builder == "classic":
        return build_classic(client, order)
    command = find_buildkit()
    if command is not None:
        return build_buildkit(command, order, tags)
    if builder == "auto":
        return build_classic(client, order)
    raise EngineError(
        "no docker command on PATH can use BuildKit",
        why="it takes docker before version 23, or the buildx plugin",
        hint="install docker-buildx, or use --builder classic",
    )


class _Export:
    """The images of one build on their way into an archive."""

    def __init__(self, client: DockerClient, order: BuildOrder, built: BuiltImages) -> None:
        self._client = client
        self._order = order
        self._built = built
        facts = {stage.index: inspect_image(client, stage.image) for stage in built.stages}
        # An image without layers cannot be saved, and nothing is copied from it.
        self._facts = {index: image for index, image in facts.items() if image.diff_ids}
        if order.build.target not in self._facts:
            raise EngineError("the image that was built has no layers, so it cannot be exported")
        self._bases = dict(self._find_bases())
        self._images = dict(self._find_images())
        self._stages: tuple[BundleStage, ...] = ()

    def _find_bases(self) -> Iterator[tuple[str, EngineImage]]:
        """Give the external images that the stages start from, by their FROM reference."""
        for index, image in self._facts.items():
            stage = self._order.build.stages[index]
            if stage.base_stage is not None or stage.base == "scratch":
                continue
            try:
                base = inspect_image(self._client, stage.base)
            except SourceError:
                # BuildKit may have it in a store of its own only.
                continue
            # The name may mean another image by now, or one of another platform.
            if base.diff_ids and image.diff_ids[: len(base.diff_ids)] == base.diff_ids:
                yield stage.base, base

    def _find_images(self) -> Iterator[tuple[str, EngineImage]]:
        """Give the images that files were taken from, by their reference in the Dockerfile."""
        for reference, name in self._built.images.items():
            with suppress(SourceError):
                image = inspect_image(self._client, name)
                if image.diff_ids:
                    yield reference, image

    def write(self, file: BinaryIO, tags: tuple[str, ...]) -> int:
        """Save the images into ``file`` and return its size."""
        order = self._order
        archive = TraceArchive(file)
        saved = SavedImages(archive)
        images = (*self._facts.values(), *self._bases.values(), *self._images.values())
        # Ids, not names: a tag could move meanwhile. Bases cost nothing, as
        # an engine sends each layer once and theirs are the stages'.
        ids = tuple(dict.fromkeys(image.id for image in images))
        with open_save(self._client, ids, stop=order.stop) as stream:
            saved.copy(Tracked(stream, order.progress, phase="save"))
        configs = {image_id: saved.image(image_id) for image_id in ids}
        for image in configs.values():
            archive.add_blob(image.text)
        final = configs[self._facts[order.build.target].id]
        self._stages = tuple(
            BundleStage(
                index=stage.index,
                name=order.build.stages[stage.index].name,
                config=configs[self._facts[stage.index].id].config,
                fidelity=stage.fidelity,
            )
            for stage in self._built.stages
            if stage.index in self._facts
        )
        bases = tuple(
            BundleBase(reference=reference, config=configs[image.id].config)
            for reference, image in sorted(self._bases.items())
        )
        outside = tuple(
            BundleImage(reference=reference, config=configs[image.id].config)
            for reference, image in sorted(self._images.items())
        )
        bundle = self._bundle(bases, outside, saved.provenance(self._facts[order.build.target].id))
        if len(encode_bundle(bundle)) > MAX_TRACE_BYTES:
            order.log("The build context has too many files to list: they will not be verified.")
            bundle = replace(bundle, context=())
        return archive.finish(final, bundle, tags=tags)

    def _bundle(
        self,
        bases: tuple[BundleBase, ...],
        images: tuple[BundleImage, ...],
        attested: Mapping[str, object] | None,
    ) -> TraceBundle:
        build = self._order.build
        target = build.stages[build.target]
        last = build.target == len(build.stages) - 1
        return TraceBundle(
            builder=self._built.builder,
            # The name alone: where it lay is nobody else's business.
            dockerfile_name=self._order.dockerfile.name,
            dockerfile=build.text,
            target=None if last else target.name,
            build_args=dict(build.arguments),
            stages=self._stages,
            bases=bases,
            images=images,
            context=self._built.context,
            # An attestation may be of mode=min; the command line's own never is.
            provenance=self._built.provenance or attested,
        )

    def result(self, target_file: Path, *, size: int, tags: tuple[str, ...]) -> ExportResult:
        """Return what was exported."""
        final = self._facts[self._order.build.target]
        return ExportResult(
            path=target_file,
            size=size,
            image_id=final.id,
            tags=tags,
            layers=len(final.diff_ids),
            builder=self._built.builder,
            stages=self._stages,
        )
