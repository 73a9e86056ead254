"""What an archive, a layout or an engine's stream says of every file in it.

Every document is followed: from an index to manifests, from these to
configurations, layers and attestations (``layout_inventory.py``), from
``manifest.json`` to configurations and layers. A document that cannot be read
is a fault of its own, and what the others name is listed all the same.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from layertrace.archive.decode import decode_config
from layertrace.archive.docker_archive import MANIFEST, list_saved, stated_digest, stored_layers
from layertrace.archive.forms import Form, form_of
from layertrace.archive.layout_inventory import LayoutInventory, fault_of, image_claims
from layertrace.archive.legacy_archive import REPOSITORIES, legacy_image, list_legacy
from layertrace.archive.oci_layout import INDEX
from layertrace.archive.pairing import pair_layers
from layertrace.archive.pick import fits, is_meant
from layertrace.archive.regions import BLOB_PREFIX, TRACE_MEMBER
from layertrace.archive.tar_store import WHOLE
from layertrace.errors import ArchiveError, LimitError
from layertrace.model.verification import BlobKind, Claim, Fault, Inventory

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    from layertrace.archive.docker_archive import SavedImage
    from layertrace.archive.folder_store import FolderStore
    from layertrace.archive.source import Reference
    from layertrace.archive.store import BlobStore
    from layertrace.archive.tar_store import TarStore
    from layertrace.model.image import ImageConfig, Platform

    class NamedStore(BlobStore, Protocol):
        """A store that can tell which blobs are in it."""

        def blobs(self) -> tuple[str, ...]:
            """Return the names of files that have the name of a blob."""
            ...


_BLOB: Final = re.compile(r"blobs/(sha256/[0-9a-f]{64}|sha512/[0-9a-f]{128})\Z")


def take_inventory(
    store: TarStore | FolderStore, reference: Reference, platform: Platform | None
) -> Inventory:
    """Return all that is to be checked: everything, or the images meant by name and platform.

    Empty where no image is the one that is meant.

    Raises:
        ArchiveError: there is no image, or the document that lists them is damaged.
    """
    form = form_of(store, reference.transport)
    taker = _Taker(store, reference.name, platform)
    if form is Form.LAYOUT:
        saved = reference.transport not in {"oci", "oci-archive"} and store.has(MANIFEST)
        return taker.layout(saved=saved)
    if form is Form.SAVED:
        return taker.saved()
    if form is Form.LEGACY:
        return _legacy(store, reference.name)
    claim = Claim(kind=BlobKind.LAYER, blob=WHOLE, image=store.name, layer=0)
    return Inventory(images=(store.name,), claims=(claim,))


def stream_inventory(documents: NamedStore) -> Inventory:
    """Return all that is to be checked of what an engine sent.

    Raises:
        ArchiveError: the document that lists the images is damaged.
    """
    taker = _Taker(documents, None, None)
    if documents.has(INDEX):
        return taker.layout(saved=documents.has(MANIFEST))
    return taker.saved()


class _Taker:
    """One taking of an inventory: what was found so far."""

    def __init__(self, store: NamedStore, name: str | None, platform: Platform | None) -> None:
        self._store = store
        self._name = name
        self._platform = platform
        self._images: dict[str, str] = {}
        """Configuration's file to what the image is called."""
        self._claims: list[Claim] = []
        self._faults: list[Fault] = []

    def layout(self, *, saved: bool) -> Inventory:
        """Follow ``index.json``, and ``manifest.json`` beside it."""
        self._claims.append(Claim(kind=BlobKind.INDEX, blob=INDEX))
        layout = LayoutInventory(self._store)
        listed = layout.chosen(
            lambda one: (
                (self._name is None or is_meant(self._name, one.names, one.digest))
                and self._fits(one.platform)
            )
        )
        for one in listed:
            self._claims += one.claims
            if one.kind is BlobKind.MANIFEST:
                config = next((c.blob for c in one.claims if c.kind is BlobKind.CONFIG), one.digest)
                self._images.setdefault(config, one.label)
        self._faults += layout.faults
        if saved:
            self._claims.append(Claim(kind=BlobKind.MANIFEST, blob=MANIFEST))
            try:
                self._take_saved(list_saved(self._store))
            except LimitError:
                raise
            except ArchiveError as error:
                self._faults.append(fault_of(MANIFEST, error))
        return self._finish()

    def saved(self) -> Inventory:
        """Follow ``manifest.json``."""
        self._claims.append(Claim(kind=BlobKind.MANIFEST, blob=MANIFEST))
        self._take_saved(list_saved(self._store))
        return self._finish()

    def _take_saved(self, images: Iterable[SavedImage]) -> None:
        for saved in images:
            config, faults = self._config(saved.config)
            platform = config.platform if config is not None else None
            named = self._name is None or is_meant(self._name, saved.tags, saved.id)
            if not named or not self._fits(platform):
                continue
            label = self._images.setdefault(saved.config, (*saved.tags, saved.id[:19])[0])
            paired = pair_layers(stored_layers(self._store, saved, config), config)
            self._faults += faults
            self._faults += (Fault(blob=saved.config, finding=each) for each in paired.findings)
            self._claims += image_claims(
                Claim(kind=BlobKind.CONFIG, blob=saved.config, digest=stated_digest(saved.config)),
                paired.layers,
                label,
            )

    def _config(self, name: str) -> tuple[ImageConfig | None, list[Fault]]:
        """Return a configuration, None where it is not there or is damaged."""
        if not self._store.has(name):
            return None, []
        try:
            data = self._store.read(name, limit=self._store.limits.json)
            return decode_config(data, digest="", document=name, limits=self._store.limits), []
        except LimitError:
            raise
        except ArchiveError as error:
            return None, [fault_of(name, error)]

    def _fits(self, platform: Platform | None) -> bool:
        """Say whether a platform is the one asked for, or may be."""
        return self._platform is None or platform is None or fits(platform, self._platform)

    def _take_bundle(self) -> None:
        """Add what a trace archive holds besides: the images of all stages."""
        if not self._store.has(TRACE_MEMBER):
            return
        self._claims.append(Claim(kind=BlobKind.TRACE, blob=TRACE_MEMBER))
        # Few archives have one.
        from layertrace.archive.trace_json import MAX_TRACE_BYTES, read_bundle  # noqa: PLC0415

        try:
            bundle = read_bundle(self._store.read(TRACE_MEMBER, limit=MAX_TRACE_BYTES))
        except LimitError:
            raise
        except ArchiveError as error:
            self._faults.append(fault_of(TRACE_MEMBER, error))
            return
        for stage in bundle.stages:
            self._take_bundled(stage.config, f"stage {stage.name}", layers=True)
        for other in bundle.images:
            self._take_bundled(other.config, f"image {other.reference}", layers=True)
        for base in bundle.bases:
            self._take_bundled(base.config, f"base {base.reference}", layers=False)

    def _take_bundled(self, digest: str, label: str, *, layers: bool) -> None:
        name = _blob_of(digest)
        config, faults = self._config(name)
        self._faults += faults
        self._claims.append(Claim(kind=BlobKind.CONFIG, blob=name, image=label, digest=digest))
        for number, diff_id in enumerate(config.diff_ids if config is not None and layers else ()):
            self._claims.append(
                Claim(
                    kind=BlobKind.LAYER,
                    blob=_blob_of(diff_id),
                    image=label,
                    layer=number,
                    digest=diff_id,
                    diff_id=diff_id,
                )
            )

    def _finish(self) -> Inventory:
        if self._name is None and self._platform is None:
            self._take_bundle()
            known = {claim.blob for claim in self._claims}
            self._claims += (
                Claim(kind=BlobKind.UNNAMED, blob=blob, digest=_digest_of(blob))
                for blob in self._store.blobs()
                if blob not in known and _BLOB.match(blob)
            )
        images = tuple(dict.fromkeys(self._images.values()))
        claims = tuple(self._claims) if images else ()
        return Inventory(images=images, claims=claims, faults=tuple(self._faults))


