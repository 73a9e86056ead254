"""An OCI image layout, folder or tar: ``index.json`` leads to manifests and blobs.

Source: OCI image-spec, ``image-layout.md``, ``image-index.md``, ``manifest.md``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.archive.base_claim import read_claim
from layertrace.archive.blob import digest_of
from layertrace.archive.decode import (
    Node,
    decode_config,
    decode_platform,
    parse_json,
    read_json,
)
from layertrace.archive.docker_archive import misspelt_keys, no_config, wrong_digest
from layertrace.archive.pairing import StoredLayer, absence_of, pair_layers
from layertrace.errors import DigestMismatchError, LimitError
from layertrace.model.image import ClaimPlace, Image, Platform
from layertrace.model.origin import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.archive.store import BlobStore
    from layertrace.model.image import ImageConfig

INDEX: Final = "index.json"
INDEX_TYPES: Final = frozenset({
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
})  # fmt: skip
CONFIG_TYPES: Final = frozenset({
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.container.image.v1+json",
    # Some writers leave it out.
    "",
})  # fmt: skip
NAME_KEYS: Final = ("io.containerd.image.name", "org.opencontainers.image.ref.name")
REFERENCE_TYPE: Final = "vnd.docker.reference.type"
REFERENCE_DIGEST: Final = "vnd.docker.reference.digest"
ATTESTATION: Final = "attestation-manifest"
_PREDICATE_TYPE: Final = "in-toto.io/predicate-type"
_SLSA: Final = "https://slsa.dev/provenance/"


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
    descriptor: Node
    """What the index says of its manifest."""
    findings: tuple[Finding, ...] = ()
    """What is wrong with the indexes that lead to it."""


def list_images(store: BlobStore) -> tuple[ListedImage, ...]:
    """Return every image of a layout, in the index's order.

    Attestations, signatures and other artifacts beside images are not images.

    Raises:
        ArchiveError: an index is missing or damaged.
        LimitError: indexes are nested, or list manifests, beyond reason.
    """
    root = read_json(store, INDEX)
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
    root = read_json(store, INDEX)
    for item in _attestations(store, root, set()):
        if item.get("annotations").texts().get(REFERENCE_DIGEST) != digest:
            continue
        manifest = item.get("digest").digest()
        if not store.has(blob_name(manifest)):
            continue
        for layer in read_json_blob(store, manifest).get("layers").items():
            predicate = layer.get("annotations").texts().get(_PREDICATE_TYPE, "")
            statement = layer.get("digest").digest()
            if predicate.startswith(_SLSA) and store.has(blob_name(statement)):
                data = store.read(blob_name(statement), limit=store.limits.statement)
                _check(statement, data, "the provenance")
                return data
    return None


def _attestations(store: BlobStore, index: Node, seen: set[str]) -> list[Node]:
    found: list[Node] = []
    for item in index.get("manifests").items():
        if item.get("annotations").texts().get(REFERENCE_TYPE) == ATTESTATION:
            found.append(item)
        elif item.get("mediaType").text("") in INDEX_TYPES:
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

    def list(
        self,
        index: Node,
        names: tuple[str, ...],
        depth: int,
        findings: tuple[Finding, ...] = (),
    ) -> Iterator[ListedImage]:
        limits = self._store.limits
        if depth > limits.nesting:
            raise LimitError(
                f"{index.document}: indexes nested more than {limits.nesting:,} deep",
                limit="nesting",
                allowed=limits.nesting,
            )
        index_keys = misspelt_keys(index.document, index.misspelt("manifests"))
        for item in index.get("manifests").items():
            self._looked += 1
            if self._looked > limits.manifests:
                raise LimitError(
                    f"{index.document} lists more than {limits.manifests:,} manifests",
                    limit="manifests",
                    allowed=limits.manifests,
                )
            annotations = item.get("annotations").texts()
            if REFERENCE_TYPE in annotations:
                continue
            own = names + tuple(annotations[key] for key in NAME_KEYS if key in annotations)
            digest = item.get("digest").digest()
            found = findings + index_keys
            if item.get("mediaType").text("") in INDEX_TYPES:
                if not self._store.has(blob_name(digest)):
                    self.missing = digest
                    continue
                found += _wrong_document(self._store, item, "the image index")
                yield from self.list(_read_claimed(self._store, digest), own, depth + 1, found)
            elif item.get("artifactType").text("") in CONFIG_TYPES:
                yield from self._image(item, digest, tuple(dict.fromkeys(own)), found)

    def _image(
        self, item: Node, digest: str, names: tuple[str, ...], findings: tuple[Finding, ...]
    ) -> Iterator[ListedImage]:
        stored = self._store.has(blob_name(digest))
        if stored and not is_image(_read_claimed(self._store, digest)):
            return
        platform = item.get("platform")
        yield ListedImage(
            digest=digest,
            platform=decode_platform(platform) if platform.value else None,
            names=names,
            stored=stored,
            descriptor=item,
            findings=findings,
        )


def is_image(manifest: Node) -> bool:
    """Tell an image from what only looks like one: signatures, attestations, SBOMs.

    Cosign and BuildKit give those the configuration of an image.
    """
    layers = (layer.get("mediaType").text("") for layer in manifest.get("layers").items())
    config = manifest.get("config")
    if config.value is None or config.get("mediaType").text("") not in CONFIG_TYPES:
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
    actual = digest_of(
        store.read(blob_name(listed.digest), limit=store.limits.json), like=listed.digest
    )
    described = manifest.get("config")
    config = _read_config(store, described.get("digest").digest())
    layers = manifest.get("layers").items()
    findings = (
        *listed.findings,
        *_wrong_document(store, listed.descriptor, "the image manifest"),
        *misspelt_keys("the image manifest", manifest.misspelt("mediaType", "config", "layers")),
        *_wrong_document(store, described, "the image configuration"),
    )
    sizes = (
        _wrong_size(store, layer, f"layer {index}", {"layer": index})
        for index, layer in enumerate(layers)
    )
    paired = pair_layers((stored_layer(store, layer) for layer in layers), config)
    image = Image(
        reference=reference,
        config=paired.config,
        manifest_digest=actual,
        layers=paired.layers,
        tags=listed.names,
        claimed_base=read_claim(manifest.get("annotations").value, ClaimPlace.MANIFEST)
        or read_claim(listed.descriptor.get("annotations").value, ClaimPlace.INDEX),
    )
    missing = () if config is not None else (no_config(described.get("digest").digest()),)
    return image, (*findings, *missing, *paired.findings, *filter(None, sizes))


def _read_config(store: BlobStore, digest: str) -> ImageConfig | None:
    if not store.has(blob_name(digest)):
        return None
    data = store.read(blob_name(digest), limit=store.limits.json)
    return decode_config(
        data,
        digest=digest_of(data, like=digest),
        document=f"{digest} in {store.name}",
        limits=store.limits,
    )


def _wrong_document(store: BlobStore, descriptor: Node, subject: str) -> tuple[Finding, ...]:
    """Return what of a stored document is not as its descriptor says."""
    digest = descriptor.get("digest").digest()
    if not store.has(blob_name(digest)):
        return ()
    actual = digest_of(store.read(blob_name(digest), limit=store.limits.json), like=digest)
    size = _wrong_size(store, descriptor, subject, {})
    other = (wrong_digest(subject, digest, actual),) if actual != digest else ()
    return (*other, *((size,) if size is not None else ()))


def stored_layer(store: BlobStore, layer: Node) -> StoredLayer:
    """Return a layer as a manifest's descriptor names it."""
    digest = layer.get("digest").digest()
    blob = blob_name(digest)
    absence = absence_of(store, blob, layer.get("mediaType").text(""))
    return StoredLayer(blob=blob, digest=digest, absence=absence)


