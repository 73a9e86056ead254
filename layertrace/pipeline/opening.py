"""Opening: a reference and hints to an image whose stages and lines are known.

Nothing here reads a layer, but for an image of the engine, which is only to be
had as one stream.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from layertrace.archive.build_context import (
    IGNORE_FILE,
    FolderContents,
    context_entry,
    file_digest,
    ignore_matcher,
    read_ignore,
    walk_context,
)
from layertrace.archive.source import open_archive, parse_reference
from layertrace.dockerfile.parse import parse_build
from layertrace.errors import ArchiveError, DockerfileError, LimitError, SourceError, UsageError
from layertrace.model.limits import DEFAULTS
from layertrace.model.origin import Finding
from layertrace.pipeline.bases import Bases, claim_finding, claim_of, open_base
from layertrace.pipeline.bounds import refuse_layers
from layertrace.pipeline.evidence import find_provenance, known_contexts, read_own
from layertrace.pipeline.heads import make_head
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.outside_images import OpenImage, place_of
from layertrace.pipeline.stored import StoredArchive
from layertrace.pipeline.streamed import StoredInEngine
from layertrace.pipeline.unpacked import unpack_file
from layertrace.provenance.context_tree import ContextTree
from layertrace.provenance.copyhash import has_hashes
from layertrace.provenance.history import CONTRADICTED, align
from layertrace.provenance.materials import with_bases
from layertrace.provenance.weighing import Reading, weigh

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from layertrace.archive.daemon import EngineSource
    from layertrace.archive.source import ArchiveSource
    from layertrace.layers.cache import IndexCache
    from layertrace.model.attestation import Attestation
    from layertrace.model.build import BaseDefaults, Build
    from layertrace.model.bundle import TraceBundle
    from layertrace.model.image import BaseClaim, Image, ImageConfig
    from layertrace.model.limits import Limits
    from layertrace.model.trace import ImageHead
    from layertrace.pipeline.evidence import Told
    from layertrace.pipeline.stored import StoredImage
    from layertrace.pipeline.watch import Watcher
    from layertrace.provenance.history import Alignment, LayerStep


MAX_DOCKERFILE: Final = 4 << 20
"""Bytes; heredocs can make one long, nothing makes one this long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStage:
    """A stage whose image is at hand."""

    index: int
    name: str
    stored: StoredImage
    alignment: Alignment


@dataclass(frozen=True, slots=True, kw_only=True)
class AtEngine:
    """What else an engine can be asked of the image that was opened there."""

    engine: EngineSource
    bases: Bases
    cache: IndexCache


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """All that an opened image consists of."""

    head: ImageHead
    stored: StoredImage
    alignment: Alignment
    stages: tuple[OpenStage, ...] = ()
    images: tuple[OpenImage, ...] = ()
    context: ContextTree | None = None
    base_reference: str | None = None
    at_engine: AtEngine | None = None
    """None for an image that was opened elsewhere."""
    proven: tuple[LayerStep, ...] = ()
    """Copies whose hash was seen to recompute while stages were looked for."""
    limits: Limits = DEFAULTS
    """How much it may hold."""


def open_parts(reference: str, hints: Hints, cache: IndexCache, watcher: Watcher) -> Parts:
    """Open an image and everything told about its build.

    Raises:
        LayertraceError: the image, the Dockerfile or something else named
            cannot be found or read.
    """
    return _Opener(hints, cache, watcher).open(reference)


