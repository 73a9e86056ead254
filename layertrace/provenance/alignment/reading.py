"""A Dockerfile, and what an image's layers are by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layertrace.model.build import Build
    from layertrace.provenance.alignment.history import Alignment


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A Dockerfile, and the image's layers by it and the history; no Dockerfile: by that alone."""

    build: Build | None
    alignment: Alignment
