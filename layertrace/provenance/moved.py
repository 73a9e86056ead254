"""What a RUN brought to a path that a COPY of the same layer had put elsewhere.

Nothing is left of where the COPY put it: the layer holds what is there in the end. The
commands of the RUN and the content tell.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Action, Evidence, OriginKind, Trust, weakest
from layertrace.provenance.brought import MAX_SHOWN, TINY, unexplained
from layertrace.provenance.hops import At, TracedImage, Trail, make_hop, origin_at
from layertrace.provenance.sources import copying_at, fits
from layertrace.provenance.writes import Wrote, copy_wrote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from layertrace.model.build import Instruction
    from layertrace.provenance.brought import Runs
    from layertrace.provenance.parts import Part
    from layertrace.provenance.trees import Tree

COPIES = frozenset({"COPY", "ADD"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How whatever lies beyond one instruction of a layer is traced."""

    trace: Callable[[At], Trail]
    """What is in any layer of any image."""
    written: Callable[[At, Instruction], Trail]
    """What one instruction wrote."""
    source: Callable[[Instruction], Tree | None]
    """What a COPY took from, where that is at hand."""
    runs: Runs
    stages: Mapping[int, TracedImage]
    """By stage index."""
    images: Mapping[str, Tree]
    """External images, by the reference that the Dockerfile has."""
    by_name: frozenset[str]
    """Images found by their name alone, which may have meant others."""

    def copied(self, part: Part, at: At) -> Wrote:
        """Say what a COPY or ADD put at a path."""
        own, instruction = part.at(at), part.instruction
        tree = self.source(instruction)
        if instruction.source_image in self.by_name and not fits(own, instruction, tree):
            tree = None
        return copy_wrote(own, instruction, tree)


class Moves:
    """The files that RUNs copied or moved within layers of several instructions."""

    def __init__(self, ways: Ways) -> None:
        """Keep the ways on."""
        self._ways = ways
        self._files: dict[tuple[int, int], Mapping[str | None, Sequence[str]]] = {}
        """By the identity of a COPY's image, which lives on, and size: what it took."""

    def trail(self, at: At, parts: Sequence[Part], runs: Sequence[Part]) -> Trail | None:
        """Trace what one of some RUNs may have brought; None where none seems to have.

        Args:
            at: the path.
            parts: all instructions of the layer.
            runs: the RUNs among them, the newest first.
        """
        if at.item.kind is not EntryKind.FILE or not at.item.size or not runs:
            return None
        found = [trail for run in runs for trail in self._by_commands(at, parts, run)]
        if not found and at.item.size >= TINY and at.digest is not None:
            found = list(self._by_content(at, parts[: runs[0].number]))
        if not found:
            return None
        shown = tuple(dict.fromkeys(trail.hops[0].detail for trail in found))[:MAX_SHOWN]
        origins = {trail.origin for trail in found}
        makers = {replace(origin, path=None) for origin in origins}
        if len(makers) > 1:
            trail = unexplained(at, f"same sha256 at {len(found)} places of other origins")
            return with_candidates(trail, shown)
        if len(origins) > 1:
            return with_candidates(replace(found[0], origin=makers.pop()), shown)
        return found[0]

    def _by_commands(self, at: At, parts: Sequence[Part], run: Part) -> Iterator[Trail]:
        """Yield what a RUN copied by its own words, or out of what it mounts or found."""
        own = run.at(at)
        trail = self._ways.runs.trail(own, self._ways.trace)
        known = trail is not None and trail.origin.kind is not OriginKind.UNKNOWN
        if trail is not None and known and trail.hops[0].action is not Action.WRITE:
            yield trail
            return
        for name in self._ways.runs.sources(own):
            yield from self._named(replace(at, path=name), parts[: run.number], own)

    def _named(self, at: At, older: Sequence[Part], own: At) -> Iterator[Trail]:
        """Yield the trail of what a COPY put where a command took it."""
        for part in reversed(older):
            if part.instruction.keyword not in COPIES:
                continue
            wrote = self._ways.copied(part, at)
            if wrote is Wrote.SAME:
                hop = make_hop(own, Action.COPY, f"same sha256 as /{at.path}, copied here")
                trail = self._ways.written(part.at(at), part.instruction)
                yield trail.after(replace(hop, evidence=Evidence.MATCHED))
            if wrote is not Wrote.NOTHING:
                return

    def _by_content(self, at: At, older: Sequence[Part]) -> Iterator[Trail]:
        """Yield what has the content in the sources of copies before a RUN."""
        for part in reversed(older):
            tree = self._ways.source(part.instruction)
            if part.instruction.keyword in COPIES and tree is not None:
                own = part.at(at)
                for path in self._taken(part, own, tree).get(at.digest, ()):
                    yield self._out_of(part, own, path)

    def _taken(self, part: Part, own: At, tree: Tree) -> Mapping[str | None, Sequence[str]]:
        """Return, by digest, the files of a size that a COPY took."""
        size = own.item.size
        if (id(part.image), size) not in self._files:
            found: defaultdict[str | None, list[str]] = defaultdict(list)
            paths = tree.by_size.get(size, ())
            copying = copying_at(own, part.instruction, tree)
            sources = copying.found_sources(tree) if paths else ()
            for path in paths:
                if any(not each or f"{path}/".startswith(f"{each}/") for each in sources):
                    found[tree.digest(path)].append(path)
            self._files[id(part.image), size] = found
        return self._files[id(part.image), size]

    def _out_of(self, part: Part, own: At, path: str) -> Trail:
        """Return the trail of a file that a COPY brought under another path."""
        index, image = part.instruction.source_stage, part.instruction.source_image
        stage = None if index is None else self._ways.stages[index]
        name = stage.name if stage is not None else image or "the build context"
        hop = make_hop(own, Action.COPY, f"same sha256 as {name}:/{path}, moved by a later RUN")
        hop = replace(hop, trust=weakest(Trust.INFERRED, hop.trust), evidence=Evidence.MATCHED)
        place = stage.tree.rootfs.place(path) if stage is not None else None
        if stage is not None and place is not None:
            return self._ways.trace(At(image=stage, path=path, place=place)).after(hop)
        if image is not None:
            origin = origin_at(hop, OriginKind.IMAGE, path=f"/{path}")
            return Trail(hops=(hop,), origin=replace(origin, image=image))
        return Trail(hops=(hop,), origin=origin_at(hop, OriginKind.CONTEXT, path=path))


def with_candidates(trail: Trail, shown: tuple[str, ...]) -> Trail:
    """Return a trail whose newest hop tells what else it may have been."""
    return replace(trail, hops=(replace(trail.hops[0], candidates=shown), *trail.hops[1:]))
