"""An image in the engine, read while ``docker save`` streams it; nothing is put on disk.

Engines before version 25 send the layers first and say only at the end which
image they belong to, so whatever is not a document is handed on as a layer and
sorted out when the stream is over.
"""

from __future__ import annotations

import hashlib
import posixpath
import tarfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, cast

from layertrace.archive.blob import StreamReader
from layertrace.archive.build_history import find_build_record
from layertrace.archive.compression import PIECE, Compression, sniff
from layertrace.archive.decode import decode_config
from layertrace.archive.docker_archive import list_saved, saved_image
from layertrace.archive.engine import connect, inspect_image, open_save
from layertrace.archive.kept_images import list_kept, read_history
from layertrace.errors import ArchiveError, EngineError, SourceError
from layertrace.model.image import Image, LayerRef
from layertrace.model.limits import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import IO, BinaryIO

    from docker import DockerClient

    from layertrace.archive.docker_archive import SavedImage
    from layertrace.archive.engine import ChunkReader, EngineImage
    from layertrace.archive.kept_images import KeptImage
    from layertrace.model.image import HistoryEntry
    from layertrace.model.limits import Limits

_MAGIC: Final = slice(257, 262)
_MAX_LINKS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """What one reading of an image brought."""

    image: Image
    """Its layers' ``blob`` are the names their tars were handed on under."""
    config: bytes
    """The configuration as stored, to open the image without a stream next time."""
    documents: Documents
    """All that came beside the layers."""


class EngineSource:
    """One image of the engine."""

    def __init__(
        self,
        name: str,
        *,
        client: DockerClient | None = None,
        limits: Limits = DEFAULTS,
    ) -> None:
        """Find the image.

        Args:
            name: a tag or an id.
            client: of another image, which closes it; default one of its own.
            limits: how much it may hold.

        Raises:
            SourceError: the engine has no such image.
            EngineError: the engine is away or refuses.
        """
        self.name = name
        self.limits = limits
        self._owned = client is None
        self._client = connect() if client is None else client
        try:
            self.facts = inspect_image(self._client, name)
        except BaseException:
            self.close()
            raise

    def cached_image(self, config: bytes) -> Image:
        """Return the image from configuration bytes kept from an earlier reading."""
        digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
        decoded = decode_config(config, digest=digest, document=f"configuration of {self.name}")
        layers = tuple(
            LayerRef(index=index, diff_id=diff_id, blob="")
            for index, diff_id in enumerate(decoded.diff_ids)
        )
        return Image(reference=self.name, config=decoded, layers=layers, tags=self.facts.tags)

    def find(self, reference: str) -> EngineImage | None:
        """Return another image, None if the engine does not have it."""
        try:
            return inspect_image(self._client, reference)
        except SourceError:
            return None

    def other(self, name: str) -> EngineSource:
        """Return another image of the engine, which is to be used no longer than this one.

        Raises:
            SourceError: the engine has no such image.
            EngineError: the engine is away or refuses.
        """
        return EngineSource(name, client=self._client, limits=self.limits)

    def kept_images(self) -> tuple[KeptImage, ...]:
        """Return every image of the engine, the newest first."""
        return list_kept(self._client)

    def history_of(self, image_id: str) -> tuple[HistoryEntry, ...]:
        """Return how an image of the engine was made, base first."""
        return read_history(self._client, image_id)

    def build_record(self) -> bytes | None:
        """Return the provenance of the build that made the image, None where nothing tells."""
        return find_build_record(self.facts.id, self.facts.created)

    def stream(
        self,
        take: Callable[[str, StreamReader], bool],
        *,
        stop: Callable[[], bool],
        others: Sequence[EngineSource] = (),
    ) -> tuple[Streamed, ...] | None:
        """Read the image once, front to back.

        Args:
            take: called with each layer's file name and its tar; False ends
                the reading.
            stop: looked at while the engine keeps us waiting.
            others: read in the same stream, in which what they share comes once.

        Returns:
            The image and the others, in their order; None if ``take`` ended the reading.

        Raises:
            EngineError: the engine broke off.
            StoppedError: ``stop`` returned True.
        """
        documents = Documents(self.name, self.limits)
        sources = (self, *others)
        ids = tuple(source.facts.id for source in sources)
        with open_save(self._client, ids, stop=stop) as chunks:
            try:
                if not _read_members(chunks, documents, take, self.limits):
                    return None
            except tarfile.TarError as error:
                raise EngineError(
                    f"the engine's archive of {self.name} is damaged", why=str(error)
                ) from error
        saved = list_saved(documents)
        if len(saved) != len(sources):
            raise EngineError(f"the engine sent {len(saved)} images for {self.name}")
        found = [_streamed(documents, each, self.name) for each in saved]
        if others:
            # Listed in an order of the engine's own, under names that need not be their ids.
            by_layers = {each.image.config.diff_ids: each for each in found}
            if by_layers.keys() != {source.facts.diff_ids for source in sources}:
                raise EngineError(f"the engine sent other images than {', '.join(ids)}")
            found = [by_layers[source.facts.diff_ids] for source in sources]
        return tuple(
            replace(each, image=replace(each.image, reference=source.name, tags=source.facts.tags))
            for source, each in zip(sources, found, strict=True)
        )

    def close(self) -> None:
        """Close the connection, unless it is another image's."""
        if self._owned:
            self._client.close()


