"""Offers as rows: groups by where they come from, narrowed by what is typed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from layertrace.views.lists.rows import Column, Field, Group, Listing, ListRow, Role
from layertrace.views.picking.offers import Kind, Offer
from layertrace.views.text import plural, show_size

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COLUMNS: Final = (
    Column(title="Size", width=9, right=True, need=1),
    Column(title="Time", width=16, need=2),
    Column(title="Image"),
)
_HEADS: Final = {
    Kind.RECENT: "Opened before",
    Kind.FOLDER: "Archives and layouts in this folder",
    Kind.ENGINE: "Images of the Docker engine",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What can be opened; None: nobody knows yet."""

    of: Mapping[Kind, tuple[Offer, ...] | None]
    notes: Mapping[Kind, str]
    """Why there are none of a kind, where that is an answer of its own; safe."""
    steps: Mapping[Kind, str] = field(default_factory=dict)
    """What to do about that; safe."""


def list_offers(offers: Offers, typed: str = "") -> tuple[Listing, Sequence[Offer | None]]:
    """Return the rows, and for each line its offer; words ``typed`` all have to be in its name."""
    words = typed.casefold().split()
    groups: list[Group] = []
    lines: list[Offer | None] = []
    shown = 0
    for kind, known in offers.of.items():
        found = [offer for offer in known or () if _fits(offer, words)]
        if words and not found:
            continue
        groups.append(_group(kind, offers, found))
        lines += [None, *found, *([None] if not found and offers.steps.get(kind) else ())]
        shown += len(found)
    listing = Listing(
        title="Which image?",
        columns=_COLUMNS,
        groups=groups,
        summary=plural(shown, "image"),
        empty="nothing matches: Esc clears what was typed",
        opened=len(lines),
    )
    return listing, lines


def _fits(offer: Offer, words: Sequence[str]) -> bool:
    name = f"{offer.name} {offer.reference}".casefold()
    return all(word in name for word in words)


def _group(kind: Kind, offers: Offers, found: Sequence[Offer]) -> Group:
    words = _HEADS[kind]
    if offers.notes.get(kind):
        words = f"{words}: {offers.notes[kind]}"
    elif offers.of[kind] is None:
        words = f"{words}: looking…"
    elif not found:
        words = f"{words}: none"
    empty = Field(text="")
    head = ListRow(fields=(empty, empty, Field(text=words, role=Role.STRONG)), span=True)
    step = offers.steps.get(kind)
    if step and not found:
        below = ListRow(fields=(empty, empty, Field(text=f"→ {step}")), span=True)
        return Group(head=head, count=1, item=lambda _: below)
    return Group(head=head, count=len(found), item=lambda number: _row(found[number]))


def _row(offer: Offer) -> ListRow:
    size = "" if offer.size is None else show_size(offer.size)
    fields = (
        Field(text=size),
        Field(text=_show_time(offer.time), role=Role.DIM),
        Field(text=offer.name),
    )
    # Of a long path the end tells most, as of one in the image.
    return ListRow(fields=fields, path=offer.reference)


def _show_time(seconds: float | None) -> str:
    """Return a time as the user's clock has it; no words for one that no clock has."""
    if not seconds:
        return ""
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
    except (OverflowError, OSError, ValueError):
        return ""
