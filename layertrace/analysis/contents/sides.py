"""One path of two images, to be compared."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from layertrace.analysis.contents.compare import Given, compare_contents
from layertrace.errors import LayerError, PathNotFoundError
from layertrace.model.entry import EntryKind
from layertrace.provenance.trees import Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from layertrace.analysis.contents.values import ContentDifference
    from layertrace.errors import LayertraceError
    from layertrace.pipeline.answers import ImageTrace
    from layertrace.rootfs.places import Place


def compare_paths(old: ImageTrace, new: ImageTrace, path: str) -> tuple[str, ContentDifference]:
    """Return a path as the images have it, and how its two versions differ.

    Links in its folders are followed in each image. Of a link at its end the link is compared, and
    where that is the same in both images, what it leads to.

    Raises:
        PathNotFoundError: neither image has it.
        LayerError: one may have it in what cannot be read.
    """
    return _compare(old, new, {trace: trace.resolve(path) for trace in (old, new)})


def _compare(
    old: ImageTrace, new: ImageTrace, found: dict[ImageTrace, str]
) -> tuple[str, ContentDifference]:
    before, after = (given_at(trace, found[trace]) for trace in (old, new))
    shown = found[old if after is None else new]
    if before is None and after is None:
        raise _in_neither(old.missing(found[old]), new.missing(shown), shown)
    for trace, given in ((old, before), (new, after)):
        if given is None and isinstance(error := trace.missing(found[trace]), LayerError):
            raise error
    if before is not None and after is not None and before.item == after.item:
        further = {trace: trace.follow(found[trace]) for trace in (old, new)}
        if before.item.kind is EntryKind.SYMLINK and further != found:
            with suppress(PathNotFoundError):
                return _compare(old, new, further)
    return shown, compare_contents(before, after, path=shown)


def _in_neither(old: LayertraceError, new: LayertraceError, path: str) -> LayertraceError:
    for error in (old, new):
        if isinstance(error, LayerError):
            return error
    hint = next((error.hint for error in (new, old) if error.hint), "")
    return PathNotFoundError(f"/{path} is in neither image", hint=hint)


def given_at(trace: ImageTrace, path: str) -> Given | None:
    """Return what a container sees at a path, links not followed; None: nothing is there."""
    place = trace.rootfs.place(path)
    if place is None:
        # No entry made it, and something lies below it; the root is always there.
        implicit = not path or any(each.startswith(f"{path}/") for each in trace.rootfs.seen)
        return Given(item=Item(kind=EntryKind.DIR, size=0)) if implicit else None
    return given_of(trace, place, lambda: trace.read(path))


def given_of(trace: ImageTrace, place: Place, read: Callable[[], Iterable[bytes]]) -> Given:
    """Return what an entry is; ``read`` gives its content if it is a regular file."""
    place = trace.content_place(place)
    index = trace.rootfs.layers[place.layer]
    entry = index.entry(place.number)
    item = Item(
        kind=entry.kind,
        size=entry.size,
        mode=entry.mode,
        uid=entry.uid,
        gid=entry.gid,
        mtime=entry.mtime,
        link_target=entry.link_target,
        capability=index.capabilities.get(place.number),
    )
    return Given(item=item, pieces=read() if item.kind is EntryKind.FILE else ())
