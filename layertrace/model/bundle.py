"""What a trace archive adds to an image: its stages and what they were built from.

A trace archive is a docker-archive with blobs named by digest. ``manifest.json``
lists the final image alone, so other tools see an ordinary image;
``layertrace/trace.json`` holds the rest in the shape of :class:`TraceBundle`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

TRACE_SCHEMA: Final = "layertrace.trace/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleStage:
    """One stage's own image inside the archive."""

    index: int
    name: str
    config: str
    """Digest of its configuration: ``blobs/sha256/<hex>`` in the archive, which
    lists the diff_ids; each layer is stored plain under its diff_id."""
    fidelity: str
    """``same-build`` (the very image the final one copied from), ``cached``
    (built apart, every step from the build cache) or ``rebuilt``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleBase:
    """An external image a stage starts from: its configuration, no layers of its own."""

    reference: str
    config: str
    """Digest of its configuration, stored as a blob; its layers are a stage's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleImage:
    """An image outside the Dockerfile that a COPY or a mount took files from."""

    reference: str
    """As the Dockerfile names it, variables substituted."""
    config: str
    """Digest of its configuration, stored as a stage's is, and its layers too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextEntry:
    """One file of the build context, as it stood when the image was built."""

    path: str
    """Relative to the context, POSIX."""
    kind: str
    """``file``, ``dir`` or ``symlink``."""
    size: int
    mode: int
    mtime: int
    digest: str | None = None
    """Of a file's content."""
    link_target: str | None = None
    copy_sum: str | None = None
    """What the classic builder's COPY hash takes a file for: header and content, in hex.
    None where the context was sent to another builder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceBundle:
    """Build knowledge carried inside an archive."""

    builder: str
    """``buildkit`` or ``classic``."""
    dockerfile_name: str
    dockerfile: str
    target: str | None
    build_args: Mapping[str, str] = field(default_factory=dict)
    stages: tuple[BundleStage, ...] = ()
    bases: tuple[BundleBase, ...] = ()
    images: tuple[BundleImage, ...] = ()
    context: tuple[ContextEntry, ...] = ()
    provenance: Mapping[str, object] | None = None