def _streamed(documents: Documents, saved: SavedImage, name: str) -> Streamed:
    image, _ = saved_image(documents, saved, reference=name)
    # Without the digests of blobs, which the engine makes for the way and does not keep.
    layers = tuple(
        replace(layer, blob=documents.resolve(layer.blob), digest=None) for layer in image.layers
    )
    return Streamed(
        image=replace(image, layers=layers),
        documents=documents,
        config=documents.read(saved.config, limit=documents.limits.json),
    )


class Documents:
    """The small files of a stream, and the names of its large ones."""

    def __init__(self, name: str, limits: Limits) -> None:
        """Start with none."""
        self.name = f"the engine's archive of {name}"
        self.limits = limits
        self.texts: dict[str, bytes] = {}
        self.sizes: dict[str, int] = {}
        self.links: dict[str, str] = {}

    def blobs(self) -> tuple[str, ...]:
        """Return the names of all files."""
        return tuple(self.sizes)

    def resolve(self, blob: str) -> str:
        """Return the name of the file that a name leads to."""
        name = posixpath.normpath(blob)
        for _ in range(_MAX_LINKS):
            if name in self.sizes or name not in self.links:
                return name
            name = self.links[name]
        return name

    def has(self, blob: str) -> bool:
        """Say whether a file of that name came."""
        return self.resolve(blob) in self.sizes

    def size(self, blob: str) -> int:
        """Return how many bytes the file has."""
        size = self.sizes.get(self.resolve(blob))
        if size is None:
            raise ArchiveError(f"{self.name} has no file {blob}, which its manifest names")
        return size

    def read(self, blob: str, *, limit: int) -> bytes:
        """Return a file that is no layer."""
        size = self.size(blob)
        text = self.texts.get(self.resolve(blob))
        if text is None or size > limit:
            raise ArchiveError(f"{blob} in {self.name} is not a document: {size:,} bytes")
        return text


def _read_members(
    chunks: ChunkReader,
    documents: Documents,
    take: Callable[[str, StreamReader], bool],
    limits: Limits,
) -> bool:
    """Sort the members of a stream; False as soon as ``take`` says so."""
    with tarfile.open(fileobj=cast("BinaryIO", chunks), mode="r|", bufsize=PIECE) as tar:
        for member in tar:
            name = posixpath.normpath(member.name)
            if member.issym() or member.islnk():
                folder = posixpath.dirname(name) if member.issym() else ""
                documents.links[name] = posixpath.normpath(posixpath.join(folder, member.linkname))
            content = tar.extractfile(member) if member.isreg() else None
            if content is None:
                continue
            documents.sizes[name] = member.size
            head = content.read(tarfile.BLOCKSIZE)
            if not _is_layer(head, member.size, limits):
                documents.texts[name] = head + content.read()
                continue
            short = f"layer {name[:19]}"
            reader = StreamReader(_rest(head, content), name=short, diff_id=None, limits=limits)
            if not take(name, reader):
                return False
    return True


def _is_layer(head: bytes, size: int, limits: Limits) -> bool:
    """Tell a layer from a document by its first block; an empty layer is all zeros."""
    if head[_MAGIC] == b"ustar" or sniff(head) is not Compression.NONE or size > limits.json:
        return True
    return len(head) == tarfile.BLOCKSIZE and not head.strip(b"\0")


def _rest(head: bytes, content: IO[bytes]) -> Iterator[bytes]:
    yield head
    while piece := content.read(PIECE):
        yield piece
