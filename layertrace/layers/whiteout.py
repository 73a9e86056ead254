"""Whiteouts: how a layer says that a lower layer's path is gone.

Source: OCI image-spec, layer.md, "Whiteouts".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from layertrace.errors import InvalidWhiteoutError

PREFIX: Final = ".wh."
OPAQUE: Final = ".wh..wh..opq"
AUFS_PREFIX: Final = ".wh..wh."
"""AUFS kept its own books under such names; they remove nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whiteout:
    """What one marker removes; it reaches lower layers, never its own."""

    path: str
    """Rootfs-relative, no leading slash; ``""`` is the root directory."""
    opaque: bool = False
    """True: the children of ``path`` go and ``path`` stays."""


def is_aufs_metadata(path: str) -> bool:
    """Say whether ``path`` lies in AUFS's own books, such as ``.wh..wh.plnk/1.2``.

    >>> is_aufs_metadata(".wh..wh.plnk/12.3"), is_aufs_metadata("a/.wh..wh..opq")
    (True, False)
    """
    return any(part.startswith(AUFS_PREFIX) and part != OPAQUE for part in path.split("/"))


def parse_whiteout(path: str) -> Whiteout | None:
    """Return what the entry at ``path`` removes, None for an ordinary entry.

    Raises:
        InvalidWhiteoutError: the marker names no path (``.wh.``, ``.wh..``).

    >>> parse_whiteout("etc/.wh.hosts")
    Whiteout(path='etc/hosts', opaque=False)
    >>> parse_whiteout("etc/.wh..wh..opq")
    Whiteout(path='etc', opaque=True)
    """
    parent, _, name = path.rpartition("/")
    if name == OPAQUE:
        return Whiteout(path=parent, opaque=True)
    if not name.startswith(PREFIX):
        return None
    target = name.removeprefix(PREFIX)
    # "." and ".." would remove the directory itself or its parent, which no
    # layer can mean: the specification lets a whiteout name a child only.
    if target in {"", ".", ".."}:
        raise InvalidWhiteoutError(path)
    return Whiteout(path=f"{parent}/{target}" if parent else target)
