"""JSON documents changed as documents: bytes changed at random are seldom JSON any more."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from random import Random

_ODD: Final[tuple[object, ...]] = (
    None, True, 0, -1, 1.5, 1 << 70, "", "x", ":", "/", "sha256:", "\udce9\0", [], {}, [[]],
    {"": None}, "sha256:" + "0" * 64, "step0", "step0:9", "a" * 300, "../..", "\u4e00",
)  # fmt: skip
_CHANGES: Final = 3


def reshaped(data: bytes, dice: Random) -> bytes:
    """Return a document with a few of its values changed, moved or gone."""
    try:
        root = json.loads(data)
    except (ValueError, RecursionError):
        return data
    for _ in range(dice.randint(1, _CHANGES)):
        root = _changed(root, dice)
    return json.dumps(root).encode()


def _changed(root: Any, dice: Random) -> Any:  # noqa: ANN401 - any JSON
    places = list(_places(root))
    if not places:
        return copy.deepcopy(dice.choice(_ODD))
    holder, key = dice.choice(places)
    match dice.randrange(4):
        case 0:
            del holder[key]
        case 1:
            other, name = dice.choice(places)
            holder[key] = copy.deepcopy(other[name])
        case 2 if isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        case _:
            holder[key] = copy.deepcopy(dice.choice(_ODD))
    return root


def _places(root: Any) -> list[tuple[Any, Any]]:  # noqa: ANN401 - any JSON
    """Return every value of a document by what holds it, and where."""
    found: list[tuple[Any, Any]] = []
    todo = [root] if isinstance(root, dict | list) else []
    while todo:
        holder = todo.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder))
        found += [(holder, key) for key in keys]
        todo += [holder[key] for key in keys if isinstance(holder[key], dict | list)]
    return found
