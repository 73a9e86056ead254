"""Reading all databases of packages of an image, and settling whose each file is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from layertrace.analysis.packages import dpkg, language, system
from layertrace.analysis.packages.claims import Claims, RealPaths
from layertrace.analysis.packages.reading import Reader
from layertrace.model.packages import PackageKind, PackageTable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from layertrace.analysis.packages.families import Family, Found
    from layertrace.pipeline.answers import ImageTrace

_KINDS = tuple(PackageKind)
_ENDS = (dpkg.LIST, dpkg.SUMS, *language.ENDS)


def gather_packages(trace: ImageTrace) -> PackageTable:
    """Return the packages of an image, in one pass over the layers that have databases.

    A file is of the operating system's package that lists it, else of the Python package that
    records it, else of the nearest package of Node.js whose folder it is in. What a package of
    the operating system brought for a language is no package of its own.

    Raises:
        LayertraceError: the contents of the image cannot be had.
    """
    rootfs = trace.rootfs
    real = RealPaths(rootfs, trace.follow)
    paths = [
        path for path in rootfs.seen if path.endswith(_ENDS) or path.startswith(dpkg.STATUS_FOLDER)
    ]
    families: tuple[Family, ...] = (
        system.Dpkg(rootfs, paths),
        system.Apk(rootfs),
        system.Rpm(rootfs, real),
        language.Npm(rootfs, paths),
        language.Pip(rootfs, paths),
    )
    reader = Reader(trace)
    for family in families:
        family.ask(reader)
    reader.read()
    found = sorted((each for family in families for each in family.packages(reader)), key=_order)
    found, owners = _claimed(found, Claims(real), rootfs.seen)
    return PackageTable(
        packages=tuple(each.package for each in found),
        owners=owners,
        findings=reader.findings,
    )


def _claimed(
    found: Sequence[Found], claims: Claims, paths: Iterable[str]
) -> tuple[list[Found], dict[str, int]]:
    """Return the packages that are nobody else's files, and the package of each path."""
    kept: list[Found] = []
    roots: dict[str, int] = {}
    # In this order: what lists its files comes before what has all that lies in a folder.
    for each in sorted(found, key=lambda each: each.manifest is not None):
        if each.manifest is None or each.manifest not in claims.owners:
            claims.claim(len(kept), each.files)
            if each.root is not None:
                roots[each.root] = len(kept)
            kept.append(each)
    claims.claim_below(roots, paths)
    return kept, claims.owners


def _order(found: Found) -> tuple[int, str, str, str, str]:
    package = found.package
    return (
        _KINDS.index(package.kind),
        package.name,
        package.architecture,
        package.path or "",
        package.version,
    )
