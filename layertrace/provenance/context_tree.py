"""The files of a build context."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.provenance.trees import Contents, Item, Unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from layertrace.model.bundle import ContextEntry


_KINDS: Final = {"file": EntryKind.FILE, "dir": EntryKind.DIR, "symlink": EntryKind.SYMLINK}


class ContextTree:
    """The build context, as it was listed or as it stands on disk."""

    uploaded = True

    def __init__(
        self,
        entries: Sequence[ContextEntry],
        digest_of: Callable[[str], str | None] | None = None,
        contents: Contents[str] | None = None,
        first_names: Mapping[str, str] | None = None,
        unpack: Callable[[str], Unpacked] | None = None,
    ) -> None:
        """Keep the listing.

        Args:
            entries: every file, directory and link of the context.
            digest_of: hashes a file that the listing gives no digest for.
            contents: of its files, where they can be read.
            first_names: of hard links, the path that came before them.
            unpack: looks into a file, where its content can be read.
        """
        self._entries = {entry.path: entry for entry in entries}
        self._digest_of = digest_of
        self._contents = contents
        self._first_names = first_names or {}
        self._unpack = unpack
        self._unpacked: dict[str, Unpacked] = {}

    @property
    def recorded(self) -> tuple[ContextEntry, ...] | None:
        """All there is to know of it; None where a disk has more, and may change it."""
        if self._digest_of or self._contents or self._first_names or self._unpack:
            return None
        return tuple(self._entries.values())

    @property
    def files(self) -> int:
        """How many files and links it has."""
        return sum(entry.kind != "dir" for entry in self._entries.values())

    def find(self, path: str) -> Item | None:
        """Return what stands at ``path``, relative to the context."""
        entry = self._entries.get(path)
        if entry is None:
            return Item(kind=EntryKind.DIR, size=0) if path in self.children else None
        return Item(
            kind=_KINDS[entry.kind],
            size=entry.size if entry.kind == "file" else 0,
            mode=entry.mode,
            # COPY from the context makes root the owner, whoever owned the file.
            uid=0,
            gid=0,
            mtime=entry.mtime,
            link_target=entry.link_target or "",
        )

    def digest(self, path: str) -> str | None:
        """Return the digest of the file at ``path``."""
        entry = self._entries.get(path)
        if entry is None or entry.kind != "file":
            return None
        if entry.digest is None and self._digest_of is not None:
            return self._digest_of(path)
        return entry.digest

    def first_name(self, path: str) -> str | None:
        """Return the path of the same file that was sent before this one."""
        return self._first_names.get(path)

    def cost(self, paths: Iterable[str]) -> int | None:
        """Return how many bytes must be read; None where only digests are known."""
        if self._contents is not None:
            return self._contents.cost(paths)
        return 0 if all(self._entries[path].copy_sum is not None for path in paths) else None

    def sums(self, headers: Mapping[str, Sequence[bytes]]) -> Mapping[str, Sequence[str]]:
        """Return the sums of the files at the paths, those that were kept as they were sent."""
        if self._contents is not None:
            return self._contents.sums(headers)
        kept = {path: self._entries[path].copy_sum for path in headers}
        return {
            path: (found,) * len(headers[path]) for path, found in kept.items() if found is not None
        }

    def unpacked(self, path: str) -> Unpacked:
        """Return what ADD makes of the file at ``path``; it is opened once."""
        entry = self._entries.get(path)
        if entry is None or entry.kind != "file":
            return Unpacked()
        if self._unpack is None:
            return Unpacked(sure=False)
        if path not in self._unpacked:
            self._unpacked[path] = self._unpack(path)
        return self._unpacked[path]

    @cached_property
    def children(self) -> Mapping[str, Sequence[str]]:
        """Directory to the names in it."""
        children: defaultdict[str, set[str]] = defaultdict(set)
        children[""] = set()
        for path in self._entries:
            while path:
                parent, _, name = path.rpartition("/")
                children[parent].add(name)
                path = parent  # noqa: PLW2901 - climbs to the context's root
        return {directory: sorted(names) for directory, names in children.items()}

    @cached_property
    def by_size(self) -> Mapping[int, Sequence[str]]:
        """Size to the paths of regular files that have it."""
        sizes: defaultdict[int, list[str]] = defaultdict(list)
        for entry in self._entries.values():
            if entry.kind == "file":
                sizes[entry.size].append(entry.path)
        return sizes
