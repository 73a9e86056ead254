"""Which images were opened before: one small file in the cache folder.

It holds names and times, nothing of what is in the images. What cannot be read or written
is no error: a list of conveniences is not worth one.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from layertrace.views.picking.offers import Offer

_FILE: Final = "recent.json"
_SCHEMA: Final = "layertrace.recent/1"
MOST: Final = 20
_LONGEST: Final = 4096
"""Characters of a reference: no path is longer."""
_LARGEST: Final = MOST * _LONGEST * 12
"""Bytes of the file: a character takes twelve at most as JSON."""
_FILES: Final = ("docker-archive", "oci-archive", "oci")


def load_recent(folder: Path) -> tuple[Offer, ...]:
    """Return what was opened before, the latest first; none where nothing (usable) was kept."""
    # Whoever only remembers offers nothing.
    from layertrace.views.picking.offers import Kind, Offer  # noqa: PLC0415

    return tuple(
        Offer(kind=Kind.RECENT, reference=reference, name=reference, time=time)
        for reference, time in _load(folder / _FILE)
    )


def remember(folder: Path, reference: str, now: float) -> None:
    """Put an image first on the list; one that came on stdin cannot be opened again."""
    if reference == "-" or len(reference) > _LONGEST:
        return
    try:
        named = _wherever(reference)
    except OSError:
        # The current folder is gone: what the name means, nobody can say.
        return
    kept = [(named, now), *((old, time) for old, time in _load(folder / _FILE) if old != named)]
    rows = [{"image": each, "opened": time} for each, time in kept[:MOST]]
    text = json.dumps({"schema": _SCHEMA, "images": rows}, indent=1)
    with suppress(OSError):
        _replace(folder / _FILE, f"{text}\n".encode())


def forget(folder: Path) -> None:
    """Remove the list."""
    with suppress(OSError):
        (folder / _FILE).unlink()


def _load(path: Path) -> list[tuple[str, float]]:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST + 1)
        document = json.loads(text) if len(text) <= _LARGEST else None
    except (OSError, ValueError, RecursionError):
        return []
    rows = document.get("images") if isinstance(document, dict) else None
    found = [_row(row) for row in rows[:MOST]] if isinstance(rows, list) else []
    return [row for row in found if row is not None]


def _row(row: object) -> tuple[str, float] | None:
    """Return one row if it is what this program writes."""
    if not isinstance(row, dict):
        return None
    image, opened = row.get("image"), row.get("opened")
    if not isinstance(image, str) or not 0 < len(image) <= _LONGEST or "\0" in image:
        return None
    time = float(opened) if isinstance(opened, int | float) and 0 <= opened < 1 << 40 else 0.0
    return image, time


def _wherever(reference: str) -> str:
    """Return a reference that names the same file from any folder.

    >>> _wherever("docker-daemon:app:1"), _wherever("oci:/srv/layout:v1")
    ('docker-daemon:app:1', 'oci:/srv/layout:v1')
    """
    transport, _, rest = reference.partition(":")
    if transport in _FILES:
        return f"{transport}:{_absolute(rest)}"
    return _absolute(reference) if os.path.lexists(reference) else reference


def _absolute(path: str) -> str:
    # Not resolved: where a link leads may be another image tomorrow, and that is meant.
    return os.path.abspath(path)  # noqa: PTH100


def _replace(path: Path, data: bytes) -> None:
    """Write a file so that whoever reads it meanwhile sees the old one or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Only the user may read it, which mkstemp sees to.
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123 - of a descriptor
            file.write(data)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
