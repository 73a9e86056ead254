"""Images outside the Dockerfile that files were taken from: found in the engine, and walked."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from layertrace.errors import EngineError, SourceError
from layertrace.model.origin import Finding
from layertrace.pipeline.keeping.folding import fold
from layertrace.pipeline.parts import OpenImage
from layertrace.provenance.rootfs_tree import RootfsTree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from layertrace.pipeline.parts import Parts
    from layertrace.pipeline.watch import Watcher


def engine_images(parts: Parts, watcher: Watcher) -> tuple[OpenImage, ...]:
    """Return those of a build's other images that the engine has and nobody gave.

    Each is read whole, but for what was read before.
    """
    build, at_engine = parts.head.build, parts.at_engine
    if build is None or at_engine is None or parts.alignment.contradicted:
        return ()
    # The Docker SDK takes a quarter of a second to import.
    from layertrace.archive.daemon import EngineSource  # noqa: PLC0415
    from layertrace.pipeline.streamed import StoredInEngine  # noqa: PLC0415

    given = {image.reference for image in parts.images}
    found: list[OpenImage] = []
    for reference in build.images():
        if reference in given:
            continue
        # What it does not have, or breaks off at, is not looked at.
        with suppress(SourceError, EngineError), ExitStack() as opened:
            source = EngineSource(reference)
            opened.callback(source.close)
            stored = StoredInEngine(source, at_engine.cache, watcher)
            opened.pop_all()
            found.append(OpenImage(reference=reference, stored=stored, by_name=True))
    return tuple(found)


def walk_images(
    images: Iterable[OpenImage], watcher: Watcher, *, verify: bool
) -> tuple[dict[str, RootfsTree], tuple[Finding, ...]]:
    """Return the files of each image, by reference, and why others are not compared with."""
    trees: dict[str, RootfsTree] = {}
    findings: list[Finding] = []
    for image in images:
        indexes = image.stored.walk(watcher, hashing=True, verify=verify)
        damage = next((index.damage for index in indexes if index.damage), "")
        if damage:
            # What is not found in half an image may be in the other half.
            message = f"the image {image.reference} is not compared with: {damage}"
            findings.append(Finding(code="image-damaged", message=message))
        else:
            rootfs = fold(image.stored, indexes)
            trees[image.reference] = RootfsTree(rootfs, image.stored.digest, image.stored)
    return trees, tuple(findings)
