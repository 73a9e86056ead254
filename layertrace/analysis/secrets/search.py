"""One search for all that has a form: what every content is put through."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from layertrace.analysis.secrets import keys
from layertrace.analysis.secrets.vendors import TOKENS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from layertrace.analysis.secrets.hits import Hit

    Find = Callable[[bytes, int], Hit | None]

NO_JWT: Final = "is no signed JSON Web Token"

_KNOWN: Final = frozenset(
    {
        # The storage emulator's key: learn.microsoft.com, "Use the Azurite emulator".
        "0011cc25eb43",
    }
)
"""First letters of the sha256 of values that their vendors publish for everybody to use."""


def find_hits(data: bytes) -> tuple[Hit, ...]:
    """Return all that looks like a secret by its form alone, in order, none inside another."""
    search, finds = _search()
    hits: list[Hit] = []
    end = 0
    for number, start, _ in search.find_matches_as_indexes(data):
        if start < end:
            continue
        hit = finds[number](data, start)
        if hit is not None and hit.doubt != NO_JWT and not _is_known(data[hit.start : hit.end]):
            hits.append(hit)
            end = hit.end
    return tuple(hits)


@cache
def _search() -> tuple[BytesAhoCorasick, Sequence[Find]]:
    # Built for who asks first: most commands look for no secrets.
    table: list[tuple[bytes, Find]] = [
        (keys.BEGIN, keys.find_pem),
        (keys.PUTTY, keys.find_putty),
        (keys.ENCODED, keys.find_encoded_pem),
    ]
    table += [(anchor, each.find) for each in TOKENS for anchor in each.anchors]
    anchors = [anchor for anchor, _ in table]
    # Leftmost: only then does the search skip ahead instead of looking at every byte.
    return BytesAhoCorasick(anchors, MatchKind.LeftmostFirst), [find for _, find in table]


def _is_known(value: bytes) -> bool:
    return sha256(value).hexdigest()[:12] in _KNOWN
