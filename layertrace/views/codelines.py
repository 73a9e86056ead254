"""The Dockerfile as rows: whose stage each line is, and the layer it made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.provenance.alignment.history import CONTRADICTED
from layertrace.views.outline_row import layer_name
from layertrace.views.text import show_command, show_size

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from layertrace.model.build import Build
    from layertrace.model.trace import ImageHead, LayerInfo


_LINE: Final = re.compile(r"line (\d+), ")
"""How a difference begins that has a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRow:
    """One line; its text is as the image has it, not yet safe to show."""

    number: int | None
    """From 1; None in a Dockerfile rebuilt from the history, which has no lines."""
    text: str
    stage_index: int | None = None
    first: int | None = None
    """Number of the first line of the instruction it belongs to."""
    layers: tuple[int, ...] = ()
    note: str = ""
    """What the instruction that starts here made of the image."""
    against: bool = False
    """Not a line of it, but what the image has in place of the instruction above."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A whole Dockerfile."""

    name: str
    rows: tuple[CodeRow, ...]
    reconstructed: bool = False
    """Rebuilt from the image's history: no stages, no COPY --from, no comments."""
    contradicted: bool = False
    """Given, but not what this image was built from."""
    provenance_min: bool = False
    """The image's provenance, which might have held it, is of ``mode=min``."""


def build_code(head: ImageHead) -> Code:
    """Return the Dockerfile that was given, else what the history says it was."""
    if head.build is None:
        return Code(
            name="Dockerfile",
            rows=_from_history(head),
            reconstructed=True,
            provenance_min=head.provenance_min,
        )
    against = next((each for each in head.findings if each.code == CONTRADICTED), None)
    rows = _given(head, head.build)
    if against is not None:
        rows = tuple(_with_difference(rows, head.build, against.facts))
    return Code(name=head.build.name, rows=rows, contradicted=against is not None)


def _with_difference(
    rows: tuple[CodeRow, ...], build: Build, facts: Mapping[str, object]
) -> Iterator[CodeRow]:
    """Yield the lines of a Dockerfile, with what the image has instead where they differ first."""
    found = facts.get("recorded", facts.get("attested"))
    steps = [step for stage in build.stages for step in stage.instructions]
    place = _LINE.match(str(facts.get("declared")))
    first = int(place[1]) if place else build.stages[build.target].end_line
    last = next((step.end_line for step in steps if step.line == first), first)
    for row in rows:
        yield row
        if row.number == last and found is not None:
            text = " ".join(str(found).split())
            yield CodeRow(number=None, text=text, stage_index=row.stage_index, against=True)


def _given(head: ImageHead, build: Build) -> tuple[CodeRow, ...]:
    made: dict[int, list[LayerInfo]] = {}
    for layer in head.layers:
        for line in layer.lines or filter(None, [layer.line]):
            made.setdefault(line, []).append(layer)
    stages: dict[int, int] = {}
    firsts: dict[int, int] = {}
    for stage in build.stages:
        stages |= dict.fromkeys(range(stage.line, stage.end_line + 1), stage.index)
        # A FROM may run over several lines too; what follows it starts anew.
        after = min((i.line for i in stage.instructions), default=stage.end_line + 1)
        firsts |= dict.fromkeys(range(stage.line, after), stage.line)
        for step in stage.instructions:
            firsts |= dict.fromkeys(range(step.line, step.end_line + 1), step.line)
    rows = []
    # Not splitlines: that also breaks at form feeds, and the builders do not.
    lines = build.text.removesuffix("\n").split("\n")
    for number, text in enumerate(lines, start=1):
        layers = made.get(number, [])
        rows.append(
            CodeRow(
                number=number,
                text=text.rstrip(),
                stage_index=stages.get(number),
                first=firsts.get(number) if text.strip() else None,
                layers=tuple(layer.index for layer in layers),
                note=_note(layers),
            )
        )
    return tuple(rows)


def _from_history(head: ImageHead) -> tuple[CodeRow, ...]:
    history = head.image.config.history
    made = [entry for entry in history if not entry.empty_layer]
    # A history that does not fit the layers tells nothing of which made which.
    layers = iter(head.layers if len(made) == len(head.layers) else ())
    rows = []
    for entry in history:
        layer = None if entry.empty_layer else next(layers, None)
        rows.append(
            CodeRow(
                number=None,
                text=show_command(entry.created_by) or entry.comment or "(nothing recorded)",
                layers=() if layer is None else (layer.index,),
                note=_note([] if layer is None else [layer]),
            )
        )
    return tuple(rows)


def _note(layers: list[LayerInfo]) -> str:
    if not layers:
        return ""
    name = layer_name(layers[0].index)
    if len(layers) > 1:
        name += f"-{layer_name(layers[-1].index)}"
    sizes = [layer.size for layer in layers if layer.size is not None]
    return f"{name} {show_size(sum(sizes))}" if len(sizes) == len(layers) else name
