"""What one COPY, ADD or WORKDIR wrote at a path, where others may have written there as well."""

from __future__ import annotations

import posixpath
from enum import Enum
from typing import TYPE_CHECKING

from layertrace.model.entry import EntryKind, clean_path
from layertrace.model.origin import Evidence
from layertrace.provenance.compare import Likeness
from layertrace.provenance.outside import URL_STARTS, from_document
from layertrace.provenance.sources import Made, copying_at, find_source
from layertrace.provenance.trees import resolve
from layertrace.provenance.unpacking import perhaps_unpacked

if TYPE_CHECKING:
    from layertrace.model.build import Instruction
    from layertrace.provenance.copies import Copying
    from layertrace.provenance.hops import At
    from layertrace.provenance.sources import Copy
    from layertrace.provenance.trees import Finder, Tree


class Wrote(Enum):
    """What an instruction put at a path, as far as that can be told."""

    NOTHING = 0
    PERHAPS = 1
    """This or nothing: its source is not at hand."""
    SURELY = 2
    """Something; its source is not at hand to tell whether it is this."""
    OTHER = 3
    """Other content."""
    SAME = 4
    """This very content, or this directory."""


def copy_wrote(at: At, instruction: Instruction, tree: Tree | None) -> Wrote:
    """Say what a COPY or ADD put at a path.

    Args:
        at: the path, in an image that holds what the instruction may have found.
        instruction: the COPY or ADD.
        tree: what it copied from; None: not at hand.
    """
    copying = copying_at(at, instruction, tree)
    if not _reaches(copying, at):
        return Wrote.NOTHING
    document = from_document(at, instruction)
    if document is not None:
        matched = document.hops[0].evidence is Evidence.MATCHED
        return Wrote.SAME if matched else Wrote.SURELY
    wrote = _copied(at, copying, tree)
    if wrote is Wrote.NOTHING and instruction.keyword == "ADD":
        return _fetched(at, copying)
    return wrote


def workdir_made(at: At, instruction: Instruction, image: Finder) -> Wrote:
    """Say whether a WORKDIR made a directory, if it was not there."""
    written, before = instruction.args[0], instruction.workdir
    if before is None and not written.startswith("/"):
        return Wrote.PERHAPS
    path = clean_path(posixpath.join(before or "/", written))
    ends = (path, resolve(image, path))
    return Wrote.SAME if any(f"{end}/".startswith(f"{at.path}/") for end in ends) else Wrote.NOTHING


def _reaches(copying: Copying, at: At) -> bool:
    """Say whether a path is where an instruction may have written at all."""
    ends = copying.destinations
    if not ends or any(not end or f"{at.path}/".startswith(f"{end}/") for end in ends):
        return True
    return at.item.kind is EntryKind.DIR and copying.leads_to(at.path)


def _copied(at: At, copying: Copying, tree: Tree | None) -> Wrote:
    instruction = copying.instruction
    plain = copy = find_source(at, instruction, tree)
    if instruction.keyword == "ADD":
        copy = perhaps_unpacked(at, copy, instruction, tree)
    if copy.made is not Made.NO:
        return Wrote.SAME if copy.made is Made.YES else Wrote.PERHAPS
    if copy.comparison is None:
        return _untold(at, copying, copy)
    if copy.comparison.likeness is not Likeness.OTHER:
        return Wrote.SAME
    stands = bool(copy.member) or (copy.found is not None and copy.found == plain.found)
    return Wrote.OTHER if stands else Wrote.NOTHING


def _untold(at: At, copying: Copying, copy: Copy) -> Wrote:
    """Say what was put at a path, there being nothing to compare it with."""
    if not copy.paths and copy.complete:
        return Wrote.NOTHING
    if at.item.kind is EntryKind.DIR or at.path not in copying.destinations:
        return Wrote.PERHAPS
    # What is put into a directory is not put in its place.
    return Wrote.NOTHING if copying.into(at.path) else Wrote.SURELY


def _fetched(at: At, copying: Copying) -> Wrote:
    """Say what an ADD of URLs put at a path; what it fetched is never at hand."""
    urls = [text for text in copying.instruction.args[:-1] if text.startswith(URL_STARTS)]
    if not urls:
        return Wrote.NOTHING
    names = {posixpath.basename(url.partition("?")[0]) for url in urls}
    into = {f"{end}/{name}".lstrip("/") for end in copying.destinations for name in names}
    return Wrote.SURELY if at.path in {*into, *copying.destinations} else Wrote.PERHAPS
