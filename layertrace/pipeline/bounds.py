"""What an image may hold in all, looked at where all of it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.errors import LimitError
from layertrace.model.limits import GRACE

if TYPE_CHECKING:
    from layertrace.layers.index import LayerIndex
    from layertrace.model.image import Image
    from layertrace.model.limits import Limits


def refuse_layers(image: Image, limits: Limits) -> None:
    """Refuse an image of too many layers, before any is looked at.

    Raises:
        LimitError: it has more than any engine could run.
    """
    if len(image.layers) > limits.layers:
        raise LimitError(
            f"{image.reference} has {len(image.layers):,} layers",
            limit="layers",
            allowed=limits.layers,
        )


class ImageRoom:
    """What the layers of one image may still hold, from the cache or not."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._entries = 0
        self._names = 0

    def take(self, index: LayerIndex, name: str) -> None:
        """Count one more layer.

        Raises:
            LimitError: it, or all so far together, hold too much.
        """
        limits = self._limits
        entries = len(index) + len(index.whiteouts) + len(index.opaques)
        names = index.name_bytes
        self._entries += entries
        self._names += names
        for limit, allowed, of_layer, of_image, what in (
            ("entries", limits.entries, entries, self._entries, "entries"),
            ("names", limits.names, names, self._names, "bytes of names"),
        ):
            if of_layer > allowed or of_image > limits.of_image(allowed):
                raise LimitError(
                    f"{name} has {of_layer:,} {what}, with the layers below it {of_image:,}",
                    limit=limit,
                    allowed=allowed,
                )

    def has(self, index: LayerIndex) -> bool:
        """Count one more layer; say whether it, and all so far together, hold no more."""
        try:
            self.take(index, "")
        except LimitError:
            return False
        return True


def is_bomb(index: LayerIndex, number: int, limits: Limits) -> bool:
    """Say whether a sparse file would expand to more than anything has reason to."""
    parts = index.sparse.get(number)
    if parts is None:
        return False
    allowed = max(GRACE, limits.ratio * sum(size for _, size in parts))
    return index.sizes[number] > min(allowed, limits.size)


def refuse_bomb(index: LayerIndex, number: int, limits: Limits) -> None:
    """Refuse to expand a sparse file to more than anything has reason to.

    Raises:
        LimitError: it would.
    """
    if is_bomb(index, number, limits):
        size = index.sizes[number]
        stored = sum(part for _, part in index.sparse[number])
        limit = "size" if size > limits.size else "ratio"
        raise LimitError(
            f"/{index.paths[number]} expands to {size:,} bytes out of {stored:,}",
            limit=limit,
            allowed=limits.size if limit == "size" else limits.ratio,
        )
