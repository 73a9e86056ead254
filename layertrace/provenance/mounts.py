"""What a RUN may have copied out of its mounts: found by content."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import clean_path
from layertrace.provenance.hops import At

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.build import Build, Instruction
    from layertrace.provenance.hops import TracedImage

OUTSIDE: Final = -1
"""The build context, or an image that the Dockerfile does not make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A mount that hands a RUN files."""

    source: str
    """The folder of it that is mounted, rootfs-relative."""
    stage: int
    """Its index, or :data:`OUTSIDE`."""


def mounts_of(instruction: Instruction, build: Build | None) -> tuple[Mount, ...]:
    """Return the mounts that can hand a RUN files: all that bind, or name a ``from``."""
    stages = build.stages if build is not None else ()
    named = {stage.name: stage.index for stage in stages if stage.named}
    return tuple(
        Mount(
            source=clean_path(options.get("source", options.get("src", ""))),
            stage=named.get(options.get("from", "").lower(), OUTSIDE),
        )
        for options in map(_options, instruction.flags.get("mount", ()))
        if "from" in options or options.get("type", "bind") == "bind"
    )


def _options(text: str) -> dict[str, str]:
    words = next(csv.reader([text]), [])
    pairs = (word.partition("=") for word in words)
    return {key.strip().lower(): value for key, _, value in pairs}


def same_content(at: At, stage: TracedImage, folder: str) -> Iterator[At]:
    """Yield every file of a stage's folder that has this file's content."""
    for path in stage.tree.by_size.get(at.item.size, ()):
        if folder and path != folder and not path.startswith(f"{folder}/"):
            continue
        place = stage.tree.rootfs.place(path)
        if place is not None and stage.tree.digest_at(place) == at.digest:
            yield At(image=stage, path=path, place=place)
