"""What a trace archive has besides its image, as far as it can be read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from layertrace.errors import ArchiveError, LimitError
from layertrace.model.origin import Finding
from layertrace.pipeline.stored import StoredArchive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.archive.source import ArchiveSource
    from layertrace.layers.cache import IndexCache
    from layertrace.model.build import Build
    from layertrace.model.image import ImageConfig
    from layertrace.pipeline.stored_image import StoredImage


class Bundled:
    """The images in a trace archive beside the final one; there are none in another archive."""

    def __init__(self, archive: ArchiveSource | None, cache: IndexCache) -> None:
        self._archive = archive
        self._bundle = None if archive is None else archive.bundle
        self._cache = cache
        self.lost: list[Finding] = []
        """Why the parts that are damaged are left out."""

    def bases(self) -> dict[str, ImageConfig]:
        """Return the configurations of the base images, by reference."""
        found: dict[str, ImageConfig] = {}
        if self._archive is None or self._bundle is None:
            return found
        for each in self._bundle.bases:
            with self._losing("base-damaged", f"the base image {each.reference}"):
                found[each.reference] = self._archive.stored_config(each.config)
        return found

    def stages(self, build: Build) -> dict[int, StoredImage]:
        """Return the images of the stages that the build has, but for its target."""
        found: dict[int, StoredImage] = {}
        if self._archive is None or self._bundle is None:
            return found
        for each in self._bundle.stages:
            if each.index == build.target or each.index >= len(build.stages):
                continue
            with self._losing("stage-damaged", f"the image of stage {each.name}"):
                found[each.index] = self._stored(self._archive, each.config)
        return found

    def images(self) -> dict[str, StoredImage]:
        """Return the images outside the Dockerfile, by reference."""
        found: dict[str, StoredImage] = {}
        if self._archive is None or self._bundle is None:
            return found
        for each in self._bundle.images:
            with self._losing("image-damaged", f"the image {each.reference}"):
                found[each.reference] = self._stored(self._archive, each.config)
        return found

    def _stored(self, archive: ArchiveSource, config: str) -> StoredArchive:
        return StoredArchive(archive, archive.stage_image(config), self._cache)

    @contextmanager
    def _losing(self, code: str, what: str) -> Iterator[None]:
        """Go on without a part that is damaged, and tell."""
        try:
            yield
        except LimitError:
            raise
        except ArchiveError as error:
            message = f"{what} in the trace archive is not compared with: {error.what}"
            self.lost.append(Finding(code=code, message=message))
