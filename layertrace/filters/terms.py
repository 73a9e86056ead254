"""The terms of the filter language that have a key: ``stage:build``, ``size:>1MB``.

Whatever can be asked of a short list (labels, layers, kinds) is asked
there once and looked up for each row.
"""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Final

from layertrace.filters import asked
from layertrace.filters.paths import TermError, choose, make_regex_term
from layertrace.model.entry import EntryKind
from layertrace.model.origin import Change, OriginKind, Trust

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from layertrace.filters.facts import Asking
    from layertrace.filters.paths import Narrow
    from layertrace.model.files import FileTable, Label

MARKS: Final[Mapping[str, Change]] = {
    "+": Change.ADDED,
    "~": Change.MODIFIED,
    "m": Change.METADATA,
    "-": Change.REMOVED,
}
_TYPES: Final[Mapping[str, frozenset[int]]] = {
    **{kind.word: frozenset({int(kind)}) for kind in EntryKind},
    "link": frozenset({int(EntryKind.SYMLINK), int(EntryKind.HARDLINK)}),
}
_ORIGINS: Final[Mapping[str, OriginKind]] = {
    **{kind.value: kind for kind in OriginKind},
    "made": OriginKind.RUN,
}
_TRUSTS: Final[Mapping[str, Trust]] = {trust.value: trust for trust in Trust}

_SIZE: Final = re.compile(r"(>=|<=|>|<|=)?([0-9]+(?:\.[0-9]+)?|\.[0-9]+)([a-z]*)", re.IGNORECASE)
_UNITS: Final[Mapping[str, int]] = {
    "": 1,
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", start=1)},
    **{letter: 1000**power for power, letter in enumerate("kmgt", start=1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", start=1)},
}
_COMPARE: Final[Mapping[str, Callable[[float, float], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "=": operator.eq,
}
_LAYERS: Final = re.compile(
    r"(?P<low>L?[0-9]{1,6})?(?P<dots>\.\.)?(?P<high>L?[0-9]{1,6})?", re.IGNORECASE
)


def make_term(key: str, value: str) -> Narrow | Asking:
    """Return the term ``key:value``.

    Raises:
        TermError: the key is not known or the value does not fit it.
    """
    make = KEYS.get(key.lower())
    if make is None:
        raise TermError(_unknown_key(key), None)
    if not value:
        raise TermError(f"{key}: needs a value")
    return make(value)


def _unknown_key(key: str) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only a mistake needs it

    known = ", ".join(f"{name}:" for name in KEYS)
    near = get_close_matches(key.lower(), KEYS, n=1)
    hint = f"did you mean {near[0]}:?" if near else 'quote it to look for the text: "…"'
    return f"there is no {key}:, {hint} There are {known}"


def _stage(value: str) -> Narrow:
    name = value.lower()
    return _by_label(
        lambda label: (
            label.stage is not None and name in {label.stage.lower(), str(label.stage_index)}
        )
    )


def _origin(value: str) -> Narrow:
    choose(value, _ORIGINS, "origin")
    kind = _ORIGINS[value.lower()]
    return _by_label(lambda label: label.kind is kind)


def _by_label(holds: Callable[[Label], bool]) -> Narrow:
    def narrow(table: FileTable, rows: Sequence[int]) -> Sequence[int]:
        chosen = {index for index, label in enumerate(table.labels) if holds(label)}
        column = table.label_ids
        return [row for row in rows if column[row] in chosen]

    return narrow


def _layer(value: str) -> Narrow:
    match = _LAYERS.fullmatch(value)
    if (
        match is None
        or not (match["low"] or match["high"])
        or (match["high"] and not match["dots"])
    ):
        raise TermError(f"layer: takes 3, 3..5, 3.. or ..5, not {value}")
    low = int(match["low"].lstrip("Ll")) if match["low"] else 1
    high = int(match["high"].lstrip("Ll")) if match["high"] else None
    if match["dots"] is None:
        high = low
    if low < 1:
        raise TermError("layers are numbered from 1, as shown: L1 is the lowest")
    if high is not None and high < low:
        raise TermError(f"layer {high} is below layer {low}: write {high}..{low}")
    top = float("inf") if high is None else high - 1

    def narrow(table: FileTable, rows: Sequence[int]) -> Sequence[int]:
        column = table.layers
        return [row for row in rows if low - 1 <= column[row] <= top]

    return narrow


def _trust(value: str) -> Narrow:
    choose(value, _TRUSTS, "trust")
    trust = _TRUSTS[value.lower()]

    def narrow(table: FileTable, rows: Sequence[int]) -> Sequence[int]:
        column = table.trusts
        return [row for row in rows if column[row] is trust]

    return narrow


def _mark(value: str) -> Narrow:
    for offset, mark in enumerate(value):
        if mark not in MARKS:
            raise TermError(f"mark: takes {' '.join(MARKS)}, not {mark}", offset)
    changes = {MARKS[mark] for mark in value}

    def narrow(table: FileTable, rows: Sequence[int]) -> Sequence[int]:
        column = table.changes
        return [row for row in rows if column[row] in changes]

    return narrow


def parse_size(text: str) -> tuple[str, float]:
    """Return the sign (``""`` for none) and the bytes of a size such as ``>1.5MB``.

    Raises:
        TermError: it is no size.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise TermError(f"size: takes a size like >1MB or <=512KiB, not {text}")
    sign, number, unit = match.groups()
    if unit.lower() not in _UNITS:
        raise TermError(f"there is no unit {unit}: B kB MB GB TB KiB MiB GiB TiB", match.start(3))
    return sign or "", float(number) * _UNITS[unit.lower()]


def _size(value: str) -> Narrow:
    sign, limit = parse_size(value)
    compare = _COMPARE[sign or "="]

    def narrow(table: FileTable, rows: Sequence[int]) -> Sequence[int]:
        sizes, kinds = table.sizes, table.kinds
        file = int(EntryKind.FILE)
        return [row for row in rows if kinds[row] == file and compare(sizes[row], limit)]

    return narrow


def _type(value: str) -> Narrow | Asking:
    choose(value, (*_TYPES, *asked.FORMS), "type")
    if value.lower() in asked.FORMS:
        return asked.form(value.lower())
    chosen = _TYPES[value.lower()]

    def narrow(table: FileTable, rows: Sequence[int]) -> Sequence[int]:
        column = table.kinds
        return [row for row in rows if column[row] in chosen]

    return narrow


KEYS: Final[Mapping[str, Callable[[str], Narrow | Asking]]] = {
    "re": make_regex_term,
    "stage": _stage,
    "layer": _layer,
    "origin": _origin,
    "trust": _trust,
    "mark": _mark,
    "size": _size,
    "type": _type,
    "via": asked.via,
    "mode": asked.mode,
    "owner": asked.owner,
    "pkg": asked.package,
    "digest": asked.digest,
    "dup": asked.duplicate,
    "wasted": asked.wasted,
}