class _Opener:
    """The parts of one opening and what they are made with."""

    def __init__(self, hints: Hints, cache: IndexCache, watcher: Watcher) -> None:
        self._hints = hints
        self._cache = cache
        self._watcher = watcher
        self._opened: list[StoredImage] = []
        self._lost: list[Finding] = []
        self._bundle: TraceBundle | None = None
        self._archive: ArchiveSource | None = None
        self._engine: EngineSource | None = None
        self._attested: ArchiveSource | StoredInEngine | None = None

    def open(self, reference: str) -> Parts:
        try:
            stored = self._open_main(reference)
            return self._assemble(stored)
        except BaseException:
            for opened in self._opened:
                opened.close()
            raise

    def _open_main(self, text: str) -> StoredImage:
        reference = parse_reference(text)
        if reference.transport == "docker-daemon":
            return self._open_daemon(reference.target)
        source = open_archive(reference, platform=self._hints.platform, limits=self._hints.limits)
        self._archive = self._attested = source
        self._bundle = source.bundle
        stored = StoredArchive(source, source.image, self._cache)
        self._opened.append(stored)
        return stored

    def _open_daemon(self, name: str) -> StoredInEngine:
        # The Docker SDK takes a quarter of a second to import.
        from layertrace.archive.daemon import EngineSource  # noqa: PLC0415

        self._engine = EngineSource(name, limits=self._hints.limits)
        try:
            stored = StoredInEngine(self._engine, self._cache, self._watcher)
        except BaseException:
            self._engine.close()
            raise
        self._attested = stored
        self._opened.append(stored)
        return stored

    def _assemble(self, stored: StoredImage) -> Parts:
        image, bases = stored.image, self._bases(claim_of(stored.image))
        hints = self._hints
        refuse_layers(image, hints.limits)
        told = find_provenance(image, hints.provenance, self._attested, self._bundle, hints.limits)
        own, unreadable = read_own(told, image, bases.defaults)
        given = self._read_build(image, bases.defaults, told.attestation, own)
        self._refuse_idle_hints(given or own, image)
        if bases.learn(given or own, image.config):
            own, unreadable = read_own(told, image, bases.defaults)
            given = self._read_build(image, bases.defaults, told.attestation, own)
        reading = self._read(image, given, own, told, bases)
        build, alignment = reading.build, reading.alignment
        findings = told.findings + unreadable + claim_finding(bases.claim, build, alignment)
        findings += self._archive.findings if self._archive is not None else ()
        stages: tuple[OpenStage, ...] = () if build else tuple(self._open_nameless())
        images: tuple[OpenImage, ...] = ()
        if build is not None and not alignment.contradicted:
            stages, images = self._open_stages(build, bases), self._open_images(build)
            if self._hints.stage_cache is not None:
                folder = self._hints.stage_cache
                stages, missing = self._with_cached(folder, build, alignment, image.config, stages)
                findings += missing
            findings += tuple(_stage_finding(s, f) for s in stages for f in s.alignment.findings)
        return Parts(
            head=make_head(image, build, alignment, (*findings, *self._lost)),
            stored=stored,
            images=images,
            alignment=alignment,
            stages=stages,
            context=self._context(image, own),
            base_reference=self._hints.base or bases.claimed_name,
            at_engine=self._at_engine(bases),
            limits=self._hints.limits,
        )

    def _at_engine(self, bases: Bases) -> AtEngine | None:
        if self._engine is None:
            return None
        return AtEngine(engine=self._engine, bases=bases, cache=self._cache)

    def _with_cached(
        self,
        folder: Path,
        build: Build,
        alignment: Alignment,
        config: ImageConfig,
        stages: Iterable[OpenStage],
    ) -> tuple[tuple[OpenStage, ...], tuple[Finding, ...]]:
        """Add the stages of a build cache, what was given otherwise first; say what it lacks."""
        # Few have one.
        from layertrace.archive.stage_cache import open_stage_cache  # noqa: PLC0415
        from layertrace.pipeline.cached_stages import (  # noqa: PLC0415
            missing_stages,
            open_cached_stages,
        )

        source = open_stage_cache(folder, self._hints.limits)
        cached = open_cached_stages(source, build, alignment, config, self._cache)
        self._opened += [stored for stored, _ in cached.values()]
        found = {
            index: OpenStage(
                index=index, name=build.stages[index].name, stored=stored, alignment=aligned
            )
            for index, (stored, aligned) in cached.items()
        }
        found |= {stage.index: stage for stage in stages}
        whole = tuple(stage for _, stage in sorted(found.items()))
        return whole, missing_stages(folder, build, found.keys())

    def _read(
        self,
        image: Image,
        given: Build | None,
        own: Build | None,
        told: Told,
        bases: Bases,
    ) -> Reading:
        """Return the Dockerfile to go by, and the layers by all there is."""

        def by(build: Build | None) -> Reading:
            base = bases.of(build, image.config)
            return Reading(build=build, alignment=align(image.config, build, base=base))

        attestation = told.attestation
        if attestation is None:
            return by(given)
        if own is None:
            reading = by(given)
        else:
            reading = weigh(
                attestation,
                own=by(own),
                given=by(given) if given is not None else None,
                plain=by(None).alignment,
                bound=told.bound,
            )
        return with_bases(reading, attestation.materials)

    def _bases(self, claim: BaseClaim | None) -> Bases:
        platform = self._hints.platform
        listed = self._bundle.bases if self._bundle is not None else ()
        bundled: dict[str, ImageConfig] = {}
        for each in listed:
            with self._losing("base-damaged", f"the base image {each.reference}"):
                if self._archive is not None:
                    bundled[each.reference] = self._archive.stored_config(each.config)
        return Bases(
            bundled,
            given=None
            if self._hints.base is None
            else open_base(self._hints.base, platform, self._hints.limits),
            engine=self._engine,
            claim=claim,
        )

    @contextmanager
    def _losing(self, code: str, what: str) -> Iterator[None]:
        """Go on without part of a trace archive that is damaged, and tell."""
        try:
            yield
        except LimitError:
            raise
        except ArchiveError as error:
            message = f"{what} in the trace archive is not compared with: {error.what}"
            self._lost.append(Finding(code=code, message=message))

    def _read_build(
        self,
        image: Image,
        bases: Mapping[str, BaseDefaults],
        attestation: Attestation | None,
        own: Build | None,
    ) -> Build | None:
        """Return the build by the Dockerfile given, or by what else the user says of it."""
        hints, bundle = self._hints, self._bundle
        if hints.dockerfile is not None:
            name, text = str(hints.dockerfile), read_dockerfile(hints.dockerfile)
        elif bundle is not None:
            name, text = bundle.dockerfile_name, bundle.dockerfile
        elif own is not None and (hints.target or hints.build_args):
            name, text = own.name, own.text
        else:
            return None
        told = bundle or attestation
        told_args = told.build_args if told is not None else {}
        # A trace archive's build was ordered without named contexts.
        contexts = {} if bundle is not None else known_contexts(attestation, image)
        return parse_build(
            text,
            name=name,
            target=hints.target or (told.target if told is not None else None),
            build_args={**told_args, **hints.build_args},
            bases=bases,
            builder="classic" if bundle is not None and bundle.builder == "classic" else "buildkit",
            contexts=contexts,
        )

    def _refuse_idle_hints(self, build: Build | None, image: Image) -> None:
        """Say so where an option cannot do anything without a Dockerfile."""
        hints = self._hints
        # The classic builder's hashes lead to what was copied.
        hashed = has_hashes(image.config)
        idle = [
            option
            for option, given in (
                ("--target", hints.target),
                ("--build-arg", hints.build_args),
                ("--context", hints.context if not hashed else None),
                ("--stage", hints.stages if not hashed else None),
                ("--stage-cache", hints.stage_cache),
            )
            if given
        ]
        if build is None and idle:
            raise UsageError(
                f"{idle[0]} tells nothing without the Dockerfile", hint="add -f Dockerfile"
            )

    def _open_stages(self, build: Build, bases: Bases) -> tuple[OpenStage, ...]:
        images: dict[int, StoredImage] = {}
        if self._bundle is not None and self._archive is not None:
            for bundled in self._bundle.stages:
                if bundled.index == build.target or bundled.index >= len(build.stages):
                    continue
                with self._losing("stage-damaged", f"the image of stage {bundled.name}"):
                    image = self._archive.stage_image(bundled.config)
                    images[bundled.index] = StoredArchive(self._archive, image, self._cache)
        for name, text in self._hints.stages.items():
            place = place_of(build, name)
            if isinstance(place, int):
                images[place] = self._open_other(text)
                self._opened.append(images[place])
        return tuple(
            OpenStage(
                index=index,
                name=build.stages[index].name,
                stored=stored,
                alignment=align(
                    stored.image.config,
                    build,
                    stage_index=index,
                    base=bases.of(build, stored.image.config, index),
                ),
            )
            for index, stored in sorted(images.items())
        )

    def _open_nameless(self) -> Iterator[OpenStage]:
        """Open stages of a Dockerfile that nobody knows, in the order they are given."""
        for index, (name, text) in enumerate(self._hints.stages.items()):
            stored = self._open_other(text)
            self._opened.append(stored)
            alignment = align(stored.image.config, None)
            yield OpenStage(index=index, name=name, stored=stored, alignment=alignment)

    def _open_images(self, build: Build) -> tuple[OpenImage, ...]:
        """Open the images outside the Dockerfile: those stored with it, and those given."""
        images: dict[str, StoredImage] = {}
        for bundled in self._bundle.images if self._bundle is not None else ():
            if self._archive is None:
                continue
            with self._losing("image-damaged", f"the image {bundled.reference}"):
                image = self._archive.stage_image(bundled.config)
                images[bundled.reference] = StoredArchive(self._archive, image, self._cache)
        for name, text in self._hints.stages.items():
            place = place_of(build, name)
            if isinstance(place, str):
                images[place] = self._open_other(text)
                self._opened.append(images[place])
        return tuple(OpenImage(reference=name, stored=image) for name, image in images.items())

    def _open_other(self, text: str) -> StoredImage:
        other = _Opener(
            Hints(platform=self._hints.platform, limits=self._hints.limits),
            self._cache,
            self._watcher,
        )
        return other._open_main(text)

    def _context(self, image: Image, own: Build | None) -> ContextTree | None:
        folder = self._hints.context
        if folder is not None:
            dockerfile = self._hints.dockerfile
            if dockerfile is None and own is not None:
                # What a provenance calls it may lead anywhere.
                dockerfile = folder / PurePosixPath(own.name).name
            return _read_context(folder, _ignored(folder, dockerfile, image.config))
        if self._bundle is not None and self._bundle.context:
            return ContextTree(self._bundle.context)
        return None


