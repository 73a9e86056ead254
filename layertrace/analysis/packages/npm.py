"""Packages in ``node_modules`` folders: each has a ``package.json`` at its root.

Source: npm documentation, package.json and folders.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from layertrace.analysis.packages.records import listed

if TYPE_CHECKING:
    from layertrace.analysis.packages.records import Listed

MANIFEST: Final = "/package.json"
_ROOT: Final = re.compile(
    r"(?:.*/)?node_modules/((?:@[^/]+/)?[^/@.][^/]*)/package\.json", re.DOTALL
)


def package_name(path: str) -> str | None:
    """Return the package whose root holds a ``package.json``; None: it is no package's.

    >>> package_name("app/node_modules/@types/node/package.json")
    '@types/node'
    >>> package_name("app/node_modules/rxjs/dist/esm/package.json"), package_name("package.json")
    (None, None)
    """
    match = _ROOT.fullmatch(path)
    return match[1] if match is not None else None


def parse_manifest(data: bytes, name: str) -> Listed | None:
    """Return the package of a ``package.json``; one without a name has that of its folder."""
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    return listed(fields.get("name"), fields.get("version")) or listed(name, fields.get("version"))
