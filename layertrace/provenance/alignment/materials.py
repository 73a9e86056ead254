"""Base images by what a builder took: the digest behind each reference.

Source: BuildKit, ``docs/attestations/slsa-definitions.md``, "materials".
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from layertrace.provenance.alignment.reading import Reading
from layertrace.provenance.alignment.weighing import PROVENANCE_CONTRADICTED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layertrace.model.attestation import Material
    from layertrace.model.build import Build, Stage


def with_bases(reading: Reading, materials: Iterable[Material]) -> Reading:
    """Return a reading whose stages tell the digests of their base images.

    What a provenance of another image took does not matter here.
    """
    build = reading.build
    codes = {finding.code for finding in reading.alignment.findings}
    if build is None or PROVENANCE_CONTRADICTED in codes:
        return reading
    named = name_bases(build, materials)

    def renew(stage: Stage | None) -> Stage | None:
        return None if stage is None else named.stages[stage.index]

    alignment = reading.alignment
    steps = tuple(replace(step, stage=renew(step.stage)) for step in alignment.steps)
    return Reading(
        build=named, alignment=replace(alignment, steps=steps, base=renew(alignment.base))
    )


def name_bases(build: Build, materials: Iterable[Material]) -> Build:
    """Return the build with the digests of its base images, as far as they are told."""
    digests: dict[tuple[str, str], set[str]] = {}
    for material in materials:
        if material.reference and material.digest:
            digests.setdefault(_key(material.reference), set()).add(material.digest)
    stages = []
    for stage in build.stages:
        found = digests.get(_key(stage.base), set())
        # One reference on several platforms is several manifests.
        known = found.pop() if stage.base_stage is None and len(found) == 1 else None
        stages.append(stage if known is None else replace(stage, base_digest=known))
    return replace(build, stages=tuple(stages))


def _key(reference: str) -> tuple[str, str]:
    """Return name and tag of an image reference.

    >>> _key("docker.io/library/node:20@sha256:00"), _key("host:5000/app")
    (('node', '20'), ('host:5000/app', 'latest'))
    """
    plain = reference.partition("@")[0]
    folder, slash, last = plain.rpartition("/")
    name, _, tag = last.partition(":")
    return _familiar(f"{folder}{slash}{name}"), tag or "latest"


def _familiar(name: str) -> str:
    return name.removeprefix("docker.io/").removeprefix("library/")
