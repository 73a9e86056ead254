"""A tar that is no archive of an image: one layer, or a whole root file system.

Such as ``docker export`` writes, or a layer taken out of an image.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.archive.pairing import StoredLayer, pair_layers
from layertrace.archive.tar_store import WHOLE
from layertrace.model.image import Image
from layertrace.model.origin import Finding

if TYPE_CHECKING:
    from layertrace.archive.regions import RegionStore


def bare_image(store: RegionStore, *, reference: str) -> tuple[Image, tuple[Finding, ...]]:
    """Return the tar as an image of one layer, of which nothing else is known."""
    paired = pair_layers([StoredLayer(blob=WHOLE)], None)
    finding = Finding(
        code="no-image",
        message=f"{store.name} is a plain tar, shown as one layer: "
        "no configuration, history or platform is known",
    )
    return Image(reference=reference, config=paired.config, layers=paired.layers), (finding,)
