"""ADD of a local archive: a path in the image traced to what is in the archive.

Builders tell an archive by its content and unpack it at the destination, over links
and directories that stand there; any other file they copy as it is.

Source: the Dockerfile reference, "ADD"; moby ``pkg/archive`` for how it is unpacked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.provenance.compare import Comparison, Likeness, compare
from layertrace.provenance.patterns import has_wildcards
from layertrace.provenance.sources import Copy, Made, copying_at
from layertrace.provenance.trees import resolve_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.build import Instruction
    from layertrace.provenance.copies import Copying
    from layertrace.provenance.hops import At
    from layertrace.provenance.trees import Tree

_ARCHIVE_ENDS: Final = (".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".gz", ".bz2", ".xz", ".zst")


def perhaps_unpacked(at: At, copy: Copy, instruction: Instruction, tree: Tree | None) -> Copy:
    """Return where an ADD had a path from, an archive taken into account.

    Args:
        at: the path.
        copy: what it would come from if nothing were unpacked.
        instruction: the ADD.
        tree: the build context, where it is at hand.
    """
    if copy.made is Made.YES or instruction.flags.get("unpack", ("",))[-1] == "false":
        return copy
    if copy.comparison is not None and copy.comparison.likeness is not Likeness.OTHER:
        return copy
    copying = copying_at(at, instruction, tree)
    if tree is None:
        return _by_name(at, copy, copying)
    return _by_content(at, copy, copying, tree)


def _by_content(at: At, copy: Copy, copying: Copying, tree: Tree) -> Copy:
    """Look into the sources; what cannot be looked into may be an archive."""
    opened = {path: tree.unpacked(path) for path in copying.found_sources(tree)}
    archives = {path: each.tree for path, each in opened.items() if each.tree is not None}
    sure = all(each.sure for each in opened.values())
    if at.item.kind is EntryKind.DIR and at.path in copying.destinations and (archives or not sure):
        return Copy(paths=(), made=Made.YES)
    found = [out for path, each in archives.items() if (out := _out_of(at, copying, path, each))]
    for out in found:
        if out.comparison is not None and out.comparison.likeness is not Likeness.OTHER:
            return out
    if not sure:
        return _by_name(at, copy, copying)
    if archives and not copying.destinations and at.item.kind is EntryKind.DIR:
        return replace(copy, made=Made.PERHAPS)
    if archives and not found:
        # Links of the image, or a directory nobody knows, may have led it here.
        return replace(copy, paths=tuple(archives), comparison=None, found=None)
    return found[0] if found else copy


def _by_name(at: At, copy: Copy, copying: Copying) -> Copy:
    """Go by the names of the sources, their content not being at hand.

    What is not found in the context and may come out of an archive contradicts nothing.
    """
    if copy.found is not None:
        return copy
    written = copying.instruction.args[:-1]
    archives = tuple(
        source.removeprefix("./").lstrip("/")
        for source in written
        if source.lower().endswith(_ARCHIVE_ENDS)
    )
    if at.path in copying.destinations:
        # Nothing was unpacked to there.
        sure = copy.complete and copy.comparison is None
        return replace(copy, complete=sure, comparison=None)
    if not archives:
        # A folder is as likely as an archive that is not called one.
        return replace(copy, complete=False, comparison=None)
    plain = tuple(path for path in copy.paths if not path.lower().startswith(_starts(archives)))
    only = len(written) == 1 and not has_wildcards(archives[0])
    paths = archives if only else (*plain, *archives)
    return replace(copy, paths=paths, complete=only, comparison=None, made=Made.NO)


def _starts(archives: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(f"{archive}/".lower() for archive in archives)


def _out_of(at: At, copying: Copying, archive: str, inside: Tree) -> Copy | None:
    """Compare a path with the member of an archive that was unpacked to it."""
    for member in _members(at, copying, inside):
        item = inside.find(member)
        if item is None:
            continue
        comparison = compare(
            at.item,
            item,
            copying.instruction,
            digests=lambda: (at.digest, inside.digest(member)),  # noqa: B023 - called at once
            top=False,
        )
        if copying.destinations or comparison.likeness is not Likeness.OTHER:
            return Copy(paths=(archive,), found=archive, member=member, comparison=comparison)
    if at.item.kind is not EntryKind.FILE or not copying.destinations:
        return None
    missing = Comparison(likeness=Likeness.OTHER, detail="not in it")
    return Copy(paths=(archive,), found=archive, comparison=missing)


def _members(at: At, copying: Copying, inside: Tree) -> Iterator[str]:
    """Yield the members of an archive that may have been unpacked to a path."""
    for destination in copying.destinations:
        if not destination or at.path.startswith(f"{destination}/"):
            yield at.path[len(destination) :].lstrip("/")
    if at.item.kind is not EntryKind.FILE:
        return
    if not copying.destinations:
        # Relative to a working directory that is not known.
        paths = inside.by_size.get(at.item.size, ())
        yield from (path for path in paths if f"/{at.path}".endswith(f"/{path}"))
    for destination in copying.destinations:
        for member in inside.by_size.get(at.item.size, ()):
            if resolve_folder(copying.image, f"{destination}/{member}".lstrip("/")) == at.path:
                yield member
