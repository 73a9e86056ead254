"""The packages of an image's operating system: dpkg, apk and rpm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, cast

from layertrace.analysis.packages import apk, dpkg, rpm
from layertrace.analysis.packages.families import (
    Found,
    database_history,
    places_of,
    versions_of,
)
from layertrace.analysis.packages.reading import MAX_DATABASE, MAX_LIST, MAX_RPM, Request
from layertrace.model.packages import Package, PackageKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from layertrace.analysis.packages.claims import RealPaths
    from layertrace.analysis.packages.families import Versions
    from layertrace.analysis.packages.reading import Reader
    from layertrace.analysis.packages.records import Listed
    from layertrace.rootfs.places import Place
    from layertrace.rootfs.squash import Rootfs

_WAL: Final = "-wal"


class Dpkg:
    """Packages of Debian and what is made from it."""

    def __init__(self, rootfs: Rootfs, paths: Sequence[str]) -> None:
        """Keep those of the seen paths that may be of the database."""
        self._rootfs = rootfs
        ends = (dpkg.LIST, dpkg.SUMS)
        info = [path for path in paths if path.startswith(dpkg.INFO_FOLDER)]
        states = [path for path in paths if path.startswith(dpkg.STATUS_FOLDER)]
        self._lists = [path for path in info if path.endswith(dpkg.LIST)]
        self._sums = [path for path in (*info, *states) if path.endswith(dpkg.SUMS)]
        self._states = [dpkg.STATUS, *(path for path in states if not path.endswith(ends))]

    def ask(self, reader: Reader) -> None:
        """Ask for the databases of all layers, and for the lists of the final one."""
        for path in self._states:
            for place in places_of(self._rootfs, reader, path):
                reader.ask(Request(path, place, MAX_DATABASE, _dpkg_status))
        sums = [path for path in self._sums if _list_of(path) not in self._rootfs.seen]
        for path in (*self._lists, *sums, dpkg.DIVERSIONS):
            for place in places_of(self._rootfs, reader, path)[-1:]:
                reader.ask(Request(path, place, MAX_LIST, bytes))

    def packages(self, reader: Reader) -> Iterator[Found]:
        """Yield what the final image's databases have."""
        diversions = dpkg.parse_diversions(self._lines(reader, dpkg.DIVERSIONS))
        for path in self._states:
            places = places_of(self._rootfs, reader, path)
            states = [(place.layer, _packages(reader, place)) for place in places]
            known = [(layer, versions_of(state)) for layer, state in states]
            for package in states[-1][1] if states else ():
                listed = self._files(reader, package, path)
                files = dpkg.diverted(listed, package.name, diversions)
                yield Found(_package(PackageKind.DPKG, package, known), files)

    def _files(self, reader: Reader, package: Listed, status: str) -> Iterator[str]:
        info = f"{dpkg.INFO_FOLDER}{package.name}"
        for stem in (f"{info}:{package.architecture}", info):
            if f"{stem}{dpkg.LIST}" in self._rootfs.seen:
                return dpkg.parse_list(self._lines(reader, f"{stem}{dpkg.LIST}"))
        for stem in (status, f"{info}:{package.architecture}", info):
            if f"{stem}{dpkg.SUMS}" in self._rootfs.seen:
                return dpkg.parse_sums(self._lines(reader, f"{stem}{dpkg.SUMS}"))
        return iter(())

    def _lines(self, reader: Reader, path: str) -> bytes:
        place = self._rootfs.place(path)
        return b"" if place is None else reader.lines(place)


class Apk:
    """Packages of Alpine Linux."""

    def __init__(self, rootfs: Rootfs) -> None:
        """Keep the image."""
        self._rootfs = rootfs

    def ask(self, reader: Reader) -> None:
        """Ask for the databases of all layers."""
        for path in apk.DATABASES:
            for place in places_of(self._rootfs, reader, path):
                reader.ask(Request(path, place, MAX_DATABASE, bytes))

    def packages(self, reader: Reader) -> Iterator[Found]:
        """Yield what the final image's database has."""
        places = sorted(
            place for path in apk.DATABASES for place in places_of(self._rootfs, reader, path)
        )
        known = [
            (place.layer, versions_of(package for package, _ in _apk_packages(reader, place)))
            for place in places
        ]
        for package, files in _apk_packages(reader, places[-1]) if places else ():
            yield Found(_package(PackageKind.APK, package, known), files)


