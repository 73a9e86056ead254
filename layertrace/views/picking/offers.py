"""Images that can be opened: archives and layouts of a folder, images of the engine.

Nothing is looked into before it is chosen: names and sizes are all there is to see.
"""

from __future__ import annotations

import os
from contextlib import closing, suppress
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SUFFIXES: Final = (
    *(
        f".{kind}{packed}"
        for kind in ("tar", "oci")
        for packed in ("", ".gz", ".xz", ".zst", ".bz2", ".lz4")
    ),
    ".tgz", ".txz", ".tzst",
)  # fmt: skip
_LAYOUT: Final = "oci-layout"
MOST: Final = 1000
"""Of each kind: nobody picks from more."""
_MOST_LOOKED_AT: Final = 20_000
_ENGINE_PATIENCE: Final = 5
"""Seconds until an engine that does not answer counts as none."""
_ID: Final = 12
_BARE: Final = "docker-daemon:sha256:"


class Kind(Enum):
    """Where an offer comes from."""

    RECENT = "recent"
    ENGINE = "engine"
    FOLDER = "folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One image to open; name and reference may hold anything, as files may be named."""

    kind: Kind
    reference: str
    """What opens it."""
    name: str
    size: int | None = None
    """Bytes of the archive as stored, or of the layers as the engine counts them."""
    time: float | None = None
    """When it was opened last, written or made; seconds since the epoch."""


def offers_here(folder: Path) -> tuple[Offer, ...]:
    """Return archives and layouts that lie in ``folder``, by name; none if it cannot be read."""
    found: list[Offer] = []
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in islice(entries, _MOST_LOOKED_AT):
            # Gone, or not for this user: no offer.
            with suppress(OSError):
                found += _offer(entry)
    return tuple(sorted(found, key=lambda offer: offer.name)[:MOST])


def _offer(entry: os.DirEntry[str]) -> Iterator[Offer]:
    folder = entry.is_dir()
    if folder:
        wanted = os.path.lexists(os.path.join(entry.path, _LAYOUT))  # noqa: PTH118 - a scan's own path
    else:
        wanted = entry.name.lower().endswith(_SUFFIXES) and entry.is_file()
    if wanted:
        facts = entry.stat()
        yield Offer(
            kind=Kind.FOLDER,
            # So that a name with a colon is no transport, and one of a dash not stdin.
            reference=f"./{entry.name}",
            name=f"{entry.name}/" if folder else entry.name,
            size=None if folder else facts.st_size,
            time=facts.st_mtime,
        )


def engine_offers() -> tuple[Offer, ...]:
    """Return the images of the local engine, the newest first, those without a name last.

    Raises:
        EngineError: no engine answers, or it refuses.
    """
    from layertrace.archive.engine import connect  # noqa: PLC0415 - takes a quarter of a second
    from layertrace.archive.engine_errors import engine_errors  # noqa: PLC0415

    with closing(connect(patience=_ENGINE_PATIENCE)) as client, engine_errors():
        listed = client.api.images()
    found = [offer for facts in listed for offer in _engine_offers(facts)]
    found.sort(key=lambda offer: (offer.reference.startswith(_BARE), -(offer.time or 0)))
    return tuple(found[:MOST])


def _engine_offers(facts: dict[str, object]) -> Iterator[Offer]:
    size, made = facts.get("Size"), facts.get("Created")
    image_id = str(facts.get("Id") or "")
    tags = facts.get("RepoTags")
    names: Iterable[object] = tags if isinstance(tags, list) else ()
    tagged = [str(tag) for tag in names if tag != "<none>:<none>"]
    for name in tagged or [image_id]:
        if name:
            yield Offer(
                kind=Kind.ENGINE,
                reference=f"docker-daemon:{name}",
                name=name if tagged else name.removeprefix("sha256:")[:_ID],
                size=size if isinstance(size, int) else None,
                time=made if isinstance(made, int) else None,
            )
