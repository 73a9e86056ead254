"""One row of the outline of stages and layers, and how layers are called."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from layertrace.views.text import show_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.model.origin import OriginKind
    from layertrace.model.trace import LayerInfo


class OutlineKind(Enum):
    """What a row of the outline stands for."""

    IMAGE = "image"
    BASE = "base"
    STAGE = "stage"
    LOOSE = "loose"
    """Layers that no stage is known to have written."""
    LAYER = "layer"
    LINK = "link"
    """Under a COPY --from: the step that fed it, or the stage or image it copied from."""
    LEFT = "left"
    """Above the stages that are not shipped."""
    LEFT_STAGE = "left-stage"
    STEP = "step"
    NOTE = "note"
    SOURCE = "source"
    """A place outside every stage: the build context, a URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineRow:
    """One row; texts are as the image has them, not yet safe to show."""

    key: str
    """Stable while the image is better known: ``layer:3``, ``stage:0``."""
    kind: OutlineKind
    depth: int
    text: str
    detail: str = ""
    more: str = ""
    """Stands behind the detail where there is room for all of it."""
    stage_index: int | None = None
    stage: str = ""
    layers: tuple[int, ...] = ()
    size: int | None = None
    reading: bool = False
    """Its size is not known yet but will be."""
    line: int | None = None
    folds: bool = False
    target: str | None = None
    """Key of the row a link leads to."""
    origin: OriginKind | None = None
    step: bool = False
    """A link to the one step that made what a layer brought, not to a whole stage."""
    flaw: str = ""
    """What keeps its layer from being read whole: ``damaged``, ``missing``, ``foreign``."""
    idle: bool = False
    """A step that made nothing of the image."""


def layer_name(index: int) -> str:
    """Return how a layer of the final image is called, base first from 1.

    >>> layer_name(0)
    'L1'
    """
    return f"L{index + 1}"


def layer_text(layer: LayerInfo) -> str:
    """Return the instruction that made ``layer``, as well as it is known.

    Of a base layer that is what its own builder recorded: the Dockerfile at
    hand says ``FROM`` for all of them.
    """
    if layer.lines:
        return joint_text(layer)
    recorded = show_command(layer.created_by)
    text = recorded if layer.base else layer.instruction
    return " ".join((text or recorded or layer.instruction or "(nothing recorded)").split())


def joint_text(layer: LayerInfo) -> str:
    """Return what made a layer that is the work of several instructions."""
    first, last = min(layer.lines), max(layer.lines)
    if first == last:
        # Nobody joins one with nothing.
        return f"1 instruction and more in one layer, line {first}"
    return f"{len(layer.lines)} instructions in one layer, lines {first}-{last}"


def layers_name(layers: Sequence[int]) -> str:
    """Return how some layers in a row are called.

    >>> layers_name([0, 1, 2]), layers_name([3]), layers_name([])
    ('L1-L3', 'L4', 'no layer')
    """
    if not layers:
        return "no layer"
    first, last = layer_name(layers[0]), layer_name(layers[-1])
    return first if len(layers) == 1 else f"{first}-{last}"
