"""Images of the engine, walked while they stream: ``docker-daemon:NAME``, without an engine."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.builders import (
    SampleImage,
    docker_archive,
    docker_files,
    file,
    image,
    layer,
    sparse,
    step,
    symlink,
    to_json,
)
from tests.cli_support import SECONDS, Cli
from tests.fake_engine import FakeEngine, serving
from tests.sample_support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

BASE = layer({"bin/sh": file(b"#!" * 900, mode=0o755), "etc/motd": b"hello"})
WORK = layer({"app/server.js": b"serve();", "app/big": b"b" * 70_000})
NEXT = layer({"app/server.js": b"serve(8080);", "etc/.wh.motd": b""})
APP = image(
    BASE,
    WORK,
    BASE,
    NEXT,
    history=["FROM", "COPY app /app # buildkit", "COPY bin /bin # buildkit", "RUN sed # buildkit"],
)
DOCKERFILE = "FROM base\nCOPY app /app\nCOPY bin /bin\nRUN sed\n"
FORMS = {"classic": {}, "hybrid": {"hybrid": True}, "packed": {"hybrid": True, "packed": True}}


@pytest.fixture
def engine(cli: Cli, alone: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """An engine that has ``app:1``, reached as a user's would be."""
    fake = FakeEngine(saved=docker_archive(APP))
    fake.add(APP)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{alone}/engine.sock")
    with serving(fake, alone / "engine.sock"):
        yield fake


@pytest.fixture
def archive(alone: Path) -> str:
    """The same image, saved."""
    (alone / "app.tar").write_bytes(docker_archive(APP))
    return "app.tar"


@pytest.mark.parametrize("form", FORMS)
def test_an_image_of_the_engine_answers_as_its_archive(
    cli: Cli, engine: FakeEngine, archive: str, form: str
) -> None:
    """Layers, files with their digests, chains: the first time and from the cache."""
    engine.saved = docker_archive(APP, **FORMS[form])
    (engine_archive := Path("engine.tar")).write_bytes(engine.saved)
    for words in (["files", "--all", "--digests"], ["layers"], ["tree"], ["stages"]):
        here = cli.checked_json(words[0], "docker-daemon:app:1", *words[1:])
        wanted = cli.json(words[0], engine_archive, *words[1:])
        wanted["image"] |= {"reference": "app:1", "manifest_digest": None}
        for row in [*wanted["image"]["layers"], *(wanted["data"] if words == ["layers"] else ())]:
            # The engine keeps layers, not the blobs it makes of them for the way.
            row["digest"] = None
        assert here == wanted
        assert cli.json(words[0], "docker-daemon:app:1", *words[1:]) == wanted
    why = cli.checked_json("why", "app:1", "/app/server.js")["data"]
    assert why == cli.json("why", archive, "/app/server.js")["data"]


def test_a_bare_name_is_one_of_the_engine(cli: Cli, engine: FakeEngine) -> None:
    """So is one with a transport, and an id."""
    wanted = cli.run("files", "docker-daemon:app:1").out
    assert cli.run("files", "app:1").out == wanted
    assert cli.run("files", f"docker-daemon:{next(iter(engine.images))}").out == wanted


def test_the_second_opening_streams_nothing(cli: Cli, engine: FakeEngine) -> None:
    """The engine is asked for the image once; the cache answers from then on."""
    first = cli.json("files", "app:1", "--digests")["data"]
    assert len(engine.asked) == 1
    assert cli.json("files", "app:1", "--digests")["data"] == first
    assert cli.run("layers", "app:1").out
    assert len(engine.asked) == 1
    cli.run("layers", "app:1", "--no-cache")
    assert len(engine.asked) == 2


def test_a_cache_that_lost_a_layer_streams_again(cli: Cli, engine: FakeEngine) -> None:
    """What is missing is read anew, and the answer is the same."""
    wanted = cli.json("files", "app:1")["data"]
    cli.run("cache", "prune", "--keep", "1B")
    assert cli.json("files", "app:1")["data"] == wanted
    assert len(engine.asked) == 2


def test_a_cache_that_lost_the_digests_streams_again(
    cli: Cli, engine: FakeEngine, alone: Path
) -> None:
    """Where they are asked for; a list of layers needs none."""
    wanted = cli.json("files", "app:1")["data"]
    (database,) = (alone.parent / "cache").glob("*.sqlite")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DELETE FROM item WHERE kind = 'digests'")
    cli.run("layers", "app:1")
    assert len(engine.asked) == 1
    assert cli.json("files", "app:1")["data"] == wanted
    assert len(engine.asked) == 2


