"""One member of a layer's tar, and the one way paths inside images are spelled.

Source: OCI image-spec, ``layer.md``; POSIX ``pax``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class EntryKind(IntEnum):
    """What an entry is; small numbers, so that a million fit in a byte column."""

    FILE = 0
    DIR = 1
    SYMLINK = 2
    HARDLINK = 3
    CHAR = 4
    BLOCK = 5
    FIFO = 6

    @property
    def word(self) -> str:
        """The contract's word: ``file``, ``dir``, ``symlink`` and so on."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One tar member of a layer, whiteouts apart."""

    path: str
    """Rootfs-relative, cleaned; ``""`` is the root. Bytes that are not UTF-8
    are kept as surrogates (PEP 383)."""
    kind: EntryKind
    size: int
    """Bytes of content; 0 for anything but a regular file."""
    mode: int
    """Permission bits, 07777."""
    uid: int
    gid: int
    mtime: int
    """Whole seconds since the epoch."""
    offset: int
    """Where the content starts in the uncompressed layer tar."""
    link_target: str = ""
    """As stored for a symlink; cleaned, rootfs-relative for a hard link."""


def clean_path(name: str) -> str:
    """Return ``name`` as a rootfs-relative path; ``""`` is the root.

    ``.`` and empty parts vanish, and ``..`` never climbs above the root, as in
    a chroot.

    >>> clean_path("./usr//bin/"), clean_path("/a/../../b"), clean_path(".")
    ('usr/bin', 'b', '')
    """
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return "/".join(parts)
