"""``export`` as users meet it: what it refuses, what it writes, what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.builders import docker_archive, image, layer
from tests.cli_support import SECONDS, Cli, engine_away
from tests.fake_engine import FakeEngine, serving
from tests.sample_support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APP = image(layer({"app/x": b"x" * 9000}), layer({"app/y": b"y"}), history=["FROM", "RUN y"])
OUT = "out/app.tar"


@pytest.fixture
def out(alone: Path) -> Path:
    """A folder of its own for what is written."""
    folder = alone / "out"
    folder.mkdir()
    return folder


@pytest.fixture
def engine(
    cli: Cli, out: Path, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeEngine]:
    """An engine that has ``app:1`` and no command that offers BuildKit."""
    fake = FakeEngine(saved=docker_archive(APP))
    fake.add(APP)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{alone}/engine.sock")
    monkeypatch.setenv("PATH", str(alone))
    with serving(fake, alone / "engine.sock"):
        yield fake


@pytest.fixture
def project(alone: Path) -> Path:
    """A folder with a Dockerfile."""
    folder = alone / "project"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY app /app\n", encoding="utf-8")
    (folder / "app").mkdir()
    return folder


def _left(out: Path) -> list[str]:
    """All that stands in the folder, hidden files too."""
    return sorted(path.name for path in out.iterdir())


# --- an image


def test_export_saves_an_image_that_opens(cli: Cli, engine: FakeEngine, out: Path) -> None:
    """The archive answers as the engine does; what was written is told on stderr."""
    answer = cli.run("export", "app:1", "-o", OUT)
    assert answer.out == ""
    size = (out / "app.tar").stat().st_size
    assert answer.err == f"wrote {OUT}: {size / 1000:.1f} kB, 2 layers\n"
    assert _left(out) == ["app.tar"]
    assert cli.run("files", OUT).out == cli.run("files", "app:1").out


@pytest.mark.parametrize("name", ["docker-daemon:app:1", "app:1"])
def test_export_takes_the_names_that_other_commands_take(
    cli: Cli, engine: FakeEngine, out: Path, name: str
) -> None:
    """With the transport or without; ``-q`` says nothing."""
    assert cli.run("export", name, "-o", OUT, "-q").err == ""
    assert engine.asked == ["app:1"]


def test_export_replaces_a_file_unless_told_not_to(cli: Cli, engine: FakeEngine, out: Path) -> None:
    """``--no-clobber`` leaves it as it was."""
    (out / "app.tar").write_bytes(b"older")
    assert "exists already" in cli.fail("export", "app:1", "-o", OUT, "--no-clobber", code=2)[0]
    assert (out / "app.tar").read_bytes() == b"older"
    cli.run("export", "app:1", "-o", OUT)
    assert (out / "app.tar").stat().st_size > 9000
    cli.run("export", "app:1", "-o", "out/new.tar", "--no-clobber")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        pytest.param(["nope:1", "-o", OUT], 3, id="no-such-image"),
        pytest.param(["app:1", "-o", "nowhere/app.tar"], 5, id="no-such-folder"),
        pytest.param(["app:1", "-o", "out"], 2, id="a-folder"),
        pytest.param(["app:1", "-o", "/dev/null"], 2, id="a-device"),
        pytest.param(["app:1"], 2, id="no-output"),
        pytest.param(["-o", OUT], 2, id="nothing"),
        pytest.param(["", "-o", OUT], 2, id="empty-name"),
        pytest.param(["docker-daemon:", "-o", OUT], 2, id="daemon-of-nothing"),
        pytest.param(["docker-archive:app.tar", "-o", OUT], 2, id="an-archive"),
        pytest.param(["oci:layout", "-o", OUT], 2, id="a-layout"),
        pytest.param(["-", "-o", OUT], 2, id="stdin"),
        pytest.param(["app:1", "--build", ".", "-o", OUT], 2, id="image-and-build"),
        pytest.param(["app:1", "more", "-o", OUT], 2, id="two-images"),
        pytest.param(["app:1", "--target", "x", "-o", OUT], 2, id="target-of-an-image"),
        pytest.param(["app:1", "-f", "Dockerfile", "-o", OUT], 2, id="dockerfile-of-an-image"),
        pytest.param(["app:1", "--build-arg", "A=1", "-o", OUT], 2, id="argument-of-an-image"),
        pytest.param(["app:1", "--no-cache", "-o", OUT], 2, id="no-cache-of-an-image"),
        pytest.param(["app:1", "-t", "x:1", "-o", OUT], 2, id="tag-of-an-image"),
        pytest.param(["app:1", "--network", "none", "-o", OUT], 2, id="network-of-an-image"),
        pytest.param(["app:1", "--builder", "classic", "-o", OUT], 2, id="builder-of-an-image"),
        pytest.param(["--build", "project", "--builder", "x", "-o", OUT], 2, id="builder"),
        pytest.param(["--build", "nowhere", "-o", OUT], 3, id="no-context"),
        pytest.param(["--build", "nowhere", "-f", "project/Dockerfile", "-o", OUT], 3,
                     id="no-context-but-a-dockerfile"),
        pytest.param(["--build", "project/Dockerfile", "-o", OUT], 3, id="context-is-a-file"),
        pytest.param(["--build", "project", "-f", "nowhere", "-o", OUT], 3, id="no-dockerfile"),
        pytest.param(["--build", "project", "-f", "project", "-o", OUT], 3, id="dockerfile-folder"),
        pytest.param(["--build", "project", "--target", "x", "-o", OUT], 3, id="no-such-stage"),
        pytest.param(["--build", "project", "--build-arg", "UNSET", "-o", OUT], 2, id="argument"),
        pytest.param(["--build", "project", "-o", "nowhere/a.tar"], 5, id="build-to-no-folder"),
    ],
)  # fmt: skip
def test_export_refuses_before_it_writes(
    cli: Cli, engine: FakeEngine, project: Path, words: list[str], code: int
) -> None:
    """The documented code, nothing written, nothing built."""
    cli.fail("export", *words, code=code)
    assert _left(project.parent / "out") == []
    assert engine.built == []


def test_export_of_a_dockerfile_with_a_mistake_is_told(
    cli: Cli, engine: FakeEngine, project: Path, out: Path
) -> None:
    """With its line, before the engine is asked."""
    (project / "Dockerfile").write_text("FROM scratch\nCOPPY a b\n", encoding="utf-8")
    assert "Dockerfile:2: " in cli.fail("export", "--build", "project", "-o", OUT, code=3)[0]
    assert engine.built == []


@engine_away
@pytest.mark.parametrize("words", [["app:1"], ["--build", "project"]])
def test_export_without_an_engine_is_told(
    cli: Cli, project: Path, out: Path, words: list[str]
) -> None:
    """Exit code 5, and no file."""
    lines = cli.fail("export", *words, "-o", OUT, code=5)
    assert lines[0] == "error: the Docker engine is not running, or not there"
    assert _left(out) == []


@pytest.mark.parametrize("cut", [0, 600, 9000])
def test_export_from_an_engine_that_breaks_off_leaves_nothing(
    cli: Cli, engine: FakeEngine, out: Path, cut: int
) -> None:
    """Exit code 5; an older file stays as it was."""
    (out / "app.tar").write_bytes(b"older")
    engine.cut_after = cut
    cli.fail("export", "app:1", "-o", OUT, code=5)
    assert _left(out) == ["app.tar"]
    assert (out / "app.tar").read_bytes() == b"older"


def test_export_that_the_engine_refuses_leaves_nothing(
    cli: Cli, engine: FakeEngine, project: Path, out: Path
) -> None:
    """With the engine's words: exit code 5."""
    engine.refusal = (500, "no space left on device")
    for words in (["app:1"], ["--build", "project", "--builder", "classic"]):
        assert "no space left" in "".join(cli.fail("export", *words, "-o", OUT, "-q", code=5))
        assert _left(out) == []


