"""What to change, and in which line, so that a leftover does not ship.

There is never any text of an image in it but the names of homes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.analysis.leftovers.rules import Rule
    from layertrace.model.trace import LayerInfo
    from layertrace.model.waste import StepBytes, WastedPath

_IN_BASE: Final = "what the base image has of it, only another base image is without"
_ALL_IN_BASE: Final = "part of the base image: only another base image is without it"
_HOME: Final = re.compile(r"home/[a-z_][a-z0-9_-]{0,31}/")


def word_advice(
    rule: Rule,
    paths: Sequence[WastedPath],
    written_by: Sequence[StepBytes],
    layers: Sequence[LayerInfo],
) -> str:
    """Return the advice of a rule for what certain steps wrote, the largest of each first."""
    own = [share.step.layer for share in written_by if not share.base]
    if not own:
        return _ALL_IN_BASE
    general = rule.advice
    if home := _HOME.match(paths[0].path):
        general = general.replace("=/root/", f"=/{home[0]}")
    advice = _for_step(general, layers[own[0]])
    return advice if len(own) == len(written_by) else f"{advice}; {_IN_BASE}"


def _for_step(general: str, layer: LayerInfo) -> str:
    """Return the advice with the line it is for, where there is one."""
    if layer.line is None or layer.lines:
        return general
    keyword = (layer.instruction or "").partition(" ")[0].upper()
    if keyword not in {"COPY", "ADD"}:
        return f"line {layer.line}: {general}"
    if layer.source is None:
        return f"line {layer.line}: leave it out by .dockerignore, or copy less"
    return f"line {layer.line}: copy less, or where it comes from: {general}"
