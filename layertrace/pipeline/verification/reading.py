"""The bytes of a store, each read once: what every file in it turns out to be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from layertrace.archive.blob import StreamReader, hasher
from layertrace.archive.tar_store import WHOLE, TarStore
from layertrace.errors import ArchiveError, LayerError, LimitError, StoppedError
from layertrace.layers.walk import walk_layer
from layertrace.model.image import Absence
from layertrace.model.origin import Finding
from layertrace.model.verification import BlobKind, Claim
from layertrace.pipeline.verification.judge import Facts, claims_by_blob

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.archive.blob import Region
    from layertrace.archive.folder_store import FolderStore
    from layertrace.layers.index import LayerIndex
    from layertrace.model.limits import Limits
    from layertrace.model.verification import Inventory
    from layertrace.pipeline.watch import Watcher


class StoreReading:
    """One reading of a store: each region of it once, whatever its names."""

    def __init__(self, store: TarStore | FolderStore, watcher: Watcher) -> None:
        self._store = store
        self._watcher = watcher
        self._known: dict[tuple[Region, bool], Facts] = {}
        self._layers: dict[str, LayerIndex] = {}

    def expect(self, inventory: Inventory) -> None:
        """Tell the watcher how much there is to read."""
        regions = {
            self._store.readable(blob)
            for blob, claims in claims_by_blob(inventory).items()
            if claims[0].kind is not BlobKind.ARCHIVE and (blob == WHOLE or self._store.has(blob))
        }
        self._watcher.expect(len(regions), sum(region.size for region in regions))

    def facts(self, claims: Sequence[Claim]) -> Facts | None:
        """Read a file; None where it is not there."""
        blob = claims[0].blob
        if claims[0].kind is BlobKind.ARCHIVE and isinstance(self._store, TarStore):
            return _of_archive(self._store)
        if blob != WHOLE and not self._store.has(blob):
            return None
        layer = next((claim for claim in claims if claim.kind is BlobKind.LAYER), None)
        locked = layer is not None and layer.absence is Absence.ENCRYPTED
        region, is_layer = self._store.readable(blob), layer is not None and not locked
        facts = self._known.get((region, is_layer))
        if facts is None:
            facts = self._read(region, claims, layer if is_layer else None)
            self._known[region, is_layer] = facts
            self._watcher.finish_layer(region.size, 0)
        if facts.index is not None:
            self._layers[blob] = facts.index
        return facts

    def index(self, blob: str) -> LayerIndex | None:
        """Return the index of a layer that was read."""
        return self._layers.get(blob)

    def _read(self, region: Region, claims: Sequence[Claim], layer: Claim | None) -> Facts:
        like = next((claim.digest for claim in claims if claim.digest is not None), None)
        if layer is not None:
            name, limits = f"layer {layer.layer}", self._store.limits
            reader = StreamReader(
                self._pieces(region), name=name, diff_id=layer.diff_id, digest=like, limits=limits
            )
            facts = read_layer(reader, name, limits)
        else:
            hashed = hasher(like)
            for piece in self._pieces(region):
                hashed.update(piece)
            facts = Facts(size=region.size, digest=f"{hashed.name}:{hashed.hexdigest()}")
        cut = self._cut(claims[0].blob)
        return replace(facts, problems=(*cut, *facts.problems))

    def _pieces(self, region: Region) -> Iterator[bytes]:
        position = 0
        for piece in region.pieces():
            position += len(piece)
            if self._watcher.see(position, 0):
                raise StoppedError
            yield piece

    def _cut(self, blob: str) -> tuple[Finding, ...]:
        """Return that the archive ends inside a file, where it does."""
        if blob == WHOLE:
            return ()
        try:
            self._store.region(blob)
        except ArchiveError as error:
            return (Finding(code="archive-damaged", message=error.what),)
        return ()


def read_layer(reader: StreamReader, name: str, limits: Limits) -> Facts:
    """Read a layer to its end; what is strange or damaged in its tar is told besides."""
    index = walk_layer(reader, name=name, limits=limits).index
    damage, diff_id, notes = index.damage, None, list(index.notes)
    try:
        reader.mismatches()
    except LimitError:
        raise
    except LayerError as error:
        damage = damage or f"what follows its tar cannot be read: {error.what}"
    else:
        diff_id = reader.diff_id()
    problems = (Finding(code="layer-damaged", message=damage),) if damage else ()
    return Facts(
        digest=reader.digest(),
        size=reader.stored_size,
        diff_id=diff_id,
        problems=problems,
        notes=tuple(Finding(code=code, message=text) for code, text in notes),
        index=replace(index, length=reader.length(), diff_id=diff_id or ""),
    )


def _of_archive(store: TarStore) -> Facts:
    """Return what is wrong with the outer tar; all that it holds is read by name."""
    size = store.size(WHOLE)
    problems: tuple[Finding, ...] = ()
    notes: tuple[Finding, ...] = ()
    if store.damage and not store.is_unended:
        problems = (Finding(code="archive-damaged", message=store.damage),)
    elif store.is_unended:
        notes = (Finding(code="no-end-marker", message="the archive has no end marker"),)
    elif store.has_trailing_data():
        notes = (Finding(code="trailing-data", message="data follows the archive's end marker"),)
    return Facts(size=size, digest="", problems=problems, notes=notes)
