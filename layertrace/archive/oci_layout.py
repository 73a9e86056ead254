"""An OCI image layout, folder or tar: ``index.json`` leads to manifests and blobs.

Source: OCI image-spec, ``image-layout.md``, ``image-index.md``, ``manifest.md``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.archive.decode import MAX_JSON, Node, decode_config, decode_platform, parse_json
from layertrace.errors import ArchiveError, DigestMismatchError
from layertrace.model.bundle import BLOB_PREFIX
from layertrace.model.image import Image, LayerRef, Platform

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.archive.store import BlobStore

INDEX: Final = "index.json"
MAX_NESTING: Final = 8
MAX_LISTED: Final = 10_000
"""Manifests looked at, those of nested indexes included."""
_INDEX_TYPES: Final = frozenset({
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
})  # fmt: skip
_CONFIG_TYPES: Final = frozenset({
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
})  # fmt: skip
_NAME_KEYS: Final = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
_REFERENCE_TYPE: Final = "vnd.docker.reference.type"
_REFERENCE_DIGEST: Final = "vnd.docker.reference.digest"
_ATTESTATION: Final = "attestation-manifest"
_PREDICATE_TYPE: Final = "in-toto.io/predicate-type"
_SLSA: Final = "https://slsa.dev/provenance/"
MAX_STATEMENT: Final = 64 << 20
"""Bytes of one in-toto statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedImage:
    """One image manifest an index leads to."""

    digest: str
    platform: Platform | None
    """None where the index does not say; the configuration will."""
    names: tuple[str, ...]
    """References given to it by annotations, its index's included."""
    stored: bool
    """False: the index names it and the layout does not hold it."""


def list_images(store: BlobStore) -> tuple[ListedImage, ...]:
    """Return every image of a layout, in the index's order.

    Attestations, signatures and other artifacts beside images are not images.

    Raises:
        ArchiveError: an index is missing, damaged or nested beyond reason.
    """
    root = parse_json(store.read(INDEX, limit=MAX_JSON), f"{INDEX} in {store.name}")
    found: dict[tuple[str, tuple[str, ...]], ListedImage] = {}
    for image in _Lister(store).list(root, (), 0):
        found.setdefault((image.digest, image.names), image)
    return tuple(found.values())


def find_attestation(store: BlobStore, digest: str) -> bytes | None:
    """Return the SLSA provenance statement stored beside an image manifest.

    Matched by the index's annotations alone: older builders give it neither
    an ``artifactType`` nor a ``subject``.

    Source: BuildKit, ``docs/attestations/attestation-storage.md``.
    """
    root = parse_json(store.read(INDEX, limit=MAX_JSON), f"{INDEX} in {store.name}")
    for item in _attestations(store, root, set()):
        if item.get("annotations").texts().get(_REFERENCE_DIGEST) != digest:
            continue
        manifest = item.get("digest").digest()
        if not store.has(blob_name(manifest)):
            continue
        for layer in read_json_blob(store, manifest).get("layers").items():
            predicate = layer.get("annotations").texts().get(_PREDICATE_TYPE, "")
            statement = layer.get("digest").digest()
            if predicate.startswith(_SLSA) and store.has(blob_name(statement)):
                data = store.read(blob_name(statement), limit=MAX_STATEMENT)
                _check(statement, data, "the provenance")
                return data
    return None


def _attestations(store: BlobStore, index: Node, seen: set[str]) -> list[Node]:
    found: list[Node] = []
    for item in index.get("manifests").items():
        if item.get("annotations").texts().get(_REFERENCE_TYPE) == _ATTESTATION:
            found.append(item)
        elif item.get("mediaType").text("") in _INDEX_TYPES:
            digest = item.get("digest").digest()
            # How deep indexes may lie in each other was settled when the image was looked for.
            if digest not in seen:
                seen.add(digest)
                found += _attestations(store, read_json_blob(store, digest), seen)
    return found


