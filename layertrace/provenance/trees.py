"""File systems a tracer compares: an image's, and a build context's."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from layertrace.model.entry import EntryKind, clean_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


MAX_HOPS: Final = 40
"""Symbolic links followed in one path, as Linux does (path_resolution(7))."""
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One path of a tree; a hard link counts as the file it links to."""

    kind: EntryKind
    size: int
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    mtime: int | None = None
    link_target: str = ""
    capability: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpacked:
    """What ADD makes of a file."""

    tree: Tree | None = None
    """What is in it; None where it is no archive."""
    sure: bool = True
    """False: its content is not at hand, or cannot be read to its end."""


class Contents(Protocol[Key]):
    """A way to the contents of regular files; a key is whatever a tree calls a file by."""

    def cost(self, files: Iterable[Key]) -> int:
        """Return how many bytes must be read to get at these files."""
        ...

    def sums(self, headers: Mapping[Key, Sequence[bytes]]) -> Mapping[Key, Sequence[str]]:
        """Return the sha256 of a header and the content after it, for each header, in hex.

        What cannot be read is left out.
        """
        ...


class Tree(Protocol):
    """Files by path; paths are rootfs-relative and cleaned, ``""`` is the root."""

    uploaded: bool
    """It was sent to the builder; else the builder had it, as an image."""

    def find(self, path: str) -> Item | None:
        """Return what stands at ``path`` itself, links not followed."""
        ...

    def digest(self, path: str) -> str | None:
        """Return the digest of a regular file's content; None for anything else."""
        ...

    def first_name(self, path: str) -> str | None:
        """Return the other path that a file was sent under, this being a hard link to it."""
        ...

    def cost(self, paths: Iterable[str]) -> int | None:
        """Return how many bytes must be read for these files; None where they are not at hand."""
        ...

    def sums(self, headers: Mapping[str, Sequence[bytes]]) -> Mapping[str, Sequence[str]]:
        """Return the sha256 of a header and the content after it, for each header, in hex.

        What cannot be read is left out.
        """
        ...

    def unpacked(self, path: str) -> Unpacked:
        """Return what ADD makes of the file at ``path``, links not followed."""
        ...

    @property
    def children(self) -> Mapping[str, Sequence[str]]:
        """Directory to the names in it."""
        ...

    @property
    def by_size(self) -> Mapping[int, Sequence[str]]:
        """Size to the paths of regular files that have it."""
        ...


class Finder(Protocol):
    """The part of a tree that following links takes."""

    def find(self, path: str) -> Item | None:
        """Return what stands at ``path`` itself, links not followed."""
        ...


def resolve(tree: Finder, path: str) -> str:
    """Return ``path`` with every symbolic link on the way, and its last, followed.

    What does not exist is kept as it is written.
    """
    done: list[str] = []
    todo = list(reversed(path.split("/"))) if path else []
    hops = 0
    while todo:
        part = todo.pop()
        here = "/".join([*done, part])
        item = tree.find(here)
        if item is None or item.kind is not EntryKind.SYMLINK or hops >= MAX_HOPS:
            done.append(part)
            continue
        hops += 1
        target = clean_path(posixpath.join("/", *done, item.link_target))
        todo.extend(reversed(target.split("/") if target else []))
        done = []
    return "/".join(done)


def resolve_folder(tree: Finder, path: str) -> str:
    """Return ``path`` with the links on the way followed, not its last part.

    A path without links on the way comes back as it is, at little cost.
    """
    folder, slash, name = path.rpartition("/")
    return f"{resolve(tree, folder)}{slash}{name}".lstrip("/")
