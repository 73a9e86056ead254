"""An OCI image layout, folder or tar: ``index.json`` leads to manifests and blobs.

Source: OCI image-spec, ``image-layout.md``, ``image-index.md``, ``manifest.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.archive.blob import digest_of
from layertrace.archive.decode import MAX_JSON, Node, decode_config, decode_platform, parse_json
from layertrace.archive.docker_archive import no_config, wrong_digest
from layertrace.archive.pairing import StoredLayer, absence_of, pair_layers
from layertrace.errors import ArchiveError, DigestMismatchError
from layertrace.model.image import Image, Platform
from layertrace.model.origin import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.archive.store import BlobStore
    from layertrace.model.image import ImageConfig

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
    # Some writers leave it out.
    "",
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
    lister = _Lister(store)
    for image in lister.list(root, (), 0):
        found.setdefault((image.digest, image.names), image)
    if not found and lister.missing:
        # Without a single image, an index that is not there is why.
        store.size(blob_name(lister.missing))
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
            if digest not in seen and store.has(blob_name(digest)):
                seen.add(digest)
                found += _attestations(store, read_json_blob(store, digest), seen)
    return found


class _Lister:
    """One pass over the indexes of a layout."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store
        self._looked = 0
        self.missing = ""
        """The digest of an index that is not stored."""

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
                if not self._store.has(blob_name(digest)):
                    self.missing = digest
                    continue
                yield from self.list(_read_claimed(self._store, digest), own, depth + 1)
            elif item.get("artifactType").text("") in _CONFIG_TYPES:
                yield from self._image(item, digest, tuple(dict.fromkeys(own)))

    def _image(self, item: Node, digest: str, names: tuple[str, ...]) -> Iterator[ListedImage]:
        stored = self._store.has(blob_name(digest))
        if stored and not _is_image(_read_claimed(self._store, digest)):
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
    config = manifest.get("config")
    if config.value is None or config.get("mediaType").text("") not in _CONFIG_TYPES:
        return False
    return all("tar" in layer or not layer for layer in layers)


def listed_image(
    store: BlobStore, listed: ListedImage, *, reference: str
) -> tuple[Image, tuple[Finding, ...]]:
    """Return one listed image, and what is strange about it.

    Raises:
        ArchiveError: its manifest is missing or damaged, or its configuration is.
    """
    manifest = _read_claimed(store, listed.digest)
    actual = digest_of(store.read(blob_name(listed.digest), limit=MAX_JSON), like=listed.digest)
    findings: tuple[Finding, ...] = ()
    if actual != listed.digest:
        findings = (wrong_digest("the image manifest", listed.digest, actual),)
    config, more = _read_config(store, manifest.get("config").get("digest").digest())
    layers = manifest.get("layers").items()
    sizes = (_wrong_size(store, index, layer) for index, layer in enumerate(layers))
    paired = pair_layers((_layer(store, layer) for layer in layers), config)
    image = Image(
        reference=reference,
        config=paired.config,
        manifest_digest=actual,
        layers=paired.layers,
        tags=listed.names,
    )
    return image, (*findings, *more, *paired.findings, *filter(None, sizes))


def _read_config(store: BlobStore, digest: str) -> tuple[ImageConfig | None, tuple[Finding, ...]]:
    if not store.has(blob_name(digest)):
        return None, (no_config(digest),)
    data = store.read(blob_name(digest), limit=MAX_JSON)
    actual = digest_of(data, like=digest)
    config = decode_config(data, digest=actual, document=f"{digest} in {store.name}")
    if actual == digest:
        return config, ()
    return config, (wrong_digest("the image configuration", digest, actual),)


def _layer(store: BlobStore, layer: Node) -> StoredLayer:
    digest = layer.get("digest").digest()
    blob = blob_name(digest)
    absence = absence_of(store, blob, layer.get("mediaType").text(""))
    return StoredLayer(blob=blob, digest=digest, absence=absence)


def _wrong_size(store: BlobStore, index: int, layer: Node) -> Finding | None:
    blob, size = blob_name(layer.get("digest").digest()), layer.get("size").value
    if size is None or not store.has(blob):
        return None
    stored = store.size(blob)
    if stored == layer.get("size").number():
        return None
    return Finding(
        code="size-mismatch",
        message=f"layer {index} has {stored:,} bytes, the image manifest says {size:,}",
        facts={"layer": index, "expected": size, "actual": stored},
    )


def _read_claimed(store: BlobStore, digest: str) -> Node:
    """Return a JSON document by its digest, whether that is right or not."""
    return parse_json(
        store.read(blob_name(digest), limit=MAX_JSON), f"{digest[:19]}… in {store.name}"
    )


def read_json_blob(store: BlobStore, digest: str) -> Node:
    """Return a JSON document stored under its digest.

    Raises:
        ArchiveError: it is missing, damaged or not what its digest says.
    """
    data = store.read(blob_name(digest), limit=MAX_JSON)
    _check(digest, data, "a manifest")
    return parse_json(data, f"{digest[:19]}… in {store.name}")


def _check(digest: str, data: bytes, subject: str) -> None:
    actual = digest_of(data, like=digest)
    if actual != digest:
        raise DigestMismatchError(subject=subject, expected=digest, actual=actual)


def blob_name(digest: str) -> str:
    """Return the name of a layout's file for a blob."""
    return f"blobs/{digest.replace(':', '/')}"
