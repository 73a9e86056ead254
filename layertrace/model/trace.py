"""What a traced image looks like to whoever shows it.

Source: CONTRACT.md, section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layertrace.model.build import Build
    from layertrace.model.image import Image
    from layertrace.model.origin import Evidence, Finding, Trust


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerInfo:
    """One layer and the instruction that made it."""

    index: int
    diff_id: str
    digest: str | None
    created_by: str
    base: bool
    """It belongs to the base image of the first stage in the image's chain."""
    trust: Trust
    """How surely it is tied to its instruction (or to the base)."""
    evidence: Evidence
    stage: str | None = None
    stage_index: int | None = None
    step: int | None = None
    line: int | None = None
    instruction: str | None = None
    lines: tuple[int, ...] = ()
    """Of a layer that several instructions made together: theirs, in their order."""
    source: str | None = None
    """COPY --from: the stage or image it names."""
    source_stage: int | None = None
    size: int | None = None
    """Bytes of regular files, each stored copy counted; None until walked."""
    files: int | None = None
    """Entries that are not directories."""
    wasted: int | None = None
    """Bytes of it that a later layer hides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A layer of the final image that brought files of a stage."""

    layer: int
    line: int | None
    instruction: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StageInfo:
    """One stage of the Dockerfile and what of it ships."""

    index: int
    name: str
    base: str
    """Its FROM argument."""
    line: int
    in_image: bool
    """The final image is built on it (it is the target or an ancestor)."""
    used: bool
    """The target needs it at all."""
    size: int | None = None
    """Bytes of its own image, base included; None when that is not at hand."""
    shipped_bytes: int | None = None
    shipped_files: int | None = None
    carried_by: tuple[Carrier, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHead:
    """All that is known of an image before (and after) its layers are walked."""

    image: Image
    layers: tuple[LayerInfo, ...]
    stages: tuple[StageInfo, ...]
    build: Build | None
    findings: tuple[Finding, ...] = ()
    size: int | None = None
    """Sum of the layers' sizes; None until walked."""
    provenance_min: bool = False
    """There is provenance, but of ``mode=min``: it names no instruction and no stage."""
