"""A builder's exported cache: what every step used, and the layers it resulted in.

Source: BuildKit, ``cache/remotecache/v1/doc.go``, the format of
``--cache-to type=local,mode=max``.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedLayer:
    """One stored layer."""

    diff_id: str
    digest: str
    """Of the blob as stored."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedStep:
    """One step of a build: what it used, and what it resulted in."""

    stacks: tuple[tuple[CachedLayer, ...], ...]
    """Each a whole file system, base first; none where the result is not kept."""
    inputs: tuple[tuple[int, ...], ...]
    """For each input the numbers of the steps that stand for it, by one key or another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildCache:
    """Every step of one exported cache."""

    steps: tuple[CachedStep, ...]


def chain_id(diff_ids: Iterable[str]) -> str:
    """Return the ChainID of a stack of layers, base first; ``""`` of none.

    Source: OCI image-spec, ``config.md``, "Layer ChainID".
    """
    chain = ""
    for diff_id in diff_ids:
        pair = f"{chain} {diff_id}".encode()
        chain = f"sha256:{sha256(pair).hexdigest()}" if chain else diff_id
    return chain
