"""The database of apk: one file with every package and its files.

Source: apk-package(5), "Installed database".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from layertrace.analysis.packages.records import Listed, listed, text_of
from layertrace.model.entry import clean_path

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASES: Final = ("lib/apk/db/installed", "usr/lib/apk/db/installed")


def parse_installed(data: bytes) -> Iterator[tuple[Listed, tuple[str, ...]]]:
    """Yield each package with the paths of its files, rootfs-relative."""
    for block in text_of(data).split("\n\n"):
        fields: dict[str, str] = {}
        files: list[str] = []
        folder = ""
        for line in block.split("\n"):
            key, value = line[:2], line[2:]
            if key == "F:":
                folder = value
            elif key == "R:":
                files.append(clean_path(f"{folder}/{value}"))
            else:
                fields.setdefault(key, value)
        found = listed(fields.get("P:"), fields.get("V:"), fields.get("A:"))
        if found is not None:
            yield found, tuple(files)
