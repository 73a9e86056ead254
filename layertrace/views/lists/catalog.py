"""The lists there are, each by its name and key, and how each is made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from layertrace.pipeline.answers import ImageTrace
    from layertrace.views.lists.rows import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One list."""

    key: str
    title: str
    working: str
    """What is done while it is made."""
    make: Callable[[Any], Listing]
    """Makes it of an :class:`ImageTrace`; may read the image."""
    shown: bool = False
    """It has a place in the line of keys."""


def _flow(trace: ImageTrace) -> Listing:
    from layertrace.views.lists.flow import list_flow  # noqa: PLC0415

    return list_flow(trace.shares())


VIEWS: Final[Mapping[str, View]] = {
    "flow": View(key="O", title="Flow", working="adding up what each stage ships", make=_flow),
}
