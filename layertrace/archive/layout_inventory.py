"""What the documents of an OCI layout say of each other, and of the blobs they name.

Source: OCI image-spec, ``image-index.md``, ``manifest.md``, ``descriptor.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from layertrace.archive.decode import Node, decode_config, decode_platform, parse_json
from layertrace.archive.oci_layout import (
    ATTESTATION,
    CONFIG_TYPES,
    INDEX,
    INDEX_TYPES,
    NAME_KEYS,
    REFERENCE_DIGEST,
    REFERENCE_TYPE,
    blob_name,
    is_image,
    stored_layer,
)
from layertrace.archive.pairing import pair_layers
from layertrace.errors import ArchiveError, LimitError
from layertrace.model.image import Absence
from layertrace.model.origin import Finding
from layertrace.model.verification import BlobKind, Claim, Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from layertrace.archive.store import BlobStore
    from layertrace.model.image import ImageConfig, LayerRef, Platform


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One item of an index, and all that it leads to but for other items."""

    kind: BlobKind
    digest: str
    claims: tuple[Claim, ...]
    """Its own first."""
    names: tuple[str, ...] = ()
    platform: Platform | None = None
    about: tuple[str, ...] = ()
    """Of an attestation: the manifests it is about."""
    stored: bool = True

    @property
    def label(self) -> str:
        """What people call it."""
        name = (*self.names, f"{self.digest[:19]}…")[0]
        platform = str(self.platform) if self.platform is not None else ""
        return f"{name} {platform}".rstrip()


