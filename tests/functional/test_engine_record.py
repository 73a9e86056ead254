"""An image of the engine, its stages told by the engine's own record of the build."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.builders import CREATED, docker_archive, image, layer, step
from tests.fake_engine import FakeEngine, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli_support import Cli

DOCKERFILE = "FROM base AS app\nRUN make\n"
KIND = "https://slsa.dev/provenance/v0.2"
METADATA = "https://mobyproject.org/buildkit@v1#metadata"


def predicate() -> str:
    """Return what BuildKit attests of the Dockerfile above."""
    steps = [
        {"id": "step0", "op": {"Op": {"source": {"identifier": "docker-image://base"}}}},
        {
            "id": "step1",
            "inputs": ["step0:0"],
            "op": {"Op": {"exec": {"meta": {}, "mounts": [{"dest": "/"}]}}},
        },
        {"id": "step2", "inputs": ["step1:0"], "op": {"Op": {}}},
    ]
    places = {
        f"step{number}": {
            "locations": [{"ranges": [{"start": {"line": line}, "end": {"line": line}}]}]
        }
        for number, line in ((0, 1), (1, 2))
    }
    text = base64.b64encode(DOCKERFILE.encode()).decode()
    source = {"locations": places, "infos": [{"filename": "Dockerfile", "data": text}]}
    return json.dumps({
        "buildType": "https://mobyproject.org/buildkit@v1",
        "buildConfig": {"llbDefinition": steps},
        "invocation": {"parameters": {"frontend": "dockerfile.v0"}},
        "metadata": {METADATA: {"source": source}},
    })  # fmt: skip


@pytest.fixture
def asked(alone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An engine with one image, and a docker command that tells of its build.

    Returns:
        Where the command notes what it was asked.
    """
    made = image(
        layer({"etc/os": b"base"}),
        layer({"app": b"made"}),
        history=[
            step("base"),
            step("RUN /bin/sh -c make # buildkit") | {"comment": "buildkit.dockerfile.v0"},
        ],
    )
    engine = FakeEngine(saved=docker_archive(made))
    record = {
        "Attachments": [{"Digest": engine.add(made), "Type": "image"}, {"Digest": "", "Type": KIND}]
    }
    build = {"ref": "default/default/b1", "created_at": CREATED, "completed_at": CREATED}
    (tmp_path / "ls").write_text(json.dumps(build))
    (tmp_path / "b1").write_text(json.dumps(record))
    (tmp_path / "attachment").write_text(predicate())
    command = tmp_path / "docker"
    command.write_text(
        f'#!/bin/sh\necho "$*" >>{tmp_path}/asked\n'
        f'case "$3" in ls) w=ls;; *) w=$4;; esac\nexec /bin/cat "{tmp_path}/$w"\n'
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    with serving(engine, tmp_path / "engine.sock"):
        yield tmp_path / "asked"


def test_record_names_stage_and_line(cli: Cli, asked: Path) -> None:
    """Without a Dockerfile at hand; it is asked for once."""
    for _ in range(2):
        (found,) = cli.json("why", "app:1", "/app", "--require", "verified")["data"]
        assert found["record"]["origin"] | {"path": None} == {
            "kind": "run", "stage": "app", "stage_index": 0, "line": 2,
            "instruction": "RUN make", "path": None, "image": None,
        }  # fmt: skip
    assert len(asked.read_text().splitlines()) == 3


def test_image_without_a_record_is_not_asked_for_again_within_the_hour(
    cli: Cli, asked: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking runs a command, and the answer hardly ever becomes another."""
    (asked.parent / "ls").write_text("")
    for _ in range(2):
        assert cli.json("files", "app:1")["data"][0]["stage"] is None
    assert len(asked.read_text().splitlines()) == 1
    later = time.time() + 4000
    monkeypatch.setattr(time, "time", lambda: later)
    cli.json("files", "app:1")
    assert len(asked.read_text().splitlines()) == 2
