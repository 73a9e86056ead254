"""Images outside the Dockerfile that are in the engine: looked for there by their name."""

from __future__ import annotations

import io
import tarfile
import uuid
from typing import TYPE_CHECKING

import pytest

from tests.engine_support import docker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sample_support import Command

pytestmark = pytest.mark.engine


def _import(name: str, files: dict[str, str]) -> str:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mtime = len(content), 1_500_000_000
            archive.addfile(member, io.BytesIO(content.encode()))
    return docker("import", "-", name, given=out.getvalue())


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, Path]]:
    """Return an image with tools, one that took two files of it, and the Dockerfile of that."""
    nonce = uuid.uuid4().hex
    tools, app = f"layertrace-tools:{nonce}", f"layertrace-app:{nonce}"
    context = tmp_path_factory.mktemp("outside")
    (context / "Dockerfile").write_text(f"FROM scratch\nCOPY --from={tools} /one /two /opt/\n")
    image_id = _import(tools, {"one": f"one {nonce}", "two": f"two {nonce}"})
    docker("build", "-t", app, str(context))
    yield tools, app, context / "Dockerfile"
    # Its name is another image's by then.
    docker("rmi", app, tools, image_id)


def _trusts(layertrace: Command, app: str, dockerfile: Path, *options: str) -> list[str]:
    told = ["-f", str(dockerfile), *options]
    data = layertrace.json("why", f"docker-daemon:{app}", "/opt/one", "/opt/two", *told)["data"]
    assert {answer["record"]["origin"]["kind"] for answer in data} == {"image"}
    return [answer["record"]["trust"] for answer in data]


def test_images_of_the_engine_verify_but_do_not_contradict(
    names: tuple[str, str, Path], layertrace: Command
) -> None:
    """What has the name by now may be another image; who gives one says that it is the one."""
    tools, app, dockerfile = names
    assert _trusts(layertrace, app, dockerfile) == ["verified", "verified"]
    same = tools.partition(":")[2]
    _import(tools, {"one": f"one {same}", "two": "another"})
    assert _trusts(layertrace, app, dockerfile) == ["verified", "inferred"]
    given = ("--stage", f"{tools}=docker-daemon:{tools}")
    assert _trusts(layertrace, app, dockerfile, *given) == ["verified", "contradicted"]