class LayoutInventory:
    """One following of all that ``index.json`` leads to."""

    def __init__(self, store: BlobStore) -> None:
        """Read every document.

        Raises:
            ArchiveError: ``index.json`` is damaged.
        """
        self.faults: list[Fault] = []
        self._store = store
        self._looked = 0
        self._listed: dict[str, Listed] = {}
        root = parse_json(store.read(INDEX, limit=store.limits.json), f"{INDEX} in {store.name}")
        # An index that is none is an error, not a fault: nothing would be left to check.
        root.get("manifests").items()
        self._follow(root, INDEX, (), 0)

    def chosen(self, choose: Callable[[Listed], bool]) -> tuple[Listed, ...]:
        """Return the images that are chosen, and all that goes with them.

        What is about no image goes with all of them.
        """
        items = tuple(self._listed.values())
        images = {one.digest for one in items if one.kind is BlobKind.MANIFEST}
        meant = {one.digest for one in items if one.digest in images and choose(one)}
        everything = meant == images
        return tuple(
            replace(one, claims=self._called(one))
            for one in items
            if everything
            or one.kind is BlobKind.INDEX
            or one.digest in meant
            or not meant.isdisjoint(one.about)
        )

    def _called(self, listed: Listed) -> tuple[Claim, ...]:
        """Return claims with whose they are: an attestation is of the image it is about."""
        if listed.kind is BlobKind.INDEX:
            return listed.claims
        label = next(
            (self._listed[about].label for about in listed.about if about in self._listed),
            listed.label,
        )
        return tuple(replace(claim, image=label) for claim in listed.claims)

    def _follow(self, index: Node, holder: str, names: tuple[str, ...], depth: int) -> None:
        limits = self._store.limits
        if depth > limits.nesting:
            raise LimitError(
                f"{holder} is nested {depth:,} deep", limit="nesting", allowed=limits.nesting
            )
        try:
            items = index.get("manifests").items()
        except ArchiveError as error:
            self.faults.append(fault_of(holder, error))
            return
        for item in items:
            self._looked += 1
            if self._looked > limits.manifests:
                raise LimitError(
                    f"the indexes of {self._store.name} name over {limits.manifests:,} manifests",
                    limit="manifests",
                    allowed=limits.manifests,
                )
            try:
                self._take(item, names, depth)
            except LimitError:
                raise
            except ArchiveError as error:
                self.faults.append(fault_of(holder, error))

    def _take(self, item: Node, names: tuple[str, ...], depth: int) -> None:
        annotations = item.get("annotations").texts()
        digest = item.get("digest").digest()
        own = names + tuple(annotations[key] for key in NAME_KEYS if key in annotations)
        about = tuple(annotations[key] for key in (REFERENCE_DIGEST,) if key in annotations)
        known = self._listed.get(digest)
        if known is not None:
            self._listed[digest] = replace(
                known,
                names=tuple(dict.fromkeys((*known.names, *own))),
                about=tuple(dict.fromkeys((*known.about, *about))),
            )
            return
        blob = blob_name(digest)
        document = self._document(blob)
        kind = self._kind(item, annotations, document, blob)
        stored = self._store.has(blob)
        platform = item.get("platform")
        claim = Claim(
            kind=kind,
            blob=blob,
            digest=digest,
            size=_size(item),
            absence=None if stored else Absence.MISSING,
            optional=True,
        )
        self._listed[digest] = listed = Listed(
            kind=kind,
            digest=digest,
            claims=(claim,),
            names=tuple(dict.fromkeys(own)),
            platform=decode_platform(platform) if platform.value else None,
            about=about,
            stored=stored,
        )
        if document is None:
            return
        if kind is BlobKind.INDEX:
            self._follow(document, blob, own, depth + 1)
            return
        try:
            self._listed[digest] = self._with_named(listed, document)
        except LimitError:
            raise
        except ArchiveError as error:
            self.faults.append(fault_of(blob, error))

    def _kind(
        self, item: Node, annotations: dict[str, str], document: Node | None, blob: str
    ) -> BlobKind:
        if item.get("mediaType").text("") in INDEX_TYPES:
            return BlobKind.INDEX
        if REFERENCE_TYPE in annotations:
            attests = annotations[REFERENCE_TYPE] == ATTESTATION
            return BlobKind.ATTESTATION if attests else BlobKind.ARTIFACT
        if item.get("artifactType").text("") not in CONFIG_TYPES:
            return BlobKind.ARTIFACT
        try:
            image = document is None or is_image(document)
        except ArchiveError as error:
            self.faults.append(fault_of(blob, error))
            image = True
        return BlobKind.MANIFEST if image else BlobKind.ARTIFACT

    def _with_named(self, listed: Listed, manifest: Node) -> Listed:
        """Return an item with what its manifest names."""
        config, layers = manifest.get("config"), manifest.get("layers").items()
        if listed.kind is not BlobKind.MANIFEST:
            named = [node for node in (config, *layers) if node.value is not None]
            return replace(
                listed,
                claims=(*listed.claims, *(self._claim(node, listed.kind) for node in named)),
            )
        claim = self._claim(config, BlobKind.CONFIG)
        decoded = self._config(claim.blob)
        paired = pair_layers((stored_layer(self._store, layer) for layer in layers), decoded)
        self.faults += (Fault(blob=claim.blob, finding=each) for each in paired.findings)
        sizes = [_size(layer) for layer in layers]
        platform = listed.platform or (decoded.platform if decoded is not None else None)
        claims = image_claims(claim, paired.layers, "", sizes)
        return replace(listed, platform=platform, claims=(*listed.claims, *claims))

    def _claim(self, descriptor: Node, kind: BlobKind) -> Claim:
        digest = descriptor.get("digest").digest()
        return Claim(kind=kind, blob=blob_name(digest), digest=digest, size=_size(descriptor))

    def _config(self, blob: str) -> ImageConfig | None:
        if not self._store.has(blob):
            return None
        try:
            data = self._store.read(blob, limit=self._store.limits.json)
            return decode_config(data, digest="", document=blob, limits=self._store.limits)
        except LimitError:
            raise
        except ArchiveError as error:
            self.faults.append(fault_of(blob, error))
            return None

    def _document(self, blob: str) -> Node | None:
        """Return a JSON document, None where it is not there or is damaged."""
        if not self._store.has(blob):
            return None
        try:
            return parse_json(self._store.read(blob, limit=self._store.limits.json), blob)
        except LimitError:
            raise
        except ArchiveError as error:
            self.faults.append(fault_of(blob, error))
            return None


def image_claims(
    config: Claim, layers: Iterable[LayerRef], label: str, sizes: list[int | None] | None = None
) -> tuple[Claim, ...]:
    """Return the claims of one image, its configuration first."""
    return (
        replace(config, image=label),
        *(
            Claim(
                kind=BlobKind.LAYER,
                blob=layer.blob,
                image=label,
                layer=layer.index,
                digest=layer.digest,
                size=sizes[layer.index] if sizes is not None else None,
                diff_id=layer.diff_id or None,
                absence=layer.absence,
            )
            for layer in layers
        ),
    )


def fault_of(blob: str, error: ArchiveError) -> Fault:
    """Return what is wrong with a document as a fault."""
    message = ": ".join(line for line in (error.what, error.why) if line)
    return Fault(blob=blob, finding=Finding(code="document-damaged", message=message))


def _size(descriptor: Node) -> int | None:
    size = descriptor.get("size")
    return None if size.value is None else size.number()
