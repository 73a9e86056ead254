"""What an engine keeps beside its tagged images: every step that its classic builder made.

That builder leaves each step of every stage as an image without a tag, whose
``ParentId`` is the step before it.

Source: the Docker Engine API v1.41, ``ImageList`` and ``ImageHistory``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from layertrace.archive.engine_errors import engine_errors
from layertrace.model.image import HistoryEntry

if TYPE_CHECKING:
    from docker import DockerClient


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptImage:
    """One image of an engine, as its list of them tells."""

    id: str
    parent: str
    """Id of the step before it; empty for what the classic builder did not make."""
    created: int
    """Seconds since the epoch."""


def list_kept(client: DockerClient) -> tuple[KeptImage, ...]:
    """Return every image of an engine, those without a tag too, the newest first.

    Raises:
        EngineError: the engine is away or refuses.
    """
    with engine_errors():
        listed = client.api.images(all=True)
    kept = [
        KeptImage(
            id=str(each["Id"]),
            parent=str(each.get("ParentId") or ""),
            created=int(each.get("Created") or 0),
        )
        for each in listed
    ]
    return tuple(sorted(kept, key=lambda image: image.created, reverse=True))


def read_history(client: DockerClient, image_id: str) -> tuple[HistoryEntry, ...]:
    """Return how an image was made, base first.

    Engines do not tell which entries made no layer: what added no bytes counts as such.

    Raises:
        SourceError: the engine has the image no more.
        EngineError: the engine is away or refuses.
    """
    with engine_errors(image_id):
        told = client.api.history(image_id)  # type: ignore[no-untyped-call]
    return tuple(
        HistoryEntry(
            created_by=str(each.get("CreatedBy") or ""),
            comment=str(each.get("Comment") or ""),
            created=datetime.fromtimestamp(int(each.get("Created") or 0), UTC).isoformat(),
            empty_layer=not each.get("Size"),
        )
        for each in reversed(told)
    )
