"""What a builder is asked to build, and what it hands back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from e2b_dockerfile_utils.syntax import parse_dockerfile_ast

from layertrace.errors import DockerfileError, EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from layertrace.archive.export.saved_image import Progress
    from layertrace.model.build import Build, Stage
    from layertrace.model.bundle import ContextEntry

_PARSE_ERROR: Final = re.compile(r"dockerfile parse error (?:on )?line (\d+): (.+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildOrder:
    """One build, how to tell of it, and whether to stop it."""

    context: Path
    dockerfile: Path
    target_file: Path
    """Never part of the context: an archive must not hold the one before it."""
    build: Build
    network: str | None
    no_cache: bool
    progress: Callable[[Progress], None]
    stop: Callable[[], bool]
    log: Callable[[str], None]
    """Takes each line a builder prints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageImage:
    """The image of one stage, in the engine."""

    index: int
    image: str
    """Its id, or a name the engine knows it by."""
    fidelity: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltImages:
    """What a builder made."""

    builder: str
    final: str
    stages: tuple[StageImage, ...]
    """Those with layers, the target's own among them."""
    context: tuple[ContextEntry, ...]
    provenance: Mapping[str, object] | None = None
    images: Mapping[str, str] = field(default_factory=dict)
    """Images outside the Dockerfile that files were taken from, by reference: as in the engine."""


def makes_image(build: Build, stage: Stage) -> bool:
    """Whether a stage is more than nothing on top of nothing, which no builder keeps."""
    if stage.instructions:
        return True
    if stage.base_stage is not None:
        return makes_image(build, build.stages[stage.base_stage])
    return stage.base != "scratch"


def target_name(build: Build, index: int) -> str | None:
    """Return what ``--target`` must be to build a stage; None: it is built without.

    The last stage is left to the builder's default: naming it would change the
    value of ``TARGETSTAGE``.
    """
    if index == len(build.stages) - 1:
        return None
    return named_stages(build)[1][index]


def named_stages(build: Build) -> tuple[str, tuple[str, ...]]:
    """Return the Dockerfile with every stage named, and the names by stage.

    A builder's ``--target`` takes names only. A name changes no layer, and the
    lines stay where they were.
    """
    lines = build.text.split("\n")
    ends = [
        instruction.end_line
        for instruction in parse_dockerfile_ast(build.text).instructions
        if instruction.name == "FROM"
    ]
    taken = {stage.name for stage in build.stages}
    names: list[str] = []
    for stage, end in zip(build.stages, ends, strict=True):
        name = stage.name
        if not stage.named:
            name = f"layertrace-{stage.index}"
            while name in taken:
                name += "-"
            # On one line: a continuation or a comment within FROM may stand
            # where the name belongs.
            lines[stage.line - 1 : end] = [f"{stage.text} AS {name}", *[""] * (end - stage.line)]
        names.append(name)
    return "\n".join(lines), tuple(names)


def build_failure(message: str, *, name: str) -> DockerfileError | EngineError:
    """Word what a builder says when it fails."""
    return refused_dockerfile(message, name=name) or EngineError(
        "the build failed",
        why=message.strip().partition("\n")[0],
        hint="the builder's own words are above",
    )


def refused_dockerfile(message: str, *, name: str) -> DockerfileError | None:
    """Return the error where a builder's words are about the Dockerfile itself."""
    found = _PARSE_ERROR.search(message)
    return DockerfileError(found[2].strip(), line=int(found[1]), name=name) if found else None
