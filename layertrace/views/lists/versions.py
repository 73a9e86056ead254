"""What each layer did to one path, a row each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layertrace.model.origin import Change, Trust
from layertrace.views.lists.rows import Column, Field, Group, Listing, ListRow, Role
from layertrace.views.outline_row import layer_name, layer_text
from layertrace.views.text import CHANGE_MARKS, TRUST_MARKS, plural, show_size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from layertrace.model.files import Version
    from layertrace.model.trace import ImageHead, LayerInfo

_COLUMNS: Final = (
    Column(title="Lyr", width=4),
    Column(title="Stage", width=10, need=1),
    Column(title=" ", width=1),
    Column(title="Size", width=9, right=True),
    Column(title="Mode", width=4, need=2),
    Column(title="sha256", width=8, need=3),
    Column(title="Tied by", width=10, need=4),
    Column(title="Line", width=5, right=True, need=5),
    Column(title="Instruction"),
)
_MARKS: Final = {
    Change.ADDED: Role.ADDED,
    Change.MODIFIED: Role.MODIFIED,
    Change.REMOVED: Role.GONE,
}
_DOUBTS: Final = frozenset({Trust.UNKNOWN, Trust.CONTRADICTED})
_DIGITS: Final = slice(len("sha256:"), len("sha256:") + 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two versions of a path to compare, by their numbers; None: before there was any."""

    old: int | None
    new: int


def list_versions(
    head: ImageHead, versions: Sequence[Version], path: str, base: int | None = None
) -> Listing:
    """Return the versions of a path, base first.

    Args:
        head: of the image.
        versions: what each layer did to the path.
        path: rootfs-relative.
        base: the version that others are compared with; None: each with the one before it.
    """
    stored = sum(version.size or 0 for version in versions)
    return Listing(
        title=f"History /{path}",
        columns=_COLUMNS,
        groups=[
            Group(head=_row(head.layers[version.layer], version, chosen=number == base))
            for number, version in enumerate(versions)
        ],
        summary=f"{plural(len(versions), 'version')} · {show_size(stored)} stored",
        empty="no entry of any layer made it: only what lies below it did",
    )


def compared(at: int, base: int | None) -> Pair:
    """Return which versions to compare where the cursor is on one of them."""
    if base is not None and base != at:
        return Pair(old=min(base, at), new=max(base, at))
    return Pair(old=at - 1 if at else None, new=at)


def pair_words(versions: Sequence[Version], pair: Pair) -> str:
    """Return what is compared: ``L1 → L3``."""
    new = layer_name(versions[pair.new].layer)
    return new if pair.old is None else f"{layer_name(versions[pair.old].layer)} → {new}"


def compared_layers(versions: Sequence[Version], pair: Pair) -> tuple[int | None, int | None]:
    """Return the layers that store both versions; None where there is nothing at the path."""
    old, new = (
        None
        if number is None or versions[number].change is Change.REMOVED
        else versions[number].layer
        for number in (pair.old, pair.new)
    )
    return old, new


def _row(layer: LayerInfo, version: Version, *, chosen: bool) -> ListRow:
    mode = "" if version.mode is None else f"{version.mode:04o}"
    size = "" if version.size is None else show_size(version.size)
    trust = f"{TRUST_MARKS[layer.trust]} {layer.evidence.value}"
    doubt = Role.WARNING if layer.trust in _DOUBTS else Role.PLAIN
    mark = Field(text=CHANGE_MARKS[version.change], role=_MARKS.get(version.change, Role.PLAIN))
    name = layer_name(layer.index)
    return ListRow(
        fields=(
            Field(text=f"{name}*" if chosen else name, role=Role.STRONG),
            Field(text="base", role=Role.BASE)
            if layer.base
            else Field(text=layer.stage or "unknown", stage=layer.stage_index),
            mark,
            Field(text=size),
            Field(text=mode),
            Field(text=(version.digest or "")[_DIGITS], role=Role.DIM),
            Field(text=trust, role=doubt),
            Field(text=f":{layer.line}" if layer.line else ""),
            Field(text=layer_text(layer)),
        ),
        layer=layer.index,
        line=layer.line,
    )
