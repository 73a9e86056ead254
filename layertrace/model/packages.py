"""Which package a file belongs to, and what each layer did to the packages."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from layertrace.model.origin import Finding


class PackageKind(StrEnum):
    """Whose database tells of a package."""

    DPKG = "dpkg"
    APK = "apk"
    RPM = "rpm"
    NPM = "npm"
    PIP = "pip"


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageVersion:
    """What one layer did to a package."""

    layer: int
    version: str | None
    """None: the layer removed the package."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One package that is installed in the final image."""

    kind: PackageKind
    name: str
    version: str
    """As its database writes it; empty where that does not say."""
    architecture: str = ""
    path: str | None = None
    """Rootfs-relative folder that an npm or pip package lies in; None: the system's."""
    versions: tuple[PackageVersion, ...] = ()
    """One for each layer that installed, changed or removed it, base first."""

    @property
    def first_layer(self) -> int | None:
        """The lowest layer that has it, in whatever version."""
        return self.versions[0].layer if self.versions else None

    @property
    def version_layer(self) -> int | None:
        """The layer that brought the version of the final image."""
        return self.versions[-1].layer if self.versions else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageTable:
    """Every package of an image, and whose each file is."""

    packages: tuple[Package, ...] = ()
    """By kind, then name, then folder."""
    owners: Mapping[str, int] = field(default_factory=dict)
    """Rootfs-relative path of all that is no directory to its package in ``packages``."""
    findings: tuple[Finding, ...] = ()
    """What could not be read."""

    def owner(self, path: str) -> Package | None:
        """Return the package that a path belongs to; None: nobody's, or a directory."""
        number = self.owners.get(path)
        return None if number is None else self.packages[number]

    def rows(self, paths: Iterable[str]) -> array[int]:
        """Return the package of each path as an index, -1 for nobody's."""
        get = self.owners.get
        return array("i", [get(path, -1) for path in paths])


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageChange:
    """A package that two images do not both have, or not in one version."""

    old: Package | None
    """None: the newer image alone has it."""
    new: Package | None
    """None: the older image alone has it."""

    @property
    def package(self) -> Package:
        """Either of the two, for its kind and name."""
        found = self.new or self.old
        if found is None:
            raise ValueError("a change is of a package")
        return found
