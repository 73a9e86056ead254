"""An image's stored layers, paired with what its configuration says of them.

Source: OCI image-spec, ``config.md``, "rootfs" and "history".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from layertrace.model.image import Absence, ImageConfig, LayerRef, Platform
from layertrace.model.origin import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layertrace.archive.store import BlobStore

_FOREIGN: Final = ("nondistributable", "foreign.diff")
_ENCRYPTED: Final = "+encrypted"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredLayer:
    """One layer as a manifest lists it."""

    blob: str
    digest: str | None = None
    absence: Absence | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """Layers and configuration that fit each other, and what did not."""

    config: ImageConfig
    layers: tuple[LayerRef, ...]
    findings: tuple[Finding, ...] = ()


def bare_config(layers: int) -> ImageConfig:
    """Return what is known of an image that has no configuration: the number of its layers."""
    return ImageConfig(
        digest="", platform=Platform(os="", architecture=""), diff_ids=("",) * layers
    )


def pair_layers(layers: Iterable[StoredLayer], config: ImageConfig | None) -> Paired:
    """Pair layers with diff_ids, both base first.

    Where they are not as many, nothing says which belong together: then no
    layer has a diff_id, and none an instruction.
    """
    stored = tuple(layers)
    findings: tuple[Finding, ...] = ()
    if config is None:
        config = bare_config(len(stored))
    elif len(config.diff_ids) != len(stored):
        counts = {"layers": len(stored), "diff_ids": len(config.diff_ids)}
        message = (
            f"the image has {len(stored)} layers, its configuration names {len(config.diff_ids)}: "
            "no layer can be tied to an instruction"
        )
        findings = (Finding(code="layer-count", message=message, facts=dict(counts)),)
        config = replace(config, diff_ids=("",) * len(stored), history=())
    refs = tuple(
        LayerRef(
            index=index,
            diff_id=diff_id,
            blob=layer.blob,
            digest=layer.digest,
            absence=layer.absence,
        )
        for index, (layer, diff_id) in enumerate(zip(stored, config.diff_ids, strict=True))
    )
    return Paired(config=config, layers=refs, findings=findings)


def absence_of(store: BlobStore, blob: str, media_type: str) -> Absence | None:
    """Return why a layer cannot be read, None where it can."""
    if media_type.endswith(_ENCRYPTED):
        return Absence.ENCRYPTED
    if store.has(blob):
        return None
    foreign = any(word in media_type for word in _FOREIGN)
    return Absence.FOREIGN if foreign else Absence.MISSING
