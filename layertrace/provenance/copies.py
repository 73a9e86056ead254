"""COPY turned round: from a path in the image to the source it was copied from.

Source: the Dockerfile reference, "COPY"; Go, ``path/filepath.Match``.
"""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind, clean_path
from layertrace.provenance.trees import resolve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.build import Instruction
    from layertrace.provenance.trees import Tree

_WILDCARDS: Final = re.compile(r"[*?\[\\]")
MAX_EXPANDED: Final = 100_000
"""Sources one wildcard may stand for."""


def copied_from(
    instruction: Instruction, path: str, *, image: Tree, source: Tree | None
) -> tuple[str, ...]:
    """Return the source paths that a COPY would have put at ``path``.

    Args:
        instruction: a COPY or ADD.
        path: in the image, rootfs-relative.
        image: the image's own file system, for links and directories on the way.
        source: the stage, image or context copied from; None when not at hand,
            and then a source may be a file as well as a directory.

    Returns:
        Rootfs-relative paths, the likeliest first: where two sources land on
        one path, the later one overwrote the earlier.
    """
    sources = [s for s in instruction.args[:-1] if not _is_document(instruction, s)]
    found: list[str] = []
    for destination in destinations(instruction, image):
        for text in reversed(sources):
            if "parents" in instruction.flags:
                found += _with_parents(text, destination, path)
            else:
                found += _plain(text, destination, path, instruction, image, source)
    return tuple(dict.fromkeys(found))


def destinations(instruction: Instruction, image: Tree) -> tuple[str, ...]:
    """Return where a COPY writes to: as written, and with the image's links followed."""
    written = clean_path(posixpath.join(instruction.workdir or "/", instruction.args[-1]))
    followed = resolve(image, written)
    return tuple(dict.fromkeys((written, followed)))


def _is_document(instruction: Instruction, text: str) -> bool:
    return text.startswith("<<") and bool(instruction.heredocs)


def _into_directory(instruction: Instruction, destination: str, image: Tree) -> bool:
    """Say whether the destination names a directory to put sources in."""
    written = instruction.args[-1]
    if len(instruction.args) > 2 or written.endswith(("/", "/.")) or written in {".", ".."}:  # noqa: PLR2004
        return True
    item = image.find(destination)
    return item is not None and item.kind is EntryKind.DIR


def _plain(  # noqa: PLR0913, PLR0917 - the six things a copy depends on
    text: str,
    destination: str,
    path: str,
    instruction: Instruction,
    image: Tree,
    source: Tree | None,
) -> Iterator[str]:
    into = _into_directory(instruction, destination, image)
    for literal in _expand(text, destination, path, source):
        kind = _kind(source, literal)
        if kind in {EntryKind.DIR, None}:
            if path == destination:
                yield literal
            elif not destination or path.startswith(destination + "/"):
                below = path[len(destination) + 1 :] if destination else path
                yield f"{literal}/{below}" if literal else below
        if kind is not EntryKind.DIR and literal:
            name = literal.rpartition("/")[2]
            target = f"{destination}/{name}".lstrip("/") if into else destination
            if path == target:
                yield literal


def _kind(source: Tree | None, path: str) -> EntryKind | None:
    """Return what a source is once links are followed; None when it cannot be looked at."""
    if source is None:
        return None
    item = source.find(resolve(source, path))
    return EntryKind.FILE if item is None else item.kind


def _expand(text: str, destination: str, path: str, source: Tree | None) -> list[str]:
    """Return the sources a written source stands for."""
    if not _WILDCARDS.search(text):
        return [clean_path(text)]
    pattern = clean_path(text).split("/")
    if source is not None:
        return list(_matching(source, "", pattern))[:MAX_EXPANDED]
    # Without the source tree only a file straight in the destination tells
    # its own name, and only under a directory that is no pattern itself.
    below = path[len(destination) + 1 :] if destination else path
    name = below.partition("/")[0]
    folder = pattern[:-1]
    if any(_WILDCARDS.search(part) for part in folder) or not name_matches(pattern[-1], name):
        return []
    return ["/".join([*folder, name])]


def _matching(tree: Tree, folder: str, pattern: list[str]) -> Iterator[str]:
    head, *rest = pattern
    for name in sorted(tree.children.get(resolve(tree, folder), ())):
        if name_matches(head, name):
            path = f"{folder}/{name}" if folder else name
            if rest:
                yield from _matching(tree, path, rest)
            else:
                yield path


def name_matches(pattern: str, name: str) -> bool:
    r"""Say whether one path part matches, as Go's ``filepath.Match`` has it.

    >>> name_matches("*.js", "a.js"), name_matches("[^a-c]?", "dx"), name_matches(r"\*", "x")
    (True, True, False)
    """
    compiled = _compiled(pattern)
    return compiled is not None and compiled.fullmatch(name) is not None


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Return the regular expression of a pattern; None for a malformed one."""
    out: list[str] = []
    position = 0
    while position < len(pattern):
        char = pattern[position]
        position += 1
        if char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif char == "\\" and position < len(pattern):
            out.append(re.escape(pattern[position]))
            position += 1
        elif char == "[":
            end = pattern.find("]", position + 1)
            if end == -1:
                return None
            body = pattern[position:end]
            negated = body.startswith("^")
            inner = re.sub(r"([\[&|~])", r"\\\1", body[negated:])
            out.append(f"[{'^' if negated else ''}{inner}]")
            position = end + 1
        else:
            out.append(re.escape(char))
    try:
        return re.compile("".join(out), re.DOTALL)
    except re.error:
        return None


def _with_parents(text: str, destination: str, path: str) -> Iterator[str]:
    """COPY --parents keeps the source's own folders, from ``/./`` on where it is written."""
    if destination and not path.startswith(destination + "/"):
        return
    below = path[len(destination) + 1 :] if destination else path
    head, pivot, tail = text.partition("/./")
    folder, kept = (clean_path(head), clean_path(tail)) if pivot else ("", clean_path(text))
    pattern, parts = kept.split("/"), below.split("/")
    if all(name_matches(p, part) for p, part in zip(pattern, parts, strict=False)):
        yield f"{folder}/{below}" if folder else below
