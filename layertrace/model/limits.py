"""How much of anything an image may hold before it is taken for a trap.

Every limit is far beyond what real images need: one of a million files or of
40 GB stays within all of them. They keep what a small hostile archive can cost
bounded in memory and time, and whoever trusts an image may raise them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of one reading."""

    entries: int = field(
        default=2_000_000,
        metadata={"bounds": "entries and whiteouts of a layer; five times as many in an image"},
    )
    names: int = field(
        default=192_000_000,
        metadata={"bounds": "bytes of memory for all paths, links and attributes of a layer"},
    )
    path: int = field(
        default=4_096, metadata={"bounds": "characters of a path; longer ones are left out"}
    )
    depth: int = field(
        default=1_000, metadata={"bounds": "directories in a path; deeper ones are left out"}
    )
    pax: int = field(
        default=1_048_576, metadata={"bounds": "bytes of one PAX header or long name of a tar"}
    )
    json: int = field(
        default=16_777_216,
        metadata={"bounds": "bytes of one JSON document; four times as many of a provenance"},
    )
    json_depth: int = field(
        default=200, metadata={"bounds": "arrays and objects inside each other"}
    )
    size: int = field(
        default=256_000_000_000,
        metadata={"bounds": "bytes of one layer, file or archive when unpacked"},
    )
    ratio: int = field(
        default=250,
        metadata={"bounds": "how many times larger something of over 1 GB may be than its bytes"},
    )
    window: int = field(
        default=134_217_728, metadata={"bounds": "bytes of memory that unpacking may ask for"}
    )
    members: int = field(
        default=100_000, metadata={"bounds": "files in an archive, that of its layers apart"}
    )
    layers: int = field(default=1_000, metadata={"bounds": "layers of an image"})
    manifests: int = field(
        default=10_000, metadata={"bounds": "manifests that the indexes of a layout name"}
    )
    nesting: int = field(default=8, metadata={"bounds": "indexes inside each other"})
    links: int = field(default=40, metadata={"bounds": "symbolic links followed in one path"})

    @property
    def statement(self) -> int:
        """Bytes of a provenance statement or a trace archive's listing, which are long."""
        return 4 * self.json

    @property
    def alters_index(self) -> bool:
        """An index made with these may hold other entries than one made with the defaults."""
        return (self.path, self.depth) != (DEFAULTS.path, DEFAULTS.depth)

    @staticmethod
    def of_image(of_layer: int) -> int:
        """Return what all layers of an image may hold: some only change owners of all below."""
        return 5 * of_layer


DEFAULTS: Final = Limits()
GRACE: Final = 1_000_000_000
"""Bytes that anything may unpack to, however few it is packed in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """One limit as a user meets it."""

    name: str
    default: int
    bounds: str


def describe_limits() -> tuple[Described, ...]:
    """Return every limit by the name that ``--max`` takes."""
    return tuple(
        Described(
            name=option_name(each.name),
            default=getattr(DEFAULTS, each.name),
            bounds=each.metadata["bounds"],
        )
        for each in fields(Limits)
    )


def option_name(limit: str) -> str:
    """Return what ``--max`` calls a limit.

    >>> option_name("json_depth")
    'json-depth'
    """
    return limit.replace("_", "-")