def _wrong_size(
    store: BlobStore, descriptor: Node, subject: str, facts: dict[str, object]
) -> Finding | None:
    blob, size = blob_name(descriptor.get("digest").digest()), descriptor.get("size").value
    if size is None or not store.has(blob):
        return None
    stored = store.size(blob)
    if stored == descriptor.get("size").number():
        return None
    return Finding(
        code="size-mismatch",
        message=f"{subject} has {stored:,} bytes, the document that names it says {size:,}",
        facts={**facts, "expected": size, "actual": stored},
    )


def _read_claimed(store: BlobStore, digest: str) -> Node:
    """Return a JSON document by its digest, whether that is right or not."""
    return read_json(store, blob_name(digest), f"{digest[:19]}… in {store.name}")


def read_json_blob(store: BlobStore, digest: str) -> Node:
    """Return a JSON document stored under its digest.

    Raises:
        ArchiveError: it is missing, damaged or not what its digest says.
    """
    data = store.read(blob_name(digest), limit=store.limits.json)
    _check(digest, data, "a manifest")
    return parse_json(data, f"{digest[:19]}… in {store.name}", store.limits)


def _check(digest: str, data: bytes, subject: str) -> None:
    actual = digest_of(data, like=digest)
    if actual != digest:
        raise DigestMismatchError(subject=subject, expected=digest, actual=actual)


def blob_name(digest: str) -> str:
    """Return the name of a layout's file for a blob."""
    return f"blobs/{digest.replace(':', '/')}"
