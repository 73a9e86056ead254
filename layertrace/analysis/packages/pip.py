"""Python packages: ``*.dist-info`` and ``*.egg-info`` beside what they tell of.

Source: Python packaging user guide, "Recording installed projects", "Core metadata".
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Final

from layertrace.analysis.packages.records import listed, text_of
from layertrace.model.entry import clean_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from layertrace.analysis.packages.records import Listed

DIST: Final = ".dist-info"
EGG: Final = ".egg-info"
METADATA: Final = (f"{DIST}/METADATA", f"{EGG}/PKG-INFO", EGG)
"""Ends of paths that name a package; the last is a file where the others have a folder."""
RECORD: Final = f"{DIST}/RECORD"
INSTALLED: Final = f"{EGG}/installed-files.txt"

_FIELD: Final = re.compile(r"^(Name|Version):[ \t]*(.*)$", re.MULTILINE)
_RUNS: Final = re.compile(r"[-_.]+")


def normal_name(name: str) -> str:
    """Return the name as all its spellings are compared.

    >>> normal_name("Zope.Interface")
    'zope-interface'
    """
    return _RUNS.sub("-", name).lower()


def info_folder(path: str) -> str:
    """Return the folder (or file) that a package's metadata is, by one of its files.

    >>> info_folder("usr/lib/x-1.dist-info/METADATA"), info_folder("usr/lib/y.egg-info")
    ('usr/lib/x-1.dist-info', 'usr/lib/y.egg-info')
    """
    return path if path.endswith((DIST, EGG)) else path.rpartition("/")[0]


def named(folder: str) -> tuple[str, str]:
    """Return the normal name and the version that a metadata folder is named by.

    >>> named("usr/lib/Flask_Login-0.6.3.dist-info"), named("lib/attrs-23-py3.11.egg-info")
    (('flask-login', '0.6.3'), ('attrs', '23'))
    """
    words = folder.rpartition("/")[2].removesuffix(DIST).removesuffix(EGG).split("-")
    return normal_name(words[0]), words[1] if len(words) > 1 else ""


def parse_metadata(data: bytes) -> Listed | None:
    """Return the package of a ``METADATA`` or ``PKG-INFO``."""
    head = text_of(data).replace("\r\n", "\n").partition("\n\n")[0]
    fields = dict(reversed(_FIELD.findall(head)))
    return listed(fields.get("Name"), fields.get("Version"))


def parse_record(data: bytes, folder: str) -> Iterator[str]:
    """Yield the paths of a ``RECORD``, which count from where the metadata folder lies."""
    site = folder.rpartition("/")[0]
    for line in text_of(data).splitlines():
        path = line.partition(",")[0] if '"' not in line else _quoted(line)
        if path:
            yield _joined(site, path)


def parse_installed(data: bytes, folder: str) -> Iterator[str]:
    """Yield the paths of an ``installed-files.txt``, which count from its folder."""
    return (_joined(folder, line) for line in text_of(data).splitlines() if line)


def _quoted(line: str) -> str:
    try:
        return next(iter(next(csv.reader([line]), ())), "")
    except csv.Error:
        return ""


def _joined(folder: str, path: str) -> str:
    return clean_path(path if path.startswith("/") else f"{folder}/{path}")
