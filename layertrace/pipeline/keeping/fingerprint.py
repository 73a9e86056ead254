"""Values as one digest, so that an answer is kept under all that it was worked out from."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_DECIDING: Final = (
    "archive", "dockerfile", "layers", "model", "pipeline", "provenance", "rootfs",
)  # fmt: skip
"""The packages that have a say in where a file is from."""
_ATOMS: Final = frozenset({str, int, bool, float, bytes, type(None)})
_LISTS: Final = (tuple, list)


class UnknownValueError(TypeError):
    """A value that nobody can tell from others like it, such as a function."""


def fingerprint(*values: object) -> str:
    """Return the digest of values: another for other ones, down to their last field.

    Raises:
        UnknownValueError: they hold something that is not data.
    """
    plain = _Plain().of(values)
    return f"sha256:{hashlib.sha256(ascii(plain).encode()).hexdigest()}"


class _Plain:
    """Values as tuples of texts and numbers; what is the same object is told once.

    Each layer of an image names its whole stage: told each time, that would be long.
    """

    def __init__(self) -> None:
        self._told: dict[int, tuple[int, object]] = {}
        """By identity: a number, and the value, which must not make way for another."""

    def of(self, value: object) -> object:
        if type(value) in _ATOMS:
            return value
        return self._of_several(value)

    def _of_several(self, value: object) -> object:
        if isinstance(value, Enum):
            return type(value).__name__, value.value
        if isinstance(value, _LISTS):
            return [*map(self.of, value)]
        if isinstance(value, Mapping):
            return "map", [(self.of(key), self.of(each)) for key, each in value.items()]
        if isinstance(value, AbstractSet):
            return "set", sorted(map(fingerprint, value))
        if is_dataclass(value) and not isinstance(value, type):
            told = self._told.get(id(value))
            if told is not None:
                return "=", told[0]
            self._told[id(value)] = len(self._told), value
            # All of its fields, so that a new one is told by itself.
            each = (self.of(getattr(value, field.name)) for field in fields(value))
            return type(value).__name__, *each
        raise UnknownValueError(type(value).__name__)


@cache
def own_code() -> tuple[tuple[str, int, int], ...] | None:
    """Return what tells this layertrace from any other: its modules, by size and time.

    Rules change without a version number where they are worked on. None where the modules
    are no files.
    """
    top = Path(__file__).parents[2]
    try:
        return tuple(sorted(each for name in _DECIDING for each in _modules(f"{top}/{name}")))
    except OSError:
        return None


def _modules(folder: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as found:
        for each in found:
            if each.name.endswith(".py"):
                status = each.stat()
                yield each.path, status.st_size, status.st_mtime_ns
            elif each.name[0] != "_" and each.name.isidentifier() and each.is_dir():
                yield from _modules(each.path)
