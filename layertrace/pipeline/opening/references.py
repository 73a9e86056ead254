"""What a reference names: an archive's image, or the engine's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layertrace.archive.source import open_archive, parse_reference
from layertrace.pipeline.stored import StoredArchive

if TYPE_CHECKING:
    from contextlib import ExitStack

    from layertrace.archive.daemon import EngineSource
    from layertrace.archive.source import ArchiveSource
    from layertrace.layers.cache import IndexCache
    from layertrace.model.bundle import TraceBundle
    from layertrace.pipeline.hints import Hints
    from layertrace.pipeline.stored_image import StoredImage
    from layertrace.pipeline.streamed import StoredInEngine
    from layertrace.pipeline.watch import Watcher


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """The image that a reference names, and where it is."""

    stored: StoredImage
    attested: ArchiveSource | StoredInEngine
    """Whom to ask for the image's provenance."""
    archive: ArchiveSource | None = None
    engine: EngineSource | None = None

    @property
    def bundle(self) -> TraceBundle | None:
        """What a trace archive adds to its image."""
        return None if self.archive is None else self.archive.bundle


class Opener:
    """Opens images for one question, and has them closed where that comes to nothing."""

    def __init__(
        self,
        hints: Hints,
        cache: IndexCache,
        watcher: Watcher,
        undo: ExitStack,
        *,
        early: bool = False,
    ) -> None:
        """Open nothing yet; what is opened is closed by ``undo``."""
        self._early = early
        self.hints = hints
        self.cache = cache
        self._watcher = watcher
        self._undo = undo

    def open(self, text: str) -> Opened:
        """Open the image that a reference names.

        An image of the engine is only to be had as one stream, and may be read whole: later
        where that is wanted, and what the engine tells of it suffices until then.

        Raises:
            LayertraceError: it cannot be found or read.
        """
        reference, hints = parse_reference(text), self.hints
        if reference.transport == "docker-daemon":
            early, self._early = self._early, False
            return self._open_daemon(reference.target, early=early)
        source = open_archive(
            reference,
            platform=hints.platform,
            limits=hints.limits,
            watch=self._watcher.see_archive,
        )
        stored = StoredArchive(source, source.image, self.cache)
        self.keep(stored)
        return Opened(stored=stored, attested=source, archive=source)

    def _open_daemon(self, name: str, *, early: bool) -> Opened:
        # The Docker SDK takes a quarter of a second to import.
        from layertrace.archive.daemon import EngineSource  # noqa: PLC0415
        from layertrace.pipeline.opening.announced import announced_image  # noqa: PLC0415
        from layertrace.pipeline.streamed import StoredInEngine  # noqa: PLC0415

        engine = EngineSource(name, limits=self.hints.limits)
        try:
            announce = announced_image if early else None
            stored = StoredInEngine(engine, self.cache, self._watcher, announce=announce)
        except BaseException:
            engine.close()
            raise
        self.keep(stored)
        return Opened(stored=stored, attested=stored, engine=engine)

    def keep(self, stored: StoredImage) -> None:
        """Have an image closed with the others."""
        self._undo.callback(stored.close)
