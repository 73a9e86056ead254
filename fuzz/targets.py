"""What is fuzzed: functions of bytes that may raise nothing but our own errors.

Each takes any bytes as an archive, a layer, a document, a Dockerfile or the two versions of a
file and does all that a command does with it, in little memory.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layertrace.analysis.contents.compare import Given, compare_contents
from layertrace.archive.attestation import decode_attestation
from layertrace.archive.decode import decode_config
from layertrace.archive.docker_archive import list_saved, saved_image
from layertrace.archive.legacy_archive import legacy_image, list_legacy
from layertrace.archive.oci_layout import find_attestation, list_images, listed_image
from layertrace.archive.trace_json import encode_bundle, read_bundle
from layertrace.dockerfile.parse import parse_build
from layertrace.errors import ArchiveError, LayertraceError, LimitError
from layertrace.layers.index import dump_index, load_index
from layertrace.layers.walk import walk_layer
from layertrace.model.entry import EntryKind
from layertrace.pipeline.contents import file_content
from layertrace.provenance.alignment.history import align
from layertrace.provenance.trees import Item
from layertrace.rootfs.squash import squash
from layertrace.views.contents.document import content_json
from layertrace.views.contents.markdown import content_markdown
from layertrace.views.encode import to_text
from tests.readers import MemoryReader
from tests.readings import LIMITS, read_whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layertrace.model.limits import Limits

_DIGEST: Final = f"sha256:{'0' * 64}"
_CONTENT: Final = 1 << 20


def archive(data: bytes) -> None:
    """Read an archive of an image whole, packed or not: every list, every file."""
    with tempfile.TemporaryDirectory(prefix="layertrace-fuzz-") as folder:
        path = Path(folder) / "app.tar"
        path.write_bytes(data)
        with suppress(LayertraceError):
            read_whole(path)


def layer(data: bytes) -> None:
    """Walk one layer's tar, keep and load its index, fold it over itself, read its files."""
    try:
        walked = walk_layer(MemoryReader(data), name="layer 0", hash_contents=True, limits=LIMITS)
    except LayertraceError:
        return
    index = walked.index
    if load_index(dump_index(index)) != index:
        raise AssertionError("an index is another one out of the cache")
    squash([index, index])
    for number, kind in enumerate(index.kinds):
        if kind != EntryKind.FILE or index.sizes[number] > _CONTENT:
            continue
        with suppress(LayertraceError):
            for _ in file_content(_Anywhere(data), index, number):
                pass


class _Anywhere:
    """A tar in memory that may be read at any place."""

    def __init__(self, tar: bytes) -> None:
        self._tar = tar

    def read_at(self, offset: int, size: int) -> bytes:
        return self._tar[offset : offset + size]


class _Documents:
    """A store in which every name is one document, as if each named the next."""

    name = "app.tar"
    limits: Limits = LIMITS

    def __init__(self, document: bytes) -> None:
        self._document = document

    def names(self) -> tuple[str, ...]:
        return (f"{'0' * 64}/json",)

    def has(self, blob: str) -> bool:
        return bool(blob)

    def size(self, blob: str) -> int:
        return len(blob)

    def read(self, blob: str, *, limit: int) -> bytes:
        if len(self._document) > limit:
            raise LimitError(f"{blob} is too large", limit="json", allowed=limit)
        return self._document


def _saved(document: bytes) -> None:
    store = _Documents(document)
    for saved in list_saved(store):
        saved_image(store, saved, reference="app")


def _layout(document: bytes) -> None:
    store = _Documents(document)
    for listed in list_images(store):
        with suppress(ArchiveError):
            listed_image(store, listed, reference="app")
        find_attestation(store, listed.digest)


def _legacy(document: bytes) -> None:
    store = _Documents(document)
    for saved in list_legacy(store):
        legacy_image(store, saved, reference="app")


def _config(document: bytes) -> None:
    align(decode_config(document, digest=_DIGEST, document="config.json", limits=LIMITS), None)


def _attestation(document: bytes) -> None:
    decode_attestation(document, document="provenance.json", limits=LIMITS)


def _bundle(document: bytes) -> None:
    bundle = read_bundle(document, LIMITS)
    if read_bundle(encode_bundle(bundle)) != bundle:
        raise AssertionError("a trace archive's listing is another one when written again")


_READERS: Final[tuple[Callable[[bytes], None], ...]] = (
    _saved, _layout, _legacy, _config, _attestation, _bundle,
)  # fmt: skip


def json(data: bytes) -> None:
    """Read a document as each of those that an image may have."""
    for read in _READERS:
        with suppress(LayertraceError):
            read(data)


def dockerfile(data: bytes) -> None:
    """Parse a Dockerfile for both builders, every stage of it."""
    text = data.decode("utf-8", "surrogateescape")
    for builder in ("buildkit", "classic"):
        with suppress(LayertraceError):
            build = parse_build(text, builder=builder, build_args={"A": "1"})
            for stage in build.stages:
                build.chain(stage.index)
            build.used()


def content(data: bytes) -> None:
    """Compare two versions of a file, which may be anything, and print how they differ."""
    middle = len(data) // 2
    old, new = (
        Given(item=Item(kind=EntryKind.FILE, size=len(each)), pieces=[each])
        for each in (data[:middle], data[middle:])
    )
    for difference in (compare_contents(old, new), compare_contents(None, new)):
        to_text(content_json("a", difference))
        content_markdown("a", difference)


TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    each.__name__: each for each in (archive, layer, json, dockerfile, content)
}
