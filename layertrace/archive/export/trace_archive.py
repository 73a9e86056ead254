"""Writing a trace archive from what an engine saves.

Every layer is stored once, uncompressed, under its diff_id: the same layer of
two stages is then the same blob, and a reader can seek in it. A layer's digest
is known only when its last byte has passed, so its header is written first as
a place-holder and again, in place, at the end.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import tarfile
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, Final

from layertrace.archive.compression import unpack
from layertrace.archive.decode import Node, decode_config, parse_json
from layertrace.archive.export.saved_stream import (
    MANIFEST_MEMBER,
    ByteStream,
    is_document,
    is_layer,
    listed_images,
    walk_saved,
)
from layertrace.archive.regions import BLOB_PREFIX, TRACE_MEMBER
from layertrace.archive.trace_json import encode_bundle
from layertrace.errors import ArchiveError, DigestMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from layertrace.model.bundle import TraceBundle

DOCKERFILE_MEMBER: Final = "layertrace/Dockerfile"

_BLOCK: Final = 512
_MAX_DOCUMENTS: Final = 64 << 20
"""Bytes of all JSON an engine may save; a real configuration has a few thousand."""
_MAX_LINKS: Final = 40
_SLSA: Final = "https://slsa.dev/provenance/"
_MAX_NESTING: Final = 2
"""An index may hold an index once, as BuildKit writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedImage:
    """One image an engine saved; its layers are in the trace archive."""

    config: str
    """Digest of its configuration."""
    text: bytes
    """The configuration, byte for byte."""
    diff_ids: tuple[str, ...]
    tags: tuple[str, ...]


