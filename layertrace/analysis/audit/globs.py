"""Paths as a policy names them: globs, as in filters, that stand for all below them too."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Final

from layertrace.filters.paths import glob_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

_END: Final = "\\Z"


class PathSet:
    """The paths that any of some globs names, or that lie below one it names."""

    def __init__(self, globs: Iterable[str]) -> None:
        """Read the globs.

        Raises:
            ValueError: one is empty, or no glob.
        """
        self._patterns = [re.compile(_pattern(glob), re.DOTALL) for glob in globs]

    def __contains__(self, path: str) -> bool:
        """Say whether the rootfs-relative ``path`` is one of them.

        >>> "usr/bin/su" in PathSet(["/usr/bin/su"]), "app/a/b.js" in PathSet(["/app/a"])
        (True, True)
        >>> "app/dist/x" in PathSet(["/app/dist/**"]), "srv/app" in PathSet(["/app"])
        (True, False)
        """
        absolute = f"/{path}"
        return any(pattern.search(absolute) for pattern in self._patterns)


def _pattern(glob: str) -> str:
    plain = glob.rstrip("/")
    if not plain:
        raise ValueError("an empty path")
    with warnings.catch_warnings():
        # Python thinks aloud about sets it may read otherwise one day.
        warnings.simplefilter("ignore")
        pattern = glob_pattern(plain).removesuffix(_END) + f"(?:/.*)?{_END}"
        try:
            re.compile(pattern)
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(f"not a glob: {glob}") from error
    return pattern
