"""Whose a secret is: the layer, stage and Dockerfile line that brought it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from layertrace.analysis.secrets.texts import hide_secrets
from layertrace.model.audit import Match

if TYPE_CHECKING:
    from layertrace.analysis.secrets.recorded import Recorded
    from layertrace.model.build import Instruction
    from layertrace.model.trace import LayerInfo
    from layertrace.pipeline.answers import ImageTrace


def of_layer(layer: LayerInfo, *, path: str | None, visible: bool, detail: str) -> Match:
    """Return a match of what one layer stores; its instruction without secret values."""
    return Match(
        path=path,
        layer=layer.index,
        stage=layer.stage,
        line=layer.line,
        instruction=None if layer.instruction is None else hide_secrets(layer.instruction),
        visible=visible,
        detail=detail,
    )


class RecordedPlaces:
    """Finds the instructions that wrote secrets into an image's configuration."""

    def __init__(self, trace: ImageTrace) -> None:
        """Tie history entries to layers, and take the Dockerfile's instructions."""
        head = trace.sized_head
        self._layers = head.layers
        history = head.image.config.history
        filled = [n for n, entry in enumerate(history) if not entry.empty_layer]
        # A history that does not fit the layers says nothing of them.
        fits = len(filled) == len(head.layers)
        self._of_entry = dict(zip(filled, head.layers, strict=True)) if fits else {}
        build = head.build
        self._steps: list[tuple[str, Instruction]] = (
            []
            if build is None
            else [(s.name, step) for s in build.chain(build.target) for step in s.instructions]
        )

    def match(self, recorded: Recorded, words: str) -> Match:
        """Return where a secret of the configuration comes from."""
        name = f" {recorded.name}" if recorded.name else ""
        lead = f"{recorded.keyword}{name}, in" if recorded.keyword else "in"
        detail = f"{words}: {lead} {recorded.where}"
        layer = None if recorded.entry is None else self._of_entry.get(recorded.entry)
        found = self._step(recorded)
        if found is not None:
            stage, step = found
            return Match(
                path=None,
                layer=None if layer is None else layer.index,
                stage=stage,
                line=step.line or None,
                instruction=hide_secrets(step.text),
                visible=True,
                detail=detail,
            )
        if layer is not None:
            return of_layer(layer, path=None, visible=True, detail=detail)
        return Match(
            path=None,
            layer=None,
            stage=None,
            line=None,
            instruction=None,
            visible=True,
            detail=detail,
        )

    def _step(self, recorded: Recorded) -> tuple[str, Instruction] | None:
        """Return the last instruction that sets the variable, the build's own argument first."""
        if not recorded.name:
            return None
        keywords = {"ARG"} if recorded.keyword in {"RUN", "ARG"} else {recorded.keyword}
        word = re.compile(rf"(?<![\w.-]){re.escape(recorded.name)}(?![\w.-])")
        fits = (
            (stage, step)
            for stage, step in reversed(self._steps)
            if step.keyword in keywords and word.search(step.text)
        )
        return next(fits, None)
