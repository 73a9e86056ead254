"""``--stage-cache``: the stages out of the build's exported cache."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from layertrace.views.cli import main
from tests.builders import docker_archive, file, image, layer, write_folder
from tests.cache_builder import cache_files

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE = """\
FROM node AS build
COPY . /src
RUN make
FROM slim
COPY --from=build /src/app /app
"""
SLIM, NODE = layer({"etc/slim": b"1"}), layer({"etc/node": b"2"})
COPIED, MADE = layer({"src/main.c": b"main"}), layer({"src/app": file(b"app", mode=0o755)})
FINAL = layer({"app": file(b"app", mode=0o755)})
STEPS = [([3], [[1]]), ([2], [[3], [3]]), ([4], [[3], [0]]), ([], [])]


@pytest.fixture(autouse=True)
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the image, its Dockerfile and its build's cache in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAYERTRACE_CACHE_DIR", str(tmp_path / "indexes"))
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    history = ["FROM slim", "COPY /src/app /app # buildkit"]
    (tmp_path / "app.tar").write_bytes(docker_archive(image(SLIM, FINAL, history=history)))
    export(tmp_path / "cache", MADE, FINAL)


def export(folder: Path, made: bytes, final: bytes) -> None:
    """Write the cache of a build with these results."""
    layers = [(SLIM, -1), (NODE, -1), (COPIED, 1), (made, 2), (final, 0)]
    write_folder(folder, cache_files(layers, STEPS))


def why(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, dict[str, object]]:
    """Return the exit code and JSON of ``layertrace why``."""
    code = main(["why", "app.tar", "/app", "--json", *options])
    answer: dict[str, object] = json.loads(capsys.readouterr().out)
    return code, answer


def hops(answer: dict[str, object]) -> list[tuple[object, ...]]:
    """Return where each hop was, and how it is known."""
    data = answer["data"]
    assert isinstance(data, list)
    return [(hop["place"], hop["line"], hop["trust"], hop["evidence"]) for hop in data[0]["hops"]]


def test_stage_in_the_cache_verifies_what_was_copied_from_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """As an image of the stage would."""
    code, answer = why(
        capsys, "-f", "Dockerfile", "--stage-cache", "cache", "--require", "verified"
    )
    assert code == 0
    assert hops(answer) == [
        ("final", 5, "verified", "matched"), ("build", 3, "verified", "declared"),
    ]  # fmt: skip
    assert answer["findings"] == []
    code, answer = why(capsys, "-f", "Dockerfile")
    assert hops(answer)[-1] == ("build", None, "unknown", "unknown")


def test_cache_of_another_build_is_said_to_lead_nowhere(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Its layers are not the image's."""
    export(tmp_path / "other", MADE, layer({"app": b"another"}))
    code, answer = why(capsys, "-f", "Dockerfile", "--stage-cache", "other")
    assert code == 0
    assert hops(answer)[-1] == ("build", None, "unknown", "unknown")
    findings = answer["findings"]
    assert isinstance(findings, list)
    assert [finding["code"] for finding in findings] == ["stage-cache-incomplete"]
    assert "does not lead to stage build" in findings[0]["message"]


def test_content_that_differs_is_contradicted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What the cache says is compared, not believed."""
    export(tmp_path / "other", layer({"src/app": b"another"}), FINAL)
    _, answer = why(capsys, "-f", "Dockerfile", "--stage-cache", "other")
    assert hops(answer) == [("final", 5, "contradicted", "declared")]


def test_image_of_the_stage_goes_before_the_cache(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Who names both means the image."""
    export(tmp_path / "other", layer({"src/app": b"another"}), FINAL)
    history = ["FROM node", "COPY . /src # buildkit", "RUN /bin/sh -c make # buildkit"]
    (tmp_path / "build.tar").write_bytes(docker_archive(image(NODE, COPIED, MADE, history=history)))
    options = ("-f", "Dockerfile", "--stage-cache", "other", "--stage", "build=build.tar")
    _, answer = why(capsys, *options)
    assert hops(answer)[0] == ("final", 5, "verified", "matched")


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--stage-cache", "cache"], 2, "tells nothing without the Dockerfile"),
        (["-f", "Dockerfile", "--stage-cache", "none"], 3, "none"),
        (["-f", "Dockerfile", "--stage-cache", "indexes"], 3, "is not a build cache"),
    ],
)
def test_cache_that_cannot_be_used_is_an_error(
    capsys: pytest.CaptureFixture[str], options: list[str], code: int, message: str, tmp_path: Path
) -> None:
    """In at most three lines."""
    (tmp_path / "indexes").mkdir()
    assert main(["why", "app.tar", "/app", *options]) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert len(err.splitlines()) <= 3
