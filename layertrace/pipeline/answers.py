"""The traced image: every question a view may ask, answered from one place."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from layertrace.archive.blob import never
from layertrace.errors import PathNotFoundError
from layertrace.model.entry import EntryKind
from layertrace.pipeline.damage import layer_findings
from layertrace.pipeline.heads import with_sizes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from layertrace.errors import LayertraceError
    from layertrace.layers.index import LayerIndex
    from layertrace.model.attestation import Attestation
    from layertrace.model.files import FileRecord, FileTable, ShareRow, Version
    from layertrace.model.origin import Chain
    from layertrace.model.trace import ImageHead
    from layertrace.pipeline.details import Detailer, Details
    from layertrace.pipeline.extraction import Extractor
    from layertrace.pipeline.handing import Take
    from layertrace.pipeline.parts import Parts
    from layertrace.pipeline.stored_image import StoredImage
    from layertrace.pipeline.tracing import Tracing
    from layertrace.provenance.alignment.history import Alignment
    from layertrace.provenance.hops import TracedImage
    from layertrace.provenance.rootfs_tree import RootfsTree
    from layertrace.provenance.trees import Item
    from layertrace.rootfs.places import Place
    from layertrace.rootfs.squash import Rootfs


class ImageTrace:
    """An image whose layers were walked; every answer is worked out when asked for."""

    def __init__(
        self,
        parts: Parts,
        indexes: tuple[LayerIndex, ...],
        stages: dict[int, TracedImage],
        images: Mapping[str, RootfsTree],
    ) -> None:
        """Keep what the answers come from."""
        self._parts = parts
        self._stored: StoredImage = parts.stored
        self._alignment = parts.alignment
        self._head = parts.head
        self.attestation: Attestation | None = parts.attestation
        """The builder's provenance, where it is known to be of this very image."""
        self._indexes = indexes
        self._stages = stages
        self._images = images

    def upto(self, layer: int) -> ImageTrace:
        """Return what a container saw when a layer, by index, had just been made."""
        # Few questions are of lower layers alone.
        from layertrace.pipeline.prefix import first_layers  # noqa: PLC0415

        if layer == len(self._indexes) - 1:
            return self
        parts = first_layers(self._parts, layer + 1)
        return ImageTrace(parts, self._indexes[: layer + 1], self._stages, self._images)

    @cached_property
    def rootfs(self) -> Rootfs:
        """Every entry of every layer, and which of them a container sees."""
        from layertrace.pipeline.keeping.folding import fold  # noqa: PLC0415 - layers do without

        return fold(self._stored, self._indexes)

    @cached_property
    def _tracing(self) -> Tracing:
        # A third of all modules: whoever asks for layers, or files that are known, does without.
        from layertrace.pipeline.tracing import Tracing  # noqa: PLC0415

        return Tracing(self._parts, self._tree, self._stages, self._images)

    @cached_property
    def _detailer(self) -> Detailer:
        # Most answers about layers alone do without.
        from layertrace.pipeline.details import Detailer  # noqa: PLC0415

        return Detailer(self._tree, self._stored)

    @cached_property
    def _tree(self) -> RootfsTree:
        # Most answers about layers alone do without.
        from layertrace.provenance.rootfs_tree import RootfsTree  # noqa: PLC0415

        return RootfsTree(self.rootfs, self._stored.digest, self._stored)

    @cached_property
    def sized_head(self) -> ImageHead:
        """The head with sizes; nothing is traced for it."""
        head, unread = with_sizes(self._head, self._indexes, self._visible()), self._parts.unread
        if unread:
            # Hardly ever.
            from layertrace.pipeline.partial import unread_finding, without_guesses  # noqa: PLC0415

            head = without_guesses(head, unread)
            head = replace(head, findings=(unread_finding(unread), *head.findings))
        sizes = {
            number: sum(index.stored_bytes for index in stage.tree.rootfs.layers)
            for number, stage in self._stages.items()
        }
        if head.build is not None and head.size is not None:
            sizes[head.build.target] = head.size
        stages = tuple(replace(s, size=sizes.get(s.index)) for s in head.stages)
        notes = layer_findings(head.image, self._indexes, unread)
        return replace(head, stages=stages, findings=(*head.findings, *notes))

    def _visible(self) -> Sequence[int]:
        """Return the bytes of each layer that a container sees."""
        # What is kept is of all layers together.
        whole = len(self._indexes) == len(self._stored.image.layers) and not self.unread
        visible = self._stored.recall_visible() if whole else None
        if visible is None:
            from layertrace.rootfs.waste import visible_bytes  # noqa: PLC0415 - mostly they are

            visible = visible_bytes(self.rootfs)
            if whole:
                self._stored.keep_visible(visible)
        return visible

    @cached_property
    def damaged(self) -> tuple[int, ...]:
        """The layers that were not read to their end: what they hold is not all shown."""
        return tuple(number for number, index in enumerate(self._indexes) if index.damage)

    @property
    def unread(self) -> tuple[int, ...]:
        """The layers that were not read: they count as damaged, and nothing is said of them."""
        return self._parts.unread

    @cached_property
    def head(self) -> ImageHead:
        """The head with sizes and with what each stage ships; traces every path.

        What ships is not known where layers were not read.
        """
        if self.unread:
            return self.sized_head
        from layertrace.pipeline.shares import with_shares  # noqa: PLC0415 - layers do without

        return with_shares(self.sized_head, self.shares())

    @cached_property
    def table(self) -> FileTable:
        """Every path of the image, the removed ones included; traced once for all runs."""
        from layertrace.pipeline.keeping.tables import (  # noqa: PLC0415 - layers do without
            find_place,
            keep_table,
            recall_table,
        )

        place = find_place(self._parts, self._indexes, self._stages, self._images)
        table = place and recall_table(self._stored, place, self._indexes)
        if table is None:
            table = self._tracing.table()
            if place is not None:
                keep_table(self._stored, place, table, self._indexes)
        return table

    def shares(self) -> tuple[ShareRow, ...]:
        """Return stages, bases, context and other sources, and what of each ships."""
        return self._shares(self.table)

    def _shares(self, table: FileTable) -> tuple[ShareRow, ...]:
        from layertrace.pipeline.shares import make_shares  # noqa: PLC0415 - layers do without

        return make_shares(table, self.sized_head)

    @property
    def context_files(self) -> int | None:
        """How many files and links the build context has; None where nobody knows."""
        context = self._parts.context
        return None if context is None else context.files

    def shares_below(self, path: str) -> tuple[ShareRow, ...]:
        """Return how the bytes below a directory divide, the largest part first.

        Empty for anything but a directory with something in it.
        """
        found = self._tree.find(path) if path else None
        if path and (found is None or found.kind is not EntryKind.DIR):
            return ()
        table = self._tracing.table(folder=path) if path else self.table
        rows = (row for row in self._shares(table) if row.shipped_files)
        return tuple(sorted(rows, key=lambda row: (-row.shipped_bytes, row.name)))

    def chain(self, path: str) -> Chain:
        """Return where a path came from.

        Raises:
            PathNotFoundError: the final image does not hold it.
        """
        chain = self._tracing.tracer.chain(path)
        if chain is None:
            raise self.missing(path)
        return chain

    def record(self, path: str) -> FileRecord:
        """Return all that is known of one path of the final image.

        Raises:
            PathNotFoundError: the final image does not hold it.
        """
        from layertrace.pipeline.records import file_record, implicit_record  # noqa: PLC0415

        place = self.rootfs.place(path)
        if place is None:
            if self._tree.find(path) is None:
                raise self.missing(path)
            return implicit_record(path)
        verdict = self._tracing.tracer.verdict(path, place)
        label = self._tracing.label(verdict)
        return file_record(
            path,
            self._detailer.at(path, place),
            layer=place.layer,
            change=self._tracing.change(path, place),
            stage=label.stage,
            stage_index=label.stage_index,
            origin=verdict.origin,
            trust=verdict.trust,
            carried_from=verdict.carried_from,
        )

    def record_at(self, row: int) -> FileRecord:
        """Return all that is known of one row of the table, a removed path too."""
        from layertrace.pipeline.records import file_record  # noqa: PLC0415

        table = self.table
        label = table.labels[table.label_ids[row]]
        (details,) = self.details([row])
        return file_record(
            table.paths[row],
            details,
            layer=table.layers[row] if table.layers[row] >= 0 else None,
            change=table.changes[row],
            stage=label.stage,
            stage_index=label.stage_index,
            origin=table.origin(row),
            trust=table.trusts[row],
            carried_from=label.carried_from,
        )

    def details(self, rows: Iterable[int]) -> Iterator[Details]:
        """Yield what the entries behind rows of the table say of themselves."""
        return self._detailer.rows(self.table, rows)

    def item_at(self, row: int) -> Item | None:
        """Return the entry behind a row of the table, of a removed path the last; no I/O.

        None: no entry made it, only what lies below it.
        """
        return self._detailer.item(self.table, row)

    def versions(self, path: str) -> tuple[Version, ...]:
        """Return what each layer of the final image did to a path, base first.

        Raises:
            PathNotFoundError: no layer ever had it.
        """
        from layertrace.pipeline.records import versions_of  # noqa: PLC0415

        versions = versions_of(self._indexes, self._tree, path)
        if not versions and self._tree.find(path) is None:
            raise self.missing(path)
        return versions

    def read(
        self, path: str, layer: int | None = None, *, stop: Callable[[], bool] = never
    ) -> Iterator[bytes]:
        """Yield the content of a regular file, as shipped or as one layer stored it.

        Raises:
            PathNotFoundError: it is not there, or is not a regular file.
            StoppedError: ``stop``, asked while what lies before it is read, said so.
        """
        place = self._tracing.lookup.place(path, layer)
        content = self._tree.content_place(place)
        if self._tree.item(place).kind is not EntryKind.FILE:
            kind = EntryKind(self._indexes[place.layer].kinds[place.number]).word
            raise PathNotFoundError(f"/{path} is not a regular file but a {kind}")
        return self._stored.read(content, stop=stop)

    @property
    def extractor(self) -> Extractor:
        """What writes files and folders of the final image to a disk."""
        return self._tracing.extractor

    @property
    def alignment(self) -> Alignment:
        """Each layer tied to its instruction."""
        return self._alignment

    def content_place(self, place: Place) -> Place:
        """Return the entry that holds the content of one: of a hard link, the file's."""
        return self._tree.content_place(place)

    def hand_out(self, places: Iterable[Place], take: Take) -> None:
        """Give ``take`` the contents of regular files, shipped or hidden, layer by layer.

        Each layer is read once, and of a plain one only what ``take`` reads.

        Raises:
            LayertraceError: a content cannot be had; of those before it, ``take`` has all.
        """
        self._stored.hand_out(places, take)

    def digests(self, places: Iterable[Place]) -> Mapping[Place, str]:
        """Return the digest of the content of each regular file, each layer read once.

        Raises:
            LayertraceError: a content cannot be had.
        """
        return self._stored.digests(places)

    def recall_packages(self) -> bytes | None:
        """Return what was kept of the packages of these layers; None: nothing."""
        return self._stored.recall_packages(len(self._indexes))

    def keep_packages(self, data: bytes) -> None:
        """Keep for another day what the layers say of their packages."""
        self._stored.keep_packages(len(self._indexes), data)

    def recall_bloat(self) -> bytes | None:
        """Return what was kept of the waste in these layers; None: nothing."""
        return self._stored.recall_bloat(len(self._indexes))

    def keep_bloat(self, data: bytes) -> None:
        """Keep for another day what the layers tell of waste."""
        self._stored.keep_bloat(len(self._indexes), data)

    def digest(self, path: str) -> str | None:
        """Return the digest of a regular file's content, hashing it if need be."""
        place = self.rootfs.place(path)
        return None if place is None else self._tree.digest_at(place)

    def missing(self, path: str) -> LayertraceError:
        """Return the error for a path that is not there, with the nearest that is."""
        return self._tracing.lookup.missing(path)

    def resolve(self, path: str) -> str:
        """Return a path as people write it, rootfs-relative; a last link is kept."""
        return self._tracing.lookup.resolve(path)

    def follow(self, path: str) -> str:
        """Return a path with every link followed, the last one too."""
        return self._tracing.lookup.follow(path)

    def locate(self, path: str, *, last: bool = True) -> str:
        """Return where a container gets to by a path; a link at its end is kept if not ``last``.

        Raises:
            PathNotFoundError: the image does not have it, or its links lead in a circle.
            LayerError: it may be in what cannot be read.
        """
        found = self._tracing.lookup.locate(path, last=last)
        if self._tree.find(found) is None:
            raise self.missing(found)
        return found
