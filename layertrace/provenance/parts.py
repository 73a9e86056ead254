"""The instructions that made one layer together, each with the image as it may have found it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from layertrace.provenance.hops import At
from layertrace.provenance.rootfs_tree import LowerTree, RootfsTree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.model.build import Instruction
    from layertrace.provenance.alignment.history import LayerStep
    from layertrace.provenance.hops import TracedImage
    from layertrace.provenance.trees import Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One of the instructions."""

    number: int
    """Its place among them, from 0."""
    step: LayerStep
    instruction: Instruction
    image: TracedImage
    """As if its work were the whole layer."""

    def at(self, at: At) -> At:
        """Return a path of the layer as this instruction's."""
        return At(image=self.image, path=at.path, place=at.place)

    @property
    def words(self) -> str:
        """What it is called where several may have made a path."""
        own, stage = self.instruction, self.step.stage
        name = stage.name if stage is not None else ""
        return f"{name}/{own.step} :{own.line} {own.text}"


def parts_of(image: TracedImage, layer: int) -> Iterator[Part]:
    """Yield the instructions of a layer, in their order."""
    tree = _SharedTree(image.tree, layer)
    steps = image.alignment.steps
    told = [(step, step.instruction) for step in steps[layer].parts if step.instruction]
    for number, (step, instruction) in enumerate(told):
        alone = (*steps[:layer], step, *steps[layer + 1 :])
        alignment = replace(image.alignment, steps=alone)
        yield Part(
            number=number,
            step=step,
            instruction=instruction,
            image=replace(image, tree=tree, alignment=alignment),
        )


class _SharedTree(RootfsTree):
    """An image one layer of which was not made at once."""

    def __init__(self, tree: RootfsTree, layer: int) -> None:
        super().__init__(tree.rootfs, tree.digest_at)
        self._shared = layer
        self._found = _FoundTree(tree, layer)

    def below(self, layer: int) -> LowerTree:
        """Return what an instruction whose layer this is may have found when it began."""
        return self._found if layer == self._shared else super().below(layer)


class _FoundTree(LowerTree):
    """What stood in an image while a layer was made: the links and folders made there, too."""

    def __init__(self, tree: RootfsTree, layer: int) -> None:
        super().__init__(tree, layer)
        self._after = tree.below(layer + 1)

    def find(self, path: str) -> Item | None:
        """Return what stands at ``path`` in the end, else what stood there at first."""
        return self._after.find(path) or super().find(path)
