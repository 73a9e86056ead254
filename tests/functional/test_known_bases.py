"""What is known of a base image beside its layers: where it ends, what its triggers made.

BuildKit's history has no ONBUILD, and lists what the triggers made as if the base held it.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.builders import docker_archive, file, image, layer
from tests.fake_engine import FakeEngine, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli_support import Cli

DOCKERFILE: Final = "FROM base:1\nCOPY app $HOME_OF_APP\n"
OWN: Final = layer({"bin/sh": b"sh"})
BASE: Final = image(
    OWN,
    tags=("base:1",),
    history=["ADD rootfs /"],
    runtime={
        "Env": ["HOME_OF_APP=/srv/app"],
        "WorkingDir": "/work",
        "OnBuild": ["COPY package.json lib/p.json", "RUN install"],
    },
)
APP: Final = image(
    OWN,
    layer({"work/lib/p.json": b"{}"}),
    layer({"installed": b"yes"}),
    layer({"srv/app": b"app"}),
    tags=("app:1",),
    history=[
        "ADD rootfs /",
        "COPY package.json lib/p.json # buildkit",
        "RUN /bin/sh -c install # buildkit",
        "COPY app /srv/app # buildkit",
    ],
)
OTHER: Final = image(layer({"bin/sh": b"newer"}), tags=("base:1",), history=["ADD rootfs /"])


@pytest.fixture
def project(alone: Path) -> Path:
    """The image and its base, saved, and the Dockerfile."""
    (alone / "Dockerfile").write_text(DOCKERFILE)
    (alone / "app.tar").write_bytes(docker_archive(APP))
    (alone / "base.tar").write_bytes(docker_archive(BASE))
    return alone


@pytest.fixture
def engine(project: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """An engine with the image."""
    fake = FakeEngine(saved=docker_archive(APP))
    fake.add(APP)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{project}/engine.sock")
    with serving(fake, project / "engine.sock"):
        yield fake


def origins(envelope: dict[str, Any]) -> dict[str, tuple[str, int | None, str | None, str]]:
    """Return kind, line, path and trust of each file."""
    told = {}
    for record in envelope["data"]:
        if record["type"] == "file":
            origin = record["origin"]
            told[record["path"]] = (origin["kind"], origin["line"], origin["path"], record["trust"])
    return told


TRUE: Final = {
    "/bin/sh": ("base", 1, "/bin/sh", "verified"),
    "/installed": ("run", 1, "/installed", "verified"),
    "/srv/app": ("context", 2, "app", "inferred"),
    "/work/lib/p.json": ("context", 1, "package.json", "inferred"),
}


def test_a_base_given_tells_what_its_triggers_made(cli: Cli, project: Path) -> None:
    """Its ONBUILD is in its configuration, as are its variables and working directory."""
    envelope = cli.checked_json("files", "app.tar", "-f", "Dockerfile", "--base", "base.tar")
    assert envelope["findings"] == []
    assert origins(envelope) == TRUE


@pytest.mark.parametrize("words", [["app:1"], ["app.tar", "--base", "docker-daemon:base:1"]])
def test_a_base_in_the_engine_tells_the_same(
    cli: Cli, engine: FakeEngine, words: list[str]
) -> None:
    """The engine knows its images' configurations too."""
    engine.add(BASE)
    envelope = cli.checked_json("files", *words, "-f", "Dockerfile")
    assert envelope["findings"] == []
    assert origins(envelope) == TRUE


def test_a_name_that_means_another_image_by_now_contradicts_nothing(
    cli: Cli, engine: FakeEngine
) -> None:
    """A base that was pulled again since is no evidence of another Dockerfile."""
    engine.add(OTHER)
    envelope = cli.checked_json("files", "app:1", "-f", "Dockerfile")
    assert envelope["findings"] == []
    told = origins(envelope)
    assert told["/bin/sh"] == TRUE["/bin/sh"]
    assert "contradicted" not in {trust for *_, trust in told.values()}


def test_another_base_given_is_contradicted(cli: Cli, project: Path) -> None:
    """What the user says of the image is not passed over."""
    (project / "other.tar").write_bytes(docker_archive(OTHER))
    words = ("app.tar", "-f", "Dockerfile", "--base", "other.tar")
    envelope = cli.checked_json("files", *words)
    assert [finding["code"] for finding in envelope["findings"]] == ["dockerfile-contradicted"]
    assert {trust for *_, trust in origins(envelope).values()} == {"contradicted"}


def test_a_base_that_sets_nothing_tells_that_too(cli: Cli, alone: Path) -> None:
    """A variable that neither the Dockerfile nor its base sets is empty, in every stage on it."""
    (alone / "Dockerfile").write_text(
        "FROM base:1 AS build\nCOPY app ${UNSET:-def}/\nFROM base:1\nCOPY --from=build /def /$NO/\n"
    )
    base = image(OWN, tags=("base:1",), history=["ADD rootfs /"])
    copied = layer({"def/app": file(b"app", mtime=5)})
    build = image(OWN, copied, history=["ADD rootfs /", "COPY app def/ # buildkit"])
    shipped = layer({"app": file(b"app", mtime=5)})
    final = image(OWN, shipped, history=["ADD rootfs /", "COPY /def // # buildkit"])
    for name, each in {"base": base, "build": build, "final": final}.items():
        (alone / f"{name}.tar").write_bytes(docker_archive(each))
    words = ("files", "final.tar", "-f", "Dockerfile", "--stage", "build=build.tar")
    told = [origins(cli.checked_json(*words, *more)) for more in ((), ("--base", "base.tar"))]
    context = alone / "src"
    context.mkdir()
    (context / "app").write_bytes(b"app")
    os.utime(context / "app", (5, 5))
    (context / "app").chmod(0o644)
    more = ("--base", "base.tar", "--context", str(context))
    told.append(origins(cli.checked_json(*words, *more)))
    assert [each["/app"] for each in told] == [
        ("context", 2, None, "inferred"),
        ("context", 2, None, "inferred"),
        ("context", 2, "app", "verified"),
    ]
