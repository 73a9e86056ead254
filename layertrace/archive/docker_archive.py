"""What ``docker save`` writes: ``manifest.json`` names configurations and layers.

Source: moby, ``image/spec/v1.2.md``, "Combined Image JSON + Filesystem Changeset Format".
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from layertrace.archive.blob import digest_of
from layertrace.archive.decode import MAX_JSON, decode_config, parse_json
from layertrace.archive.pairing import StoredLayer, absence_of, pair_layers
from layertrace.model.bundle import BLOB_PREFIX
from layertrace.model.image import Image
from layertrace.model.origin import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.archive.decode import Node
    from layertrace.archive.store import BlobStore
    from layertrace.model.image import ImageConfig

MANIFEST: Final = "manifest.json"
_HEX: Final = re.compile(r"[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedImage:
    """One item of ``manifest.json``."""

    config: str
    """Name of the configuration's file."""
    layers: tuple[str, ...]
    """Names of the layers' files, base first."""
    tags: tuple[str, ...]
    media_types: Mapping[str, str] = field(default_factory=dict)
    """Of layers by diff_id, where ``LayerSources`` tells."""

    @property
    def id(self) -> str:
        """What to call it where it has no tag."""
        return self.config


def list_saved(store: BlobStore) -> tuple[SavedImage, ...]:
    """Return the images that ``manifest.json`` lists.

    Raises:
        ArchiveError: it is not what ``docker save`` writes.
    """
    return tuple(
        SavedImage(
            config=item.get("Config").text(),
            layers=tuple(layer.text() for layer in item.get("Layers").items()),
            tags=tuple(tag.text() for tag in item.get("RepoTags").items()),
            media_types=_media_types(item.get("LayerSources")),
        )
        for item in _manifest(store).items()
    )


def lists_saved(store: BlobStore) -> bool:
    """Say whether ``manifest.json`` is that of an archive, not a file that happens to be called so.

    Raises:
        ArchiveError: it is not JSON.
    """
    root = _manifest(store)
    if root.value is not None and not isinstance(root.value, list):
        return False
    items = root.items()
    return all(isinstance(i.value, dict) and i.get("Layers").value is not None for i in items)


def _manifest(store: BlobStore) -> Node:
    return parse_json(store.read(MANIFEST, limit=MAX_JSON), f"{MANIFEST} in {store.name}")


def _media_types(sources: Node) -> Mapping[str, str]:
    return {
        diff_id: sources.get(diff_id).get("mediaType").text("") for diff_id in sources.mapping()
    }


def saved_image(
    store: BlobStore, saved: SavedImage, *, reference: str
) -> tuple[Image, tuple[Finding, ...]]:
    """Return one listed image, its layers in the manifest's order, and what is strange about it.

    Raises:
        ArchiveError: its configuration is damaged.
    """
    config, findings = _read_config(store, saved.config)
    diff_ids = config.diff_ids if config is not None else ()
    of_blob = dict(zip(saved.layers, diff_ids, strict=False))
    paired = pair_layers(
        (
            StoredLayer(
                blob=blob,
                digest=_blob_digest(blob),
                absence=absence_of(store, blob, saved.media_types.get(of_blob.get(blob, ""), "")),
            )
            for blob in saved.layers
        ),
        config,
    )
    image = Image(reference=reference, config=paired.config, layers=paired.layers, tags=saved.tags)
    return image, (*findings, *paired.findings)


def _read_config(store: BlobStore, name: str) -> tuple[ImageConfig | None, tuple[Finding, ...]]:
    if not store.has(name):
        return None, (no_config(name),)
    data = store.read(name, limit=MAX_JSON)
    digest = digest_of(data)
    config = decode_config(data, digest=digest, document=f"{name} in {store.name}")
    stated = posixpath.basename(name).removesuffix(".json").removeprefix("sha256:")
    if _HEX.match(stated) and digest != f"sha256:{stated}":
        return config, (wrong_digest("the image configuration", f"sha256:{stated}", digest),)
    return config, ()


def no_config(name: str) -> Finding:
    """Return the finding that an image's configuration is not there."""
    message = f"the image configuration {name} is not there: platform and history are not known"
    return Finding(code="config-missing", message=message, facts={"config": name})


def wrong_digest(subject: str, expected: str, actual: str) -> Finding:
    """Return the finding that a document is not the one its digest names."""
    return Finding(
        code="digest-mismatch",
        message=f"{subject} does not have the digest the image gives for it: "
        f"expected {expected}, got {actual}",
        facts={"expected": expected, "actual": actual},
    )


def _blob_digest(blob: str) -> str | None:
    """Return the digest a blob's name states; None for a classic ``layer.tar``."""
    name = blob.removeprefix(BLOB_PREFIX)
    return f"sha256:{name}" if name != blob and _HEX.match(name) else None
