"""What ``docker save`` writes: ``manifest.json`` names configurations and layers.

Source: moby, ``image/spec/v1.2.md``, "Combined Image JSON + Filesystem Changeset Format".
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from layertrace.archive.blob import digest_of
from layertrace.archive.decode import decode_config, read_json
from layertrace.archive.pairing import StoredLayer, absence_of, pair_layers
from layertrace.archive.regions import BLOB_PREFIX
from layertrace.model.image import Image
from layertrace.model.origin import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
    misspelt: tuple[str, ...] = ()
    """Keys of it in another case than Docker writes."""

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
            misspelt=item.misspelt("Config", "RepoTags", "Layers", "LayerSources"),
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
    return read_json(store, MANIFEST)


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
    paired = pair_layers(stored_layers(store, saved, config), config)
    image = Image(reference=reference, config=paired.config, layers=paired.layers, tags=saved.tags)
    return image, (*findings, *paired.findings, *misspelt_keys(MANIFEST, saved.misspelt))


def misspelt_keys(document: str, keys: tuple[str, ...]) -> tuple[Finding, ...]:
    """Return the finding that keys are spelt in another case than the format's, where some are."""
    if not keys:
        return ()
    named = ", ".join(keys)
    message = f"{document} spells keys in another case than its format does: {named}"
    return (Finding(code="key-case", message=message, facts={"keys": list(keys)}),)


def stored_layers(
    store: BlobStore, saved: SavedImage, config: ImageConfig | None
) -> Iterator[StoredLayer]:
    """Yield the layers of an image as the manifest lists them, base first."""
    diff_ids = config.diff_ids if config is not None else ()
    of_blob = dict(zip(saved.layers, diff_ids, strict=False))
    for blob in saved.layers:
        media_type = saved.media_types.get(of_blob.get(blob, ""), "")
        yield StoredLayer(
            blob=blob, digest=_blob_digest(blob), absence=absence_of(store, blob, media_type)
        )


def _read_config(store: BlobStore, name: str) -> tuple[ImageConfig | None, tuple[Finding, ...]]:
    if not store.has(name):
        return None, (no_config(name),)
    data = store.read(name, limit=store.limits.json)
    digest = digest_of(data)
    config = decode_config(
        data, digest=digest, document=f"{name} in {store.name}", limits=store.limits
    )
    stated = stated_digest(name)
    if stated is not None and digest != stated:
        return config, (wrong_digest("the image configuration", stated, digest),)
    return config, ()


def stated_digest(name: str) -> str | None:
    """Return the digest that the name of a configuration's file states, None where it is a word."""
    stated = posixpath.basename(name).removesuffix(".json").removeprefix("sha256:")
    return f"sha256:{stated}" if _HEX.match(stated) else None


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
