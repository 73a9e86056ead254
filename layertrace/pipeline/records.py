"""One path's answer in full: what is known of it, and what each layer did to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.model.files import FileRecord, Version
from layertrace.model.origin import Change, Origin, OriginKind, Trust
from layertrace.pipeline.details import IMPLICIT
from layertrace.rootfs.places import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.layers.index import LayerIndex
    from layertrace.pipeline.details import Details
    from layertrace.provenance.rootfs_tree import RootfsTree

_UNKNOWN: Final = Origin(kind=OriginKind.UNKNOWN)


def file_record(  # noqa: PLR0913 - what a trace adds to an entry
    path: str,
    details: Details,
    *,
    layer: int | None = None,
    change: Change = Change.ADDED,
    stage: str | None = None,
    stage_index: int | None = None,
    origin: Origin = _UNKNOWN,
    trust: Trust = Trust.UNKNOWN,
    carried_from: str | None = None,
) -> FileRecord:
    """Return all that is known of a path."""
    return FileRecord(
        path=path,
        kind=details.kind,
        implicit=details.implicit,
        size=details.size,
        mode=details.mode,
        uid=details.uid,
        gid=details.gid,
        mtime=details.mtime,
        link_target=details.link_target,
        digest=details.digest,
        layer=layer,
        change=change,
        stage=stage,
        stage_index=stage_index,
        origin=origin,
        trust=trust,
        carried_from=carried_from,
    )


def implicit_record(path: str) -> FileRecord:
    """Return what is known of a directory that no entry made."""
    return file_record(path, IMPLICIT)


def versions_of(indexes: Sequence[LayerIndex], tree: RootfsTree, path: str) -> tuple[Version, ...]:
    """Return what each layer did to a path, base first; nothing: none ever had it."""
    versions: list[Version] = []
    alive: Place | None = None
    for layer, index in enumerate(indexes):
        number = index.numbers.get(path)
        if number is not None:
            place = Place(layer, number)
            versions.append(_version(tree, place, alive))
            alive = place
        elif alive is not None and tree.before(path, layer + 1) is None:
            versions.append(
                Version(layer=layer, change=Change.REMOVED, size=None, mode=None, digest=None)
            )
            alive = None
    return tuple(versions)


def _version(tree: RootfsTree, place: Place, older: Place | None) -> Version:
    item = tree.item(place)
    digest = tree.digest_at(place)
    change = Change.ADDED
    if older is not None:
        before = tree.item(older)
        same = (before.kind, before.size, before.link_target) == (
            item.kind,
            item.size,
            item.link_target,
        )
        same = same and tree.digest_at(older) == digest
        change = Change.METADATA if same else Change.MODIFIED
    return Version(layer=place.layer, change=change, size=item.size, mode=item.mode, digest=digest)
