"""``verify``: every stored byte read once, and held against all that is said of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from layertrace.archive.blob import AbsentReader, StreamReader, digest_of, hasher
from layertrace.archive.inventory import stream_inventory, take_inventory
from layertrace.archive.pick import pick_image
from layertrace.archive.source import open_stored, parse_reference
from layertrace.archive.tar_store import WHOLE, TarStore
from layertrace.errors import ArchiveError, LayerError, LimitError, SourceError, StoppedError
from layertrace.layers.walk import walk_layer
from layertrace.model.image import Absence
from layertrace.model.limits import DEFAULTS
from layertrace.model.origin import Finding, Trust
from layertrace.model.verification import BlobKind, Claim
from layertrace.pipeline.damage import false_layers, placed, refuse_nothing
from layertrace.pipeline.heads import make_head, with_sizes
from layertrace.pipeline.judge import Facts, claims_by_blob, judge
from layertrace.provenance.history import align
from layertrace.rootfs.squash import squash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from layertrace.archive.blob import Region
    from layertrace.archive.folder_store import FolderStore
    from layertrace.archive.source import Reference
    from layertrace.layers.index import LayerIndex
    from layertrace.model.image import Image, LayerRef, Platform
    from layertrace.model.limits import Limits
    from layertrace.model.trace import ImageHead
    from layertrace.model.verification import BlobCheck, Inventory
    from layertrace.pipeline.watch import Watcher

_OWN: Final = frozenset({
    "archive-damaged", "config-missing", "digest-mismatch", "layer-count", "size-mismatch",
})  # fmt: skip
"""Findings of whoever opens an image that a check of every byte makes anew."""
_SHOWN: Final = 19
"""Characters of a name in messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What came of it."""

    images: tuple[str, ...]
    """What was checked, as people call it."""
    checks: tuple[BlobCheck, ...]
    head: ImageHead | None
    """Of the image, where one is meant; with all that was found."""

    @property
    def ok(self) -> bool:
        """Everything is what it is said to be."""
        return all(check.ok for check in self.checks)

    @property
    def notes(self) -> tuple[Finding, ...]:
        """What is strange about the image or its blobs, and no mismatch."""
        of_image = self.head.findings if self.head is not None else ()
        return (*of_image, *(_of(check, each) for check in self.checks for each in check.notes))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that was found, the mismatches first."""
        wrong = (_of(check, each) for check in self.checks for each in check.problems)
        return (*wrong, *self.notes)


def _of(check: BlobCheck, finding: Finding) -> Finding:
    """Return a finding that says whose it is."""
    facts: dict[str, object] = {"blob": check.blob}
    if check.layer is not None:
        facts["layer"] = check.layer
    message = (
        placed(check.layer, finding.message)
        if check.layer is not None
        else (f"{check.blob}: {finding.message}")
    )
    return replace(finding, message=message, facts={**facts, **finding.facts})


def verify_image(
    reference: str, *, platform: Platform | None, watcher: Watcher, limits: Limits = DEFAULTS
) -> Verification:
    """Read every byte of an image, or of all images of an archive, and check it.

    Args:
        reference: an ``IMAGE``; without a name in it all images of an archive.
        platform: that of the images to check; None: all.
        watcher: told of progress, asked whether to stop.
        limits: how much there may be.

    Raises:
        LayertraceError: nothing can be read.
        StoppedError: the watcher said so.
    """
    parsed = parse_reference(reference)
    if parsed.transport == "docker-daemon":
        return _verify_streamed(parsed.target, watcher, limits)
    store = open_stored(parsed, limits)
    try:
        inventory = take_inventory(store, parsed, platform)
        image, findings = _meant(store, parsed, platform, found=bool(inventory.images))
        reading = _Reading(store, watcher)
        if isinstance(store, TarStore) and not any(c.blob == WHOLE for c in inventory.claims):
            whole = Claim(kind=BlobKind.ARCHIVE, blob=WHOLE)
            inventory = replace(inventory, claims=(whole, *inventory.claims))
        reading.expect(inventory)
        checks = tuple(
            replace(check, blob=store.name) if check.blob == WHOLE else check
            for check in judge(inventory, reading.facts)
        )
        head = None if image is None else _head(image, findings, reading.index)
        only = reading.index(WHOLE)
        if only is not None and image is not None:
            # Of a tar that is one layer nothing else was read.
            refuse_nothing(image, (only,))
        return Verification(images=inventory.images, checks=checks, head=head)
    finally:
        store.close()


def _meant(
    store: TarStore | FolderStore, reference: Reference, platform: Platform | None, *, found: bool
) -> tuple[Image | None, tuple[Finding, ...]]:
    """Return the image that other commands would show, None where they could not choose.

    Raises:
        SourceError: there is none.
    """
    try:
        return pick_image(store, reference, platform)
    except LimitError:
        raise
    except (ArchiveError, SourceError):
        if not found:
            raise
        return None, ()


class _Reading:
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


def _head(
    image: Image, findings: Sequence[Finding], index_of: Callable[[str], LayerIndex | None]
) -> ImageHead:
    """Return the head of an image whose layers were read, with what they weigh."""
    indexes = tuple(index_of(layer.blob) or _nothing_of(layer) for layer in image.layers)
    others = [finding for finding in findings if finding.code not in _OWN]
    head = make_head(image, None, align(image.config, None), others)
    lying = false_layers(image, indexes)
    layers = tuple(
        replace(layer, trust=Trust.CONTRADICTED) if layer.index in lying else layer
        for layer in head.layers
    )
    return with_sizes(replace(head, layers=layers), squash(indexes))


def _nothing_of(layer: LayerRef) -> LayerIndex:
    """Return the index of a layer that is not there, or locked."""
    absent = AbsentReader(LayerError(f"layer {layer.index} cannot be read"))
    return walk_layer(absent, name=f"layer {layer.index}").index


def _verify_streamed(name: str, watcher: Watcher, limits: Limits) -> Verification:
    """Check an image of the engine, which is only to be had as one stream."""
    # The Docker SDK takes a quarter of a second to import.
    from layertrace.archive.daemon import EngineSource  # noqa: PLC0415

    layers: dict[str, Facts] = {}

    def take(blob: str, reader: StreamReader) -> bool:
        layers[blob] = facts = read_layer(reader, blob[:_SHOWN], limits)
        watcher.finish_layer(facts.size, 0)
        return True

    watcher.expect(0, None)
    source = EngineSource(name, limits=limits)
    try:
        streamed = source.stream(take, stop=watcher.stop)
    finally:
        source.close()
    if streamed is None:
        raise StoppedError
    image, documents = streamed[0].image, streamed[0].documents

    def facts_of(claims: Sequence[Claim]) -> Facts | None:
        blob = documents.resolve(claims[0].blob)
        if blob in layers or not documents.has(blob):
            return layers.get(blob)
        data = documents.read(blob, limit=limits.statement)
        like = next((claim.digest for claim in claims if claim.digest is not None), "")
        return Facts(size=len(data), digest=digest_of(data, like=like))

    inventory = stream_inventory(documents)
    checks = judge(inventory, facts_of)
    indexes = {blob: facts.index for blob, facts in layers.items()}
    return Verification(images=(name,), checks=checks, head=_head(image, (), indexes.get))
