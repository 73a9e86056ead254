"""The build that an image is of: by a Dockerfile given, or by what the builder recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.errors import DockerfileError, UsageError
from layertrace.pipeline.opening.evidence import known_contexts, read_own
from layertrace.provenance.alignment.history import align
from layertrace.provenance.alignment.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from layertrace.model.attestation import Attestation
    from layertrace.model.build import Build
    from layertrace.model.bundle import TraceBundle
    from layertrace.model.image import Image
    from layertrace.model.origin import Finding
    from layertrace.pipeline.hints import Hints
    from layertrace.pipeline.opening.bases import Bases
    from layertrace.pipeline.opening.evidence import Told

MAX_DOCKERFILE: Final = 4 << 20
"""Bytes; heredocs can make one long, nothing makes one this long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Builds:
    """What an image's build may be, by whom it is told."""

    given: Build | None = None
    """By the Dockerfile of the user or of a trace archive."""
    own: Build | None = None
    """By the Dockerfile in the image's provenance."""
    findings: tuple[Finding, ...] = ()


def read_builds(
    image: Image, hints: Hints, told: Told, bundle: TraceBundle | None, bases: Bases
) -> Builds:
    """Read the Dockerfiles there are; ``bases`` learns what the target takes over.

    Raises:
        UsageError: an option cannot do anything without a Dockerfile.
        DockerfileError: the one given cannot be read, or is none.
    """
    builds = _read_builds(image, hints, told, bundle, bases)
    build = builds.given or builds.own
    if build is None:
        _refuse_idle_hints(hints, image)
    if bases.learn(build, image.config):
        return _read_builds(image, hints, told, bundle, bases)
    return builds


def _read_builds(
    image: Image, hints: Hints, told: Told, bundle: TraceBundle | None, bases: Bases
) -> Builds:
    attestation = told.attestation
    own, findings = read_own(told, image, bases.defaults)
    file = _dockerfile(hints, bundle, own)
    given: Build | None = None
    if file is not None:
        # A trace archive's build was ordered without named contexts.
        contexts = {} if bundle is not None else known_contexts(attestation, image)
        given = _parse(file, hints, bundle or attestation, bases, contexts)
    return Builds(given=given, own=own, findings=findings)


def _dockerfile(
    hints: Hints, bundle: TraceBundle | None, own: Build | None
) -> tuple[str, str] | None:
    """Return name and text of the Dockerfile given, or of the one that options are for."""
    if hints.dockerfile is not None:
        return str(hints.dockerfile), read_dockerfile(hints.dockerfile)
    if bundle is not None:
        return bundle.dockerfile_name, bundle.dockerfile
    if own is not None and (hints.target or hints.build_args):
        return own.name, own.text
    return None


def _parse(
    file: tuple[str, str],
    hints: Hints,
    told: TraceBundle | Attestation | None,
    bases: Bases,
    contexts: Mapping[str, str] | None,
) -> Build:
    """Return the build as it was ordered; what the user says of it goes first."""
    # Where there is no Dockerfile, nothing of this is needed.
    from layertrace.dockerfile.parse import parse_build  # noqa: PLC0415
    from layertrace.model.bundle import TraceBundle  # noqa: PLC0415

    name, text = file
    classic = isinstance(told, TraceBundle) and told.builder == "classic"
    told_args = told.build_args if told is not None else {}
    return parse_build(
        text,
        name=name,
        target=hints.target or (told.target if told is not None else None),
        build_args={**told_args, **hints.build_args},
        bases=bases.defaults,
        builder="classic" if classic else "buildkit",
        contexts=contexts,
    )


def _refuse_idle_hints(hints: Hints, image: Image) -> None:
    """Say so where an option tells nothing, there being no Dockerfile."""
    if not (hints.context or hints.stages or hints.target or hints.build_args or hints.stage_cache):
        return
    from layertrace.provenance.copyhash import has_hashes  # noqa: PLC0415 - most name nothing

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
    if idle:
        raise UsageError(
            f"{idle[0]} tells nothing without the Dockerfile", hint="add -f Dockerfile"
        )


def weigh_builds(image: Image, builds: Builds, told: Told, bases: Bases) -> Reading:
    """Return the Dockerfile to go by, and the layers by all there is."""

    def by(build: Build | None) -> Reading:
        base = bases.of(build, image.config)
        return Reading(build=build, alignment=align(image.config, build, base=base))

    attestation, given = told.attestation, builds.given
    if attestation is None:
        return by(given)
    # Most images have none.
    from layertrace.provenance.alignment.materials import with_bases  # noqa: PLC0415
    from layertrace.provenance.alignment.weighing import weigh  # noqa: PLC0415

    if builds.own is None:
        reading = by(given)
    else:
        reading = weigh(
            attestation,
            own=by(builds.own),
            given=by(given) if given is not None else None,
            plain=by(None).alignment,
            bound=told.bound,
        )
    return with_bases(reading, attestation.materials)


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
