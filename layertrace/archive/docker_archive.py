"""What ``docker save`` writes: ``manifest.json`` names configurations and layers.

Source: moby, ``image/spec/v1.2.md``, "Combined Image JSON + Filesystem Changeset Format".
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.archive.decode import MAX_JSON, decode_config, parse_json
from layertrace.errors import ArchiveError
from layertrace.model.bundle import BLOB_PREFIX
from layertrace.model.image import Image, LayerRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.archive.store import BlobStore

MANIFEST: Final = "manifest.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedImage:
    """One item of ``manifest.json``."""

    config: str
    """Name of the configuration's file."""
    layers: tuple[str, ...]
    """Names of the layers' files, base first."""
    tags: tuple[str, ...]


def list_saved(store: BlobStore) -> tuple[SavedImage, ...]:
    """Return the images that ``manifest.json`` lists.

    Raises:
        ArchiveError: it is not what ``docker save`` writes.
    """
    root = parse_json(store.read(MANIFEST, limit=MAX_JSON), f"{MANIFEST} in {store.name}")
    return tuple(
        SavedImage(
            config=item.get("Config").text(),
            layers=tuple(layer.text() for layer in item.get("Layers").items()),
            tags=tuple(tag.text() for tag in item.get("RepoTags").items()),
        )
        for item in root.items()
    )


def saved_image(store: BlobStore, saved: SavedImage, *, reference: str) -> Image:
    """Return one listed image, its layers in the manifest's order.

    Raises:
        ArchiveError: a file it names is missing or damaged, or its layers are
            not as many as its configuration says.
    """
    data = store.read(saved.config, limit=MAX_JSON)
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    config = decode_config(data, digest=digest, document=f"{saved.config} in {store.name}")
    return Image(
        reference=reference,
        config=config,
        layers=layer_refs(store, saved.layers, config.diff_ids),
        tags=saved.tags,
    )


def layer_refs(
    store: BlobStore, blobs: Sequence[str], diff_ids: Sequence[str]
) -> tuple[LayerRef, ...]:
    """Pair layer files with the configuration's diff_ids, both base first.

    Raises:
        ArchiveError: they are not as many, or a file is missing.
    """
    if len(blobs) != len(diff_ids):
        raise ArchiveError(
            f"{store.name}: the manifest names {len(blobs)} layers, "
            f"the configuration {len(diff_ids)}",
            hint="save the image again",
        )
    for blob in blobs:
        store.size(blob)
    return tuple(
        LayerRef(index=index, diff_id=diff_id, blob=blob, digest=_blob_digest(blob))
        for index, (blob, diff_id) in enumerate(zip(blobs, diff_ids, strict=True))
    )


def _blob_digest(blob: str) -> str | None:
    """Return the digest a blob's name states; None for a classic ``layer.tar``."""
    return f"sha256:{blob.removeprefix(BLOB_PREFIX)}" if blob.startswith(BLOB_PREFIX) else None
