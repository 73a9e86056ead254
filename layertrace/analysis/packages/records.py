"""What every database of packages tells of one, whatever its form."""

from __future__ import annotations

from typing import Final, NamedTuple

_LONGEST: Final = 256
"""Characters of a name or version: no package has a longer one."""


class Listed(NamedTuple):
    """A package as a database lists it."""

    name: str
    version: str
    architecture: str = ""


class UnreadableError(ValueError):
    """A database whose form is not known, or that is damaged; the text says why."""


def listed(name: object, version: object, architecture: object = "") -> Listed | None:
    """Return a package by what a database holds of it; None where that names none.

    >>> listed("zlib", None), listed("", "1.0")
    (Listed(name='zlib', version='', architecture=''), None)
    """
    texts = [
        value.strip() if isinstance(value, str) else "" for value in (name, version, architecture)
    ]
    if not texts[0] or any(len(text) > _LONGEST for text in texts):
        return None
    return Listed(*texts)


def text_of(data: bytes) -> str:
    """Return text as the paths of an image are kept: what is no UTF-8 as surrogates."""
    return data.decode("utf-8", "surrogateescape")