class _Lister:
    """One pass over the indexes of a layout."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store
        self._looked = 0

    def list(self, index: Node, names: tuple[str, ...], depth: int) -> Iterator[ListedImage]:
        if depth > MAX_NESTING:
            raise ArchiveError(f"{index.document}: indexes nested more than {MAX_NESTING} deep")
        for item in index.get("manifests").items():
            self._looked += 1
            if self._looked > MAX_LISTED:
                raise ArchiveError(f"{index.document} lists more than {MAX_LISTED:,} manifests")
            annotations = item.get("annotations").texts()
            if _REFERENCE_TYPE in annotations:
                continue
            own = names + tuple(annotations[key] for key in _NAME_KEYS if key in annotations)
            digest = item.get("digest").digest()
            if item.get("mediaType").text("") in _INDEX_TYPES:
                yield from self.list(read_json_blob(self._store, digest), own, depth + 1)
            elif item.get("artifactType").text("") in _CONFIG_TYPES | {""}:
                yield from self._image(item, digest, tuple(dict.fromkeys(own)))

    def _image(self, item: Node, digest: str, names: tuple[str, ...]) -> Iterator[ListedImage]:
        stored = self._store.has(blob_name(digest))
        if stored and not _is_image(read_json_blob(self._store, digest)):
            return
        platform = item.get("platform")
        yield ListedImage(
            digest=digest,
            platform=decode_platform(platform) if platform.value else None,
            names=names,
            stored=stored,
        )


def _is_image(manifest: Node) -> bool:
    """Tell an image from what only looks like one: signatures, attestations, SBOMs.

    Cosign and BuildKit give those the configuration of an image.
    """
    layers = (layer.get("mediaType").text("") for layer in manifest.get("layers").items())
    config = manifest.get("config").get("mediaType").text("")
    return config in _CONFIG_TYPES and all("tar" in layer or not layer for layer in layers)


def listed_image(store: BlobStore, listed: ListedImage, *, reference: str) -> Image:
    """Return one listed image.

    Raises:
        ArchiveError: a blob it names is missing, damaged or of another size.
    """
    manifest = read_json_blob(store, listed.digest)
    config_digest = manifest.get("config").get("digest").digest()
    data = store.read(blob_name(config_digest), limit=MAX_JSON)
    _check(config_digest, data, "the image configuration")
    config = decode_config(data, digest=config_digest, document=f"{config_digest} in {store.name}")
    layers = manifest.get("layers").items()
    if len(layers) != len(config.diff_ids):
        raise ArchiveError(
            f"{store.name}: the manifest names {len(layers)} layers, "
            f"the configuration {len(config.diff_ids)}"
        )
    return Image(
        reference=reference,
        config=config,
        manifest_digest=listed.digest,
        layers=tuple(
            _layer(store, index, layer, diff_id)
            for index, (layer, diff_id) in enumerate(zip(layers, config.diff_ids, strict=True))
        ),
        tags=listed.names,
    )


def _layer(store: BlobStore, index: int, layer: Node, diff_id: str) -> LayerRef:
    digest = layer.get("digest").digest()
    stored = store.size(blob_name(digest))
    size = layer.get("size").number()
    if stored != size:
        raise ArchiveError(
            f"layer {index} of {store.name} has {stored:,} bytes, its manifest says {size:,}",
            hint="copy the image again",
        )
    return LayerRef(index=index, diff_id=diff_id, blob=blob_name(digest), digest=digest)


def read_json_blob(store: BlobStore, digest: str) -> Node:
    """Return a JSON document stored under its digest.

    Raises:
        ArchiveError: it is missing, damaged or not what its digest says.
    """
    data = store.read(blob_name(digest), limit=MAX_JSON)
    _check(digest, data, "a manifest")
    return parse_json(data, f"{digest[:19]}… in {store.name}")


def _check(digest: str, data: bytes, subject: str) -> None:
    actual = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if actual != digest:
        raise DigestMismatchError(subject=subject, expected=digest, actual=actual)


def blob_name(digest: str) -> str:
    """Return the name of a layout's file for a blob."""
    return BLOB_PREFIX + digest.removeprefix("sha256:")
