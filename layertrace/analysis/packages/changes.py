"""Which packages two images do not share."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from layertrace.model.packages import PackageChange

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator

    from layertrace.model.packages import Package, PackageTable


def package_changes(old: PackageTable, new: PackageTable) -> tuple[PackageChange, ...]:
    """Return the packages that one image alone has, or that have another version in the other.

    A package is another's counterpart by kind, name, architecture and folder; where none is,
    by kind and name, so that one that only moved is no change. In order of kind and name.
    """
    rest = _Rest(list(old.packages), list(new.packages))
    list(rest.pairs(lambda p: (_place(p), p.version)))
    changed = [*rest.pairs(_place, alone=True)]
    list(rest.pairs(lambda p: (p.kind, p.name, p.version)))
    changed += rest.pairs(lambda p: (p.kind, p.name), alone=True)
    changes = [PackageChange(old=before, new=after) for before, after in changed]
    changes += (PackageChange(old=package, new=None) for package in rest.left)
    changes += (PackageChange(old=None, new=package) for package in rest.come)
    return tuple(sorted(changes, key=_order))


class _Rest:
    """The packages of two images that have no counterpart yet."""

    def __init__(self, left: list[Package], come: list[Package]) -> None:
        self.left = left
        self.come = come

    def pairs(
        self, key: Callable[[Package], Hashable], *, alone: bool = False
    ) -> Iterator[tuple[Package, Package]]:
        """Yield packages with the same key, one of each image, and forget them.

        Args:
            key: of a package.
            alone: only where no other package of either image has the key.
        """
        left, come = _grouped(self.left, key), _grouped(self.come, key)
        for name in left.keys() & come.keys():
            if not alone or len(left[name]) == len(come[name]) == 1:
                while left[name] and come[name]:
                    yield left[name].pop(0), come[name].pop(0)
        self.left = [package for group in left.values() for package in group]
        self.come = [package for group in come.values() for package in group]


def _grouped(
    packages: list[Package], key: Callable[[Package], Hashable]
) -> dict[Hashable, list[Package]]:
    groups: defaultdict[Hashable, list[Package]] = defaultdict(list)
    for package in packages:
        groups[key(package)].append(package)
    return groups


def _place(package: Package) -> Hashable:
    return package.kind, package.name, package.architecture, package.path


def _order(change: PackageChange) -> tuple[str, ...]:
    package = change.package
    return (package.kind, package.name, package.architecture, package.path or "", package.version)
