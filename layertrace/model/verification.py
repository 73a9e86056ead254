"""What is claimed of an image's stored bytes, and what they turned out to be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layertrace.model.image import Absence
    from layertrace.model.origin import Finding


class BlobKind(StrEnum):
    """What a stored file is to an image."""

    ARCHIVE = "archive"
    """The outer tar itself."""
    INDEX = "index"
    MANIFEST = "manifest"
    CONFIG = "config"
    LAYER = "layer"
    ATTESTATION = "attestation"
    """Of an attestation: its manifest, its configuration, its statements."""
    ARTIFACT = "artifact"
    """Of whatever else an index names: signatures, charts."""
    TRACE = "trace"
    """What a trace archive tells of its build."""
    UNNAMED = "unnamed"
    """Stored under a digest, and named by nothing that was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What one document, or a file's own name, says of a stored file."""

    kind: BlobKind
    blob: str
    """The file's name in the archive or layout."""
    image: str = ""
    """Whose it is, for people; ``""``: no image's, or that of all."""
    layer: int | None = None
    digest: str | None = None
    size: int | None = None
    diff_id: str | None = None
    absence: Absence | None = None
    optional: bool = False
    """It may be missing: an index names images of other platforms, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A document that does not say what it should."""

    blob: str
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All that an archive, layout or engine says of what it holds."""

    images: tuple[str, ...]
    """What is checked, as people call it."""
    claims: tuple[Claim, ...]
    """In the order in which one leads to the next."""
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobCheck:
    """One stored file, and all that is wrong with it."""

    kind: BlobKind
    blob: str
    images: tuple[str, ...]
    layer: int | None
    """Its index in the first of these images."""
    size: int | None
    """As stored; None where it is not."""
    digest: str | None
    diff_id: str | None
    """Of a layer that could be unpacked to its end."""
    problems: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    """Strange, and no mismatch."""

    @property
    def ok(self) -> bool:
        """Nothing is wrong with it."""
        return not self.problems
