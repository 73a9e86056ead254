"""The Docker engine: finding it, asking for images, streaming them out.

Everything that goes wrong between here and the engine leaves as an
:class:`EngineError`, or as a :class:`SourceError` where the image is not there.
The SDK is imported where it is used, so that a saved archive needs none of it.
"""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypedDict

from layertrace.archive.ahead import drawn_ahead
from layertrace.archive.engine_errors import UNREACHABLE, engine_errors
from layertrace.archive.engine_exchange import Exchange
from layertrace.archive.saved_stream import copy_saved
from layertrace.archive.target_file import complete_file
from layertrace.model.build import BaseDefaults
from layertrace.model.image import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from docker import DockerClient

    from layertrace.archive.saved_stream import ByteStream
    from layertrace.model.bundle import BundleStage

_CONNECT_TIMEOUT: Final = 20
"""Seconds for a short question; streams and builds have none, they can be stopped."""


class _Options(TypedDict):
    timeout: int
    use_ssh_client: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a long piece of work is."""

    phase: str
    """One word: ``context``, ``build``, ``stage`` or ``save``."""
    done: int
    """Bytes so far; 0 where the phase does not count bytes."""
    total: int | None = None
    """Bytes expected, an estimate where the engine gives no better; None when not known."""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineImage:
    """What the engine tells about one of its images."""

    id: str
    tags: tuple[str, ...]
    diff_ids: tuple[str, ...]
    """Base first; empty for an image without layers."""
    parent: str
    """Id of the image the classic builder made it from; empty for any other."""
    platform: Platform
    size: int
    """Bytes of its layers, as the engine counts them."""
    created: str
    """When it was made, RFC 3339."""
    defaults: BaseDefaults
    """What a build that starts from it takes over."""


class ChunkReader:
    """Chunks of bytes as a file that is read forward."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = memoryview(b"")
        self.position = 0
        """Bytes handed out."""

    def read(self, size: int = -1) -> bytes:
        """Return ``size`` bytes, fewer only at the end; all of them when negative."""
        parts: list[memoryview] = []
        missing = size
        while size < 0 or missing:
            if not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    break
                self._rest = memoryview(chunk)
            part = self._rest[:missing] if size >= 0 else self._rest
            self._rest = self._rest[len(part) :]
            missing -= len(part)
            parts.append(part)
        data = b"".join(parts)
        self.position += len(data)
        return data


def connect() -> DockerClient:
    """Reach the engine of ``DOCKER_HOST``, else of the current docker context.

    The client is the caller's to close.

    Raises:
        EngineError: no engine answers there.
    """
    from docker import DockerClient  # noqa: PLC0415
    from docker.context import ContextAPI  # noqa: PLC0415

    # The ssh command, as the docker command itself uses, needs no further package.
    options: _Options = {"timeout": _CONNECT_TIMEOUT, "use_ssh_client": True}
    with engine_errors(doing=UNREACHABLE):
        if not os.environ.get("DOCKER_HOST"):
            context = ContextAPI.get_context(os.environ.get("DOCKER_CONTEXT"))
            # The SDK looks at contexts by itself only from version 7.2 on.
            if context is not None and context.Name != "default" and context.Host:
                tls = context.TLSConfig or False
                return DockerClient(base_url=context.Host, tls=tls, **options)
        return DockerClient.from_env(**options)


def inspect_image(client: DockerClient, name: str) -> EngineImage:
    """Ask what the engine knows of the image ``name``.

    Raises:
        SourceError: the engine has no such image.
        EngineError: the engine is away or refuses.
    """
    with engine_errors(name):
        facts = client.images.get(name).attrs
    config = facts.get("Config") or {}
    return EngineImage(
        id=str(facts["Id"]),
        tags=tuple(facts.get("RepoTags") or ()),
        diff_ids=tuple((facts.get("RootFS") or {}).get("Layers") or ()),
        parent=str(facts.get("Parent") or ""),
        platform=Platform(
            os=str(facts.get("Os") or ""),
            architecture=str(facts.get("Architecture") or ""),
            variant=str(facts.get("Variant") or ""),
        ),
        size=int(facts.get("Size") or 0),
        created=str(facts.get("Created") or ""),
        defaults=BaseDefaults(
            env=dict(str(each).partition("=")[::2] for each in config.get("Env") or ()),
            workdir=str(config.get("WorkingDir") or ""),
            on_build=tuple(map(str, config.get("OnBuild") or ())),
        ),
    )


def _never() -> bool:
    return False


@contextmanager
def open_save(
    client: DockerClient, names: Sequence[str], *, stop: Callable[[], bool] = _never
) -> Iterator[ChunkReader]:
    """Stream what ``docker save`` writes for ``names``; nothing is put on disk here.

    An engine before version 25 collects the whole archive before its first
    byte arrives; ``stop`` is looked at meanwhile too.

    Raises:
        SourceError: the engine has no such image.
        EngineError: the engine is away, refuses or breaks off.
        StoppedError: ``stop`` returned true.
    """
    exchange = Exchange(client)
    parameters = [("names", name) for name in names]

    def chunks() -> Iterator[bytes]:
        with engine_errors(", ".join(names)):
            yield from exchange.get("images/get", parameters)

    with drawn_ahead(chunks, stop=stop, interrupt=exchange.interrupt) as stream:
        yield ChunkReader(stream)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """What an export wrote."""

    path: Path
    size: int
    """Bytes of the archive."""
    image_id: str
    """The engine's, of the image that other tools read from it."""
    tags: tuple[str, ...]
    layers: int
    builder: str | None = None
    """``buildkit`` or ``classic``; None for an image that was not built here."""
    stages: tuple[BundleStage, ...] = ()


class Tracked:
    """A stream that tells how much of it was read."""

    def __init__(
        self,
        stream: ByteStream,
        progress: Callable[[Progress], None],
        *,
        phase: str,
        total: int | None = None,
        detail: str = "",
    ) -> None:
        self._stream = stream
        self._progress = progress
        self._told = Progress(phase=phase, done=0, total=total, detail=detail)
        # The engine may collect for long before its first byte.
        progress(self._told)

    def read(self, size: int = -1, /) -> bytes:
        """Return ``size`` bytes, fewer only at the end."""
        data = self._stream.read(size)
        self._told = replace(self._told, done=self._told.done + len(data))
        self._progress(self._told)
        return data


def export_image(
    name: str,
    target: Path,
    *,
    progress: Callable[[Progress], None],
    stop: Callable[[], bool],
    force: bool = False,
) -> ExportResult:
    """Save an image of the engine as ``docker save`` writes it.

    Args:
        name: of an image the engine has; nothing is pulled.
        target: appears only when it is complete.
        progress: called in the caller's thread, often.
        stop: looked at often, also while the engine is silent.
        force: replace an existing ``target``.

    Raises:
        UsageError: ``target`` exists, or is no regular file.
        SourceError: the engine has no such image.
        EngineError: the engine is away, refuses or breaks off.
        StorageError: the file cannot be written.
        StoppedError: ``stop`` returned true.
    """
    with complete_file(target, force=force) as file, closing(connect()) as client:
        image = inspect_image(client, name)
        with open_save(client, (name,), stop=stop) as stream:
            tracked = Tracked(stream, progress, phase="save", total=image.size, detail=name)
            tags = copy_saved(tracked, file)
        return ExportResult(
            path=target,
            size=file.tell(),
            image_id=image.id,
            tags=tags,
            layers=len(image.diff_ids),
        )
