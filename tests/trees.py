"""Folders on the disk as values, to be compared."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDisk:
    """One path below a folder."""

    kind: str
    size: int = 0
    digest: str | None = None
    target: str | None = None
    mode: int | None = None
    mtime: int = 0


_KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "dir", stat.S_IFLNK: "symlink"}


def tree_of(folder: Path) -> dict[str, OnDisk]:
    """Return all that lies below a folder, by its path there; links are not followed."""
    found: dict[str, OnDisk] = {}
    todo = [(os.fsencode(folder), "")]
    while todo:
        place, path = todo.pop()
        for each in os.scandir(place):
            name = each.name.decode("utf-8", "surrogateescape")
            below = f"{path}/{name}" if path else name
            found[below] = _on_disk(each)
            if each.is_dir(follow_symlinks=False):
                todo.append((each.path, below))
    return found


def _on_disk(each: os.DirEntry[bytes]) -> OnDisk:
    status = each.stat(follow_symlinks=False)
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), "special")
    if kind == "symlink":
        target = os.readlink(each.path)  # noqa: PTH115 - its very bytes
        shown = target.decode("utf-8", "surrogateescape")
        return OnDisk(kind=kind, target=shown, mtime=int(status.st_mtime))
    digest = None
    if kind == "file":
        with open(each.path, "rb") as file:  # noqa: PTH123 - its very bytes
            digest = f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
    return OnDisk(
        kind=kind,
        size=status.st_size if kind == "file" else 0,
        digest=digest,
        mode=stat.S_IMODE(status.st_mode),
        mtime=int(status.st_mtime),
    )
