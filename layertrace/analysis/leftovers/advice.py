"""What to change, and in which line, so that a leftover does not ship.

Never any text out of an image or Dockerfile: an advice is printed as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.analysis.leftovers.rules import Rule
    from layertrace.model.trace import LayerInfo
    from layertrace.model.waste import StepBytes

_IN_BASE: Final = "what the base image has, only another base image is without"
_ALL_IN_BASE: Final = "it is all in the base image: only another one, a slim one, is without"


def word_advice(rule: Rule, written_by: Sequence[StepBytes], layers: Sequence[LayerInfo]) -> str:
    """Return the advice of a rule for what certain steps wrote, the largest share first."""
    own = [share.step.layer for share in written_by if not share.base]
    if not own:
        return _ALL_IN_BASE
    advice = _for_step(rule, layers[own[0]])
    return advice if len(own) == len(written_by) else f"{advice}; {_IN_BASE}"


def _for_step(rule: Rule, layer: LayerInfo) -> str:
    if layer.line is None or layer.lines:
        return rule.advice
    keyword = (layer.instruction or "").partition(" ")[0].upper()
    if keyword not in {"COPY", "ADD"}:
        return f"line {layer.line}: {rule.advice}"
    if layer.source is None:
        return f"line {layer.line}: leave it out by .dockerignore, or copy less"
    return f"line {layer.line}: copy less, or in the stage it comes from: {rule.advice}"
