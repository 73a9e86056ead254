"""Rules about where files, and the image itself, come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.analysis.audit.globs import PathSet
from layertrace.analysis.audit.kinds import Verdict
from layertrace.analysis.audit.subject import of_image
from layertrace.model.audit import Match
from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change, OriginKind, Trust
from layertrace.pipeline.opening.bases import claim_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.analysis.audit.policy import Setting
    from layertrace.analysis.audit.subject import Subject
    from layertrace.model.build import Build, Stage

NO_DOCKERFILE: Final = "no Dockerfile is known: give -f Dockerfile"
NOT_BUILT: Final = "the Dockerfile given is not the one it was built from"
_DIR: Final = int(EntryKind.DIR)
_KNOWN: Final = frozenset({Trust.VERIFIED, Trust.INFERRED})
_SCRATCH: Final = "scratch"
_DOUBTED: Final = frozenset({"provenance-contradicted", "provenance-unreadable"})


def judge_unknown_origin(subject: Subject, setting: Setting) -> Verdict:
    """Find files that nothing known put there, or of which evidence disagrees."""
    if subject.head.build is None:
        return Verdict(skipped=NO_DOCKERFILE)
    table, allowed = subject.trace.table, PathSet(setting.allow)
    matches = []
    for row, trust in enumerate(table.trusts):
        label = table.labels[table.label_ids[row]]
        known = trust in _KNOWN and label.kind is not OriginKind.UNKNOWN
        if not setting.strict and trust is not Trust.CONTRADICTED:
            # Which instruction of the stage made it, only the stage's image can tell.
            known = known or label.carried_from is not None
        # Of folders an image has many that nobody made on purpose.
        if known or table.kinds[row] == _DIR or table.changes[row] is Change.REMOVED:
            continue
        path, layer = table.paths[row], table.layers[row]
        if path in allowed or (subject.head.layers[layer].base and not setting.base):
            continue
        matches.append(subject.match(path, layer, _doubt_words(trust, label.carried_from)))
    return Verdict(matches=tuple(matches))


def _doubt_words(trust: Trust, carried_from: str | None) -> str:
    if trust is Trust.CONTRADICTED:
        return "evidence of its origin disagrees"
    if carried_from is None:
        return "origin unknown"
    return f"copied out of {carried_from}, whose image is not at hand: --stage {carried_from}=IMAGE"


def judge_known_base(subject: Subject, _: Setting) -> Verdict:
    """Ask whether anything says which image this one was built on."""
    if subject.build is not None or claim_of(subject.head.image) is not None:
        return Verdict()
    detail = "neither a Dockerfile nor the image itself names the base"
    return Verdict(matches=(of_image(detail),))


def judge_pinned_base(subject: Subject, _: Setting) -> Verdict:
    """Find base images that are named by a tag, which may mean another image tomorrow."""
    if subject.build is not None:
        return Verdict(matches=tuple(_unpinned(subject.build)))
    if subject.head.build is not None:
        return Verdict(skipped=NOT_BUILT)
    claim = claim_of(subject.head.image)
    if claim is None:
        return Verdict(skipped="the base is not known: give -f Dockerfile")
    if claim.digest:
        return Verdict()
    return Verdict(matches=(of_image(f"the base is recorded as {claim.name}, without a digest"),))


def _unpinned(build: Build) -> Iterator[Match]:
    used = build.used()
    for stage in build.stages:
        external = stage.index in used and stage.base_stage is None
        if external and stage.base.lower() != _SCRATCH and "@" not in stage.base:
            yield Match(
                path=None,
                layer=None,
                stage=stage.name,
                line=stage.line,
                instruction=stage.text,
                visible=True,
                detail=_unpinned_words(stage),
            )


def _unpinned_words(stage: Stage) -> str:
    if stage.base_digest:
        return f"{stage.base} was {stage.base_digest} in this build: write @ and that behind it"
    return f"{stage.base} has no digest"


def judge_provenance(subject: Subject, _: Setting) -> Verdict:
    """Ask for the builder's provenance, and whether it is of this image."""
    against = [each for each in subject.head.findings if each.code in _DOUBTED]
    if against:
        return Verdict(matches=tuple(of_image(each.message) for each in against))
    if subject.trace.attestation is None:
        return Verdict(matches=(of_image("no provenance came with the image"),))
    return Verdict()
