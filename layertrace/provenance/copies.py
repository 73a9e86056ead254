"""COPY turned round: from a path in the image to the source it was copied from.

Source: the Dockerfile reference, "COPY"; BuildKit's ``fsutil/copy`` and moby's
``builder/dockerfile/copy.go`` for what a destination means.
"""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind, clean_path
from layertrace.provenance.patterns import has_wildcards, name_matches, parts_match
from layertrace.provenance.trees import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.build import Instruction
    from layertrace.provenance.trees import Finder, Tree

MAX_EXPANDED: Final = 100_000
"""Sources one wildcard may stand for."""
_HERE: Final = (".", "..")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a COPY may have put at a path."""

    paths: tuple[str, ...] = ()
    """Rootfs-relative, the likeliest first: where two sources land on one path,
    the later one overwrote the earlier."""
    complete: bool = True
    """False: there may be others, as where a wildcard's folder is not at hand."""


@dataclass(frozen=True, kw_only=True)
class Copying:
    """A COPY or ADD, what it found when it began, and what it copied from."""

    instruction: Instruction
    image: Finder
    """The image below its layer, for links and directories on the way."""
    source: Tree | None
    """The stage, image or context; None when not at hand, and then a source may
    be a file as well as a directory."""

    @cached_property
    def destinations(self) -> tuple[str, ...]:
        """Where it writes to: as written, and with the image's links followed.

        Empty where the destination is relative to a directory that is not known.
        """
        written, workdir = self.instruction.args[-1], self.instruction.workdir
        if workdir is None and not written.startswith("/"):
            return ()
        path = clean_path(posixpath.join(workdir or "/", written))
        return tuple(dict.fromkeys((path, resolve(self.image, path))))

    def into(self, destination: str) -> bool:
        """Say whether a destination names a directory to put sources in."""
        *sources, written = self.instruction.args
        if len(sources) > 1 or written.endswith("/") or posixpath.basename(written) in _HERE:
            return True
        item = self.image.find(destination)
        return item is not None and item.kind is EntryKind.DIR

    def sources(self, path: str) -> Sources:
        """Return the source paths that would have been put at ``path``."""
        written = [text for text in self.instruction.args[:-1] if not self._is_document(text)]
        found: list[str] = []
        for destination in self.destinations:
            for text in reversed(written):
                if "parents" in self.instruction.flags:
                    found += _with_parents(text, destination, path)
                else:
                    found += self._plain(text, destination, path)
        guessed = self.source is None and any(map(has_wildcards, written))
        return Sources(
            paths=tuple(dict.fromkeys(found)),
            complete=bool(self.destinations) and not guessed,
        )

    def found_sources(self, tree: Tree) -> tuple[str, ...]:
        """Return the sources in a tree, wildcards and links followed, the last copied first."""
        written = [text for text in self.instruction.args[:-1] if not self._is_document(text)]
        found = (path for text in reversed(written) for path in self._expand(text))
        return tuple(dict.fromkeys(resolve(tree, path) for path in found))

    def holds_document(self, path: str) -> bool:
        """Say whether a heredoc of the instruction lands on ``path``."""
        targets = {
            f"{destination}/{document.name}".lstrip("/") if self.into(destination) else destination
            for destination in self.destinations
            for document in self.instruction.heredocs
        }
        return path in targets

    def leads_to(self, path: str) -> bool:
        """Say whether ``path`` is a directory above a destination: made on the way."""
        return any(f"{each}/".startswith(f"{path}/") and each != path for each in self.destinations)

    def _is_document(self, text: str) -> bool:
        return text.startswith("<<") and bool(self.instruction.heredocs)

    def _plain(self, text: str, destination: str, path: str) -> Iterator[str]:
        if self.source is None and has_wildcards(text):
            yield from _guess(clean_path(text), destination, path)
            return
        for literal in self._expand(text):
            kind = self._kind(literal)
            if kind is not EntryKind.DIR and literal:
                name = literal.rpartition("/")[2]
                if path == (_joined(destination, name) if self.into(destination) else destination):
                    yield literal
            if kind in {EntryKind.DIR, None} and _is_within(path, destination):
                yield _joined(literal, _below(path, destination))

    def _kind(self, path: str) -> EntryKind | None:
        """Return what a source is once links are followed; None where there is none to see."""
        if self.source is None:
            return None
        item = self.source.find(resolve(self.source, path))
        return None if item is None else item.kind

    def _expand(self, text: str) -> list[str]:
        """Return the sources a written source stands for, the last copied first."""
        if self.source is None or not has_wildcards(text):
            return [clean_path(text)]
        parts = clean_path(text).split("/")
        plain = next(n for n, part in enumerate(parts) if has_wildcards(part))
        folder = "/".join(parts[:plain])
        found = _matching(self.source, resolve(self.source, folder), parts[plain:])
        return [_joined(folder, below) for below in islice(found, MAX_EXPANDED)][::-1]


def _is_within(path: str, folder: str) -> bool:
    return not folder or path == folder or path.startswith(f"{folder}/")


def _below(path: str, folder: str) -> str:
    return path[len(folder) :].lstrip("/")


def _joined(folder: str, below: str) -> str:
    return f"{folder}/{below}".strip("/")


def _guess(pattern: str, destination: str, path: str) -> Iterator[str]:
    """Guess what a wildcard stood for, its tree not being at hand.

    A file tells its own name, unless a directory matched and this is part of
    what was in it.
    """
    below = _below(path, destination)
    if not below or not _is_within(path, destination):
        return
    folder, _, last = pattern.rpartition("/")
    if "/" not in below and name_matches(last, below):
        yield _joined(folder, below)
    yield f"{pattern}/{below}"


def _matching(tree: Tree, folder: str, pattern: list[str]) -> Iterator[str]:
    """Yield what matches below a folder; links are followed before the first wildcard only."""
    head, *rest = pattern
    for name in sorted(tree.children.get(folder, ())):
        if name_matches(head, name):
            if rest:
                yield from (f"{name}/{p}" for p in _matching(tree, _joined(folder, name), rest))
            else:
                yield name


def _with_parents(text: str, destination: str, path: str) -> Iterator[str]:
    """COPY --parents keeps the source's own folders, from ``/./`` on where it is written."""
    below = _below(path, destination)
    if not below or not _is_within(path, destination):
        return
    head, pivot, tail = text.partition("/./")
    folder, kept = (clean_path(head), clean_path(tail)) if pivot else ("", clean_path(text))
    if not kept or parts_match(kept.split("/"), below.split("/")):
        yield _joined(folder, below)
