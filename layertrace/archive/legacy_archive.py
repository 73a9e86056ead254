"""What ``docker save`` wrote before there were manifests: a folder a layer, each naming its parent.

Source: moby, ``image/spec/v1.md``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from layertrace.archive.decode import Node, decode_config, read_json
from layertrace.archive.pairing import StoredLayer, pair_layers
from layertrace.errors import ArchiveError
from layertrace.model.image import Absence, HistoryEntry, Image, ImageConfig
from layertrace.model.origin import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.archive.store import BlobStore

    class NamedStore(BlobStore, Protocol):
        """A store that can tell what is in it."""

        def names(self) -> tuple[str, ...]:
            """Return the names of files."""
            ...


REPOSITORIES: Final = "repositories"
_ID: Final = re.compile(r"[0-9a-f]{64}\Z")
_FOLDER: Final = re.compile(r"([0-9a-f]{64})/json\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyImage:
    """One image: its topmost layer, and the names it has."""

    id: str
    tags: tuple[str, ...] = ()


def is_legacy(store: NamedStore) -> bool:
    """Say whether a store without a manifest holds images of the first format."""
    return any(_FOLDER.match(name) for name in store.names())


def is_named(store: NamedStore) -> bool:
    """Say whether a store has the list that names its images."""
    return store.has(REPOSITORIES)


def list_legacy(store: NamedStore) -> tuple[LegacyImage, ...]:
    """Return the images of an archive, by their names; else those no other is made from.

    Raises:
        ArchiveError: the list of names is not what ``docker save`` wrote.
    """
    if not is_named(store):
        return _unnamed(store)
    root = read_json(store, REPOSITORIES)
    tags: dict[str, list[str]] = {}
    for repository in root.mapping():
        for tag, top in Node(root.mapping()[repository], repository, root.document).texts().items():
            if not _ID.match(top):
                raise ArchiveError(
                    f"{root.document}: {repository}:{tag} names no image", why=f"{top[:80]!r}"
                )
            tags.setdefault(top, []).append(f"{repository}:{tag}")
    return tuple(LegacyImage(id=top, tags=tuple(own)) for top, own in tags.items())


def _unnamed(store: NamedStore) -> tuple[LegacyImage, ...]:
    ids = [found[1] for name in store.names() if (found := _FOLDER.match(name))]
    parents = {_describe(store, one).get("parent").text("") for one in ids}
    return tuple(LegacyImage(id=one) for one in ids if one not in parents)


def legacy_image(
    store: BlobStore, legacy: LegacyImage, *, reference: str
) -> tuple[Image, tuple[Finding, ...]]:
    """Return one image, its layers from the one without a parent on.

    Raises:
        ArchiveError: a description is damaged.
    """
    chain, findings = _chain(store, legacy.id)
    layers = [
        StoredLayer(blob=blob, absence=None if store.has(blob) else Absence.MISSING)
        for blob in (f"{one}/layer.tar" for one, _ in chain)
    ]
    paired = pair_layers(layers, _config(store, chain))
    image = Image(reference=reference, config=paired.config, layers=paired.layers, tags=legacy.tags)
    return image, (*findings, *paired.findings)


def _chain(store: BlobStore, top: str) -> tuple[list[tuple[str, Node | None]], tuple[Finding, ...]]:
    """Return the layers' names and descriptions, base first; None where there is none."""
    chain: list[tuple[str, Node | None]] = []
    seen: set[str] = set()
    current = top
    while current and current not in seen:
        seen.add(current)
        node = _describe(store, current) if store.has(f"{current}/json") else None
        chain.append((current, node))
        parent = node.get("parent").text("") if node is not None else ""
        if parent and not _ID.match(parent):
            raise ArchiveError(
                f"{current}/json in {store.name} names no parent", why=f"{parent[:80]!r}"
            )
        current = parent
    findings: tuple[Finding, ...] = ()
    if current:
        message = f"layer {current[:12]} is its own ancestor: the chain ends there"
        findings = (Finding(code="parent-loop", message=message),)
    return chain[::-1], findings


def _describe(store: BlobStore, one: str) -> Node:
    return read_json(store, f"{one}/json")


def _config(store: BlobStore, chain: Sequence[tuple[str, Node | None]]) -> ImageConfig | None:
    """Return what the descriptions say: the topmost of the image, each of its layer."""
    top, node = chain[-1]
    if node is None:
        return None
    data = store.read(f"{top}/json", limit=store.limits.json)
    config = decode_config(data, digest="", document=node.document, limits=store.limits)
    return ImageConfig(
        digest="",
        platform=config.platform,
        diff_ids=("",) * len(chain),
        history=tuple(_history(each) for _, each in chain),
        created=config.created,
        env=config.env,
        working_dir=config.working_dir,
        user=config.user,
        on_build=config.on_build,
        labels=config.labels,
    )


def _history(node: Node | None) -> HistoryEntry:
    if node is None:
        return HistoryEntry()
    words = node.get("container_config").get("Cmd").items()
    return HistoryEntry(
        created_by=" ".join(word.text() for word in words),
        comment=node.get("comment").text(""),
        created=node.get("created").text(""),
        author=node.get("author").text(""),
    )
