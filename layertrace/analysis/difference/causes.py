"""Why paths changed: every change attributed to one pair of makers."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.analysis.difference.makers import Makers
from layertrace.analysis.difference.matching import match_makers
from layertrace.analysis.difference.pairs import same_layers
from layertrace.model.difference import Argument, CauseKind, DiffKind, Maker, Why

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from layertrace.analysis.difference.makers import Made
    from layertrace.analysis.difference.pairs import Pairs
    from layertrace.analysis.difference.sides import Side

_NOBODY: Final = -1
_SIDES: Final = 2
_VERSION: Final = re.compile(r"v?\d{1,5}(\.\d{1,5}){1,3}([-.]?(alpha|beta|rc)\.?\d{1,3})?")
"""A value that is shown: no secret looks like it."""
_PLACES: Final = frozenset({DiffKind.ADDED, DiffKind.REMOVED, DiffKind.METADATA})
"""What of a path changes while contents need not."""
_SINGLE: Final = frozenset({Why.ADDED, Why.REMOVED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A pair of makers, or one that the other image does not have, and what is with them."""

    kind: CauseKind
    why: Why
    old: Maker | None
    new: Maker | None
    arguments: tuple[Argument, ...] = ()

    @property
    def rank(self) -> tuple[int, bool, int, str, list[tuple[int, int]]]:
        """How well it explains a change: of several reasons the highest is the cause.

        An instruction that one image alone has explains more than one that both have, and
        what stands above explains more than what lies below. That an instruction was changed
        explains more than that another found other files. The same in both directions.
        """
        first = 3 if self.why in _SINGLE else 2 if self.why not in _WEAK else 1
        either = self.new or self.old
        above = 0 if either is None or either.base else 1
        makers = [maker for maker in (self.old, self.new) if maker is not None]
        texts = sorted(maker.instruction or "" for maker in makers)
        places = sorted((max(maker.layers, default=-1), maker.line or 0) for maker in makers)
        return first, self.why is not Why.CONTEXT, above, " ".join(texts), places


_WEAK: Final = frozenset({Why.RESULT, Why.UNKNOWN})


class Attribution(NamedTuple):
    """The cause of every change, as a number."""

    reasons: tuple[Reason, ...]
    causes: array[int]
    """Into ``reasons``, one a change."""


def attribute(old: Side, new: Side, pairs: Pairs, paths: Sequence[str]) -> Attribution:
    """Return the one cause of each change."""
    ours, theirs = _Owners(old), _Owners(new)
    # Whose each row is says which makers take from the context: before they are compared.
    made = [
        (ours.of(a) if a >= 0 else _NOBODY, theirs.of(b) if b >= 0 else _NOBODY)
        for a, b in zip(pairs.old, pairs.new, strict=True)
    ]
    reasons = _Reasons(old, new, ours.makers, theirs.makers)
    causes = array("i")
    for number, (left, right) in enumerate(made):
        kind, path = pairs.kinds[number], paths[number]
        a, b = pairs.old[number], pairs.new[number]
        candidates = [
            *_reasons_of(reasons.of_old, ours, left, ours.layer(a), kind),
            *_reasons_of(reasons.of_new, theirs, right, theirs.layer(b), kind),
        ]
        # What is there is not left behind: what carried it is what is new.
        if kind == DiffKind.ADDED:
            carrier = reasons.of_new(theirs.carrier(b), theirs.layer(b))
            candidates = reasons.instead(candidates, Why.LEFT_BEHIND, carrier)
        elif kind == DiffKind.REMOVED:
            carrier = reasons.of_old(ours.carrier(a), ours.layer(a))
            candidates = reasons.instead(candidates, Why.SHIPPED, carrier)
        if kind == DiffKind.REMOVED and path in new.removers:
            layer = new.removers[path]
            candidates.append(reasons.of_new(theirs.makers.of_layer(layer), layer))
        elif kind == DiffKind.ADDED and path in old.removers:
            layer = old.removers[path]
            candidates.append(reasons.of_old(ours.makers.of_layer(layer), layer))
        causes.append(reasons.best(candidates))
    return Attribution(tuple(reasons.all), causes)


def _reasons_of(
    reason: Callable[[int, int], int | None], owners: _Owners, maker: int, layer: int, kind: int
) -> Iterator[int | None]:
    """Yield what may explain one side of a change.

    The bytes of a path and the path itself may be of two instructions of the image: a file
    was written, then moved or given another mode. What the later one did is its own.
    """
    mover = owners.makers.of_layer(layer) if layer >= 0 else maker
    if maker == mover or kind not in _PLACES or not owners.makers.all[maker].maker.layers:
        yield reason(maker, layer)
        return
    yield reason(mover, layer)
    if kind != DiffKind.METADATA:
        # The same instruction may only have found more to move.
        yield reason(maker, layer)


