"""The lower layers of an image, taken for an image of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from layertrace.pipeline.parts import Parts


def first_layers(parts: Parts, count: int) -> Parts:
    """Return the parts of an image as they were when it had so many layers."""
    head, alignment = parts.head, parts.alignment
    image = head.image
    return replace(
        parts,
        alignment=replace(alignment, steps=alignment.steps[:count]),
        head=replace(
            head,
            layers=head.layers[:count],
            image=replace(image, layers=image.layers[:count]),
        ),
        unread=tuple(layer for layer in parts.unread if layer < count),
        proven=tuple(step for step in parts.proven if step.layer < count),
    )
