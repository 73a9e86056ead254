"""Chains that end at a COPY or ADD: out of the context, an image, a URL or the Dockerfile."""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Evidence, Origin, OriginKind, Trust, weakest
from layertrace.provenance.hops import Trail, origin_at, written
from layertrace.provenance.sources import Made, copy_hop, copying_at, find_source
from layertrace.provenance.unpacking import perhaps_unpacked

if TYPE_CHECKING:
    from layertrace.model.build import Instruction
    from layertrace.provenance.hops import At
    from layertrace.provenance.proofs import Proofs
    from layertrace.provenance.trees import Tree

UNKNOWN: Final = Origin(kind=OriginKind.UNKNOWN)
URL_STARTS: Final = ("http://", "https://", "git@", "git://", "ssh://")


def made_on_the_way(at: At) -> Trail:
    """Return the trail of a directory that an instruction made to put things in."""
    return written(at, OriginKind.WORKDIR, "made on the way")


def from_document(at: At, instruction: Instruction) -> Trail | None:
    """Trace what a heredoc wrote; None where the path is not one's."""
    if not instruction.heredocs or not copying_at(at, instruction, None).holds_document(at.path):
        return None
    trail = written(at, OriginKind.INLINE, "a heredoc of this line")
    digests = {
        f"sha256:{hashlib.sha256(document.content.encode()).hexdigest()}"
        for document in instruction.heredocs
    }
    hop = trail.hops[0]
    if at.digest in digests:
        hop = replace(hop, evidence=Evidence.MATCHED, detail="same content as the heredoc there")
    else:
        hop = replace(hop, trust=weakest(Trust.INFERRED, hop.trust))
    return replace(trail, hops=(hop,))


def from_url(at: At, instruction: Instruction) -> Trail | None:
    """Trace what an ADD fetched; None where the path is not a URL's."""
    urls = [source for source in instruction.args[:-1] if source.startswith(URL_STARTS)]
    if instruction.keyword != "ADD" or not urls:
        return None
    if at.item.kind is EntryKind.DIR and not any(map(_is_repository, urls)):
        return made_on_the_way(at) if len(urls) == len(instruction.args) - 1 else None
    if len(urls) < len(instruction.args) - 1:
        name = posixpath.basename(at.path)
        urls = [url for url in urls if posixpath.basename(url.partition("?")[0]) == name]
        if len(urls) != 1:
            return None
    trail = written(at, OriginKind.URL, "fetched by ADD")
    return replace(trail, origin=replace(trail.origin, path=" ".join(urls)))


def _is_repository(url: str) -> bool:
    return not url.startswith(("http://", "https://")) or url.partition("#")[0].endswith(".git")


def from_outside(
    at: At, instruction: Instruction, tree: Tree | None, kind: OriginKind, proofs: Proofs
) -> Trail:
    """Trace a copy from the build context or an external image: the chain ends there."""
    copy = find_source(at, instruction, tree)
    if instruction.keyword == "ADD":
        copy = perhaps_unpacked(at, copy, instruction, tree)
    if copy.made is Made.YES:
        return made_on_the_way(at)
    hop = proofs.improve(copy_hop(at, copy, _place(instruction)), at, copy, tree)
    if instruction.source_doubtful and hop.evidence not in {Evidence.MATCHED, Evidence.HASHED}:
        detail = f"{hop.detail}; {_doubt(instruction)}"
        hop = replace(hop, trust=weakest(Trust.UNKNOWN, hop.trust), detail=detail)
        return Trail(hops=(hop,), origin=UNKNOWN)
    if copy.made is Made.PERHAPS:
        detail = "a directory copied, or made to put the copied in: the source is not at hand"
        hop = replace(hop, trust=weakest(Trust.UNKNOWN, hop.trust), detail=detail)
        return Trail(hops=(hop,), origin=UNKNOWN)
    source = copy.path
    if source is not None:
        source = f"/{source}" if kind is OriginKind.IMAGE else source or "."
    origin = replace(origin_at(hop, kind, path=source), image=instruction.source_image)
    return Trail(hops=(hop,), origin=origin)


def _place(instruction: Instruction) -> str:
    if instruction.source_context is not None:
        return f"the build context {instruction.source_context}"
    return instruction.source_image or "the build context"


def _doubt(instruction: Instruction) -> str:
    if instruction.source_context is not None:
        return "that is the result of another target"
    return f"{instruction.source_image} may be an image or a build context of that name"
