"""One image, wherever it is stored: ``open_source("docker-archive:app.tar")``.

Source: CONTRACT.md, section 1.
"""

from __future__ import annotations

import hashlib
import os
import platform as host
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol

from layertrace.archive.blob import Compression, LayerReader, PlainReader, StreamReader, sniff
from layertrace.archive.decode import MAX_JSON, decode_config
from layertrace.archive.docker_archive import MANIFEST, layer_refs, list_saved, saved_image
from layertrace.archive.oci_layout import (
    INDEX,
    ListedImage,
    find_attestation,
    list_images,
    listed_image,
)
from layertrace.archive.store import FolderStore, TarStore, open_store, open_tar
from layertrace.errors import ArchiveError, DigestMismatchError, SourceError, UsageError
from layertrace.model.bundle import BLOB_PREFIX, TRACE_MEMBER, TraceBundle
from layertrace.model.image import Image, ImageConfig, LayerRef, Platform
from layertrace.model.origin import Finding

_SHOWN_NAMES: Final = 8
_TRANSPORTS: Final = ("docker-daemon", "docker-archive", "oci-archive", "oci")
_ARCHIVE_SUFFIXES: Final = (".tar", ".tgz", ".gz", ".xz", ".bz2", ".zst", ".oci")
_ARCHITECTURES: Final = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "i686": "386"}


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
    if Path(text).exists() or _looks_like_path(text):
        return Reference(text=text, transport="path", target=text)
    return Reference(text=text, transport="docker-daemon", target=text)


def open_archive(reference: Reference, *, platform: Platform | None = None) -> ArchiveSource:
    """Open an image stored in a file or folder, or arriving on stdin.

    Raises:
        SourceError: nothing there, or several images and none named.
        ArchiveError: what is there is not an image or is damaged.
    """
    if reference.transport == "stdin":
        store: TarStore | FolderStore = open_tar(
            os.fdopen(os.dup(sys.stdin.fileno()), "rb", buffering=0), name="stdin"
        )
    else:
        store = open_store(Path(reference.target))
    if _is_layout(store, reference.transport):
        image, findings = _pick_listed(store, reference, platform)
    elif store.has(MANIFEST):
        image, findings = _pick_saved(store, reference), ()
    else:
        raise _not_an_image(store)
    return ArchiveSource(store, image, findings)


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
        self.bundle = _read_bundle(store)

    def attestation(self) -> bytes | None:
        """Return the builder's provenance statement stored beside the image."""
        if self.image.manifest_digest is None:
            return None
        return find_attestation(self._store, self.image.manifest_digest)

    def stored_config(self, digest: str) -> ImageConfig:
        """Return a configuration of a trace archive; its layers need not be stored.

        Raises:
            ArchiveError: it is not there or not what its digest says.
        """
        blob = BLOB_PREFIX + digest.removeprefix("sha256:")
        data = self._store.read(blob, limit=MAX_JSON)
        actual = f"sha256:{hashlib.sha256(data).hexdigest()}"
        if actual != digest:
            raise DigestMismatchError(subject=blob, expected=digest, actual=actual)
        return decode_config(data, digest=digest, document=f"{blob} in {self._store.name}")

    def stage_image(self, config: str) -> Image:
        """Return an image of a trace archive by its configuration's digest.

        Raises:
            ArchiveError: a blob it needs is not in the archive.
        """
        decoded = self.stored_config(config)
        blobs = [BLOB_PREFIX + diff_id.removeprefix("sha256:") for diff_id in decoded.diff_ids]
        return Image(
            reference=self.image.reference,
            config=decoded,
            layers=layer_refs(self._store, blobs, decoded.diff_ids),
        )

    def open_layer(self, layer: LayerRef) -> LayerReader:
        """Open a layer where it lies; a packed one is unpacked as it is read."""
        region = self._store.region(layer.blob)
        name = f"layer {layer.index} ({layer.diff_id[:19]}…)"
        if sniff(region.read_at(0, 8)) is Compression.NONE:
            return PlainReader(region, name=name, diff_id=layer.diff_id)
        return StreamReader(region.pieces(), name=name, diff_id=layer.diff_id, digest=layer.digest)

    def close(self) -> None:
        """Close the archive's file."""
        self._store.close()


def host_platform() -> Platform:
    """Return Linux on this machine's architecture."""
    machine = host.machine()
    return Platform(os="linux", architecture=_ARCHITECTURES.get(machine, machine))


def parse_platform(text: str) -> Platform:
    """Return ``OS/ARCH[/VARIANT]`` as a platform.

    Raises:
        UsageError: it has another shape.

    >>> str(parse_platform("linux/arm64/v8"))
    'linux/arm64/v8'
    """
    os_name, _, rest = text.partition("/")
    architecture, _, variant = rest.partition("/")
    if not os_name or not architecture or "/" in variant:
        raise UsageError(f"{text!r} is not a platform", hint="write OS/ARCH, as linux/arm64")
    return Platform(os=os_name, architecture=architecture, variant=variant)


def _looks_like_path(text: str) -> bool:
    return text.startswith(("/", "./", "../", "~")) or text.lower().endswith(_ARCHIVE_SUFFIXES)


