"""An image as its manifest and configuration describe it.

Source: OCI image-spec, ``manifest.md`` and ``config.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What an image runs on, in Go's words."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One entry of ``config.history``."""

    created_by: str = ""
    comment: str = ""
    created: str = ""
    author: str = ""
    empty_layer: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """The image configuration, as far as tracing asks for it."""

    digest: str
    platform: Platform
    diff_ids: tuple[str, ...]
    """Base first."""
    history: tuple[HistoryEntry, ...] = ()
    created: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    working_dir: str = ""
    user: str = ""
    on_build: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)


class Absence(Enum):
    """Why a layer that an image names cannot be read."""

    MISSING = "missing"
    FOREIGN = "foreign"
    """To be fetched from elsewhere: ``layer.md``, "Non-Distributable Layers"."""
    ENCRYPTED = "encrypted"


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRef:
    """Where one layer of an image is stored."""

    index: int
    """0 is the base."""
    diff_id: str
    """``""`` where nothing says."""
    blob: str
    """The source's own name for the stored blob: a member or file name."""
    digest: str | None = None
    """Of the blob as stored; None where the format does not say."""
    absence: Absence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image on one platform."""

    reference: str
    """As the user named it."""
    config: ImageConfig
    layers: tuple[LayerRef, ...]
    manifest_digest: str | None = None
    """None for a classic docker-archive, which has no such manifest."""
    tags: tuple[str, ...] = ()
