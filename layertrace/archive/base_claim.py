"""The base an image says it has, in its annotations or labels.

Source: OCI image-spec, ``annotations.md``.
"""

from __future__ import annotations

import re
from typing import Final

from layertrace.model.image import BaseClaim, ClaimPlace

_NAME: Final = "org.opencontainers.image.base.name"
_DIGEST: Final = "org.opencontainers.image.base.digest"
# What is asked of an engine must not lead anywhere else there.
_REFERENCE: Final = re.compile(
    r"[\w\-]+(?:\.[\w\-]+)*(?::\d+)?(?:/[\w\-]+(?:\.[\w\-]+)*)*(?::\w[\w.\-]*)?", re.ASCII
)
_KNOWN_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")


def read_claim(texts: object, place: ClaimPlace) -> BaseClaim | None:
    """Return what annotations or labels say; None where they say nothing that can be a base.

    >>> name = {"org.opencontainers.image.base.name": "node:20"}
    >>> read_claim(name, ClaimPlace.LABELS).reference
    'node:20'
    """
    if not isinstance(texts, dict):
        return None
    name, _, pinned = str(texts.get(_NAME, "")).partition("@")
    digest = str(texts.get(_DIGEST, "")) or pinned
    name = name if _REFERENCE.fullmatch(name) else ""
    digest = digest if _KNOWN_DIGEST.fullmatch(digest) else ""
    return BaseClaim(name=name, digest=digest, place=place) if name or digest else None
