"""One image, wherever it is stored: ``open_source("docker-archive:app.tar")``.

Source: CONTRACT.md, section 1.
"""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from layertrace.archive.blob import AbsentReader, LayerReader, PlainReader, StreamReader
from layertrace.archive.compression import MAGIC_SIZE, Compression, sniff
from layertrace.archive.decode import decode_config
from layertrace.archive.oci_layout import find_attestation
from layertrace.archive.pairing import StoredLayer, pair_layers
from layertrace.archive.pick import normalized, pick_image
from layertrace.archive.regions import BLOB_PREFIX, TRACE_MEMBER
from layertrace.archive.store import open_store, open_tar
from layertrace.errors import ArchiveError, DigestMismatchError, LayerError, SourceError, UsageError
from layertrace.model.image import Absence, Image, ImageConfig, LayerRef, Platform
from layertrace.model.limits import DEFAULTS
from layertrace.model.origin import Finding

if TYPE_CHECKING:
    from layertrace.archive.folder_store import FolderStore
    from layertrace.archive.store import Watch
    from layertrace.archive.tar_store import TarStore
    from layertrace.model.bundle import TraceBundle
    from layertrace.model.limits import Limits

_TRANSPORTS: Final = ("docker-daemon", "docker-archive", "oci-archive", "oci")
_REGISTRY: Final = "docker://"
"""Skopeo's word for it; no engine has a name that begins like this."""
_ARCHIVE_SUFFIXES: Final = (".tar", ".tgz", ".gz", ".xz", ".bz2", ".zst", ".oci")
_ABSENT: Final = {
    Absence.MISSING: "is not there: nothing of it is known",
    Absence.FOREIGN: "is foreign: it is to be fetched from elsewhere, and is not there",
    Absence.ENCRYPTED: "is encrypted: nothing of it can be read without its key",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An ``IMAGE`` argument, taken apart."""

    text: str
    transport: str
    """One of ``docker-daemon``, ``docker-archive``, ``oci-archive``, ``oci``,
    ``path`` (look into it) and ``stdin``."""
    target: str
    """File, folder or image name."""
    name: str | None = None
    """Which image of several: ``NAME:TAG`` or ``TAG``."""


class ImageSource(Protocol):
    """One image on one platform, and whatever was stored beside it."""

    image: Image
    bundle: TraceBundle | None
    """What a trace archive adds."""
    findings: tuple[Finding, ...]
    witness: str
    """Changes whenever the stored bytes may have changed."""

    def stored_config(self, digest: str) -> ImageConfig:
        """Return a configuration stored beside the main one."""
        ...

    def stage_image(self, config: str) -> Image:
        """Return an image stored beside the main one, by configuration digest."""
        ...

    def open_layer(self, layer: LayerRef) -> LayerReader:
        """Open one layer's uncompressed tar."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


def parse_reference(text: str) -> Reference:
    """Take an ``IMAGE`` argument apart.

    Raises:
        UsageError: it is empty, or a transport without a target.

    >>> parse_reference("oci:build/layout:v1").transport
    'oci'
    >>> parse_reference("node:14").transport
    'docker-daemon'
    """
    if text == "-":
        return Reference(text=text, transport="stdin", target="-")
    transport, colon, rest = text.partition(":")
    if colon and transport in _TRANSPORTS:
        if not rest:
            raise UsageError(f"{text} names no image", hint=f"write {transport}:NAME or :FILE")
        if transport == "docker-daemon":
            return Reference(text=text, transport=transport, target=rest)
        target, name = _split_target(rest)
        return Reference(text=text, transport=transport, target=target, name=name)
    if not text:
        raise UsageError("the image's name is empty")
    if text.startswith(_REGISTRY):
        name = text.removeprefix(_REGISTRY)
        raise UsageError(
            f"{text} names an image of a registry",
            why="nothing is ever pulled",
            hint=f"docker pull {name}, then docker-daemon:{name}",
        )
    if os.path.lexists(text) or _looks_like_path(text):
        return Reference(text=text, transport="path", target=text)
    return Reference(text=text, transport="docker-daemon", target=text)


def open_archive(
    reference: Reference,
    *,
    platform: Platform | None = None,
    limits: Limits = DEFAULTS,
    watch: Watch | None = None,
) -> ArchiveSource:
    """Open an image stored in a file or folder, or arriving on stdin.

    Raises:
        StoppedError: ``watch`` said so, while an archive was unpacked.
        SourceError: nothing there, or several images and none named.
        ArchiveError: what is there is not an image or is damaged.
        LimitError: it holds more than any image has reason to.
    """
    store = open_stored(reference, limits, watch)
    try:
        image, findings = pick_image(store, reference, platform)
        return ArchiveSource(store, image, findings)
    except BaseException:
        store.close()
        raise


def open_stored(
    reference: Reference, limits: Limits, watch: Watch | None = None
) -> TarStore | FolderStore:
    """Open the file or folder that a reference names, whatever images are in it.

    Raises:
        StoppedError: ``watch`` said so, while an archive was unpacked.
        SourceError: nothing is there.
        ArchiveError: what is there is not an archive or is damaged.
        LimitError: it holds more than any image has reason to.
    """
    if reference.transport != "stdin":
        return open_store(Path(reference.target), limits, watch)
    try:
        # Python has no stdin where the caller closed it.
        fd = os.dup(sys.stdin.fileno() if sys.stdin else 0)
    except OSError as error:
        raise SourceError("cannot read stdin", why=error.strerror or str(error)) from error
    file = os.fdopen(fd, "rb", buffering=0)
    return open_tar(file, name="stdin", limits=limits, watch=watch)


class ArchiveSource:
    """An image in an archive or a layout folder."""

    def __init__(
        self, store: TarStore | FolderStore, image: Image, findings: tuple[Finding, ...] = ()
    ) -> None:
        """Keep the open store; :meth:`close` closes it."""
        self._store = store
        self.image = image
        self.findings = findings
        self.witness = store.witness
        self.limits = store.limits
        self.bundle = _read_bundle(store)

    def attestation(self) -> bytes | None:
        """Return the builder's provenance statement stored beside the image."""
        if self.image.manifest_digest is None:
            return None
        try:
            return find_attestation(self._store, self.image.manifest_digest)
        except ArchiveError as error:
            # Nobody asked for it, and the image is none the worse.
            message = f"the provenance beside the image is not used: {error.what}"
            self.findings += (Finding(code="provenance-unreadable", message=message),)
            return None

    def stored_config(self, digest: str) -> ImageConfig:
        """Return a configuration of a trace archive; its layers need not be stored.

        Raises:
            ArchiveError: it is not there or not what its digest says.
        """
        blob = BLOB_PREFIX + digest.removeprefix("sha256:")
        data = self._store.read(blob, limit=self._store.limits.json)
        actual = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if actual != digest:
            raise DigestMismatchError(subject=blob, expected=digest, actual=actual)
        document = f"{blob} in {self._store.name}"
        return decode_config(data, digest=digest, document=document, limits=self.limits)

    def stage_image(self, config: str) -> Image:
        """Return an image of a trace archive by its configuration's digest.

        Raises:
            ArchiveError: a blob it needs is not in the archive.
        """
        decoded = self.stored_config(config)
        blobs = [BLOB_PREFIX + diff_id.removeprefix("sha256:") for diff_id in decoded.diff_ids]
        for blob in blobs:
            self._store.size(blob)
        paired = pair_layers((StoredLayer(blob=blob) for blob in blobs), decoded)
        return Image(reference=self.image.reference, config=paired.config, layers=paired.layers)

    def open_layer(self, layer: LayerRef) -> LayerReader:
        """Open a layer where it lies; a packed one is unpacked as it is read."""
        return open_stored_layer(self._store, layer)

    def stored_size(self, layer: LayerRef) -> int:
        """Return the bytes of a layer as it is stored; 0 where it is not there."""
        return 0 if layer.absence is not None else self._store.readable(layer.blob).size

    def close(self) -> None:
        """Close the archive's file."""
        self._store.close()


def open_stored_layer(store: TarStore | FolderStore, layer: LayerRef) -> LayerReader:
    """Open a layer where it lies; a packed one is unpacked as it is read."""
    short = f" ({layer.diff_id[:19]}…)" if layer.diff_id else ""
    name = f"layer {layer.index}{short}"
    if layer.absence is not None:
        return AbsentReader(LayerError(f"{name} {_ABSENT[layer.absence]}"))
    region = store.readable(layer.blob)
    if sniff(region.read_at(0, MAGIC_SIZE)) is Compression.NONE:
        return PlainReader(region, name=name, diff_id=layer.diff_id, digest=layer.digest)
    return StreamReader(
        region.pieces(),
        name=name,
        diff_id=layer.diff_id,
        digest=layer.digest,
        limits=store.limits,
    )


def parse_platform(text: str) -> Platform:
    """Return ``OS/ARCH[/VARIANT]`` as a platform.

    Raises:
        UsageError: it has another shape.

    >>> str(parse_platform("linux/arm64/v8")), str(parse_platform("linux/x86_64"))
    ('linux/arm64/v8', 'linux/amd64')
    """
    os_name, _, rest = text.partition("/")
    architecture, _, variant = rest.partition("/")
    if not os_name or not architecture or "/" in variant:
        raise UsageError(f"{text!r} is not a platform", hint="write OS/ARCH, as linux/arm64")
    return normalized(Platform(os=os_name, architecture=architecture, variant=variant))


def _looks_like_path(text: str) -> bool:
    return text.startswith(("/", "./", "../", "~")) or text.lower().endswith(_ARCHIVE_SUFFIXES)


def _split_target(rest: str) -> tuple[str, str | None]:
    """Split ``FILE[:NAME]`` at the first colon that leaves an existing file."""
    if os.path.lexists(rest):
        return rest, None
    position = rest.find(":")
    while position != -1:
        if os.path.lexists(rest[:position]):
            return rest[:position], rest[position + 1 :] or None
        position = rest.find(":", position + 1)
    target, _, name = rest.partition(":")
    return target, name or None


def _read_bundle(store: TarStore | FolderStore) -> TraceBundle | None:
    if not store.has(TRACE_MEMBER):
        return None
    # Few archives have one.
    from layertrace.archive.trace_json import read_bundle  # noqa: PLC0415

    return read_bundle(store.read(TRACE_MEMBER, limit=store.limits.statement), store.limits)
