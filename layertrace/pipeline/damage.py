"""What is wrong with layers that were walked, and what can be relied on no more."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from layertrace.errors import LayerError
from layertrace.model.image import Absence
from layertrace.model.origin import Finding, Trust

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from layertrace.layers.index import LayerIndex
    from layertrace.model.image import Image
    from layertrace.pipeline.parts import OpenStage, Parts
    from layertrace.provenance.alignment.history import Alignment


AGAIN: Final = "save or copy the image again"
"""What to do about bytes that are lost or wrong."""
REMEDIES: Final[Mapping[Absence, str]] = MappingProxyType(
    {
        Absence.MISSING: f"{AGAIN}, with all of its layers",
        Absence.FOREIGN: "skopeo copy IMAGE docker-archive:FILE fetches it too",
        Absence.ENCRYPTED: "skopeo copy --decryption-key KEY makes a copy that can be read",
    }
)
"""What to do about a layer that cannot be read at all."""


def layer_findings(
    image: Image, indexes: Sequence[LayerIndex], unread: Container[int] = ()
) -> tuple[Finding, ...]:
    """Return what is strange about the layers, base first; nothing of those not read."""
    found: list[Finding] = []
    for layer, index in zip(image.layers, indexes, strict=True):
        if layer.index in unread:
            continue
        facts: dict[str, object] = {"layer": layer.index}
        if index.damage:
            code = f"layer-{layer.absence.value if layer.absence is not None else 'damaged'}"
            found.append(Finding(code=code, message=index.damage, facts=facts))
        found += (
            Finding(code=code, message=placed(layer.index, message), facts=facts)
            for code, message in index.notes
        )
    return tuple(found)


def false_layers(image: Image, indexes: Sequence[LayerIndex]) -> tuple[int, ...]:
    """Return the layers whose bytes are not those that the configuration names."""
    return tuple(
        layer.index
        for layer, index in zip(image.layers, indexes, strict=True)
        if layer.diff_id and index.diff_id and index.diff_id != layer.diff_id
    )


def placed(number: int, message: str) -> str:
    """Return a message that says of which layer it is."""
    name = f"layer {number}"
    return message if message.startswith(name) else f"{name}: {message}"


def refuse_nothing(image: Image, indexes: Sequence[LayerIndex]) -> None:
    """Refuse an image of which nothing can be read.

    Raises:
        LayerError: every layer is damaged before its first entry.
    """
    if indexes and all(i.damage and not (len(i) or i.whiteouts or i.opaques) for i in indexes):
        absence = image.layers[0].absence
        raise LayerError(
            indexes[0].damage,
            why=f"no layer of {image.reference} can be read",
            hint=AGAIN if absence is None else REMEDIES[absence],
        )


def damaged_stage(stage: OpenStage, indexes: Sequence[LayerIndex]) -> tuple[Finding, ...]:
    """Return why the image of a stage is not compared with."""
    damage = next(index.damage for index in indexes if index.damage)
    message = f"the image of stage {stage.name} is not compared with: {damage}"
    return (Finding(code="stage-damaged", message=message),)


def distrusted(parts: Parts, indexes: Sequence[LayerIndex]) -> Parts:
    """Return the parts with no trust in layers that are not those the configuration names.

    Their instruction was told by the configuration, which knows nothing of such layers.
    """
    lying = false_layers(parts.head.image, indexes)
    if not lying:
        return parts
    layers = tuple(
        replace(layer, trust=Trust.CONTRADICTED) if layer.index in lying else layer
        for layer in parts.head.layers
    )
    return replace(
        parts,
        alignment=_without(parts.alignment, lying),
        head=replace(parts.head, layers=layers),
    )


def distrusted_stage(
    stage: OpenStage, indexes: Sequence[LayerIndex]
) -> tuple[Alignment, tuple[Finding, ...]]:
    """Return the same of a stage's image: how far its layers are its instructions' work."""
    image = stage.stored.image
    lying = false_layers(image, indexes)
    if not lying:
        return stage.alignment, ()
    findings = tuple(
        replace(each, message=f"stage {stage.name}: {each.message}")
        for each in layer_findings(image, indexes)
        if each.code == "digest-mismatch"
    )
    return _without(stage.alignment, lying), findings


def _without(alignment: Alignment, lying: Sequence[int]) -> Alignment:
    steps = tuple(
        replace(step, trust=Trust.CONTRADICTED) if step.layer in lying else step
        for step in alignment.steps
    )
    return replace(alignment, steps=steps, exact=False)
