"""The packages of programming languages: npm's and Python's."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, cast

from layertrace.analysis.packages import npm, pip
from layertrace.analysis.packages.families import Found, history, places_of
from layertrace.analysis.packages.reading import MAX_HEAD, MAX_LIST, MAX_MANIFEST, Request
from layertrace.model.packages import Package, PackageKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from layertrace.analysis.packages.reading import Reader
    from layertrace.analysis.packages.records import Listed
    from layertrace.rootfs.places import Place
    from layertrace.rootfs.squash import Rootfs

ENDS: Final = (npm.MANIFEST, *pip.METADATA)
"""Ends of the paths that tell of a package."""


class Npm:
    """Packages in ``node_modules`` folders."""

    def __init__(self, rootfs: Rootfs, paths: Iterable[str]) -> None:
        """Keep those of the seen paths that tell of a package."""
        self._rootfs = rootfs
        named = ((path, npm.package_name(path)) for path in paths if path.endswith(npm.MANIFEST))
        self._names = {path: name for path, name in named if name is not None}

    def ask(self, reader: Reader) -> None:
        """Ask for what each layer has of them."""
        for path, name in self._names.items():

            def parse(data: bytes, name: str = name) -> object:
                return npm.parse_manifest(data, name)

            for place in places_of(self._rootfs, reader, path):
                reader.ask(Request(path, place, MAX_MANIFEST, parse))

    def packages(self, reader: Reader) -> Iterator[Found]:
        """Yield what the final image has."""
        for path in self._names:
            places = places_of(self._rootfs, reader, path)
            told = [(place.layer, reader.found(place)) for place in places]
            states = [(layer, cast("Listed", found)) for layer, found in told if found is not None]
            if states and told[-1][1] is not None:
                last = states[-1][1]
                folder = path.removesuffix(npm.MANIFEST)
                package = Package(
                    kind=PackageKind.NPM,
                    name=last.name,
                    version=last.version,
                    path=folder,
                    versions=history((layer, each.version) for layer, each in states),
                )
                yield Found(package, manifest=path, root=folder)


class Pip:
    """Packages of Python, whatever installed them."""

    def __init__(self, rootfs: Rootfs, paths: Sequence[str]) -> None:
        """Keep those of the seen paths that tell of a package."""
        self._rootfs = rootfs
        places = ((path, rootfs.place(path)) for path in paths if path.endswith(pip.METADATA))
        self._metadata = {path: place for path, place in places if place is not None}

    def ask(self, reader: Reader) -> None:
        """Ask for the metadata and the lists of the final image."""
        for path in self._metadata:
            for place in places_of(self._rootfs, reader, path)[-1:]:
                reader.ask(Request(path, place, MAX_HEAD, pip.parse_metadata, head=True))
            for other in _lists_of(path):
                for place in places_of(self._rootfs, reader, other)[-1:]:
                    reader.ask(Request(other, place, MAX_LIST, bytes))

    def packages(self, reader: Reader) -> Iterator[Found]:
        """Yield what the final image has."""
        known = self._histories() if self._metadata else {}
        for path, place in self._metadata.items():
            found = reader.found(place)
            if found is not None:
                told, folder = cast("Listed", found), pip.info_folder(path)
                site = folder.rpartition("/")[0]
                versions = [
                    (layer, told.version if at == folder else pip.named(at)[1])
                    for layer, at in known[site, pip.named(folder)[0]]
                ]
                package = Package(
                    kind=PackageKind.PIP,
                    name=told.name,
                    version=told.version,
                    path=site,
                    versions=history(versions),
                )
                yield Found(package, self._files(reader, path), manifest=path, root=folder)

    def _histories(self) -> Mapping[tuple[str, str], list[tuple[int, str]]]:
        """Return the metadata folders of each package through the layers, base first."""
        known: defaultdict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
        shown = ((place, path) for path, place in self._metadata.items())
        for place, path in sorted((*shown, *self._hidden())):
            folder = pip.info_folder(path)
            known[folder.rpartition("/")[0], pip.named(folder)[0]].append((place.layer, folder))
        return known

    def _hidden(self) -> Iterator[tuple[Place, str]]:
        for place, _ in self._rootfs.hidden:
            path = self._rootfs.layers[place.layer].paths[place.number]
            if path.endswith(pip.METADATA):
                yield place, path

    def _files(self, reader: Reader, path: str) -> Iterator[str]:
        folder = pip.info_folder(path)
        yield path
        for other, parse in zip(
            _lists_of(path), (pip.parse_record, pip.parse_installed), strict=True
        ):
            place = self._rootfs.place(other)
            if place is not None:
                yield from parse(reader.lines(place), folder)


def _lists_of(path: str) -> tuple[str, str]:
    """Return where the files of a package are listed, by the path of its metadata."""
    stem = pip.info_folder(path).removesuffix(pip.DIST).removesuffix(pip.EGG)
    return f"{stem}{pip.RECORD}", f"{stem}{pip.INSTALLED}"
