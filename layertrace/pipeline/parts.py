"""What an opened image consists of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layertrace.model.limits import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.archive.daemon import EngineSource
    from layertrace.layers.cache import IndexCache
    from layertrace.model.attestation import Attestation
    from layertrace.model.limits import Limits
    from layertrace.model.trace import ImageHead
    from layertrace.pipeline.opening.bases import Bases
    from layertrace.pipeline.stored_image import StoredImage
    from layertrace.provenance.alignment.history import Alignment, LayerStep
    from layertrace.provenance.context_tree import ContextTree


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStage:
    """A stage whose image is at hand."""

    index: int
    name: str
    stored: StoredImage
    alignment: Alignment


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenImage:
    """An image outside the Dockerfile that a COPY or a mount names, at hand."""

    reference: str
    """As the Dockerfile names it, variables substituted."""
    stored: StoredImage
    by_name: bool = False
    """The engine has it by that name, which may have meant another when the build ran."""


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
    attestation: Attestation | None = None
    """The builder's provenance, where it is known to be of this very image."""
    unread: tuple[int, ...] = ()
    """Layers that were not read, for the reading was stopped or still goes on."""
    again: Callable[[], Parts] | None = None
    """Assembles it of the image itself, where this is of what the engine tells beforehand."""