class _Owners:
    """Whose each path of one image is."""

    def __init__(self, side: Side) -> None:
        self.makers = Makers(side.trace)
        self._side = side
        self._heirs = self._find_heirs()

    def of(self, number: int) -> int:
        """Return the maker of a path; of a directory no entry made that of what is in it."""
        number = self._heirs.get(number, number)
        row = self._side.rows[number]
        table = self._side.table
        if table.layers[row] < 0:
            return _NOBODY
        return self.makers.of_row(table.label_ids[row], table.layers[row])

    def layer(self, number: int) -> int:
        """Return the layer that holds what is shipped."""
        if number < 0:
            return _NOBODY
        return self._side.table.layers[self._side.rows[self._heirs.get(number, number)]]

    def carrier(self, number: int) -> int:
        """Return the maker of the layer that holds what is shipped."""
        layer = self.layer(number)
        return self.makers.of_layer(layer) if layer >= 0 else _NOBODY

    def _find_heirs(self) -> dict[int, int]:
        # In preorder the first path in a directory follows it.
        side = self._side
        heirs: dict[int, int] = {}
        for number in range(len(side.rows) - 2, -1, -1):
            if side.places[number] < 0:
                heirs[number] = heirs.get(number + 1, number + 1)
        return heirs


class _Reasons:
    """Every pair of makers met, once."""

    def __init__(self, old: Side, new: Side, ours: Makers, theirs: Makers) -> None:
        self.all: list[Reason] = []
        self._orders: list[tuple[tuple[int, ...], tuple[int, ...]]] = []
        self._ours, self._theirs = ours.all, theirs.all
        self._pairs = match_makers(ours.all, theirs.all)
        self._back = {b: a for a, b in self._pairs.items()}
        shared = same_layers(old, new)
        self._shared_old, self._shared_new = set(shared), set(shared.values())
        self._numbers: dict[tuple[int, int], int] = {}

    def of_old(self, maker: int, layer: int) -> int | None:
        """Return the reason that a maker of the old image is; None: the new one has its layer."""
        if maker < 0 or layer in self._shared_old:
            return None
        return self._number(maker, self._pairs.get(maker, _NOBODY))

    def of_new(self, maker: int, layer: int) -> int | None:
        """Return the same of the new image."""
        if maker < 0 or layer in self._shared_new:
            return None
        return self._number(self._back.get(maker, _NOBODY), maker)

    def instead(
        self, candidates: Iterable[int | None], why: Why, other: int | None
    ) -> list[int | None]:
        """Return the candidates, each of one kind replaced."""
        return [
            other if number is not None and self.all[number].why is why else number
            for number in candidates
        ]

    def best(self, candidates: Sequence[int | None]) -> int:
        """Return the one that explains a change best."""
        numbers = {number for number in candidates if number is not None}
        if len(numbers) == 1:
            return numbers.pop()
        if not numbers or self._are_crossed(numbers):
            return self._number(_NOBODY, _NOBODY)
        return max(numbers, key=lambda number: (self.all[number].rank, number))

    def _are_crossed(self, numbers: set[int]) -> bool:
        """Say whether both did what they did before, only in the other order."""
        if len(numbers) > _SIDES or any(self.all[each].why is not Why.RESULT for each in numbers):
            return False
        (a, b), (c, d) = sorted(self._orders[number] for number in numbers)
        return a != c and b > d

    def _number(self, old: int, new: int) -> int:
        number = self._numbers.setdefault((old, new), len(self.all))
        if number == len(self.all):
            ours = self._ours[old] if old >= 0 else None
            theirs = self._theirs[new] if new >= 0 else None
            self.all.append(_reason(ours, theirs))
            self._orders.append((ours.order if ours else (), theirs.order if theirs else ()))
        return number


def _reason(old: Made | None, new: Made | None) -> Reason:
    either = old or new
    ours, theirs = old.maker if old else None, new.maker if new else None
    if either is None or not (either.maker.base or either.texts):
        return Reason(kind=CauseKind.UNKNOWN, why=Why.UNKNOWN, old=ours, new=theirs)
    if either.maker.base:
        why = Why.MOVED if old and new else Why.ADDED if new else Why.REMOVED
        return Reason(kind=CauseKind.BASE, why=why, old=ours, new=theirs)
    if old is None or new is None:
        why = Why.ADDED if new else Why.REMOVED
        return Reason(kind=CauseKind.INSTRUCTION, why=why, old=ours, new=theirs)
    if bool(old.maker.layers) != bool(new.maker.layers):
        why = Why.LEFT_BEHIND if old.maker.layers else Why.SHIPPED
        return Reason(kind=CauseKind.STAGE, why=why, old=ours, new=theirs)
    arguments = tuple(_changed_arguments(old, new))
    if not old.texts & new.texts or (old.order[0] == new.order[0] == 1 and old.flags != new.flags):
        why, kind = Why.TEXT, CauseKind.INSTRUCTION
    elif arguments:
        why, kind = Why.ARGUMENT, CauseKind.INSTRUCTION
    elif old.context and new.context and old.folder == new.folder:
        why, kind = Why.CONTEXT, CauseKind.CONTEXT
    else:
        why, kind = Why.RESULT, CauseKind.STAGE
    return Reason(kind=kind, why=why, old=ours, new=theirs, arguments=arguments)


def _changed_arguments(old: Made, new: Made) -> Iterator[Argument]:
    """Yield the build arguments that the two makers have with different values.

    A COPY depends on those it names, a RUN may ask for any.
    """
    if old.words and old.words == new.words:
        return
    ours, theirs = dict(old.arguments), dict(new.arguments)
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            yield Argument(name=name, old=_shown(ours.get(name)), new=_shown(theirs.get(name)))


def _shown(value: str | None) -> str | None:
    return value if value is not None and _VERSION.fullmatch(value) else None
