"""A Dockerfile as data: what was asked of the builder.

Source: the Dockerfile reference.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Heredoc:
    """One ``<<NAME`` document of an instruction."""

    name: str
    content: str
    expand: bool
    """False when the delimiter was quoted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One Dockerfile instruction with its continuations and heredocs."""

    keyword: str
    """Upper case: ``COPY``."""
    text: str
    """As written, continuations joined, without heredoc bodies."""
    line: int
    """Of its first word, from 1."""
    end_line: int
    """Of its last line, heredoc bodies included."""
    stage_index: int
    step: int
    """Its place in the stage, from 1, FROM not counted: ``build/3``."""
    args: tuple[str, ...] = ()
    """After substitution where the builder substitutes, else as written."""
    flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """``--from=build`` is ``{"from": ("build",)}``; a bare flag holds ``""``."""
    json_form: bool = False
    heredocs: tuple[Heredoc, ...] = ()
    workdir: str | None = None
    """Absolute working directory in effect before it; None: the base image's."""
    source_stage: int | None = None
    """COPY --from: the index of the stage it names."""
    source_image: str | None = None
    """COPY --from: the image it names outside the Dockerfile."""
    source_context: str | None = None
    """COPY --from: the build context it names, other than the main one."""
    source_doubtful: bool = False
    """COPY --from: whether it names an image or a build context is not known."""
    mount_stages: tuple[int, ...] = ()
    """RUN --mount: the indexes of the stages its ``from=`` name."""
    mount_images: tuple[str, ...] = ()
    """RUN --mount: the images outside the Dockerfile that their ``from=`` name."""
    triggered: bool = False
    """An ONBUILD trigger of the base: runs at FROM and carries its lines; step 0."""
    unresolved: tuple[str, ...] = ()
    """Variables in it that nothing in the Dockerfile or the arguments sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One FROM to the next."""

    index: int
    name: str
    """By AS, in lower case; ``stage-N`` where it has none, as BuildKit shows it."""
    named: bool
    base: str
    """The FROM argument after substitution: an image or an earlier stage."""
    base_stage: int | None
    """Index of the stage it starts from; None for an image or ``scratch``."""
    base_digest: str | None = None
    """Of the base image's manifest, where the builder told."""
    line: int
    end_line: int
    """Last line of its last instruction."""
    text: str
    """The FROM instruction as written."""
    platform: str = ""
    instructions: tuple[Instruction, ...] = ()
    triggers: int = 0
    """Layers that ONBUILD triggers of the base made, where the builder told of them
    and ``instructions`` does not hold them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """A Dockerfile, its arguments and the stage that was built."""

    name: str
    """The file's name, for messages."""
    text: str
    stages: tuple[Stage, ...]
    target: int
    """Index of the stage that was built."""
    arguments: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] | None = field(default_factory=dict)
    """Named build contexts, ``{"src": "local:src"}``; None: not told."""
    warnings: tuple[str, ...] = ()

    def chain(self, stage_index: int) -> tuple[Stage, ...]:
        """Return the stages ``stage_index`` is made of, base first, itself last."""
        chain: list[Stage] = []
        index: int | None = stage_index
        while index is not None:
            stage = self.stages[index]
            chain.append(stage)
            index = stage.base_stage
        return tuple(reversed(chain))

    def used(self) -> frozenset[int]:
        """Return the stages the target needs, itself included."""
        used: set[int] = set()
        todo = [self.target]
        while todo:
            index = todo.pop()
            if index in used:
                continue
            used.add(index)
            stage = self.stages[index]
            todo.extend(
                source
                for source in (stage.base_stage, *(i.source_stage for i in stage.instructions))
                if source is not None
            )
            todo.extend(index for i in stage.instructions for index in i.mount_stages)
        return frozenset(used)

    def images(self) -> tuple[str, ...]:
        """Return the images outside the Dockerfile that the stages needed take files from."""
        named = (
            reference
            for index in sorted(self.used())
            for step in self.stages[index].instructions
            for reference in (step.source_image, *step.mount_images)
        )
        return tuple(dict.fromkeys(filter(None, named)))


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseDefaults:
    """What a stage takes over from its base image's configuration."""

    env: Mapping[str, str] = field(default_factory=dict)
    workdir: str = ""
    on_build: tuple[str, ...] = ()
