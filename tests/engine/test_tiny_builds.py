"""The small samples, built anew by both builders, against their expected answers."""

from __future__ import annotations

import hashlib
import tarfile
from typing import TYPE_CHECKING, Final

import pytest

from tests.engine_support import docker
from tests.sample_support import Command, SampleAnswers
from tests.trees import OnDisk, tree_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_KINDS: Final = {tarfile.DIRTYPE: "dir", tarfile.SYMTYPE: "symlink"}
_MADE_BY_THE_ENGINE: Final = (
    ".dockerenv",
    "dev",
    "etc/host",
    "etc/mtab",
    "etc/resolv",
    "proc",
    "sys",
)
"""Where paths begin that a container has and its image does not."""

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module", params=["multistage", "regular"])
def kind(request: pytest.FixtureRequest) -> str:
    """Return which of the two Dockerfiles."""
    return str(request.param)


@pytest.fixture(scope="module")
def archive(
    kind: str,
    builder: str,
    make_bases: Callable[[str], None],
    export: Callable[[str, str, str], Path],
) -> Path:
    """Return the trace archive of one build."""
    make_bases("tiny")
    return export("tiny-app", kind, builder)


class TestBuiltSample(SampleAnswers):
    """Every archive that the engine builds."""


def test_what_is_extracted_is_what_the_engine_exports(
    archive: Path, layertrace: Command, tmp_path: Path
) -> None:
    """The engine's own file system of the image: kinds, contents, link targets, modes, times."""
    image = docker("load", "--quiet", "--input", str(archive)).split()[-1]
    container = docker("create", "--network", "none", image, "true").strip()
    try:
        docker("export", "--output", str(tmp_path / "root.tar"), container)
    finally:
        docker("rm", container)
    layertrace.run("extract", archive, "/", "-o", tmp_path / "out", "--keep-setuid")
    found, wanted = tree_of(tmp_path / "out"), _tree_of_tar(tmp_path / "root.tar")
    assert len(found) > 50
    for tree in (found, wanted):
        for path in [path for path in tree if path.startswith(_MADE_BY_THE_ENGINE)]:
            del tree[path]
    # What the engine made in it changed the time of this one.
    del found["etc"], wanted["etc"]
    assert found == wanted


def _tree_of_tar(path: Path) -> dict[str, OnDisk]:
    tree: dict[str, OnDisk] = {}
    with tarfile.open(path) as tar:
        for member in tar:
            name = member.name.rstrip("/")
            if member.islnk():
                tree[name] = tree[member.linkname]
                continue
            kind = _KINDS.get(member.type, "file")
            content = tar.extractfile(member) if kind == "file" else None
            data = content.read() if content is not None else b""
            tree[name] = OnDisk(
                kind=kind,
                size=len(data),
                digest=f"sha256:{hashlib.sha256(data).hexdigest()}" if kind == "file" else None,
                target=member.linkname if kind == "symlink" else None,
                mode=None if kind == "symlink" else member.mode & 0o7777,
                mtime=int(member.mtime),
            )
    return tree
