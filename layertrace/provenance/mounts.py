"""What a RUN's mounts hand it: the files of a stage, of the build context, of an image."""

from __future__ import annotations

import csv
import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.dockerfile.contexts import resolve_outside
from layertrace.model.entry import clean_path
from layertrace.model.origin import OriginKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from layertrace.model.build import Build, Instruction
    from layertrace.provenance.hops import TracedImage
    from layertrace.provenance.trees import Tree

CONTEXT: Final = "the build context"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A mount that hands a RUN files."""

    source: str
    """The folder or file of it that is mounted, rootfs-relative."""
    target: str | None
    """Where the RUN sees it; None where that is not known."""
    name: str
    """Of the stage or image, or :data:`CONTEXT`, for messages."""
    kind: OriginKind = OriginKind.UNKNOWN
    """What its files are to a chain that ends with them; a stage's chain goes on."""
    tree: Tree | None = None
    """The files of what is mounted; None: not at hand."""
    stage: TracedImage | None = None
    """Whose tree it is, where that is a stage's."""
    certain: bool = True
    """False: found by its name, which may have meant another when the build ran."""
    hint: str
    """What would tell its files."""

    @property
    def told(self) -> bool:
        """What is not found in its tree is not in it."""
        return self.tree is not None and self.certain

    def inside(self, path: str) -> str | None:
        """Return what a path of the RUN is called in :attr:`tree`; None: it is not mounted."""
        if self.target is None:
            return None
        if path == self.target:
            return self.source
        start = f"{self.target}/" if self.target else ""
        return posixpath.join(self.source, path[len(start) :]) if path.startswith(start) else None

    def with_size(self, size: int) -> Iterator[str]:
        """Yield the mounted files of a size, by their paths in :attr:`tree`."""
        for path in self.tree.by_size.get(size, ()) if self.tree is not None else ():
            if not self.source or path == self.source or path.startswith(f"{self.source}/"):
                yield path

    def sizes(self) -> frozenset[int]:
        """Return the sizes that mounted files have."""
        sizes = self.tree.by_size if self.tree is not None else {}
        return frozenset(size for size in sizes if next(self.with_size(size), None) is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mountable:
    """What there is to mount, and what of it is at hand."""

    build: Build | None
    stages: Mapping[int, TracedImage]
    """By stage index."""
    context: Tree | None
    images: Mapping[str, Tree]
    """By the reference that the Dockerfile has."""
    by_name: frozenset[str] = frozenset()
    """Those found by that name, which may have meant another when the build ran."""

    def mounts_of(self, instruction: Instruction) -> tuple[Mount, ...]:
        """Return the mounts that can hand a RUN files: all that bind, or name a ``from``."""
        return tuple(
            self._mount(options, instruction.workdir)
            for options in map(_options, instruction.flags.get("mount", ()))
            if "from" in options or options.get("type", "bind") == "bind"
        )

    def _mount(self, options: Mapping[str, str], workdir: str | None) -> Mount:
        source = clean_path(options.get("source", options.get("src", "")))
        target, name = _target(options, workdir), options.get("from", "")
        if not name:
            return Mount(
                source=source,
                target=target,
                name=CONTEXT,
                kind=OriginKind.CONTEXT,
                tree=self.context,
                hint="--context DIR",
            )
        stages = self.build.stages if self.build is not None else ()
        # The last of that name, as COPY --from takes it.
        named = [stage for stage in stages if stage.named and stage.name == name.lower()]
        if named:
            stage = self.stages.get(named[-1].index)
            return Mount(
                source=source,
                target=target,
                name=named[-1].name,
                tree=stage.tree if stage is not None else None,
                stage=stage,
                hint=f"--stage {named[-1].name}=IMAGE",
            )
        outside = resolve_outside(name, self.build.contexts if self.build is not None else None)
        image = outside.image or name
        tree = None if outside.context is not None else self.images.get(image)
        return Mount(
            source=source,
            target=target,
            name=image,
            kind=OriginKind.IMAGE,
            tree=tree,
            certain=image not in self.by_name,
            hint=f"--stage {image}=IMAGE",
        )


def _target(options: Mapping[str, str], workdir: str | None) -> str | None:
    keys = ("target", "dst", "destination")
    target = next((options[key] for key in keys if key in options), None)
    if target is None or (workdir is None and not target.startswith("/")):
        return None
    return clean_path(posixpath.join(workdir or "/", target))


def _options(text: str) -> dict[str, str]:
    words = next(csv.reader([text]), [])
    pairs = (word.partition("=") for word in words)
    return {key.strip().lower(): value for key, _, value in pairs}
