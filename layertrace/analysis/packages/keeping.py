"""A table of packages as bytes for the cache: what an image says of them never changes."""

from __future__ import annotations

import json
import sys
import zlib
from array import array
from typing import TYPE_CHECKING, Any, Final

from layertrace.model.origin import Finding
from layertrace.model.packages import Package, PackageKind, PackageTable, PackageVersion

if TYPE_CHECKING:
    from collections.abc import Collection

_FORMAT: Final = 1
"""To be raised when databases are read another way."""
_QUICK: Final = 1


def dump_table(table: PackageTable, paths: Collection[str]) -> bytes:
    """Return a table as bytes; the owner of each of ``paths`` only by its place among them."""
    head = {
        "format": _FORMAT,
        "paths": _mark(paths),
        "packages": [
            [p.kind, p.name, p.version, p.architecture, p.path, _versions(p)]
            for p in table.packages
        ],
        "findings": [[f.code, f.message, f.facts] for f in table.findings],
    }
    owners = table.rows(paths)
    if sys.byteorder == "big":
        owners.byteswap()
    text = json.dumps(head).encode()
    return zlib.compress(b"".join((text, b"\n", owners.tobytes())), _QUICK)


def load_table(data: bytes, paths: Collection[str]) -> PackageTable | None:
    """Return the table that was kept for these very paths; None where the bytes are no such."""
    try:
        text, _, column = zlib.decompress(data).partition(b"\n")
        head = json.loads(text)
        if head["format"] != _FORMAT or head["paths"] != _mark(paths):
            return None
        owners = array("i", column)
        if sys.byteorder == "big":
            owners.byteswap()
        owned = zip(paths, owners, strict=True)
        return PackageTable(
            packages=tuple(_package(*each) for each in head["packages"]),
            owners={path: number for path, number in owned if number >= 0},
            findings=tuple(
                Finding(code=code, message=message, facts=facts)
                for code, message, facts in head["findings"]
            ),
        )
    except (ValueError, KeyError, TypeError, zlib.error):
        return None


def _mark(paths: Collection[str]) -> list[int]:
    """Return what tells these paths, in this order, from others."""
    return [len(paths), zlib.crc32("\0".join(paths).encode("utf-8", "surrogateescape"))]


def _versions(package: Package) -> list[list[int | str | None]]:
    return [[each.layer, each.version] for each in package.versions]


def _package(  # noqa: PLR0913, PLR0917 - one argument a field
    kind: str, name: str, version: str, architecture: str, path: str | None, versions: list[Any]
) -> Package:
    return Package(
        kind=PackageKind(kind),
        name=name,
        version=version,
        architecture=architecture,
        path=path,
        versions=tuple(PackageVersion(layer=layer, version=each) for layer, each in versions),
    )
