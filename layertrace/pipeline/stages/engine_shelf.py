"""What an engine keeps, told apart by which stage each image may be of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.errors import StoppedError
from layertrace.provenance.stages.kept import fitting_ends

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.archive.daemon import EngineSource
    from layertrace.archive.kept_images import KeptImage
    from layertrace.model.build import Build
    from layertrace.model.image import HistoryEntry
    from layertrace.pipeline.watch import Watcher

MAX_ASKED: Final = 250
"""Histories asked for, some five milliseconds each; one covers all steps below it."""


class Shelf:
    """The images of one engine; it is asked for as little as can be."""

    def __init__(self, engine: EngineSource, build: Build, watcher: Watcher) -> None:
        self._engine = engine
        self._build = build
        self._watcher = watcher
        self._images: tuple[KeptImage, ...] | None = None
        self._histories: dict[str, tuple[tuple[HistoryEntry, ...], int]] = {}
        """A history by the image it is of, or a step of: and how much of it is that step's."""
        self._ends: dict[tuple[int, int], frozenset[int]] = {}
        self._asked = 0
        self.truncated = False
        """Not every image was looked at."""

    def made_by(self, stage: int, *, before: int | None, classic: bool) -> Iterator[str]:
        """Yield the ids of images that a stage's instructions may have made, newest first.

        Args:
            stage: its index.
            before: nothing newer can have been copied from, seconds.
            classic: the classic builder made them, else BuildKit.
        """
        if self._images is None:
            self._images = self._engine.kept_images()
        for image in self._images:
            if before is not None and image.created > before:
                continue
            if image.parent and not classic:
                continue
            told = self._history(image)
            if told is None:
                self.truncated = True
                return
            history, end = told
            key = (id(history), stage)
            if key not in self._ends:
                self._ends[key] = fitting_ends(history, self._build, stage, classic=classic)
            if end in self._ends[key]:
                yield image.id

    def _history(self, image: KeptImage) -> tuple[tuple[HistoryEntry, ...], int] | None:
        """Return a history that holds an image's, and its length there; None after too many."""
        if image.id not in self._histories:
            if self._asked == MAX_ASKED:
                return None
            if self._watcher.stop():
                raise StoppedError
            self._asked += 1
            history = self._engine.history_of(image.id)
            parents = {each.id: each.parent for each in self._images or ()}
            step: str = image.id
            # The classic builder makes an image an entry.
            for end in range(len(history), 0, -1):
                self._histories.setdefault(step, (history, end))
                step = parents.get(step, "")
                if not step:
                    break
            self._histories.setdefault(image.id, (history, len(history)))
        return self._histories[image.id]
