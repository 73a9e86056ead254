"""What to say where layers of an image were not read: still to come, or left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from layertrace.views.explain import WhyKind, WhyRow
from layertrace.views.outline_row import layers_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from layertrace.model.trace import ImageHead
    from layertrace.views.explain import Explanation


def unread_layers(head: ImageHead, layers: Iterable[int] | None = None) -> tuple[int, ...]:
    """Return which layers, of some or of all, were not read."""
    chosen = range(len(head.layers)) if layers is None else layers
    return tuple(number for number in chosen if head.layers[number].size is None)


def layer_runs(layers: Iterable[int]) -> str:
    """Return how some layers are called, those in a row together.

    >>> layer_runs([2, 4, 5, 6])
    'L3, L5-L7'
    """
    return ", ".join(layers_name(run) for run in _runs(layers))


def _runs(layers: Iterable[int]) -> Iterator[list[int]]:
    run: list[int] = []
    for number in layers:
        if run and number != run[-1] + 1:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def read_title(head: ImageHead) -> str:
    """Return what the files of an image are called that was not read whole.

    They are those of its lower layers where reading went on from the base.
    """
    missing = unread_layers(head)
    read = [number for number in range(len(head.layers)) if number not in missing]
    return f"{layer_runs(read)} of {len(head.layers)} layers"


def with_doubt(answer: Explanation, head: ImageHead, *, folder: bool) -> Explanation:
    """Return an answer that says what layers that were not read may change of it."""
    missing = unread_layers(head)
    if not missing:
        return answer
    names = layer_runs(missing)
    verb = "is" if len(missing) == 1 else "are"
    text = f"{names} {verb} not read: it may be replaced or removed there"
    if folder:
        text = f"{names} {verb} not read: sums are of the other layers alone"
    row = WhyRow(kind=WhyKind.HINT, text=text)
    return replace(answer, rows=(*answer.rows, row), summary=f"{answer.summary}, as far as read")
