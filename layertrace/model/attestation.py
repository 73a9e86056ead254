"""What BuildKit's SLSA provenance says of a build, as far as layers can be tied to it.

Source: BuildKit, ``docs/attestations/slsa-definitions.md``; ``solver/pb/ops.proto``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class StepKind(Enum):
    """What a step of the build does, by its LLB operation."""

    SOURCE = "source"
    FILE = "file"
    EXEC = "exec"
    MERGE = "merge"
    TERMINAL = "terminal"
    """The last one: its input is the result."""
    OTHER = "other"


class Edge(NamedTuple):
    """One output of one step."""

    step: str
    output: int


class Wire(NamedTuple):
    """From which input of a step an output of it is made; -1 is an empty directory.

    For a file operation an input of ``len(inputs)`` or more is the result of
    its own action of that number, less ``len(inputs)``.
    """

    input: int
    output: int


class LineRange(NamedTuple):
    """Lines of one instruction in one of the build's Dockerfiles."""

    file: int
    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildStep:
    """One vertex of the build's graph."""

    id: str
    kind: StepKind
    inputs: tuple[Edge, ...] = ()
    source: str = ""
    """Of a SOURCE: ``docker-image://…``, ``local://context``."""
    wires: tuple[Wire, ...] = ()
    """Of a FILE its actions, of an EXEC its mounts, of a MERGE its inputs, in order."""
    lines: tuple[LineRange, ...] = ()
    """Where it stands; several where identical instructions became one step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Something the build took from outside."""

    uri: str
    digest: str
    """``""`` where it is not told."""
    reference: str = ""
    """Of an image: ``acme/tools:1``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """One SLSA provenance predicate, v0.2 or v1."""

    document: str
    """For messages."""
    steps: tuple[BuildStep, ...] = ()
    """In the builder's order, the terminal step last; empty with ``mode=min``."""
    dockerfiles: tuple[str, ...] = ()
    """Texts of the Dockerfiles, the main one first; empty with ``mode=min``."""
    dockerfile_name: str = "Dockerfile"
    target: str | None = None
    build_args: Mapping[str, str] = field(default_factory=dict)
    contexts: Mapping[str, str] | None = None
    """Build contexts by name, as given to BuildKit: ``{"src": "local:src"}``; None: not told."""
    materials: tuple[Material, ...] = ()
    chains: tuple[tuple[str, ...], ...] = ()
    """Digests of whole chains of layers, base first, as the builder stored them."""
    subjects: tuple[str, ...] = ()
    """Digests of the manifests it is about; empty for a bare predicate."""

    @property
    def is_min(self) -> bool:
        """It is BuildKit's with ``mode=min``: neither steps nor a Dockerfile are in it."""
        return self.contexts is not None and not (self.steps or self.dockerfiles)