# --- a build


def test_export_builds_and_saves_all_stages(
    cli: Cli, engine: FakeEngine, project: Path, out: Path
) -> None:
    """The builder's words go to stderr, and what was built is told in the end."""
    engine.build_log = [
        {"stream": "Step 1/2 : FROM scratch\n"},
        {"stream": " \x1b[31m---> hostile\n"},
        {"aux": {"ID": next(iter(engine.images))}},
    ]
    answer = cli.run("export", "--build", "project", "--builder", "classic", "-o", OUT)
    assert answer.out == ""
    assert "Step 1/2 : FROM scratch" in answer.err
    assert "\x1b" not in answer.err
    assert f"wrote {OUT}: " in answer.err
    assert "  stage stage-0: of this very build\n" in answer.err
    envelope = cli.checked_json("layers", OUT)
    assert [stage["name"] for stage in envelope["image"]["stages"]] == ["stage-0"]


def test_export_of_a_failing_build_is_told(
    cli: Cli, engine: FakeEngine, project: Path, out: Path
) -> None:
    """The step that failed, and no file."""
    engine.build_log = [
        {"stream": "Step 2/2 : COPY app /app\n"},
        {"errorDetail": {"message": "no such file"}, "error": "no such file"},
    ]
    words = ("export", "--build", "project", "--builder", "classic", "-o", OUT)
    lines = cli.fail(*words, "-q", code=5)
    assert "no such file" in "".join(lines)
    assert _left(out) == []
    answer = cli.run(*words, code=5)
    assert "Step 2/2" in answer.err


def test_export_without_buildkit_says_so(
    cli: Cli, engine: FakeEngine, project: Path, out: Path
) -> None:
    """``--builder buildkit`` needs a command that offers it."""
    lines = cli.fail("export", "--build", "project", "--builder", "buildkit", "-o", OUT, code=5)
    assert "BuildKit" in lines[0]
    assert _left(out) == []


# --- being stopped


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_export_that_is_stopped_leaves_nothing(
    engine: FakeEngine, out: Path, alone: Path, how: signal.Signals
) -> None:
    """Ctrl-C and SIGTERM alike, though the engine is silent: exit code 130."""
    engine.silent = threading.Event()
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from layertrace.__main__ import run; run()"
    )
    with subprocess.Popen(  # noqa: S603 - the command under test
        [sys.executable, "-c", program, "export", "app:1", "-o", OUT],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=alone,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        end = time.monotonic() + SECONDS
        while not engine.asked and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(how)
        streams = process.communicate(timeout=SECONDS)
        engine.silent.set()
    assert (process.returncode, *streams) == (130, b"", b"stopped\n")
    assert _left(out) == []
