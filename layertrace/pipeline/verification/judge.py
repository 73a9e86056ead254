"""What is claimed of stored files against what they are."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.model.image import Absence
from layertrace.model.origin import Finding
from layertrace.model.verification import BlobCheck, BlobKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from layertrace.layers.index import LayerIndex
    from layertrace.model.verification import Claim, Inventory

_MISSING: Final = {BlobKind.LAYER: "layer-missing", BlobKind.CONFIG: "config-missing"}
_ELSEWHERE: Final = {
    Absence.FOREIGN: "foreign: it is to be fetched from elsewhere",
    Absence.ENCRYPTED: "encrypted: its diff_id cannot be checked without the key",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a stored file turned out to be when it was read."""

    size: int
    digest: str
    diff_id: str | None = None
    """Of a layer that could be unpacked to its end."""
    problems: tuple[Finding, ...] = ()
    """What is wrong with it whatever is claimed."""
    notes: tuple[Finding, ...] = ()
    index: LayerIndex | None = None
    """Of a layer."""


def judge(
    inventory: Inventory, facts_of: Callable[[Sequence[Claim]], Facts | None]
) -> tuple[BlobCheck, ...]:
    """Return a check a file, in the inventory's order.

    Args:
        inventory: what is claimed.
        facts_of: reads a file, given all that is claimed of it; None: it is not there.
    """
    faults: defaultdict[str, list[Finding]] = defaultdict(list)
    for fault in inventory.faults:
        faults[fault.blob].append(fault.finding)
    return tuple(
        _check(claims, facts_of(claims), faults[blob])
        for blob, claims in claims_by_blob(inventory).items()
    )


def claims_by_blob(inventory: Inventory) -> Mapping[str, Sequence[Claim]]:
    """Return all that is claimed of each file."""
    found: dict[str, list[Claim]] = {}
    for claim in inventory.claims:
        found.setdefault(claim.blob, []).append(claim)
    return found


def _check(claims: Sequence[Claim], facts: Facts | None, faults: Sequence[Finding]) -> BlobCheck:
    first = next((claim for claim in claims if claim.kind is BlobKind.LAYER), claims[0])
    problems, notes = list(faults), list[Finding]()
    if facts is None:
        for each in map(_absent, claims):
            (notes if each.code.endswith(("-foreign", "-not-stored")) else problems).append(each)
    else:
        problems += facts.problems
        for claim in claims:
            problems += _mismatches(claim, facts)
            notes += _unread(claim, facts)
        notes += facts.notes
    return BlobCheck(
        kind=first.kind,
        blob=first.blob,
        images=tuple(dict.fromkeys(claim.image for claim in claims if claim.image)),
        layer=first.layer,
        size=facts.size if facts is not None else None,
        digest=facts.digest if facts is not None else None,
        diff_id=facts.diff_id if facts is not None else None,
        problems=tuple(_distinct(problems)),
        notes=tuple(_distinct(notes)),
    )


def _absent(claim: Claim) -> Finding:
    facts: dict[str, object] = {"layer": claim.layer} if claim.layer is not None else {}
    if claim.absence is Absence.FOREIGN:
        return Finding(code="layer-foreign", message=_ELSEWHERE[Absence.FOREIGN], facts=facts)
    if claim.optional:
        return Finding(code="blob-not-stored", message="not stored here, only named")
    code = _MISSING.get(claim.kind, "blob-missing")
    return Finding(code=code, message="is not there", facts=facts)


def _unread(claim: Claim, facts: Facts) -> Iterator[Finding]:
    if claim.absence is Absence.ENCRYPTED and facts.diff_id is None:
        yield Finding(
            code="layer-encrypted",
            message=_ELSEWHERE[Absence.ENCRYPTED],
            facts={"layer": claim.layer},
        )


def _mismatches(claim: Claim, facts: Facts) -> Iterator[Finding]:
    if claim.size is not None and claim.size != facts.size:
        yield Finding(
            code="size-mismatch",
            message="another size than the image says: "
            f"expected {claim.size:,}, got {facts.size:,} bytes",
            facts={"expected": claim.size, "actual": facts.size},
        )
    # One that could not be unpacked has a problem of its own.
    other_tar = claim.diff_id is not None and facts.diff_id not in {None, claim.diff_id}
    if claim.digest is not None and claim.digest != facts.digest:
        both = other_tar and (claim.digest, facts.digest) == (claim.diff_id, facts.diff_id)
        yield _other("digest and diff_id" if both else "digest", claim.digest, facts.digest)
        other_tar = other_tar and not both
    if other_tar:
        yield _other("diff_id", claim.diff_id, facts.diff_id)


def _other(what: str, expected: str | None, actual: str | None) -> Finding:
    return Finding(
        code="digest-mismatch",
        message=f"another {what} than the image says: expected {expected}, got {actual}",
        facts={"expected": expected, "actual": actual},
    )


def _distinct(findings: Sequence[Finding]) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    for finding in findings:
        if (finding.code, finding.message) not in seen:
            seen.add((finding.code, finding.message))
            yield finding
