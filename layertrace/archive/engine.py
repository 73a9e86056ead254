"""The Docker engine: finding it, asking for images, streaming them out.

Everything that goes wrong between here and the engine leaves as an
:class:`EngineError`, or as a :class:`SourceError` where the image is not there.
The SDK is imported where it is used, so that a saved archive needs none of it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypedDict

from layertrace.archive.ahead import drawn_ahead
from layertrace.archive.engine_errors import UNREACHABLE, engine_errors
from layertrace.archive.engine_exchange import Exchange
from layertrace.model.build import BaseDefaults
from layertrace.model.image import Platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from docker import DockerClient


_CONNECT_TIMEOUT: Final = 20
"""Seconds for a short question; streams and builds have none, they can be stopped."""


class _Options(TypedDict):
    timeout: int
    use_ssh_client: bool


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


def connect(*, patience: int = _CONNECT_TIMEOUT) -> DockerClient:
    """Reach the engine of ``DOCKER_HOST``, else of the current docker context.

    The client is the caller's to close.

    Args:
        patience: seconds for a short question.

    Raises:
        EngineError: no engine answers there.
    """
    from docker import DockerClient  # noqa: PLC0415
    from docker.context import ContextAPI  # noqa: PLC0415

    # The ssh command, as the docker command itself uses, needs no further package.
    options: _Options = {"timeout": patience, "use_ssh_client": True}
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
