"""Visible files that an image could do without, and what to do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.analysis.leftovers.advice import word_advice
from layertrace.analysis.leftovers.rules import RULES
from layertrace.model.waste import Leftover, Step, StepBytes, WastedPath

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from layertrace.model.trace import LayerInfo
    from layertrace.pipeline.answers import ImageTrace

_RULES: Final = {rule.name: rule for rule in RULES}


class Counted(NamedTuple):
    """Bytes that one rule counts, twice told; of no path or layer there are none."""

    rule: str
    paths: Mapping[str, int]
    layers: Mapping[int, int]


def word_leftovers(trace: ImageTrace, counted: Iterable[Counted]) -> tuple[Leftover, ...]:
    """Return what was counted with what to do about it, the largest first."""
    layers = trace.sized_head.layers
    found = (_leftover(each, layers) for each in counted)
    return tuple(sorted(found, key=lambda each: (-each.bytes, each.rule)))


def _leftover(counted: Counted, layers: Sequence[LayerInfo]) -> Leftover:
    paths = _largest(counted.paths.items())
    shares = sorted(counted.layers.items(), key=lambda item: (-item[1], item[0]))
    written_by = tuple(_share(layers[layer], size) for layer, size in shares)
    return Leftover(
        rule=counted.rule,
        bytes=sum(each.bytes for each in paths),
        paths=paths,
        advice=word_advice(_RULES[counted.rule], paths, written_by, layers),
        written_by=written_by,
    )


def _largest(sizes: Iterable[tuple[str, int]]) -> tuple[WastedPath, ...]:
    found = sorted(sizes, key=lambda item: (-item[1], item[0]))
    return tuple(WastedPath(path=path, bytes=size) for path, size in found)


def _share(layer: LayerInfo, size: int) -> StepBytes:
    step = Step(
        layer=layer.index, stage=layer.stage, line=layer.line, instruction=layer.instruction
    )
    return StepBytes(step=step, base=layer.base, bytes=size)
