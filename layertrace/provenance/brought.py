"""What a RUN brought from elsewhere: files it copied, moved, linked or took out of a mount.

No history tells of these, so content does: the same at a place that the commands of the RUN
name, or at the only places it can have come from. Content without such a place decides
nothing where it is empty or so small that two commands may well write the same.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from layertrace.model.origin import Action, Evidence, Origin, OriginKind, Trust, weakest
from layertrace.provenance.alignment.spelling import split_command
from layertrace.provenance.commands import read_commands, read_text
from layertrace.provenance.hops import Trail, make_hop, origin_at, written
from layertrace.provenance.runlayer import Candidate, RunLayer, removed_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from layertrace.model.origin import Hop
    from layertrace.provenance.hops import At, TracedImage
    from layertrace.provenance.mounts import Mountable
    from layertrace.rootfs.places import Place

TINY: Final = 32
"""Bytes below which equal content alone says nothing: ``{}``, a version, ``0`` and a newline."""
MAX_SHOWN: Final = 50
"""Places of equal content that a hop lists."""


class Runs:
    """The RUNs of a final image and its stages, each read once, when asked about."""

    def __init__(self, mountable: Mountable) -> None:
        """Keep what their mounts may hold."""
        self._mountable = mountable
        self._layers: dict[tuple[int, int], RunLayer] = {}
        """By the identity of the image, which lives as long as this, and layer."""
        self._removed: dict[int, Mapping[int, Sequence[Place]]] = {}
        self._trails: dict[tuple[int, int, str, int | None], tuple[Trail, ...]] = {}
        """Of the files that have one content, by image, layer, digest and time."""

    def may_bring(self, image: TracedImage, path: str, place: Place) -> bool:
        """Say whether a file may be anything but made by the RUN of its layer; hashes nothing."""
        return self._layer(image, place.layer).may_bring(path, place)

    def may_bring_any(self, image: TracedImage, layer: int) -> bool:
        """Say whether the RUN of a layer did anything that may bring files."""
        return self._layer(image, layer).brings

    def mounts(self, image: TracedImage, layer: int) -> bool:
        """Say whether the RUN of a layer has mounts that hand it files."""
        return bool(self._layer(image, layer).mounts)

    def sources(self, at: At) -> Iterator[str]:
        """Yield where commands of a RUN took what stands at a path now, as they name it."""
        return self._layer(at.image, at.place.layer).sources(at.path)

    def trail(self, at: At, trace: Callable[[At], Trail]) -> Trail | None:
        """Trace what a RUN did not make, or perhaps not; None for what it made."""
        run = self._layer(at.image, at.place.layer)
        if not run.may_bring(at.path, at.place):
            return None
        named = [each for each in run.named(at.path, at.place) if each.is_alike(at)]
        if named:
            return _joined(at, named, [self._end(at, each, trace) for each in named])
        missing = run.missing_at(at.path)
        if missing:
            return unexplained(at, f"copied out of {_told(missing)}, not at hand")
        return self._by_content(run, at, trace)

    def _by_content(self, run: RunLayer, at: At, trace: Callable[[At], Trail]) -> Trail | None:
        """Trace a file that no command names: little may be told by what it holds alone."""
        alike = run.alike(at)
        big, sure = at.item.size >= TINY, all(each.sure for each in alike)
        if alike and big and (sure or not (run.missing or at.step.instruction is None)):
            return _joined(at, alike, self._ends(at, alike, trace))
        if run.missing:
            told = _told(run.missing)
            return unexplained(
                at, f"this RUN mounts {told}, not at hand: made here, or copied from there"
            )
        if alike and big:
            shown = f"same sha256 as {_shown(alike)}: copied from there or out of a mount"
            return unexplained(at, f"{shown}, of which no history tells; give -f Dockerfile")
        return _made_perhaps(at, alike) if alike else None

    def _layer(self, image: TracedImage, layer: int) -> RunLayer:
        key = (id(image), layer)
        if key not in self._layers:
            if id(image) not in self._removed:
                self._removed[id(image)] = removed_files(image.tree.rootfs)
            step = image.alignment.steps[layer]
            if step.instruction is not None:
                commands = read_commands(step.instruction)
            else:
                recorded = step.recorded.rest if step.recorded is not None else ""
                commands = read_text(split_command(recorded)[1])
            self._layers[key] = RunLayer(
                image,
                layer,
                commands=commands,
                mounts=self._mountable.mounts_of(step.instruction) if step.instruction else (),
                removed=self._removed[id(image)].get(layer, ()),
            )
        return self._layers[key]

    def _ends(
        self, at: At, found: Sequence[Candidate], trace: Callable[[At], Trail]
    ) -> Sequence[Trail]:
        """Trace what has one content, once for all the files of the layer that have it."""
        key = (id(at.image), at.place.layer, at.digest or "", at.item.mtime)
        if key not in self._trails:
            self._trails[key] = tuple(self._end(at, each, trace) for each in found)
        return self._trails[key]

    def _end(self, at: At, found: Candidate, trace: Callable[[At], Trail]) -> Trail:
        """Trace on from where a file came from."""
        if found.start is not None:
            return trace(found.start)
        hop = make_hop(at, found.action, "")
        path = found.path or "."
        if found.kind is OriginKind.IMAGE:
            path, image = f"/{found.path}", found.name
            return Trail(
                hops=(), origin=replace(origin_at(hop, found.kind, path=path), image=image)
            )
        return Trail(hops=(), origin=origin_at(hop, found.kind, path=path))


def _joined(at: At, found: Sequence[Candidate], trails: Sequence[Trail]) -> Trail:
    """Return the trail of a file that has the content of others; they may be several."""
    hop = _hop(at, found)
    origins = {trail.origin for trail in trails}
    if len(origins) == 1:
        return trails[0].after(hop)
    makers = {replace(origin, path=None) for origin in origins}
    if len(makers) == 1:
        return replace(trails[0], origin=makers.pop()).after(hop)
    hop = replace(
        hop,
        trust=weakest(Trust.UNKNOWN, hop.trust),
        detail=f"same sha256 at {len(found)} places of other origins, {found[0].how}",
    )
    return Trail(hops=(hop,), origin=Origin(kind=OriginKind.UNKNOWN))


def _hop(at: At, found: Sequence[Candidate]) -> Hop:
    hop = make_hop(at, found[0].action, f"same sha256 as {found[0].where}, {found[0].how}")
    sure = Trust.VERIFIED if all(each.sure for each in found) else Trust.INFERRED
    return replace(
        hop,
        trust=weakest(sure, hop.trust),
        evidence=Evidence.MATCHED,
        candidates=tuple(each.where for each in found[:MAX_SHOWN]) if len(found) > 1 else (),
    )


def _made_perhaps(at: At, alike: Sequence[Candidate]) -> Trail:
    """Return the trail of a file too small to tell whether it is a copy of one that is alike."""
    shown = f"created here; {_shown(alike)} has the same few bytes, which tells nothing"
    trail = written(at, OriginKind.RUN, shown)
    return replace(
        trail,
        hops=tuple(replace(hop, trust=weakest(Trust.INFERRED, hop.trust)) for hop in trail.hops),
    )


def _shown(alike: Sequence[Candidate]) -> str:
    more = f" and {len(alike) - 1} more" if len(alike) > 1 else ""
    return f"{alike[0].where}{more}"


def _told(missing: Sequence[str]) -> str:
    return " and ".join(dict.fromkeys(missing))


def unexplained(at: At, detail: str) -> Trail:
    """End a chain where nothing says what made the bytes."""
    hop = make_hop(at, Action.WRITE, detail)
    hop = replace(hop, trust=weakest(Trust.UNKNOWN, hop.trust), evidence=Evidence.UNKNOWN)
    return Trail(hops=(hop,), origin=Origin(kind=OriginKind.UNKNOWN))
