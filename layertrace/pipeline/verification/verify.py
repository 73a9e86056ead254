"""``verify``: every stored byte read once, and held against all that is said of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from layertrace.archive.blob import AbsentReader, StreamReader, digest_of
from layertrace.archive.inventory import stream_inventory, take_inventory
from layertrace.archive.pick import pick_image
from layertrace.archive.source import open_stored, parse_reference
from layertrace.archive.tar_store import WHOLE, TarStore
from layertrace.errors import ArchiveError, LayerError, LimitError, SourceError, StoppedError
from layertrace.layers.walk import walk_layer
from layertrace.model.limits import DEFAULTS
from layertrace.model.origin import Finding, Trust
from layertrace.model.verification import BlobKind, Claim
from layertrace.pipeline.damage import false_layers, placed, refuse_nothing
from layertrace.pipeline.heads import make_head, with_sizes
from layertrace.pipeline.verification.judge import Facts, judge
from layertrace.pipeline.verification.reading import StoreReading, read_layer
from layertrace.provenance.alignment.history import align
from layertrace.rootfs.squash import squash
from layertrace.rootfs.waste import visible_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from layertrace.archive.folder_store import FolderStore
    from layertrace.archive.source import Reference
    from layertrace.layers.index import LayerIndex
    from layertrace.model.image import Image, LayerRef, Platform
    from layertrace.model.limits import Limits
    from layertrace.model.trace import ImageHead
    from layertrace.model.verification import BlobCheck
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
        reading = StoreReading(store, watcher)
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
    return with_sizes(replace(head, layers=layers), indexes, visible_bytes(squash(indexes)))


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
