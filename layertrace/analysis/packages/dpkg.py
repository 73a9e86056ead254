"""The database of dpkg: what is installed, and which paths each package brought.

Source: deb822(5), dpkg-query(1), dpkg-divert(1); ``status.d`` is what images without a
package manager have in its place: one file a package, its paths in a ``.md5sums`` beside it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from layertrace.analysis.packages.records import Listed, listed, text_of
from layertrace.model.entry import clean_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

STATUS: Final = "var/lib/dpkg/status"
STATUS_FOLDER: Final = "var/lib/dpkg/status.d/"
INFO_FOLDER: Final = "var/lib/dpkg/info/"
DIVERSIONS: Final = "var/lib/dpkg/diversions"
LIST: Final = ".list"
SUMS: Final = ".md5sums"

_PARAGRAPH: Final = re.compile(r"\n[ \t]*\n")
_FIELD: Final = re.compile(r"^(Package|Status|Version|Architecture):[ \t]*(.*)$", re.MULTILINE)
_ABSENT: Final = frozenset({"not-installed", "config-files"})
"""States of a package that is no longer there, or never was."""
_SUM: Final = re.compile(r"[0-9a-fA-F]{32}[ \t]+[*]?(.+)")


class Diversion(NamedTuple):
    """A path that one package has for itself: those of all others go elsewhere."""

    target: str
    by: str
    """The package; ``:`` where the administrator did it, for all packages."""


def parse_status(data: bytes) -> Iterator[Listed]:
    """Yield the packages that a status file says are installed."""
    for paragraph in _PARAGRAPH.split(text_of(data)):
        fields = dict(_FIELD.findall(paragraph))
        if fields.get("Status", "").rpartition(" ")[2] in _ABSENT:
            continue
        found = listed(fields.get("Package"), fields.get("Version"), fields.get("Architecture"))
        if found is not None:
            yield found


def parse_list(data: bytes) -> Iterator[str]:
    """Yield the paths of a ``.list`` that others of it do not lie in, rootfs-relative.

    One that others lie in is a directory, though a link may stand there in the image.
    """
    paths = [_cleaned(line) for line in text_of(data).split("\n")]
    folders = {path.rpartition("/")[0] for path in paths}
    yield from (path for path in paths if path and path not in folders)


def parse_sums(data: bytes) -> Iterator[str]:
    """Yield the paths of an ``.md5sums``."""
    for line in text_of(data).split("\n"):
        match = _SUM.fullmatch(line)
        if match is not None:
            yield clean_path(match[1])


def parse_diversions(data: bytes) -> Mapping[str, Diversion]:
    """Return every diverted path: three lines are one diversion."""
    lines = text_of(data).split("\n")
    return {
        clean_path(path): Diversion(clean_path(target), by)
        for path, target, by in zip(lines[::3], lines[1::3], lines[2::3], strict=False)
    }


def diverted(
    paths: Iterable[str], package: str, diversions: Mapping[str, Diversion]
) -> Iterator[str]:
    """Yield where a package's files are for all that is diverted."""
    for path in paths:
        diversion = diversions.get(path)
        yield path if diversion is None or diversion.by == package else diversion.target


def _cleaned(line: str) -> str:
    # Nearly all are clean: a list of a thousand packages has a hundred thousand.
    odd = "//" in line or "/." in line or not line.startswith("/")
    return clean_path(line) if odd else line[1:].rstrip("/")
