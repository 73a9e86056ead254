"""A disk that layers are put on one after the other, member by member, as an engine does it.

Slow and plain, to hold what layertrace works out against; it reads tars with ``tarfile``.
"""

from __future__ import annotations

import io
import tarfile
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

OPAQUE: Final = ".wh..wh..opq"


@dataclass
class Disk:
    """Paths to inodes; an inode is its layer and size."""

    files: dict[str, int | None] = field(default_factory=dict)
    """Path to inode, None for what has no content and is no directory."""
    inodes: list[tuple[int, int]] = field(default_factory=list)

    def put(self, number: int, tar: bytes) -> None:
        """Put one more layer on top: what it removes first, then what it has."""
        below = dict(self.files)
        own: dict[str, int | None] = {}
        with tarfile.open(fileobj=io.BytesIO(tar)) as members:
            infos = members.getmembers()
        for info in infos:
            info.name = info.name.removeprefix("./")
        for info in infos:
            parent, _, name = info.name.rpartition("/")
            if name == OPAQUE:
                self.remove_below(parent)
            elif name.startswith(".wh."):
                path = f"{parent}/{name[4:]}".lstrip("/")
                self.remove_below(path)
                self.files.pop(path, None)
        for info in infos:
            path = info.name.rstrip("/")
            if not path.rpartition("/")[2].startswith(".wh."):
                self.add(number, path, info, below | own)
                if path in self.files:
                    own[path] = self.files[path]

    def add(
        self, number: int, path: str, info: tarfile.TarInfo, targets: dict[str, int | None]
    ) -> None:
        """Put one member where its path says."""
        parent = path.rpartition("/")[0]
        while parent:
            self.files.pop(parent, None)
            parent = parent.rpartition("/")[0]
        self.files.pop(path, None)
        if info.isdir():
            return
        self.remove_below(path)
        if info.isreg():
            self.inodes.append((number, info.size))
            self.files[path] = len(self.inodes) - 1
        else:
            self.files[path] = targets.get(info.linkname) if info.islnk() else None

    def remove_below(self, directory: str) -> None:
        """Take away all that lies in a directory."""
        prefix = f"{directory}/" if directory else ""
        for path in [path for path in self.files if path.startswith(prefix)]:
            del self.files[path]

    def visible(self) -> Counter[int]:
        """Return layer to the bytes of it that some path leads to."""
        seen: Counter[int] = Counter()
        for inode in {inode for inode in self.files.values() if inode is not None}:
            number, size = self.inodes[inode]
            seen[number] += size
        return seen
