"""Which files of a context a build took: the ignore file that held, where that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.builders import docker_archive, file, image, layer, step

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli_support import Cli

CLASSIC: Final = f"/bin/sh -c #(nop) COPY dir:{'0' * 64} in /all "
BUILDKIT: Final = "COPY . /all # buildkit"


def _trusts(cli: Cli, dockerfile: str) -> set[str]:
    words = ("app.tar", "-f", dockerfile, "--context", "src")
    envelope = cli.checked_json("files", *words)
    return {record["trust"] for record in envelope["data"] if record["type"] == "file"}


@pytest.fixture
def project(alone: Path) -> Path:
    """A context of one log, which the image holds, and a Dockerfile with patterns of its own."""
    (alone / "src").mkdir()
    (alone / "src" / "b.log").write_text("log")
    (alone / "Dockerfile").write_text("FROM scratch\nCOPY . /all\n")
    (alone / "Dockerfile.dockerignore").write_text("*.log\n")
    return alone


@pytest.mark.parametrize(
    ("created_by", "comment", "trust"),
    [
        pytest.param(CLASSIC, "", "inferred", id="the classic builder does not know the file"),
        pytest.param(BUILDKIT, "buildkit.dockerfile.v0", "contradicted", id="BuildKit does"),
    ],
)
def test_patterns_beside_the_dockerfile_hold_for_buildkit(
    cli: Cli, project: Path, created_by: str, comment: str, trust: str
) -> None:
    """What they ignore is missing from the context of its builds, and of no other."""
    tar = layer({"all/b.log": file(b"log", mtime=5)})
    built = image(tar, history=[step(created_by, comment=comment)])
    (project / "app.tar").write_bytes(docker_archive(built))
    assert _trusts(cli, "Dockerfile") == {trust}
