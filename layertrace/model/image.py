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


class ClaimPlace(Enum):
    """Where an image names its base."""

    MANIFEST = "manifest"
    INDEX = "index"
    """The annotations of the manifest's descriptor."""
    LABELS = "labels"
    """They are inherited: the base may have been labelled so, and mean its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseClaim:
    """The base that an image says it has: nothing ties it to layers.

    Source: OCI image-spec, ``annotations.md``, ``org.opencontainers.image.base.*``. buildah with
    ``--layers`` gives the digest of what its last step was built on, and the name of the FROM.
    """

    name: str
    """``""`` where only a digest is told."""
    digest: str
    """Of a manifest; ``""`` where it is not told."""
    place: ClaimPlace

    @property
    def reference(self) -> str:
        """What an engine knows that very image by."""
        return "@".join(filter(None, (self.name, self.digest)))


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
    claimed_base: BaseClaim | None = None
    """By its annotations."""
    platforms: tuple[Platform, ...] = ()
    """For which the index that leads to it holds images; none where it is the only one."""
