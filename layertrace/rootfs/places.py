"""Where an entry is: its layer, and its number there."""

from __future__ import annotations

from typing import Final, NamedTuple

STRIDE: Final = 1 << 32
"""A place is ``layer * STRIDE + number``: one int instead of a pair a path."""


class Place(NamedTuple):
    """One entry of one layer."""

    layer: int
    number: int
    """Of the entry in that layer's index."""
