"""The engine's own record of its builds: what made an image that carries no provenance.

BuildKit keeps the whole provenance of every build, even where the image was
built without one. Only the buildx plugin shows it.

Source: ``docker buildx history``, buildx 0.20 and later.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from layertrace.archive.decode import parse_json
from layertrace.archive.docker_command import ask, docker_commands
from layertrace.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SLSA: Final = "https://slsa.dev/provenance/"
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z")
MAX_ASKED: Final = 4
"""Builds looked into, a third of a second each: of those that ran when the image
was made there is hardly more than one."""


def find_build_record(image_id: str, created: str) -> bytes | None:
    """Return the provenance of the build that made an image; None where nothing tells.

    Args:
        image_id: as the engine calls it; a build is the image's only if its
            record names that digest.
        created: when the image was made, RFC 3339.
    """
    made = _instant(created)
    if made is None:
        return None
    for docker in docker_commands():
        listed = ask(docker, "buildx", "history", "ls", "--format", "json")
        if listed is not None:
            try:
                return _find(docker, listed, image_id, made)
            except ArchiveError:
                # Nobody asked for it; the image is none the worse.
                return None
    return None


def _find(docker: Path, listed: str, image_id: str, made: tuple[str, str]) -> bytes | None:
    for reference in list(_candidates(listed, made))[:MAX_ASKED]:
        record = ask(docker, "buildx", "history", "inspect", reference, "--format", "json")
        if record is None:
            continue
        attachments = parse_json(record.encode(), "a build record").get("Attachments").items()
        if image_id not in {each.get("Digest").text("") for each in attachments}:
            continue
        kinds = [each.get("Type").text("") for each in attachments]
        kind = next((each for each in kinds if each.startswith(_SLSA)), None)
        if kind is not None:
            what = ("buildx", "history", "inspect", "attachment", reference, "--type", kind)
            found = ask(docker, *what)
            return None if found is None else found.encode()
    return None


def _candidates(listed: str, made: tuple[str, str]) -> Iterator[str]:
    """Yield the references of the builds that ran when an image was made, the newest first."""
    for line in listed.splitlines():
        record = parse_json(line.encode(), "the build history")
        began, ended = (
            _instant(record.get(key).text("")) for key in ("created_at", "completed_at")
        )
        if began is not None and ended is not None and began <= made <= ended:
            yield record.get("ref").text("").rpartition("/")[2]


def _instant(text: str) -> tuple[str, str] | None:
    """Return a time in UTC as something to compare; None for any other."""
    found = _TIME.fullmatch(text)
    return None if found is None else (found[1], (found[2] or "").ljust(9, "0"))
