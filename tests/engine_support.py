"""What tests with a real engine use: its client, and an image with a shell."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tarfile
from secrets import token_hex
from typing import TYPE_CHECKING, Final

import pytest

from layertrace.archive.export.buildkit import find_buildkit

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LABEL: Final = f"layertrace.test.{token_hex(6)}"
"""On the images made here, so that those and no others are removed at the end."""
_APPLETS: Final = (
    "sh", "cat", "chmod", "chown", "cp", "ln", "mkdir", "mv", "rm", "sleep", "touch",
)  # fmt: skip


def docker(*words: str | Path, builder: str = "classic", given: bytes = b"") -> str:
    """Run the docker command; return what it prints.

    Args:
        words: of the command; ``build`` is by the builder named.
        builder: ``classic`` or ``buildkit``.
        given: to its standard input.
    """
    found = find_buildkit() if words[0] == "build" and builder == "buildkit" else None
    argv = ["docker", words[0]] if found is None else found.argv
    environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
    done = subprocess.run(  # noqa: S603 - a docker client
        [*argv, *map(str, words[1:])],
        env=environment if found is None else {**environment, **found.environment},
        input=given,
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.stderr + done.stdout).decode(errors="replace")
    return done.stdout.decode().strip()


def import_shell(name: str, members: Iterable[tuple[tarfile.TarInfo, bytes]] = ()) -> str:
    """Make an image that can RUN, of busybox and other members; return its name."""
    busybox = shutil.which("busybox")
    if busybox is None:
        pytest.skip("a base image with a shell takes busybox-static")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.add(busybox, "bin/busybox")
        for applet in _APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        for member, data in members:
            archive.addfile(member, io.BytesIO(data))
    docker("import", "--change", f"LABEL {LABEL}=1", "-", name, given=out.getvalue())
    return name
