"""Sources of copies that nothing names, found by the classic builder's hash.

Without a Dockerfile a history says ``COPY dir:<sha256> in /app`` and no more; with one,
a source may hang on a variable that nobody told. What was copied leads to where the same
content stands in a stage, an image or the context at hand. Where the hash of exactly
one such source recomputes, that is the source: names, modes and owners are in the hash.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, replace
from itertools import islice, repeat
from typing import TYPE_CHECKING, Final

from layertrace.model.build import Instruction
from layertrace.model.entry import EntryKind
from layertrace.model.origin import Evidence, Trust
from layertrace.provenance.copies import Copying
from layertrace.provenance.copyhash import CopyHash, read_hash
from layertrace.provenance.patterns import has_wildcards
from layertrace.rootfs.places import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from layertrace.provenance.alignment.history import LayerStep
    from layertrace.provenance.alignment.spelling import Recorded
    from layertrace.provenance.copyhash import Owners
    from layertrace.provenance.hops import TracedImage
    from layertrace.provenance.tracer import Knowledge
    from layertrace.provenance.trees import Tree

MAX_CANDIDATES: Final = 64
"""Sources tried for one copy: each costs the reading of what it holds."""
MAX_FILES: Final = 2_000
"""Files of one layer looked at for one that few places of a tree can have."""
_LISTED: Final = 4
"""Files whose every order is tried; more than that a wildcard stood for."""
_PLACES: Final = 8
"""Sources tried for each of them."""
_WITH_CONTENT: Final = frozenset({EntryKind.FILE, EntryKind.HARDLINK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A tree that something may have been copied from; by default the build context."""

    tree: Tree
    stage: int | None = None
    image: str | None = None


def prove_copies(final: TracedImage, known: Knowledge) -> tuple[TracedImage, Knowledge]:
    """Return the final image and the stages with what hashes prove of their copies."""
    images = [Source(tree=tree, image=name) for name, tree in known.images.items()]
    context = [Source(tree=known.context)] if known.context is not None else []
    stages = [Source(tree=each.tree, stage=index) for index, each in known.stages.items()]
    sources = [*stages, *images, *context]
    proven = {
        index: with_proven_copies(
            each, [source for source in sources if source.stage != index], known.owners
        )
        for index, each in known.stages.items()
    }
    whole = with_proven_copies(final, sources, known.owners)
    steps = (
        step
        for before, after in (
            (final, whole),
            *zip(known.stages.values(), proven.values(), strict=True),
        )
        for old, step in zip(before.alignment.steps, after.alignment.steps, strict=True)
        if step is not old
    )
    return whole, replace(known, stages=proven, proven=(*known.proven, *steps))


def with_proven_copies(
    image: TracedImage, sources: Sequence[Source], owners: Callable[[], Owners]
) -> TracedImage:
    """Return an image whose copies of unknown source are tied to it where a hash proves it.

    Args:
        image: the final image, or a stage's.
        sources: what is at hand; the image itself is not among them.
        owners: what a host that perhaps built it calls owners.
    """
    steps = tuple(
        step if (told := _open_copy(step)) is None else _proven(image, step, told, sources, owners)
        for step in image.alignment.steps
    )
    if not sources or steps == image.alignment.steps:
        return image
    return replace(image, alignment=replace(image.alignment, steps=steps))


def _open_copy(step: LayerStep) -> tuple[Recorded, str] | None:
    """Return what is recorded of a copy whose source is not sure, and its hash."""
    recorded, wanted = step.recorded, read_hash(step.recorded)
    if recorded is None or wanted is None or step.base or step.trust is Trust.CONTRADICTED:
        return None
    sure = step.instruction is not None and not step.instruction.unresolved
    return None if sure else (recorded, wanted)


def _proven(
    image: TracedImage,
    step: LayerStep,
    told: tuple[Recorded, str],
    sources: Sequence[Source],
    owners: Callable[[], Owners],
) -> LayerStep:
    recorded, wanted = told
    layer = _Layer(image, step, recorded)
    found: list[Instruction] = []
    for source in sources:
        tried = layer.tried_by_content(source.tree, wanted.partition(":")[0])
        for paths, destination in islice(tried, MAX_CANDIDATES):
            instruction = _instruction(step, recorded, source, paths, destination)
            if CopyHash(instruction, source.tree, owners()).recomputes(wanted):
                found.append(instruction)
                break
        else:
            listed = layer.listed(source.tree) if wanted.startswith("multi:") else ()
            instruction = _instruction(step, recorded, source, _flat(listed), layer.folder)
            chosen = CopyHash(instruction, source.tree, owners()).choose(wanted, listed)
            found += (_instruction(step, recorded, source, each, layer.folder) for each in chosen)
    if len(found) != 1:
        # Nothing, or the same in two stages: which of them was meant is not in the hash.
        return step
    return replace(step, instruction=found[0], trust=Trust.VERIFIED, evidence=Evidence.HASHED)


def _instruction(
    step: LayerStep,
    recorded: Recorded,
    source: Source,
    paths: Sequence[str],
    destination: str,
) -> Instruction:
    """Return the COPY of some paths; its line is 0 where no Dockerfile has it."""
    known = step.instruction or Instruction(
        keyword=recorded.keyword,
        text=recorded.text,
        line=0,
        end_line=0,
        stage_index=step.stage.index if step.stage is not None else -1,
        step=0,
    )
    return replace(
        known,
        args=(*(path or "." for path in paths), f"/{destination}"),
        heredocs=(),
        source_stage=source.stage,
        source_image=source.image,
        source_context=None,
        source_doubtful=False,
        unresolved=(),
    )


