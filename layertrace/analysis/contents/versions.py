"""One path through the layers: which of them store it, and what each stores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from layertrace.analysis.contents.compare import compare_contents
from layertrace.analysis.contents.sides import given_of
from layertrace.errors import PathNotFoundError, StoppedError
from layertrace.rootfs.places import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from layertrace.analysis.contents.compare import Given
    from layertrace.analysis.contents.values import ContentDifference
    from layertrace.pipeline.answers import ImageTrace


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """Which layers store a path."""

    layers: tuple[int, ...]
    """Base first; at least one."""
    shipped: int
    """The one whose entry a container sees; of a path that was removed, the last."""
    removed: bool


def find_versions(trace: ImageTrace, path: str) -> Stores:
    """Return which layers store a path; nothing is read.

    Raises:
        PathNotFoundError: none does, though what lies below it may be stored.
    """
    indexes = trace.rootfs.layers
    layers = tuple(number for number, index in enumerate(indexes) if path in index.numbers)
    if not layers:
        raise PathNotFoundError(f"no layer has an entry for /{path}")
    place = trace.rootfs.place(path)
    shipped = layers[-1] if place is None else place.layer
    return Stores(layers=layers, shipped=shipped, removed=place is None)


def given_in(
    trace: ImageTrace, path: str, layer: int, stop: Callable[[], bool] = lambda: False
) -> Given:
    """Return what one of the layers that store a path has there.

    Its content, once asked for, raises StoppedError as soon as ``stop`` returns True.
    """
    place = Place(layer, trace.rootfs.layers[layer].numbers[path])
    return given_of(trace, place, lambda: _watched(trace.read(path, layer, stop=stop), stop))


def compare_versions(
    trace: ImageTrace,
    path: str,
    layers: tuple[int | None, int | None],
    stop: Callable[[], bool] = lambda: False,
) -> ContentDifference:
    """Return how a path differs between two layers; None: where there is nothing at it.

    Raises:
        LayertraceError: a content cannot be had.
        StoppedError: ``stop`` returned True.
    """
    old, new = (None if n is None else given_in(trace, path, n, stop) for n in layers)
    return compare_contents(old, new, path=path)


def _watched(pieces: Iterable[bytes], stop: Callable[[], bool]) -> Iterator[bytes]:
    for piece in pieces:
        if stop():
            raise StoppedError
        yield piece
