"""What is strange about an image, as people read it: which layer, what is wrong, what to do."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from layertrace.model.image import Absence
from layertrace.pipeline.damage import AGAIN, REMEDIES
from layertrace.provenance.alignment.history import CONTRADICTED
from layertrace.views.outline_row import layer_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layertrace.model.origin import Finding

LAYER_CODE: Final = "layer-"
"""How the code of a finding begins that says what is wrong with one layer."""
_LAYER: Final = re.compile(r"layer (\d+)(?P<digest> \(sha256:[0-9a-f]+…\))?")
"""How a message begins that is about one layer; there they are counted from 0."""
_STEPS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **{f"{LAYER_CODE}{absence.value}": REMEDIES[absence] for absence in Absence},
        "layer-damaged": AGAIN,
        "archive-damaged": AGAIN,
        "config-missing": AGAIN,
        "digest-mismatch": AGAIN,
        CONTRADICTED: "give the Dockerfile it was built from with -f",
        "stage-contradicted": "give an image of that stage from the same build: --stage NAME=IMAGE",
        "stage-damaged": "save or copy the image of that stage again",
        "provenance-contradicted": "give the provenance of this image's build with --provenance",
        "layers-unread": "r reads on",
    }
)
"""What to do, by a finding's code; what says so itself, or needs nothing, is not here."""


_LOST: Final = frozenset(
    {
        *(f"{LAYER_CODE}{absence.value}" for absence in Absence),
        "layer-damaged",
        "archive-damaged",
        "config-missing",
        "digest-mismatch",
    }
)
"""Codes that say that something of the image is not there, or not as it was."""


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings as they matter: what is lost, what one can mend, what is only strange."""

    def rank(finding: Finding) -> int:
        return 0 if finding.code in _LOST else 1 if finding.code in _STEPS else 2

    return tuple(sorted(findings, key=rank))


def finding_words(finding: Finding, *, brief: bool = False) -> str:
    """Return what was found, not yet safe to show; a layer is called as in its row.

    Args:
        finding: one of an image's.
        brief: what matters most first, and without the layer's digest.
    """
    if brief and finding.code == CONTRADICTED and "declared" in finding.facts:
        other = finding.facts.get("recorded", finding.facts.get("attested"))
        words = f"not this image's Dockerfile: {finding.facts['declared']}; it has {other}"
        return " ".join(words.split())
    begin = _LAYER.match(finding.message)
    if begin is None or finding.facts.get("layer") != int(begin[1]):
        return finding.message
    digest = "" if brief else begin["digest"] or ""
    return f"{layer_name(int(begin[1]))}{digest}{finding.message[begin.end() :]}"


def fact_words(name: str, value: object) -> str:
    """Return one of a finding's facts, not yet safe to show; layers are called as in their rows.

    >>> fact_words("layers", [0, 2]), fact_words("layers", 3), fact_words("stages", {"a": "x"})
    ('L1, L3', '3', 'a: x')
    """
    if isinstance(value, (list, tuple)):
        named = name == "layers"
        words = (layer_name(n) if named and isinstance(n, int) else str(n) for n in value)
        return ", ".join(words)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {fact_words('', each)}" for key, each in value.items())
    said = {None: "not known", True: "yes", False: "no"}
    return said[value] if value is None or isinstance(value, bool) else str(value)


def next_step(code: str) -> str:
    """Return what to do about findings of a code; empty where there is nothing to say.

    >>> next_step("layer-foreign")
    'skopeo copy IMAGE docker-archive:FILE fetches it too'
    """
    return _STEPS.get(code, "")
