"""What a user tells beside the image: CONTRACT.md, section 2."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from layertrace.model.limits import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from layertrace.model.image import Platform
    from layertrace.model.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """Build knowledge; every part may be missing."""

    dockerfile: Path | None = None
    target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    context: Path | None = None
    stages: Mapping[str, str] = field(default_factory=dict)
    """Stage name or number to an image reference."""
    stage_cache: Path | None = None
    """A build cache that BuildKit exported, mode=max."""
    base: str | None = None
    """Reference of the image the final stage starts from."""
    provenance: Path | None = None
    """A SLSA provenance statement or bare predicate."""
    platform: Platform | None = None
    verify: bool = False
    """Read every layer whole and check its diff_id."""
    limits: Limits = DEFAULTS
    """How much the image, and any other named, may hold."""