def test_contents_are_streamed_once_more(
    cli: Cli, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of any layer, as it ships and as it was; large ones go through a file."""
    assert cli.run("cat", "app:1", "/app/server.js").out == "serve(8080);"
    assert cli.run("cat", "app:1", "/app/server.js", "--layer", "1").out == "serve();"
    assert cli.run("cat", "app:1", "/etc/motd", "--layer", "L1").out == "hello"
    monkeypatch.setattr("layertrace.pipeline.streamed._SPOOL", 1000)
    assert cli.run("cat", "app:1", "/app/big").out == "b" * 70_000


def test_a_sparse_file_is_hashed_when_asked(cli: Cli, engine: FakeEngine) -> None:
    """Its content is not what its layer stores."""
    holes = image(layer({"disk": sparse(100_000, {5_000: b"data"})}), tags=("holes:1",))
    engine.add(holes)
    engine.saved = docker_archive(holes)
    (record,) = cli.json("files", "holes:1", "disk", "--digests")["data"]
    content = bytes(5_000) + b"data" + bytes(100_000 - 5_004)
    assert record["digest"] == f"sha256:{hashlib.sha256(content).hexdigest()}"


def test_an_image_of_the_engine_has_its_stages(cli: Cli, engine: FakeEngine, alone: Path) -> None:
    """A Dockerfile makes them known, and the engine's own base image verifies them."""
    base = image(BASE, tags=("base:latest", "base"))
    engine.add(base)
    (alone / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    words = ("app:1", "-f", "Dockerfile")
    layers = cli.json("layers", *words)["data"]
    assert [row["line"] for row in layers] == [1, 2, 3, 4]
    assert [row["base"] for row in layers] == [True, False, False, False]
    (answer,) = cli.json("why", *words, "/app/server.js")["data"]
    assert answer["record"]["origin"]["line"] == 4


def test_a_base_the_engine_lacks_is_no_error(cli: Cli, engine: FakeEngine, alone: Path) -> None:
    """Nothing is pulled to know it better."""
    (alone / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    layers = cli.json("layers", "app:1", "-f", "Dockerfile")["data"]
    assert [row["line"] for row in layers][1:] == [2, 3, 4]


def test_the_base_may_be_in_the_engine(cli: Cli, engine: FakeEngine, archive: str) -> None:
    """``--base`` names it for an archive too."""
    engine.add(image(BASE, tags=("base:1",)))
    layers = cli.json("layers", archive, "--base", "docker-daemon:base:1")["data"]
    assert [row["base"] for row in layers] == [True, False, False, False]


def test_a_stage_may_be_in_the_engine(cli: Cli, engine: FakeEngine, alone: Path) -> None:
    """``--stage NAME=IMAGE`` streams that image to compare with."""
    built = image(
        BASE, layer({"out/x": b"made here"}), tags=("build:1",), history=["F", "RUN make"]
    )
    final = image(
        layer({"x": b"made here"}), tags=("final:1",), history=["COPY /out/x /x # buildkit"]
    )
    (alone / "final.tar").write_bytes(docker_archive(final))
    (alone / "Dockerfile").write_text(
        "FROM base AS build\nRUN make\nFROM scratch\nCOPY --from=build /out/x /x\n",
        encoding="utf-8",
    )
    engine.add(built)
    engine.saved = docker_archive(built)
    words = ("final.tar", "-f", "Dockerfile", "--stage", "build=build:1", "/x")
    (answer,) = cli.json("why", *words)["data"]
    assert answer["record"]["trust"] == "verified"
    assert answer["record"]["stage"] == "build"
    assert answer["hops"][0]["evidence"] == "matched"


# --- what goes wrong


def test_an_image_the_engine_lacks_is_told(cli: Cli, engine: FakeEngine) -> None:
    """Nothing is pulled: exit code 3."""
    lines = cli.fail("layers", "nope:1", code=3)
    assert lines[0] == "error: nope:1: no such image in the Docker engine"
    assert "nothing is ever pulled" in lines[1]
    cli.fail("layers", "app:1", "--base", "docker-daemon:nope:1", code=3)


def test_a_refusal_is_told(cli: Cli, engine: FakeEngine) -> None:
    """With the engine's own words: exit code 5."""
    engine.refusal = (500, "disk on fire\nand more")
    lines = cli.fail("layers", "app:1", code=5)
    assert lines == ["error: the Docker engine refused", "  disk on fire"]


@pytest.mark.parametrize("cut", [0, 100, 5_000, 60_000])
def test_an_engine_that_breaks_off_is_told(cli: Cli, engine: FakeEngine, cut: int) -> None:
    """Wherever: exit code 5, and the cache keeps nothing that would answer wrongly."""
    engine.cut_after = cut
    cli.fail("files", "app:1", code=5)
    engine.cut_after = None
    assert "/app/server.js" in cli.run("files", "app:1").out


def _altered() -> SampleImage:
    """The image, its last layer another than its configuration says."""
    return SampleImage(layers=(BASE, WORK, BASE, WORK), config=APP.config, tags=APP.tags)


FILES = docker_files(APP)
LAYERS = [name for name in FILES if name.endswith("/layer.tar")]


def _saved_as(change: dict[str, object]) -> bytes:
    manifest = {"Config": f"{hashlib.sha256(APP.config).hexdigest()}.json", "RepoTags": ["app:1"]}
    listed = to_json([{**manifest, "Layers": LAYERS, **change}])
    circle = {"round": symlink("about"), "about": symlink("round")}
    return layer({**FILES, **circle, "manifest.json": listed})


@pytest.mark.parametrize(
    ("saved", "code"),
    [
        pytest.param(docker_archive(_altered()), 3, id="another-layer"),
        pytest.param(docker_archive(APP, image(BASE)), 5, id="two-images"),
        pytest.param(b"not a tar at all" * 100, 5, id="garbage"),
        pytest.param(b"", 5, id="nothing"),
        pytest.param(layer({"x": b""}), 3, id="no-manifest"),
        pytest.param(_saved_as({"Layers": ["gone/layer.tar"] * 4}), 3, id="layer-missing"),
        pytest.param(_saved_as({"Config": "gone.json"}), 3, id="config-missing"),
        pytest.param(_saved_as({"Config": LAYERS[1]}), 3, id="config-is-a-layer"),
        pytest.param(_saved_as({"Layers": ["round"] * 4}), 3, id="links-in-a-circle"),
        pytest.param(docker_archive(image(b"no tar" * 900, tags=("app:1",))), 3, id="layer-no-tar"),
    ],
)
def test_an_engine_that_sends_something_else_is_told(
    cli: Cli, engine: FakeEngine, saved: bytes, code: int
) -> None:
    """It is not taken for the image, now or from the cache later."""
    engine.saved = saved
    cli.fail("files", "app:1", code=code)
    cli.fail("cat", "app:1", "/etc/motd", "--layer", "0", code=code)
    engine.saved = docker_archive(APP)
    assert "/app/server.js" in cli.run("files", "app:1").out


def test_an_image_that_changed_under_its_reader_is_told(cli: Cli, engine: FakeEngine) -> None:
    """The engine sends another image for the id: what was asked for is not in it."""
    cli.run("files", "app:1")
    engine.saved = docker_archive(image(WORK))
    lines = cli.fail("cat", "app:1", "/etc/motd", "--layer", "0", code=3)
    assert "the engine no longer has layer 0" in lines[0]


def test_an_image_without_layers_is_one(cli: Cli, engine: FakeEngine) -> None:
    """There is nothing to stream."""
    empty = image(history=[step("CMD x", empty=True)], tags=("empty:1",))
    engine.add(empty)
    engine.saved = docker_archive(empty)
    assert cli.json("files", "empty:1")["data"] == []


def test_ctrl_c_ends_the_wait_for_a_silent_engine(engine: FakeEngine, alone: Path) -> None:
    """An engine may collect for minutes before its first byte: exit code 130 at once."""
    engine.silent = threading.Event()
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from layertrace.__main__ import run; run()"
    )
    with subprocess.Popen(  # noqa: S603 - the command under test
        [sys.executable, "-c", program, "layers", "app:1"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        end = time.monotonic() + SECONDS
        while not engine.asked and time.monotonic() < end:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=SECONDS)
        engine.silent.set()
    assert (process.returncode, out, err) == (130, b"", b"stopped\n")
