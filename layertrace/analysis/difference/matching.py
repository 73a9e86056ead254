"""The makers of two images side by side: which of the one is which of the other.

An alignment in the order of the builds, never by number: what both have in the same order is
paired, the most and the surest of it. Whichever image is called the old one, the pairs are the
same.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from layertrace.analysis.difference.makers import Made

_SAME_LAYER: Final = 150
"""More than one text, less than two: a folder made in two stages at once may be one layer."""
_SAME_TEXT: Final = 100
_SAME_BYTES: Final = 45
"""Of what two instructions of different words are worth that made the same layer."""
_SAME_STAGE: Final = 10
_LIKE: Final = 40
"""Of what two instructions that were changed a little are worth, by how alike they are."""
_ALIKE: Final = 0.5
_MOST: Final = 40_000
"""Pairs of makers that are weighed; beyond, only those with one text are paired."""
_WORDS: Final = 200
"""Words of an instruction that are compared."""


def match_makers(old: Sequence[Made], new: Sequence[Made]) -> dict[int, int]:
    """Return which maker of the old image is which of the new one, by number."""
    swapped = _rank(new) < _rank(old)
    one, two = (new, old) if swapped else (old, new)
    pairs = _bases(one, two)
    pairs |= _align(one, two, pairs)
    pairs |= _leftover(one, two, pairs)
    return {b: a for a, b in pairs.items()} if swapped else pairs


def _rank(makers: Sequence[Made]) -> tuple[object, ...]:
    """Return what orders two images whichever comes first."""
    return len(makers), [(sorted(made.texts), made.order, made.diff_ids) for made in makers]


def _bases(one: Sequence[Made], two: Sequence[Made]) -> dict[int, int]:
    """Pair the base of one image with that of the other, and those of stages by stage."""
    theirs = {made.maker.stage: n for n, made in enumerate(two) if made.maker.base}
    return {
        number: theirs[made.maker.stage]
        for number, made in enumerate(one)
        if made.maker.base and made.maker.stage in theirs
    }


def _align(one: Sequence[Made], two: Sequence[Made], known: dict[int, int]) -> dict[int, int]:
    ours = _in_order(one, set(known))
    theirs = _in_order(two, set(known.values()))
    pairs: dict[int, int] = {}
    for end in (0, -1):
        # What both begin and end with is most of two builds of one Dockerfile.
        while ours and theirs and _is_same(one[ours[end]], two[theirs[end]]):
            pairs[ours.pop(end)] = theirs.pop(end)
    if len(ours) * len(theirs) > _MOST:
        return pairs
    found = _best([[_worth(one[a], two[b]) for b in theirs] for a in ours])
    return pairs | {ours[i]: theirs[j] for i, j in found}


def _best(worth: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Yield the pairs, in order on both sides, that are worth the most together."""
    ends = len(worth), len(worth[0]) if worth else 0
    # best[i][j]: what those from i and from j on are worth together.
    best = [[0] * (ends[1] + 1) for _ in range(ends[0] + 1)]
    for i in range(ends[0] - 1, -1, -1):
        for j in range(ends[1] - 1, -1, -1):
            paired = best[i + 1][j + 1] + worth[i][j] if worth[i][j] else 0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], paired)
    i = j = 0
    while i < ends[0] and j < ends[1]:
        if worth[i][j] and best[i][j] == best[i + 1][j + 1] + worth[i][j]:
            yield i, j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1


def _in_order(makers: Sequence[Made], without: set[int]) -> list[int]:
    return sorted(_steps(makers, without), key=lambda number: makers[number].order)


def _steps(makers: Sequence[Made], without: set[int]) -> list[int]:
    return [
        number
        for number, made in enumerate(makers)
        if number not in without and not made.maker.base and not made.absent
    ]


def _leftover(one: Sequence[Made], two: Sequence[Made], known: dict[int, int]) -> dict[int, int]:
    """Pair what stands in another order: one text that each image has once."""
    ours = _unique_texts(one, set(known))
    theirs = _unique_texts(two, set(known.values()))
    return {ours[text]: theirs[text] for text in sorted(ours.keys() & theirs.keys())}


def _unique_texts(makers: Sequence[Made], without: set[int]) -> dict[str, int]:
    numbers = _steps(makers, without)
    counts = Counter(text for n in numbers for text in makers[n].texts)
    found: dict[str, int] = {}
    for number in numbers:
        for text in sorted(makers[number].texts):
            if counts[text] == 1:
                found[text] = number
                # One text is enough, and two may lead to two others.
                break
    return found


def _is_same(one: Made, two: Made) -> bool:
    if one.maker.stage != two.maker.stage:
        return False
    return bool(one.texts & two.texts) or bool(set(one.diff_ids) & set(two.diff_ids))


def _worth(one: Made, two: Made) -> int:
    stage = _SAME_STAGE if one.maker.stage == two.maker.stage else 0
    same_text = bool(one.texts & two.texts)
    if set(one.diff_ids) & set(two.diff_ids):
        # Two copies of the same few files make one layer, whatever brought them there.
        unsaid = not (one.texts and two.texts)
        return (_SAME_LAYER if same_text or unsaid else _SAME_BYTES) + stage
    if same_text:
        return _SAME_TEXT + stage
    alike = max((_likeness(a, b) for a in one.texts for b in two.texts), default=0.0)
    # What moved to another stage besides being changed is another instruction.
    if alike < _ALIKE or not (stage or _are_last(one, two)):
        return 0
    return int(_LIKE * alike) + stage


def _are_last(one: Made, two: Made) -> bool:
    """Say whether both made layers of the image itself: stages have no names to go by there."""
    return bool(one.maker.layers and two.maker.layers)


def _likeness(one: str, two: str) -> float:
    """Return how alike two instructions are, 0 to 1; 0 for a RUN and a COPY."""
    (keyword, *ours), (other, *theirs) = _words(one), _words(two)
    if keyword != other or not ours or not theirs:
        return 0.0
    both = sum((Counter(ours) & Counter(theirs)).values())
    return 2 * both / (len(ours) + len(theirs))


def _words(text: str) -> list[str]:
    return text.split(maxsplit=_WORDS)[:_WORDS] or [""]