class _Layer:
    """What one copy put into an image."""

    def __init__(self, image: TracedImage, step: LayerStep, recorded: Recorded) -> None:
        self._tree = image.tree
        self._layer = step.layer
        index = image.tree.rootfs.layers[step.layer]
        numbers = [n for n, kind in enumerate(index.kinds) if kind in _WITH_CONTENT]
        self._files = {index.paths[n]: n for n in numbers[:MAX_FILES]}
        self._sizes = {
            path: image.tree.item(Place(step.layer, number)).size
            for path, number in self._files.items()
        }
        self._whole = len(numbers) <= MAX_FILES
        written = recorded.rest.partition(f"{read_hash(recorded)} in ")[2].strip()
        known = replace(_NOTHING, args=(".", written), workdir=None)
        copying = Copying(instruction=known, image=image.tree.below(step.layer), source=None)
        self._destinations = copying.destinations
        """Empty where it is relative to a directory that is not known."""

    def tried_by_content(self, tree: Tree, kind: str) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield sources of that kind that may have been copied here, and the destination."""
        # The file with the fewest twins says most.
        probe = min(self._files, key=lambda path: self._twins(tree, path), default=None)
        if probe is None:
            return
        places = [place for place in self._alike(tree, probe) if not has_wildcards(place)]
        if kind == "file":
            yield from (((place,), probe) for place in places if len(self._files) == 1)
        elif kind == "dir":
            yield from self._folders(tree, probe, places)
        else:
            yield from self._several(tree, probe, places)

    def _twins(self, tree: Tree, path: str) -> tuple[bool, int, str]:
        size = self._sizes[path]
        return not size, len(tree.by_size.get(size, ())), path

    def _alike(self, tree: Tree, path: str) -> list[str]:
        """Return where a tree has a file's content, the same name first."""
        digest = self._tree.digest_at(Place(self._layer, self._files[path]))
        found = [
            each for each in tree.by_size.get(self._sizes[path], ()) if tree.digest(each) == digest
        ]
        name = posixpath.basename(path)
        return sorted(found, key=lambda each: (posixpath.basename(each) != name, each))

    def _folders(
        self, tree: Tree, probe: str, places: Sequence[str]
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield the folders of a tree that hold all that was copied."""
        tried: set[str] = set()
        for place in places:
            for destination in self._destinations or _above(probe):
                below = probe[len(destination) :].lstrip("/")
                if destination and not probe.startswith(f"{destination}/"):
                    continue
                if place != below and not place.endswith(f"/{below}"):
                    continue
                folder = place[: len(place) - len(below)].rstrip("/")
                if folder not in tried and self._is_below(tree, folder, destination):
                    tried.add(folder)
                    yield (folder,), destination

    def _is_below(self, tree: Tree, folder: str, destination: str) -> bool:
        """Say whether a folder's files have the sizes of those that were copied."""
        todo, seen = [folder], 0
        while todo:
            here = todo.pop()
            for name in tree.children.get(here, ()):
                path = f"{here}/{name}".lstrip("/")
                item = tree.find(path)
                if item is not None and item.kind is EntryKind.DIR:
                    todo.append(path)
                if item is None or item.kind is not EntryKind.FILE:
                    continue
                seen += 1
                copied = f"{destination}/{path[len(folder) :].lstrip('/')}".lstrip("/")
                if self._whole and self._sizes.get(copied) != item.size:
                    return False
        return not self._whole or seen == len(self._files)

    def _several(
        self, tree: Tree, probe: str, places: Sequence[str]
    ) -> Iterator[tuple[tuple[str, ...], str]]:
        """Yield files of one folder, in the order in which a wildcard meets them."""
        destination = posixpath.dirname(probe)
        names = sorted(
            (posixpath.basename(path) for path in self._files),
            key=lambda name: name.encode("utf-8", "surrogateescape"),
        )
        if any(posixpath.dirname(path) != destination for path in self._files):
            return
        for place in places:
            folder = posixpath.dirname(place)
            paths = [f"{folder}/{name}".lstrip("/") for name in names]
            if not all(map(self._is_here, repeat(tree), paths, repeat(destination))):
                continue
            yield tuple(paths), f"{destination}/".lstrip("/")

    @property
    def folder(self) -> str:
        """The folder of its files."""
        return f"{posixpath.dirname(next(iter(self._files), ''))}/".lstrip("/")

    def listed(self, tree: Tree) -> Sequence[Sequence[str]]:
        """Return the sources that each of a few files may have, whatever their folders are."""
        if len(self._files) > _LISTED or len(set(map(posixpath.dirname, self._files))) > 1:
            return ()
        choices = ([p for p in self._alike(tree, path) if _may_be(p, path)] for path in self._files)
        return [each[:_PLACES] for each in choices]

    def _is_here(self, tree: Tree, path: str, destination: str) -> bool:
        """Say whether a file of a tree was copied to a folder, by name, size and content."""
        copied = f"{destination}/{posixpath.basename(path)}".lstrip("/")
        item = tree.find(path)
        if item is None or item.kind is not EntryKind.FILE or has_wildcards(path):
            return False
        number = self._files[copied]
        return item.size == self._sizes[copied] and tree.digest(path) == self._tree.digest_at(
            Place(self._layer, number)
        )


_NOTHING: Final = Instruction(keyword="COPY", text="", line=0, end_line=0, stage_index=-1, step=0)


def _may_be(source: str, path: str) -> bool:
    """Say whether a file put into a folder with others can be this one: it kept its name."""
    return posixpath.basename(source) == posixpath.basename(path) and not has_wildcards(source)


def _flat(choices: Sequence[Sequence[str]]) -> Sequence[str]:
    return list(dict.fromkeys(path for each in choices for path in each))


def _above(path: str) -> Iterator[str]:
    """Yield every directory above a path, the nearest first."""
    while path:
        path = posixpath.dirname(path)
        yield path
