"""Back and forward between the places a user jumped from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the user was."""

    pane: str
    row: str
    """Key of the outline row at the cursor of pane 1."""
    upto: bool
    node: int | None
    """The path at the cursor of the tree."""
    view: str
    """What pane 2 showed: the tree, or a list's name."""
    subject: int | None
    """The path that pane 3 explained."""
    why_line: int


class Trail:
    """Places left by jumps, as a browser keeps them."""

    def __init__(self) -> None:
        self._back: list[Place] = []
        self._forward: list[Place] = []

    def leave(self, place: Place) -> None:
        """Remember where a jump starts; what lay ahead is forgotten."""
        self._back.append(place)
        self._forward.clear()

    def back(self, here: Place) -> Place | None:
        """Return where the last jump started, None where there was none."""
        if not self._back:
            return None
        self._forward.append(here)
        return self._back.pop()

    def forward(self, here: Place) -> Place | None:
        """Return where the last step back came from."""
        if not self._forward:
            return None
        self._back.append(here)
        return self._forward.pop()
