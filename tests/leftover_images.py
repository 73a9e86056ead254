"""Images of a few files, asked for their leftovers."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from layertrace.analysis.leftovers.counting import count_leftovers
from layertrace.analysis.leftovers.leftovers import word_leftovers
from layertrace.analysis.leftovers.visible import list_visible
from layertrace.layers.cache import IndexCache
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image
from tests.builders import docker_archive, image, layer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from layertrace.model.waste import Leftover
    from layertrace.pipeline.answers import ImageTrace
    from tests.builders import Content


@contextmanager
def traced(  # noqa: PLR0913 - one argument a thing that an image may have
    path: Path,
    *layers: Mapping[str, Content] | bytes,
    packed: bool = False,
    dockerfile: str = "",
    platform: str = "linux/amd64",
    base: int = 0,
    cached: bool = False,
) -> Iterator[ImageTrace]:
    """Open an image of some layers; each line of a Dockerfile's last stage made one.

    Bytes are a layer's tar; so many of the layers are the base image's.
    """
    steps = dockerfile.rpartition("FROM ")[2].splitlines()[1:]
    history = [step.replace("--from=build ", "") for step in steps] or None
    given = path / "Dockerfile"
    given.write_text(dockerfile)
    archive = path / "app.tar"
    tars = [each if isinstance(each, bytes) else layer(each) for each in layers]
    made = image(*tars, history=history, platform=platform)
    archive.write_bytes(docker_archive(made, packed=packed))
    hints = Hints(dockerfile=given) if dockerfile else Hints()
    if base:
        below = path / "base.tar"
        below.write_bytes(docker_archive(image(*tars[:base], tags=("base:1",))))
        hints = replace(hints, base=str(below))
    cache = IndexCache(path / "cache", limit=1 << 20 if cached else 0)
    opening = open_image(str(archive), hints, cache)
    try:
        yield opening.walk(hashing=False)
    finally:
        opening.close()
        cache.close()


def find_leftovers(trace: ImageTrace) -> tuple[Leftover, ...]:
    """Return what rules say an image could do without."""
    return word_leftovers(trace, count_leftovers(trace, list_visible(trace)))


def leftovers(
    path: Path, *layers: Mapping[str, Content] | bytes, platform: str = "linux/amd64"
) -> dict[str, dict[str, int]]:
    """Return what is found: rule to path to bytes."""
    with traced(path, *layers, platform=platform) as trace:
        found = find_leftovers(trace)
    assert all(each.bytes == sum(row.bytes for row in each.paths) for each in found)
    assert [each.bytes for each in found] == sorted((each.bytes for each in found), reverse=True)
    return {each.rule: {row.path: row.bytes for row in each.paths} for each in found}