def _legacy(store: TarStore | FolderStore, name: str | None) -> Inventory:
    """Return the layers of archives of the first format, which has no digests."""
    images: list[str] = []
    claims: list[Claim] = []
    if store.has(REPOSITORIES):
        claims.append(Claim(kind=BlobKind.INDEX, blob=REPOSITORIES))
    for legacy in list_legacy(store):
        if name is not None and not is_meant(name, legacy.tags, legacy.id):
            continue
        label = (*legacy.tags, legacy.id[:12])[0]
        image, _ = legacy_image(store, legacy, reference=label)
        images.append(label)
        for layer in image.layers:
            described = Claim(
                kind=BlobKind.CONFIG,
                blob=layer.blob.replace("/layer.tar", "/json"),
                image=label,
                layer=layer.index,
            )
            held = replace(described, kind=BlobKind.LAYER, blob=layer.blob, absence=layer.absence)
            claims += (described, held)
    return Inventory(images=tuple(images), claims=tuple(claims) if images else ())


def _blob_of(digest: str) -> str:
    return BLOB_PREFIX + digest.removeprefix("sha256:")


def _digest_of(blob: str) -> str:
    """Return the digest that a blob's name states.

    Source: OCI image-spec, ``image-layout.md``, "Blobs".
    """
    return blob.removeprefix("blobs/").replace("/", ":")
