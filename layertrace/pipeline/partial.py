"""An image of which some layers were not read: what can be told of it, and what cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from layertrace.archive.blob import AbsentReader
from layertrace.errors import LayerError
from layertrace.layers.walk import walk_layer
from layertrace.model.origin import Finding
from layertrace.pipeline.contents import layer_name
from layertrace.pipeline.heads import count_files, with_findings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.layers.index import LayerIndex
    from layertrace.model.image import LayerRef
    from layertrace.model.trace import ImageHead
    from layertrace.pipeline.parts import Parts

UNREAD: Final = "layers-unread"
UNCOMPARED: Final = "stages-unread"


def fill_up(
    parts: Parts, read: Mapping[int, LayerIndex]
) -> tuple[Parts, tuple[LayerIndex, ...]] | None:
    """Return an image's parts, and an index of every layer: of those not read it holds nothing.

    Such an index counts as damaged, so whoever asks for what only all layers together can
    tell is refused as for an archive that is cut off.

    Args:
        parts: of the image.
        read: the indexes of the layers that were read.

    Returns:
        None where nothing was read that there is anything to see of.
    """
    layers = parts.stored.image.layers
    if layers and not any(len(index) for index in read.values()):
        return None
    unread = tuple(layer.index for layer in layers if layer.index not in read)
    indexes = tuple(
        read[layer.index] if layer.index in read else _nothing_of(layer) for layer in layers
    )
    head = with_findings(parts.head, () if unread else (_uncompared(),))
    return replace(parts, head=head, unread=unread), indexes


def without_guesses(head: ImageHead, unread: tuple[int, ...]) -> ImageHead:
    """Return a head that says nothing of layers that were not read, nor of what they hide."""
    if not unread:
        return head
    layers = tuple(
        replace(layer, size=None, files=None, wasted=None)
        if layer.index in unread
        else replace(layer, wasted=None if layer.index < unread[-1] else layer.wasted)
        for layer in head.layers
    )
    return replace(head, layers=layers, size=None)


def sizes_so_far(head: ImageHead, read: Mapping[int, LayerIndex]) -> ImageHead:
    """Return the head with what each layer weighs that was read; what of it is hidden is open."""
    layers = tuple(
        replace(layer, size=read[layer.index].stored_bytes, files=count_files(read[layer.index]))
        if layer.index in read
        else layer
        for layer in head.layers
    )
    return replace(head, layers=layers)


def unread_finding(unread: tuple[int, ...]) -> Finding:
    """Return what the user should know of layers that were not read."""
    one = len(unread) == 1
    subject = "one layer was not read: it" if one else f"{len(unread)} layers were not read: they"
    message = f"{subject} may add files, and replace or remove what is shown"
    return Finding(code=UNREAD, message=message, facts={"layers": list(unread)})


def _uncompared() -> Finding:
    return Finding(
        code=UNCOMPARED,
        message="not all was read that the image is compared with: "
        "origins are less sure than they could be",
    )


def _nothing_of(layer: LayerRef) -> LayerIndex:
    name = layer_name(layer)
    return walk_layer(AbsentReader(LayerError(f"{name} was not read")), name=name).index