class _RpmPackage(NamedTuple):
    package: Listed
    files: tuple[str, ...]


class Rpm:
    """Packages of Fedora, Red Hat, SUSE and what is made from them."""

    def __init__(self, rootfs: Rootfs, paths: RealPaths) -> None:
        """Keep the image and what finds listed paths in it."""
        self._rootfs = rootfs
        self._paths = paths

    def ask(self, reader: Reader) -> None:
        """Ask for the databases of all layers."""
        places = self._places(reader)
        if places and places[-1][0].endswith(f"/{rpm.BERKELEY}"):
            path, place = places[-1]
            reader.tell(path, "it is a Berkeley DB, which layertrace does not read", place.layer)
            return
        for path, place in places:
            last = place == places[-1][1]

            def parse(data: bytes, name: str = path, *, files: bool = last) -> object:
                return self._parse(data, name.rpartition("/")[2], files=files)

            reader.ask(Request(path, place, MAX_RPM, parse))
        for path, _ in places[-1:]:
            journal = self._rootfs.place(f"{path}{_WAL}")
            if journal is not None and self._size(journal):
                why = "what is in its write-ahead log only is not read"
                reader.tell(f"{path}{_WAL}", why, journal.layer)

    def packages(self, reader: Reader) -> Iterator[Found]:
        """Yield what the final image's database has."""
        states = [(place.layer, reader.found(place)) for _, place in self._places(reader)]
        read = [(layer, cast("list[_RpmPackage]", state)) for layer, state in states if state]
        known = [(layer, versions_of(each.package for each in state)) for layer, state in read]
        for each in read[-1][1] if read and states[-1][1] else ():
            yield Found(_package(PackageKind.RPM, each.package, known), each.files)

    def _places(self, reader: Reader) -> list[tuple[str, Place]]:
        """Return the databases of all layers, base first; an older form is no longer in use."""
        for name in (rpm.SQLITE, rpm.NDB, rpm.BERKELEY):
            found = [
                (f"{folder}/{name}", place)
                for folder in rpm.FOLDERS
                for place in places_of(self._rootfs, reader, f"{folder}/{name}")
            ]
            if found:
                return sorted(found, key=lambda each: each[1])
        return []

    def _parse(self, data: bytes, name: str, *, files: bool) -> list[_RpmPackage]:
        found = []
        for header in rpm.read_database(data, name):
            package = header.package()
            if package is not None:
                # What is not in the image takes no memory, whatever a header claims.
                real = map(self._paths.file, header.files() if files else ())
                found.append(_RpmPackage(package, tuple(path for path in real if path)))
        return found

    def _size(self, place: Place) -> int:
        return self._rootfs.layers[place.layer].sizes[place.number]


def _package(kind: PackageKind, package: Listed, known: Iterable[tuple[int, Versions]]) -> Package:
    return Package(
        kind=kind,
        name=package.name,
        version=package.version,
        architecture=package.architecture,
        versions=database_history(package, known),
    )


def _dpkg_status(data: bytes) -> tuple[Listed, ...]:
    return tuple(dpkg.parse_status(data))


def _packages(reader: Reader, place: Place) -> tuple[Listed, ...]:
    return cast("tuple[Listed, ...]", reader.found(place) or ())


def _apk_packages(reader: Reader, place: Place) -> Iterator[tuple[Listed, tuple[str, ...]]]:
    return apk.parse_installed(reader.lines(place))


def _list_of(sums: str) -> str:
    return f"{sums.removesuffix(dpkg.SUMS)}{dpkg.LIST}"
