"""The file table of an image: kept under everything that has a say in it.

What that is, only the tracer's own inputs tell: what is kept under less would one day be the
answer to another question. A table that files on a disk had a say in, such as those of a build
context, is not kept at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.archive.host import group_names, user_names
from layertrace.layers.index import FORMAT as INDEX_FORMAT
from layertrace.pipeline.contents import digest_of
from layertrace.pipeline.keeping.columns import FORMAT, dump_table, load_table
from layertrace.pipeline.keeping.fingerprint import UnknownValueError, fingerprint, own_code

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from layertrace.layers.index import LayerIndex
    from layertrace.model.files import FileTable
    from layertrace.pipeline.parts import Parts
    from layertrace.pipeline.stored_image import StoredImage
    from layertrace.provenance.hops import TracedImage
    from layertrace.provenance.rootfs_tree import RootfsTree

KIND: Final = "files"


class Kept(NamedTuple):
    """Where the table of an image is kept."""

    key: str
    witness: str
    """What stands for the archives that are taken at their word; none: no such."""


class _Stacks:
    """The layers that an answer rests on, of one image after the other."""

    def __init__(self) -> None:
        self.told: list[object] = []
        self.witnesses: list[str] = []

    def add(self, stored: StoredImage, indexes: Sequence[LayerIndex]) -> None:
        stack = stored.stack(len(indexes))
        sizes = [(len(index), index.length) for index in indexes]
        self.told.append((stack.key, stack.witness, stored.form(), sizes))
        if stack.witness:
            self.witnesses.append(stack.witness)


def find_place(
    parts: Parts,
    indexes: Sequence[LayerIndex],
    stages: Mapping[int, TracedImage],
    images: Mapping[str, RootfsTree],
) -> Kept | None:
    """Return where the table of an image is kept; None where none may be.

    Args:
        parts: of the image.
        indexes: its layers.
        stages: what it is compared with, by stage index.
        images: the same of images outside the Dockerfile, by reference.
    """
    code, context = own_code(), parts.context
    listing = None if context is None else context.recorded
    if code is None or (context is not None and listing is None):
        return None
    if any(index.damage for index in indexes):
        return None
    stacks = _Stacks()
    stacks.add(parts.stored, indexes)
    stored = {stage.index: stage.stored for stage in parts.stages}
    others = {image.reference: image.stored for image in parts.images}
    for number, stage in stages.items():
        stacks.add(stored[number], stage.tree.rootfs.layers)
    for reference, tree in images.items():
        stacks.add(others[reference], tree.rootfs.layers)
    try:
        key = fingerprint(
            (FORMAT, INDEX_FORMAT, code),
            stacks.told,
            (parts.head.image.config, parts.head.build, parts.alignment, parts.base_reference),
            [(n, s.name, s.alignment, s.base_reference) for n, s in stages.items()],
            [*images],
            [image.reference for image in parts.images if image.by_name],
            (parts.proven, listing, parts.limits),
            # Whoever built it may have been this very host.
            (user_names(), group_names()),
        )
    except UnknownValueError:
        return None
    return Kept(key, digest_of(stacks.witnesses) if stacks.witnesses else "")


def recall_table(
    stored: StoredImage, kept: Kept, indexes: Sequence[LayerIndex]
) -> FileTable | None:
    """Return the table that was kept there; None: none, or a damaged one."""
    data = stored.cache.load_answer(KIND, kept.key, kept.witness)
    return None if data is None else load_table(data, indexes)


def keep_table(
    stored: StoredImage, kept: Kept, table: FileTable, indexes: Sequence[LayerIndex]
) -> None:
    """Keep the table of some layers for another day."""
    stored.cache.store_answer(KIND, kept.key, kept.witness, dump_table(table, indexes))
