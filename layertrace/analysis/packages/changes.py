"""Which packages two images do not share."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from layertrace.model.packages import PackageChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layertrace.model.packages import Package, PackageKind, PackageTable

_Name = tuple["PackageKind", str]


def package_changes(old: PackageTable, new: PackageTable) -> tuple[PackageChange, ...]:
    """Return the packages that one image alone has, or that have another version in the other.

    A package is another's counterpart by kind, name, architecture and folder; where none is,
    by kind and name, so that one that only moved is no change. In order of kind and name.
    """
    before = {_place(package): package for package in old.packages}
    after = {_place(package): package for package in new.packages}
    found = [
        PackageChange(old=package, new=after[place])
        for place, package in before.items()
        if place in after and after[place].version != package.version
    ]
    left = _by_name(package for place, package in before.items() if place not in after)
    come = _by_name(package for place, package in after.items() if place not in before)
    for name in left.keys() | come.keys():
        found += _paired(left.get(name, []), come.get(name, []))
    return tuple(sorted(found, key=_order))


def _paired(left: list[Package], come: list[Package]) -> Iterable[PackageChange]:
    """Return what became of packages of one name that stand at places of one image alone."""
    left, come = list(left), list(come)
    for package in tuple(left):
        same = next((each for each in come if each.version == package.version), None)
        if same is not None:
            left.remove(package)
            come.remove(same)
    if len(left) == len(come) == 1:
        yield PackageChange(old=left[0], new=come[0])
        return
    yield from (PackageChange(old=package, new=None) for package in left)
    yield from (PackageChange(old=None, new=package) for package in come)


def _by_name(packages: Iterable[Package]) -> Mapping[_Name, list[Package]]:
    names: defaultdict[_Name, list[Package]] = defaultdict(list)
    for package in packages:
        names[package.kind, package.name].append(package)
    return names


def _place(package: Package) -> tuple[object, ...]:
    return package.kind, package.name, package.architecture, package.path


def _order(change: PackageChange) -> tuple[str, ...]:
    package = change.package
    return (package.kind, package.name, package.architecture, package.path or "", package.version)