def _split_target(rest: str) -> tuple[str, str | None]:
    """Split ``FILE[:NAME]`` at the first colon that leaves an existing file."""
    if Path(rest).exists():
        return rest, None
    position = rest.find(":")
    while position != -1:
        if Path(rest[:position]).exists():
            return rest[:position], rest[position + 1 :] or None
        position = rest.find(":", position + 1)
    target, _, name = rest.partition(":")
    return target, name or None


def _is_layout(store: TarStore | FolderStore, transport: str) -> bool:
    if transport == "docker-archive":
        return False
    if transport in {"oci", "oci-archive"}:
        if not store.has(INDEX):
            raise ArchiveError(f"{store.name} has no {INDEX}: it is not an OCI image layout")
        return True
    return store.has(INDEX)


def _pick_saved(store: TarStore | FolderStore, reference: Reference) -> Image:
    if not store.has(MANIFEST):
        raise _not_an_image(store)
    saved = list_saved(store)
    if reference.name is not None:
        saved = tuple(s for s in saved if any(_names(tag, reference.name) for tag in s.tags))
    if len(saved) != 1:
        names = [tag for s in list_saved(store) for tag in s.tags or (s.config,)]
        raise _ambiguous(reference, names, found=len(saved))
    return saved_image(store, saved[0], reference=reference.text)


def _pick_listed(
    store: TarStore | FolderStore, reference: Reference, platform: Platform | None
) -> tuple[Image, tuple[Finding, ...]]:
    listed = list_images(store)
    if reference.name is not None:
        name = reference.name
        listed = tuple(i for i in listed if any(_names(own, name) for own in i.names))
    groups = {i.names for i in listed}
    if not listed or len(groups) > 1:
        names = [n for i in list_images(store) for n in i.names or (i.digest,)]
        raise _ambiguous(reference, list(dict.fromkeys(names)), found=len(listed))
    chosen, others = _pick_platform(listed, platform, store.name)
    image = listed_image(store, chosen, reference=reference.text)
    findings: tuple[Finding, ...] = ()
    if others and platform is None:
        names = sorted({str(o.platform) for o in others if o.platform})
        findings = (
            Finding(
                code="other-platforms",
                message=f"showing {image.config.platform}; also there: {', '.join(names)} "
                "(choose with --platform)",
                facts={"platforms": names},
            ),
        )
    return image, findings


def _pick_platform(
    listed: tuple[ListedImage, ...], wanted: Platform | None, name: str
) -> tuple[ListedImage, tuple[ListedImage, ...]]:
    if wanted is not None and (len(listed) > 1 or listed[0].platform is not None):
        fitting = [i for i in listed if i.platform and _fits(i.platform, wanted)]
        if not fitting:
            there = ", ".join(sorted({str(i.platform) for i in listed}))
            raise SourceError(f"{name} has no image for {wanted}", why=f"it has {there}")
        chosen = fitting[0]
    else:
        here = host_platform()
        fitting = [i for i in listed if i.platform and _fits(i.platform, here)]
        chosen = (fitting or list(listed))[0]
    return chosen, tuple(i for i in listed if i is not chosen)


def _fits(have: Platform, wanted: Platform) -> bool:
    plain = have if wanted.variant else replace(have, variant="")
    return plain == wanted


def _names(own: str, wanted: str) -> bool:
    """Say whether ``wanted`` names the reference ``own``, in full or in short.

    >>> _names("docker.io/library/app:1", "app:1"), _names("app:1", "1"), _names("app:1", "2")
    (True, True, False)
    """
    short = own.removeprefix("docker.io/").removeprefix("library/")
    return wanted in {own, short, short.rpartition(":")[2], short.rpartition(":")[0]} or (
        short == f"{wanted}:latest"
    )


def _ambiguous(reference: Reference, names: list[str], *, found: int) -> SourceError:
    more = len(names) - _SHOWN_NAMES
    shown = ", ".join(names[:_SHOWN_NAMES]) + (f" and {more} more" if more > 0 else "")
    if not names:
        return SourceError(f"{reference.target} holds no image")
    if reference.name is not None and not found:
        return SourceError(
            f"{reference.target} has no image {reference.name}", why=f"it has {shown}"
        )
    transport = "oci-archive" if reference.transport in {"oci", "oci-archive"} else "docker-archive"
    return SourceError(
        f"{reference.target} holds {len(names)} images: {shown}",
        hint=f"name one: {transport}:{reference.target}:NAME",
    )


def _not_an_image(store: TarStore | FolderStore) -> ArchiveError:
    names = store.names()[:4]
    why = f"it holds {', '.join(names)} …" if names else "it holds no files"
    if isinstance(store, TarStore) and store.cut_short:
        why = "it is cut short: what names the layers may be in the lost part"
    return ArchiveError(
        f"{store.name} is not an image archive: it has no {MANIFEST} and no {INDEX}",
        why=why,
        hint="make one with docker save, or layertrace export",
    )


def _read_bundle(store: TarStore | FolderStore) -> TraceBundle | None:
    if not store.has(TRACE_MEMBER):
        return None
    # Few archives have one.
    from layertrace.archive.trace_json import MAX_TRACE_BYTES, read_bundle  # noqa: PLC0415

    return read_bundle(store.read(TRACE_MEMBER, limit=MAX_TRACE_BYTES))
