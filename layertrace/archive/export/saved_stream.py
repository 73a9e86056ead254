"""The archive that ``docker save`` streams, walked once and checked to be whole.

An engine that fails in the middle ends its answer like one that is done, so
the end of the transfer proves nothing: the tar must have its end mark, and
every layer and configuration that ``manifest.json`` names must have passed.
"""

from __future__ import annotations

import posixpath
import re
import tarfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, BinaryIO, Final, Protocol, cast

from layertrace.archive.compression import Compression, sniff
from layertrace.archive.decode import MAX_JSON, parse_json
from layertrace.errors import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MANIFEST_MEMBER: Final = "manifest.json"

_BLOCK: Final = 512
_CHUNK: Final = 1 << 20
_TAIL: Final = 4096
_ENGINE_ERROR: Final = re.compile(rb'\{"errorDetail".*?\}', re.DOTALL)


class ByteStream(Protocol):
    """What a saved archive is read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedImage:
    """One image as ``manifest.json`` lists it, by member names."""

    config: str
    layers: tuple[str, ...]
    """Base first."""
    tags: tuple[str, ...]


class _Counted:
    """A stream that counts, and keeps its end for what an engine says there."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self.position = 0
        self.tail = b""

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self.position += len(data)
        self.tail = (self.tail + data[-_TAIL:])[-_TAIL:]
        return data


def walk_saved(
    stream: ByteStream, take: Callable[[tarfile.TarInfo, Iterator[bytes]], None]
) -> None:
    """Hand every member of a saved archive to ``take``, with its content.

    Raises:
        EngineError: the stream ends before the archive does.
    """
    counted = _Counted(stream)
    try:
        # In this mode tarfile asks for nothing but read().
        file = cast("IO[bytes]", counted)
        with tarfile.open(fileobj=file, mode="r|", bufsize=_CHUNK) as archive:
            for member in archive:
                take(member, _content(archive, member))
            end = archive.offset
    except tarfile.TarError as error:
        raise _broken_off(counted.tail) from error
    while counted.read(_CHUNK):
        pass
    # tarfile takes anything that is no header for the end, so a cut between two
    # members, or an engine's error text there, would pass for a whole archive.
    if counted.position < end + _BLOCK or _ENGINE_ERROR.search(counted.tail):
        raise _broken_off(counted.tail)


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    if not member.isreg():
        return
    file = archive.extractfile(member)
    while file is not None and (chunk := file.read(_CHUNK)):
        yield chunk


def _broken_off(tail: bytes) -> EngineError:
    """Say that the stream ended early, with the engine's own words where it left any."""
    why = "its answer ended before the archive did"
    if found := _ENGINE_ERROR.search(tail):
        message = re.search(rb'"message":"((?:[^"\\]|\\.)*)"', found[0])
        why = (message[1] if message else found[0]).decode("utf-8", "replace")
    return EngineError(
        "the Docker engine broke off while saving the image",
        why=why,
        hint="see the engine's log; its disk may be full",
    )


def is_document(first: bytes) -> bool:
    """Whether content that starts with ``first`` is JSON rather than a layer."""
    return first[:1] in {b"{", b"["} and not _is_tar(first)


def is_layer(first: bytes) -> bool:
    """Whether content that starts with ``first`` is a layer, packed or not."""
    return sniff(first) is not Compression.NONE or _is_tar(first)


def _is_tar(first: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(first[:_BLOCK], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        # A layer without entries is nothing but the end mark.
        return len(first) >= _BLOCK and not first[:_BLOCK].strip(b"\0")
    return True


def listed_images(text: bytes | None) -> tuple[ListedImage, ...]:
    """Read ``manifest.json``, of which an engine writes one for all images.

    Raises:
        EngineError: the archive has none.
        ArchiveError: it is not what engines write.
    """
    if text is None:
        raise EngineError(
            "the Docker engine saved no manifest.json",
            why="its answer is not a whole image archive",
        )
    return tuple(
        ListedImage(
            config=posixpath.normpath(node.get("Config").text()),
            layers=tuple(posixpath.normpath(item.text()) for item in node.get("Layers").items()),
            tags=tuple(item.text() for item in node.get("RepoTags").items()),
        )
        for node in parse_json(text, MANIFEST_MEMBER).items()
    )


class _Copied:
    """A stream that leaves a copy of all that is read from it."""

    def __init__(self, stream: ByteStream, file: BinaryIO) -> None:
        self._stream = stream
        self._file = file

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self._file.write(data)
        return data


def copy_saved(stream: ByteStream, file: BinaryIO) -> tuple[str, ...]:
    """Copy a saved archive byte for byte, and return the tags in it.

    Raises:
        EngineError: the stream ends before the archive does, or lacks a member
            that its manifest names.
    """
    members: set[str] = set()
    manifest: list[bytes] = []

    def take(member: tarfile.TarInfo, content: Iterator[bytes]) -> None:
        name = posixpath.normpath(member.name)
        members.add(name)
        if name == MANIFEST_MEMBER and member.size <= MAX_JSON:
            manifest.append(b"".join(content))

    walk_saved(_Copied(stream, file), take)
    images = listed_images(manifest[0] if manifest else None)
    for name in (name for image in images for name in (image.config, *image.layers)):
        if name not in members:
            raise EngineError(
                "the Docker engine saved an incomplete archive",
                why=f"{name} is in its manifest.json and not in the archive",
            )
    return tuple(tag for image in images for tag in image.tags)
