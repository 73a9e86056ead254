"""What layers tell of waste as bytes for the cache: of the same layers it never changes.

The steps that made them, and so all advice, are the Dockerfile's, and not in it.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from layertrace.analysis.leftovers.leftovers import Counted
from layertrace.analysis.leftovers.rules import KEPT, RULES
from layertrace.analysis.waste.groups import Undone
from layertrace.layers.index import FORMAT
from layertrace.model.waste import Cause, Duplicate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from layertrace.model.trace import ImageHead

_FORMAT: Final = 1
"""To be raised when of the same layers something else is found."""
_MOST_PATHS: Final = 250_000
"""Of all that is kept: more of them take longer to load than to find."""
_QUICK: Final = 1

Mark = list[int | str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the layers of an image tell."""

    undone: tuple[Undone, ...]
    leftovers: tuple[Counted, ...]
    duplicates: tuple[Duplicate, ...]
    dive_efficiency: float


def mark_of(head: ImageHead) -> Mark:
    """Return what besides the layers decides on what is found."""
    rules = zlib.crc32(repr((RULES, KEPT)).encode())
    return [_FORMAT, FORMAT, rules, head.image.config.platform.architecture, len(head.layers)]


def dump_found(found: Found, mark: Mark) -> bytes | None:
    """Return what was found as bytes, None where that is too much to keep."""
    lists = (*(each.paths for each in found.undone), *(each.paths for each in found.leftovers))
    if sum(map(len, (*lists, *(each.paths for each in found.duplicates)))) > _MOST_PATHS:
        return None
    data = {
        "mark": mark,
        "undone": found.undone,
        "leftovers": [[each.rule, each.paths, [*each.layers.items()]] for each in found.leftovers],
        "duplicates": [[each.digest, each.size, each.paths] for each in found.duplicates],
        "dive_efficiency": found.dive_efficiency,
    }
    return zlib.compress(json.dumps(data).encode(), _QUICK)


def load_found(data: bytes, mark: Mark) -> Found | None:
    """Return what was kept under this very mark; None where the bytes are no such."""
    try:
        kept = json.loads(zlib.decompress(data))
        if kept["mark"] != mark:
            return None
        return Found(
            undone=tuple(
                Undone(Cause(cause), layer, by, _sizes(paths))
                for cause, layer, by, paths in kept["undone"]
            ),
            leftovers=tuple(
                Counted(rule, _sizes(paths), dict(layers))
                for rule, paths, layers in kept["leftovers"]
            ),
            duplicates=tuple(
                Duplicate(digest=digest, size=size, paths=tuple(paths))
                for digest, size, paths in kept["duplicates"]
            ),
            dive_efficiency=float(kept["dive_efficiency"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError, zlib.error):
        return None


def _sizes(paths: Any) -> Mapping[str, int]:  # noqa: ANN401 - what JSON held
    return {path: int(size) for path, size in dict(paths).items()}