def _ignored(folder: Path, dockerfile: Path | None, config: ImageConfig) -> tuple[str, ...]:
    """Return the patterns that the build ignored; none where it is not known which file held.

    What was ignored but counts here costs a proof at most; what was not ignored and
    does not count here would seem to be missing.
    """
    if dockerfile is not None:
        beside = dockerfile.with_name(f"{dockerfile.name}{IGNORE_FILE}")
        by_buildkit = any(entry.comment.startswith("buildkit.") for entry in config.history[-1:])
        # The classic builder does not look beside the Dockerfile.
        if not dockerfile.is_file() or (beside.exists() and not by_buildkit):
            return ()
    return read_ignore(folder, dockerfile)


def _read_context(folder: Path, patterns: tuple[str, ...]) -> ContextTree:
    if not folder.is_dir():
        raise SourceError(f"{folder} is not a folder", why="--context names the build context")
    ignored = ignore_matcher(patterns)
    files = {file.path: file for file in walk_context(folder, ignored)}
    entries = [entry for file in files.values() if (entry := context_entry(file, None))]
    contents = FolderContents(files)
    return ContextTree(
        entries,
        lambda path: file_digest(files[path]),
        contents,
        contents.first_names(),
        lambda path: unpack_file(files[path]),
    )


def read_dockerfile(path: Path) -> str:
    """Return a Dockerfile's text.

    Raises:
        DockerfileError: it cannot be read, or is larger than any Dockerfile.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_DOCKERFILE + 1)
    except OSError as error:
        message = f"cannot be read: {error.strerror or error}"
        raise DockerfileError(message, name=str(path)) from error
    if len(data) > MAX_DOCKERFILE:
        raise DockerfileError(f"larger than {MAX_DOCKERFILE:,} bytes", name=str(path))
    return data.decode("utf-8", "surrogateescape")


def _stage_finding(stage: OpenStage, finding: Finding) -> Finding:
    if finding.code != CONTRADICTED:
        return replace(finding, message=f"stage {stage.name}: {finding.message}")
    return replace(
        finding,
        code="stage-contradicted",
        message=f"the image given for stage {stage.name} is of another build: {finding.message}",
    )
