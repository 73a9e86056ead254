"""Saving an image of the engine as ``docker save`` writes it; how far, and what came of it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from layertrace.archive.engine import connect, inspect_image, open_save
from layertrace.archive.export.saved_stream import copy_saved
from layertrace.archive.export.target_file import complete_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from layertrace.archive.export.saved_stream import ByteStream
    from layertrace.model.bundle import BundleStage


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
