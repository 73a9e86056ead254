"""Whose package a file is, in words and in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.views.encode import path_json, plain, to_line
from layertrace.views.text import show_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from layertrace.model.packages import Package, PackageTable
    from layertrace.views.encode import Json


def package_text(package: Package | None) -> str:
    """Return a package in a cell of a table; empty for nobody's file."""
    return "" if package is None else show_name(f"{package.name} {package.version}".strip())


def package_line(package: Package | None) -> str:
    """Return the line that ``why`` has of a file's package; empty for nobody's file."""
    if package is None:
        return ""
    kind = f"{package.kind}, {package.architecture}" if package.architecture else package.kind
    words = [f"Package: {package_text(package)} ({show_name(kind)})"]
    first, last = package.first_layer, package.version_layer
    if first is not None:
        words.append(f"first installed by L{first + 1}")
    if last is not None and last != first:
        words.append(f"this version by L{last + 1}")
    return ", ".join(words)


def package_json(package: Package | None) -> Json | None:
    """Return ``files.data[].package``."""
    if package is None:
        return None
    return {
        "kind": package.kind.value,
        "name": plain(package.name),
        "version": plain(package.version),
    }


def owner_json(package: Package | None) -> Json | None:
    """Return ``why.data[].package``."""
    told = package_json(package)
    if package is None or told is None:
        return None
    folder = None if package.path is None else f"/{package.path}"
    return {
        **told,
        "architecture": plain(package.architecture) or None,
        **path_json("path", folder),
        "first_layer": package.first_layer,
        "versions": [
            {"layer": each.layer, "version": None if each.version is None else plain(each.version)}
            for each in package.versions
        ],
    }


def with_packages(
    lines: Iterable[str], packages: PackageTable, paths: Sequence[str]
) -> Iterator[str]:
    """Add to each record of ``paths``, which is JSON on a line, whose package the path is."""
    endings = [f',"package":{to_line(package_json(each))}}}' for each in packages.packages]
    nobody = ',"package":null}'
    for line, number in zip(lines, packages.rows(paths), strict=True):
        yield line[:-1] + (endings[number] if number >= 0 else nobody)


def package_column(packages: PackageTable, paths: Sequence[str]) -> Callable[[int], str]:
    """Return what gives the cell of a row, by its path."""
    return lambda row: package_text(packages.owner(paths[row]))
