"""What tracing the paths of an image takes; loaded only where more than its layers is asked for."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from layertrace.archive.host import group_names, user_names
from layertrace.pipeline.extraction import Extractor
from layertrace.pipeline.lookup import Lookup
from layertrace.pipeline.tables import change_of, make_label, make_table
from layertrace.provenance.copyhash import Owners
from layertrace.provenance.hops import TracedImage
from layertrace.provenance.proven_copies import prove_copies
from layertrace.provenance.tracer import FINAL, Knowledge, Tracer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.model.files import FileTable, Label
    from layertrace.model.origin import Change
    from layertrace.pipeline.parts import Parts
    from layertrace.provenance.rootfs_tree import RootfsTree
    from layertrace.provenance.tracer import Verdict
    from layertrace.provenance.trees import Tree
    from layertrace.rootfs.places import Place


class Tracing:
    """The tree of one image, and who tells of its paths."""

    def __init__(
        self,
        parts: Parts,
        tree: RootfsTree,
        stages: Mapping[int, TracedImage],
        images: Mapping[str, Tree],
    ) -> None:
        """Keep what answers come from."""
        self._parts = parts
        self._stages = stages
        self._images = images
        self.tree = tree
        damage = next((index.damage for index in tree.rootfs.layers if index.damage), "")
        self.lookup = Lookup(
            self.tree, parts.head.image.reference, damage=damage, links=parts.limits.links
        )

    @cached_property
    def tracer(self) -> Tracer:
        """Who knows where paths came from."""
        parts = self._parts
        final = TracedImage(
            name=FINAL,
            tree=self.tree,
            alignment=parts.alignment,
            base_reference=parts.base_reference,
        )
        known = Knowledge(
            build=parts.head.build,
            stages=self._stages,
            context=parts.context,
            images=self._images,
            by_name=frozenset(image.reference for image in parts.images if image.by_name),
            owners=lambda: Owners(users=user_names(), groups=group_names()),
            proven=parts.proven,
        )
        return Tracer(*prove_copies(final, known))

    @cached_property
    def extractor(self) -> Extractor:
        """What writes files and folders of the image to a disk."""
        return Extractor(self.tree, self._parts.stored)

    def table(self, folder: str = "") -> FileTable:
        """Return every path below a folder as columns, the removed ones included."""
        return make_table(self.tree, self.tracer, self._parts.stored.digests, folder=folder)

    @staticmethod
    def label(verdict: Verdict) -> Label:
        """Return whose a path is, by where its chain ends."""
        return make_label(verdict)

    def change(self, path: str, place: Place) -> Change:
        """Return what the layer of the seen entry did to its path."""
        return change_of(self.tree, path, place)