class TraceArchive:
    """A trace archive being written: layers as they come, the rest at the end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._members: set[str] = set()

    def add_layer(self, chunks: Iterator[bytes]) -> str:
        """Store one uncompressed layer, unless it is there; return its diff_id."""
        start = self._file.tell()
        self._file.write(bytes(_BLOCK))
        digest = hashlib.sha256()
        size = 0
        for chunk in chunks:
            digest.update(chunk)
            size += self._file.write(chunk)
        name = BLOB_PREFIX + digest.hexdigest()
        if name in self._members:
            self._file.seek(start)
            self._file.truncate()
        else:
            self._file.write(_padding(size))
            end = self._file.tell()
            self._file.seek(start)
            self._file.write(_header(name, size))
            self._file.seek(end)
            self._members.add(name)
        return f"sha256:{digest.hexdigest()}"

    def add_blob(self, content: bytes) -> str:
        """Store a small blob, unless it is there; return its digest."""
        digest = hashlib.sha256(content).hexdigest()
        self._add(BLOB_PREFIX + digest, content)
        return f"sha256:{digest}"

    def finish(self, image: SavedImage, bundle: TraceBundle, *, tags: Sequence[str]) -> int:
        """Write what names the layers and return the archive's size.

        ``image`` is the one that other tools see, under ``tags``.
        """
        manifest = {
            "Config": _blob_name(image.config),
            "RepoTags": list(tags) or None,
            "Layers": [_blob_name(diff_id) for diff_id in image.diff_ids],
        }
        self._add(DOCKERFILE_MEMBER, bundle.dockerfile.encode("utf-8", "surrogateescape"))
        self._add(TRACE_MEMBER, encode_bundle(bundle))
        self._add(MANIFEST_MEMBER, json.dumps([manifest]).encode())
        self._file.write(bytes(2 * _BLOCK))
        return self._file.tell()

    def _add(self, name: str, content: bytes) -> None:
        if name not in self._members:
            self._file.write(_header(name, len(content)) + content + _padding(len(content)))
            self._members.add(name)


def _blob_name(digest: str) -> str:
    return BLOB_PREFIX + digest.removeprefix("sha256:")


def _padding(size: int) -> bytes:
    return bytes(-size % _BLOCK)


def _header(name: str, size: int) -> bytes:
    """Return the one header block of a member with no time and no owner.

    GNU's format: it alone holds a size past 8 GiB within that block.
    """
    info = tarfile.TarInfo(name)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


class SavedImages:
    """The images of one ``docker save``, as they pass into a trace archive."""

    def __init__(self, archive: TraceArchive) -> None:
        self._archive = archive
        self._documents: dict[str, bytes] = {}
        self._kept = 0
        self._layers: dict[str, str] = {}
        """Member name to diff_id."""
        self._links: dict[str, str] = {}
        self._images: dict[str, SavedImage] = {}
        """By configuration digest."""

    def copy(self, stream: ByteStream) -> None:
        """Store every layer of ``stream`` and learn its images.

        Raises:
            EngineError: the stream ends before the archive does.
            ArchiveError: it is not what an engine writes.
        """
        walk_saved(stream, self._take)
        for listed in listed_images(self._documents.get(MANIFEST_MEMBER)):
            text = self._documents.get(listed.config)
            if text is None:
                raise ArchiveError(f"the engine saved no {listed.config}, which its manifest names")
            digest = f"sha256:{hashlib.sha256(text).hexdigest()}"
            config = decode_config(text, digest=digest, document=listed.config)
            image = SavedImage(
                config=digest,
                text=text,
                diff_ids=config.diff_ids,
                tags=listed.tags,
            )
            stored = tuple(self._diff_id(name) for name in listed.layers)
            if stored != image.diff_ids:
                raise DigestMismatchError(
                    subject=f"a layer of {listed.config}",
                    expected=", ".join(image.diff_ids) or "none",
                    actual=", ".join(stored) or "none",
                )
            self._images[image.config] = image

    def image(self, image_id: str) -> SavedImage:
        """Return the image an engine calls ``image_id``.

        That id is the configuration's digest with graph drivers; with the
        containerd store it names a manifest, or an index of manifests.

        Raises:
            ArchiveError: the engine saved no such image.
        """
        for digest in self._reachable(image_id, depth=0):
            if digest in self._images:
                return self._images[digest]
        raise ArchiveError(f"the engine did not save the image {image_id} it was asked for")

    def provenance(self, image_id: str) -> Mapping[str, object] | None:
        """Return the SLSA statement that came with an image, None where none did."""
        for digest in self._reachable(image_id, depth=0):
            document = self._document(digest)
            kind = document.get("predicateType").value if document else None
            if document and isinstance(kind, str) and kind.startswith(_SLSA):
                return document.mapping()
        return None

    def _take(self, member: tarfile.TarInfo, content: Iterator[bytes]) -> None:
        name = posixpath.normpath(member.name)
        if member.issym() or member.islnk():
            # An engine before version 25 stores a repeated layer as a symlink,
            # which may stand before the member it points to.
            folder = posixpath.dirname(name) if member.issym() else ""
            self._links[name] = posixpath.normpath(posixpath.join(folder, member.linkname))
            return
        first = next(content, b"")
        if is_document(first):
            self._keep(name, member.size, first, content)
        elif is_layer(first):
            # Engines with the containerd store save layers as they were pulled.
            stored = chain((first,), content)
            self._layers[name] = self._archive.add_layer(unpack(stored, name))

    def _keep(self, name: str, size: int, first: bytes, rest: Iterator[bytes]) -> None:
        self._kept += size
        if self._kept > _MAX_DOCUMENTS:
            raise ArchiveError("the engine saved far more JSON than images have")
        self._documents[name] = b"".join((first, *rest))

    def _diff_id(self, name: str) -> str:
        target = name
        for _ in range(_MAX_LINKS):
            if target in self._layers:
                return self._layers[target]
            if target not in self._links:
                break
            target = self._links[target]
        raise ArchiveError(f"the engine saved no {name}, which its manifest names")

    def _reachable(self, digest: str, *, depth: int) -> Iterator[str]:
        """Give ``digest`` and all that an index or manifest of that digest names."""
        yield digest
        document = self._document(digest)
        if document is None or depth > _MAX_NESTING:
            return
        # A configuration has a "config" too, which is no descriptor.
        named = [document.get("config"), *document.get("layers").items()]
        yield from (found for node in named if isinstance(found := node.get("digest").value, str))
        for child in document.get("manifests").items():
            yield from self._reachable(child.get("digest").digest(), depth=depth + 1)

    def _document(self, digest: str) -> Node | None:
        name = _blob_name(digest)
        text = self._documents.get(name)
        return None if text is None else parse_json(text, name)
