"""A build cache that BuildKit exported: an image layout whose manifest lists every layer.

Source: BuildKit, ``cache/remotecache/v1/doc.go`` and ``spec.go``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.archive.decode import read_json
from layertrace.archive.oci_layout import INDEX, blob_name, read_json_blob
from layertrace.archive.source import open_stored_layer
from layertrace.archive.store import open_store
from layertrace.errors import ArchiveError, SourceError
from layertrace.model.buildcache import BuildCache, CachedLayer, CachedStep
from layertrace.model.image import Image, ImageConfig, LayerRef
from layertrace.model.limits import DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from layertrace.archive.blob import LayerReader
    from layertrace.archive.decode import Node
    from layertrace.archive.folder_store import FolderStore
    from layertrace.archive.store import BlobStore
    from layertrace.archive.tar_store import TarStore
    from layertrace.model.image import Platform
    from layertrace.model.limits import Limits

_CONFIG_TYPE: Final = "application/vnd.buildkit.cacheconfig.v0"
_DIFF_ID: Final = "containerd.io/uncompressed"
MAX_STEPS: Final = 100_000
MAX_DEPTH: Final = 1_000
"""Layers on top of each other; engines refuse images of more than 127."""
MAX_STACKED: Final = 2_000_000
"""Layers of all steps' results taken together."""


class CacheSource:
    """The layers of an exported cache, to be read as images."""

    def __init__(self, store: TarStore | FolderStore, caches: tuple[BuildCache, ...]) -> None:
        """Keep the open store; :meth:`close` closes it."""
        self._store = store
        self.caches = caches
        self.name = store.name
        self.witness = store.witness
        self.limits = store.limits

    def image(self, stack: Sequence[CachedLayer], platform: Platform) -> Image:
        """Return the image that a step's result is; it has no history."""
        diff_ids = tuple(layer.diff_id for layer in stack)
        return Image(
            reference=self.name,
            config=ImageConfig(digest="", platform=platform, diff_ids=diff_ids),
            layers=tuple(
                LayerRef(
                    index=index,
                    diff_id=layer.diff_id,
                    blob=blob_name(layer.digest),
                    digest=layer.digest,
                )
                for index, layer in enumerate(stack)
            ),
        )

    def open_layer(self, layer: LayerRef) -> LayerReader:
        """Open one layer's uncompressed tar."""
        return open_stored_layer(self._store, layer)

    def stored_size(self, layer: LayerRef) -> int:
        """Return the bytes of a layer as it is stored."""
        return self._store.readable(layer.blob).size

    def close(self) -> None:
        """Close the layout's files."""
        self._store.close()


def open_stage_cache(path: Path, limits: Limits = DEFAULTS) -> CacheSource:
    """Open the folder that ``--cache-to type=local,dest=DIR,mode=max`` wrote, or a tar of it.

    Raises:
        SourceError: nothing there, or no build cache.
        ArchiveError: what is there is damaged.
    """
    store = open_store(path, limits)
    try:
        return CacheSource(store, _read_caches(store))
    except BaseException:
        store.close()
        raise


def _read_caches(store: BlobStore) -> tuple[BuildCache, ...]:
    if not store.has(INDEX):
        raise SourceError(f"{store.name} is not a build cache", why=f"it has no {INDEX}")
    caches = tuple(_listed_caches(store))
    if not caches:
        raise SourceError(
            f"{store.name} is not a build cache",
            why="no manifest in it has the configuration of one",
            hint="docker buildx build --cache-to type=local,dest=DIR,mode=max writes one",
        )
    return caches


def _listed_caches(store: BlobStore) -> Iterator[BuildCache]:
    """Yield the caches of a layout, the newest first."""
    root = read_json(store, INDEX)
    for item in reversed(root.get("manifests").items()):
        manifest = read_json_blob(store, item.get("digest").digest())
        # Older versions write an index, the configuration one of its manifests.
        listed = manifest.get("layers").items() + manifest.get("manifests").items()
        configs = [
            each
            for each in (manifest.get("config"), *listed)
            if each.get("mediaType").text("") == _CONFIG_TYPE
        ]
        for config in configs[:1]:
            diff_ids = {
                digest: each.get("annotations").texts().get(_DIFF_ID)
                for each in listed
                if store.has(blob_name(digest := each.get("digest").digest()))
            }
            yield _decode(read_json_blob(store, config.get("digest").digest()), diff_ids)


def _decode(config: Node, diff_ids: dict[str, str | None]) -> BuildCache:
    layers: list[CachedLayer | None] = []
    parents: list[int | None] = []
    for node in config.get("layers").items():
        digest = node.get("blob").digest()
        diff_id = diff_ids.get(digest)
        layers.append(None if diff_id is None else CachedLayer(diff_id=diff_id, digest=digest))
        parents.append(_parent(node))
    records = config.get("records").items()
    if len(records) > MAX_STEPS:
        raise ArchiveError(f"{config.document} has more than {MAX_STEPS:,} steps")
    stacked = 0
    steps = []
    for record in records:
        stacks = tuple(_stacks(record, layers, parents))
        stacked += sum(map(len, stacks))
        if stacked > MAX_STACKED:
            raise ArchiveError(f"{config.document} names more than {MAX_STACKED:,} layers")
        inputs = tuple(
            tuple(_number(link.get("link"), len(records)) for link in links.items())
            for links in record.get("inputs").items()
        )
        steps.append(CachedStep(stacks=stacks, inputs=inputs))
    return BuildCache(steps=tuple(steps))


def _stacks(
    record: Node, layers: Sequence[CachedLayer | None], parents: Sequence[int | None]
) -> Iterator[tuple[CachedLayer, ...]]:
    """Yield a step's results, layers that are not stored left out with all on top of them."""
    numbers: list[list[int]] = []
    for result in record.get("layers").items():
        top: int | None = _number(result.get("layer"), len(layers))
        stack: list[int] = []
        while top is not None:
            stack.append(top)
            if len(stack) > MAX_DEPTH:
                raise ArchiveError(f"{record.document}: {record.where} has over {MAX_DEPTH} layers")
            top = parents[top]
            if top is not None and top >= len(layers):
                raise record.wrong(f"layers on top of one of {len(layers)}")
        numbers.append(stack[::-1])
    # What is merged (COPY --link) is on top of nothing.
    numbers += [
        [_number(layer, len(layers)) for layer in chain.get("layers").items()]
        for chain in record.get("chains").items()
    ]
    for each in numbers:
        stack_of = [layers[number] for number in each]
        if None not in stack_of:
            yield tuple(layer for layer in stack_of if layer is not None)


def _parent(node: Node) -> int | None:
    """Return the layer below; no number means the first, -1 none."""
    parent = node.get("parent")
    number = 0 if parent.value is None else parent.number()
    return None if number < 0 else number


def _number(node: Node, count: int) -> int:
    number = node.number()
    if not 0 <= number < count:
        raise node.wrong(f"a number below {count}")
    return number
