"""Opening an image and walking its layers: the way to an :class:`ImageTrace`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from layertrace.pipeline.answers import ImageTrace
from layertrace.pipeline.damage import damaged_stage, distrusted, distrusted_stage, refuse_nothing
from layertrace.pipeline.heads import with_findings
from layertrace.pipeline.opening.assemble import open_parts
from layertrace.pipeline.watch import Phase, WalkProgress, Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from layertrace.layers.cache import IndexCache
    from layertrace.layers.index import LayerIndex
    from layertrace.model.trace import ImageHead
    from layertrace.pipeline.hints import Hints
    from layertrace.pipeline.parts import Parts
    from layertrace.pipeline.stored_image import StoredImage
    from layertrace.provenance.hops import TracedImage


class Opening:
    """An image that was opened, its layers not walked yet."""

    def __init__(self, parts: Parts, *, verify: bool) -> None:
        """Keep the parts; :meth:`close` closes them."""
        self._parts = parts
        self._verify = verify
        self._found: list[StoredImage] = []
        """The stages and other images found while walking."""
        self.head: ImageHead = parts.head

    @property
    def compared(self) -> tuple[str, ...]:
        """Names of the stages and other images that its content is looked for in."""
        stages = (stage.name for stage in self._parts.stages)
        images = (image.reference for image in self._parts.images)
        engine = ("the engine",) if self._parts.at_engine and self.head.stages else ()
        return (*stages, *images, *engine)

    def walk(
        self,
        progress: Callable[[WalkProgress], None] | None = None,
        stop: Callable[[], bool] | None = None,
        *,
        hashing: bool = True,
        contents: bool = False,
    ) -> ImageTrace:
        """Read the layers and those of the stages.

        Args:
            progress: told now and then how far the walk is.
            stop: asked as often; True ends the walk.
            hashing: origins or contents will be asked for (not only sizes).
            contents: without ``hashing``, contents of the image itself will be: whatever
                has to be read whole is hashed on the way.

        Raises:
            LayertraceError: a layer cannot be read.
            StoppedError: ``stop`` returned True.
        """
        watcher = Watcher(progress or _ignore, stop or _never)
        hash_all = hashing or contents
        indexes = self._parts.stored.walk(watcher, hashing=hash_all, verify=self._verify)
        parts = self._as_it_came()
        refuse_nothing(parts.head.image, indexes)
        parts = distrusted(parts, indexes)
        if hashing:
            return self._walk_others(parts, indexes, watcher)
        return ImageTrace(parts, indexes, {}, {})

    def _as_it_came(self) -> Parts:
        """Return the parts of the image itself, where those were of what was told of it."""
        told = self._parts
        if told.again is not None and told.stored.image is not told.head.image:
            self._parts = told.again()
            self.head = self._parts.head
            self._found += [stage.stored for stage in told.stages]
            self._found += [image.stored for image in told.images]
        return self._parts

    def _walk_others(
        self, parts: Parts, indexes: tuple[LayerIndex, ...], watcher: Watcher
    ) -> ImageTrace:
        """Walk all that the image is compared with."""
        # Whoever asks for layers alone does without.
        from layertrace.pipeline.stages.outside_images import (  # noqa: PLC0415
            engine_images,
            walk_images,
        )

        watcher.begin(Phase.STAGES)
        parts, stages = self._walk_stages(parts, watcher)
        if parts.at_engine is not None:
            # Few images are of the engine, and have stages.
            from layertrace.pipeline.stages.engine_stages import with_engine_stages  # noqa: PLC0415

            parts, found = with_engine_stages(parts, indexes, stages, watcher)
            stages |= found
            self._found += [each.stored for each in parts.stages if each.index in found]
            images = engine_images(parts, watcher)
            parts = replace(parts, images=(*parts.images, *images))
            self._found += [each.stored for each in images]
        trees, damaged = walk_images(parts.images, watcher, verify=self._verify)
        parts = replace(parts, head=with_findings(parts.head, damaged))
        return ImageTrace(parts, indexes, stages, trees)

    def _walk_stages(self, parts: Parts, watcher: Watcher) -> tuple[Parts, dict[int, TracedImage]]:
        """Walk the stages at hand; one that is damaged is left out, and told."""
        # Whoever asks for layers alone does without.
        from layertrace.pipeline.keeping.folding import fold  # noqa: PLC0415
        from layertrace.provenance.hops import TracedImage  # noqa: PLC0415
        from layertrace.provenance.rootfs_tree import RootfsTree  # noqa: PLC0415

        stages: dict[int, TracedImage] = {}
        for stage in parts.stages:
            stored = stage.stored
            indexes = stored.walk(watcher, hashing=True, verify=self._verify)
            if any(index.damage for index in indexes):
                # What is not found in half an image may be in the other half.
                told = damaged_stage(stage, indexes)
                parts = replace(parts, head=with_findings(parts.head, told))
                continue
            alignment, lying = distrusted_stage(stage, indexes)
            parts = replace(parts, head=with_findings(parts.head, lying))
            stages[stage.index] = TracedImage(
                name=stage.name,
                tree=RootfsTree(fold(stored, indexes), stored.digest, stored),
                alignment=alignment,
            )
        return parts, stages

    def so_far(self) -> ImageTrace | None:
        """Return the image by the layers that were read, while or after :meth:`walk` reads them.

        What it is compared with counts as not read. None: there is nothing to see yet.
        """
        # Few readings are looked at before their end.
        from layertrace.pipeline.partial import fill_up  # noqa: PLC0415

        filled = fill_up(self._parts, self._parts.stored.so_far())
        if filled is None:
            return None
        parts, indexes = filled
        return ImageTrace(distrusted(parts, indexes), indexes, {}, {})

    def head_so_far(self) -> ImageHead:
        """Return the head with the sizes of the layers that were read by now; quick."""
        from layertrace.pipeline.partial import sizes_so_far  # noqa: PLC0415 - as above

        return sizes_so_far(self.head, self._parts.stored.so_far())

    def close(self) -> None:
        """Keep what was learned; let go of files and connections."""
        stages = (stage.stored for stage in self._parts.stages)
        images = (image.stored for image in self._parts.images)
        for stored in (*stages, *images, *self._found):
            stored.close()
        self._parts.stored.close()


def open_image(  # noqa: PLR0913 - most callers name the first three
    reference: str,
    hints: Hints,
    cache: IndexCache,
    *,
    progress: Callable[[WalkProgress], None] | None = None,
    stop: Callable[[], bool] | None = None,
    early: bool = False,
) -> Opening:
    """Open an image and everything told about its build.

    Args:
        reference: the image.
        hints: what else is told.
        cache: of what was read before.
        progress: told now and then how far reading it is.
        stop: asked as often; True ends the reading.
        early: an image of the engine is opened by what that tells of it, as far as that leaves
            nothing open, and read only by walking it.

    Raises:
        LayertraceError: something named cannot be found or read.
        StoppedError: ``stop`` returned True.
    """
    watcher = Watcher(progress or _ignore, stop or _never)
    parts = open_parts(reference, hints, cache, watcher, early=early)
    return Opening(parts, verify=hints.verify)


def _ignore(_: WalkProgress) -> None:
    """Take progress nobody shows."""


def _never() -> bool:
    return False
