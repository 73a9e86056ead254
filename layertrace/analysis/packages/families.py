"""What every family of packages has to do: ask for files, then tell what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from layertrace.model.packages import PackageVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from layertrace.analysis.packages.reading import Reader
    from layertrace.analysis.packages.records import Listed
    from layertrace.model.packages import Package
    from layertrace.rootfs.places import Place
    from layertrace.rootfs.squash import Rootfs

Versions = dict[tuple[str, str], list[str]]
"""Name and architecture to the versions installed: mostly one."""


class Found(NamedTuple):
    """A package, and what its database says is its own."""

    package: Package
    files: Iterable[str] = ()
    """As listed."""
    manifest: str | None = None
    """The file that tells of it, where another package may have brought that."""
    root: str | None = None
    """A folder that is its own with all in it that is nobody else's."""


class Family(Protocol):
    """Packages of one kind."""

    def ask(self, reader: Reader) -> None:
        """Ask for the files that tell of them."""
        ...

    def packages(self, reader: Reader) -> Iterator[Found]:
        """Yield them, once the files are read."""
        ...


def places_of(rootfs: Rootfs, reader: Reader, path: str) -> tuple[Place, ...]:
    """Return a regular file as each layer has it, base first; none if it is not seen."""
    place = rootfs.place(path)
    if place is None or not reader.is_file(place):
        return ()
    if path not in rootfs.below:
        return (place,)
    return tuple(each for each in rootfs.versions(path) if reader.is_file(each))


def versions_of(packages: Iterable[Listed]) -> Versions:
    """Return what a database has, by name and architecture."""
    found: Versions = {}
    for package in packages:
        found.setdefault((package.name, package.architecture), []).append(package.version)
    return found


def database_history(
    package: Listed, states: Iterable[tuple[int, Mapping[tuple[str, str], list[str]]]]
) -> tuple[PackageVersion, ...]:
    """Return what each layer did to a package, by the databases of the layers that have one."""
    key = package.name, package.architecture
    versions: list[tuple[int, str | None]] = []
    for layer, state in states:
        known = state.get(key, [])
        same = package.version in known
        versions.append((layer, package.version if same else next(iter(known), None)))
    return history(versions)


def history(versions: Iterable[tuple[int, str | None]]) -> tuple[PackageVersion, ...]:
    """Return the layers, base first, in which the version is another than before."""
    found: list[PackageVersion] = []
    last: str | None = None
    for layer, version in versions:
        if version != last:
            found.append(PackageVersion(layer=layer, version=version))
        last = version
    return tuple(found)
