"""Talking to an engine: what is found, what is streamed, and every way it goes wrong."""

from __future__ import annotations

import gc
import json
import os
import pickle
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from layertrace.archive.engine import ChunkReader, connect, inspect_image, open_save
from layertrace.archive.export.saved_image import Progress, export_image
from layertrace.errors import (
    EngineError,
    SourceError,
    StoppedError,
    StorageError,
    UsageError,
)
from layertrace.model.build import BaseDefaults
from tests.builders import docker_archive, image, layer, sha256
from tests.fake_engine import FakeEngine, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from docker import DockerClient

BASE = layer({"bin/sh": b"#!" * 9000})
IMAGE = image(BASE, layer({"app/x": b"x"}), BASE, tags=("app:1",))
IMAGE_ID = sha256(IMAGE.config)
BIG = docker_archive(image(layer({"big": bytes(64 << 20)})))


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeEngine]:
    """An engine that has ``app:1``, reached as a user's would be."""
    fake = FakeEngine(saved=docker_archive(IMAGE))
    fake.add(IMAGE)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine.sock")
    with serving(fake, tmp_path / "engine.sock"):
        yield fake


@pytest.fixture
def target(tmp_path: Path) -> Path:
    """A path in a folder of its own."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder / "app.tar"


@pytest.fixture
def client(engine: FakeEngine) -> Iterator[DockerClient]:
    """The SDK's client of that engine."""
    with closing(connect()) as client:
        yield client


def go_on() -> bool:
    """Never ask to stop."""
    return False


def ignore(_: Progress) -> None:
    """Take progress and forget it."""


def _left(target: Path) -> list[str]:
    """Return all that stands in the target's folder, hidden files too."""
    return sorted(path.name for path in target.parent.iterdir())


def export(target: Path, *, force: bool = False) -> None:
    """Export ``app:1`` without further wishes."""
    export_image("app:1", target, progress=ignore, stop=go_on, force=force)


# --- finding the engine and its images


def test_inspect_image_tells_what_the_engine_knows(client: DockerClient) -> None:
    """An image's id, tags, layers and platform come from the engine."""
    facts = inspect_image(client, "app:1")
    assert facts.id == IMAGE_ID
    assert facts.tags == ("app:1",)
    assert facts.diff_ids == IMAGE.diff_ids
    assert str(facts.platform) == "linux/amd64"
    assert facts.parent == ""
    assert facts.defaults == BaseDefaults()


def test_inspect_image_tells_what_a_build_takes_over(engine: FakeEngine) -> None:
    """Variables, working directory and triggers are in the image's configuration."""
    runtime = {"Env": ["A=b=c", "D"], "WorkingDir": "/w", "OnBuild": ["RUN x"]}
    engine.add(image(layer({}), tags=("base:1",), runtime=runtime))
    with closing(connect()) as client:
        told = inspect_image(client, "base:1").defaults
    assert told == BaseDefaults(env={"A": "b=c", "D": ""}, workdir="/w", on_build=("RUN x",))


def test_inspect_image_says_that_nothing_is_pulled(client: DockerClient) -> None:
    """An image the engine lacks is an error of the source, exit code 3."""
    with pytest.raises(
        SourceError, match=r"nope:1: no such image[^\n]*\nnothing is ever pulled"
    ) as caught:
        inspect_image(client, "nope:1")
    assert caught.value.exit_code == 3


def _failure(patience: int = 20) -> EngineError:
    """Return what connecting fails with, without the sockets that hang on it."""
    with pytest.raises(EngineError) as caught:
        connect(patience=patience)
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own
    assert isinstance(copy, EngineError)
    assert str(copy) == str(caught.value)
    # The SDK leaves a socket open where connecting fails; it must go while the
    # test's filter of warnings holds.
    del caught
    gc.collect()
    return copy


sdk_leaves_a_socket_open = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


@sdk_leaves_a_socket_open
@pytest.mark.parametrize(
    ("host", "what"),
    [
        pytest.param("unix:///nowhere/docker.sock", "is not running", id="no-socket"),
        pytest.param("tcp://127.0.0.1:1", "is not running", id="refused"),
        pytest.param("nonsense://x", "cannot be reached", id="bad-address"),
    ],
)
def test_connect_says_where_no_engine_answers(
    host: str, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine that is away is exit code 5, in at most three lines that name the place."""
    monkeypatch.setenv("DOCKER_HOST", host)
    error = _failure()
    assert error.exit_code == 5
    assert what in error.what
    assert host in str(error)
    assert len(str(error).splitlines()) <= 3


@sdk_leaves_a_socket_open
def test_connect_names_the_group_when_permission_is_denied(
    engine: FakeEngine, tmp_path: Path
) -> None:
    """A socket of somebody else's tells what to do about it."""
    import docker.context  # noqa: F401, PLC0415 - the user below may not read the packages

    (tmp_path / "engine.sock").chmod(0)
    with _not_root():
        error = _failure()
    assert error.what == "no permission to talk to the Docker engine"
    assert "docker group" in error.hint


@sdk_leaves_a_socket_open
def test_connect_gives_up_on_an_engine_that_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A socket that takes questions and answers none is named, after a while."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/mute.sock")
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "mute.sock"))
        mute.listen()
        error = _failure(patience=1)
    assert error.what == "the Docker engine does not answer in time"


@contextmanager
def _not_root() -> Iterator[None]:
    """Give up root's right to open anything, where the tests have it."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_connect_uses_the_current_docker_context(
    engine: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without DOCKER_HOST the endpoint is that of the docker context."""
    host = os.environ["DOCKER_HOST"]
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    name = "elsewhere"
    # The folder's name is the sha256 of the context's.
    meta = tmp_path / "config/contexts/meta" / sha256(name.encode()).removeprefix("sha256:")
    meta.mkdir(parents=True)
    endpoints = {"docker": {"Host": host, "SkipTLSVerify": False}}
    document = {"Name": name, "Metadata": {}, "Endpoints": endpoints}
    (meta / "meta.json").write_text(json.dumps(document))
    (tmp_path / "config/config.json").write_text(json.dumps({"currentContext": name}))
    with closing(connect()) as client:
        assert inspect_image(client, "app:1").id == IMAGE_ID


# --- streaming


@pytest.mark.parametrize("size", [1, 7, 4096, 1 << 20, -1])
def test_chunk_reader_gives_exactly_what_is_asked_for(size: int) -> None:
    """However the chunks fall, reads have the size asked for, and nothing is lost."""
    chunks = [b"ab", b"", b"c" * 5000, b"d"]
    reader = ChunkReader(iter(chunks))
    reads = []
    while data := reader.read(size):
        reads.append(data)
    assert b"".join(reads) == b"".join(chunks)
    assert all(len(data) == size for data in reads[:-1])
    assert reader.position == sum(map(len, chunks))


def test_open_save_streams_what_the_engine_saves(engine: FakeEngine, client: DockerClient) -> None:
    """The bytes arrive as they are, for all the images asked for at once."""
    with open_save(client, ["app:1", IMAGE_ID]) as stream:
        assert stream.read() == engine.saved
    assert engine.asked == ["app:1", IMAGE_ID]


def test_open_save_stops_while_the_engine_is_silent(
    engine: FakeEngine, client: DockerClient
) -> None:
    """A stop is heeded before the first byte, which an engine may take minutes for."""
    engine.silent = threading.Event()
    started = time.monotonic()
    with (
        pytest.raises(StoppedError),
        open_save(client, ["app:1"], stop=lambda: time.monotonic() > started + 0.3) as stream,
    ):
        stream.read(1)
    engine.silent.set()
    assert time.monotonic() - started < 15


def test_open_save_leaves_no_thread_when_the_reader_stops_early(
    engine: FakeEngine, client: DockerClient
) -> None:
    """A reader that has seen enough ends the transfer."""
    before = threading.active_count()
    engine.saved = BIG
    with open_save(client, ["app:1"]) as stream:
        stream.read(1)
    deadline = time.monotonic() + 5
    # The server's own thread for this client needs a moment to see it go.
    while threading.active_count() > before and time.monotonic() < deadline:
        time.sleep(0.02)
    assert "layertrace-ahead" not in {thread.name for thread in threading.enumerate()}


# --- exporting one image


def test_export_image_writes_what_the_engine_saves(engine: FakeEngine, target: Path) -> None:
    """The archive is the engine's own, byte for byte, with the user's usual mode."""
    mask = os.umask(0o027)
    try:
        result = export_image("app:1", target, progress=ignore, stop=go_on)
    finally:
        os.umask(mask)
    assert target.read_bytes() == engine.saved
    assert target.stat().st_mode & 0o777 == 0o640
    assert _left(target) == [target.name]
    assert result.path == target
    assert result.size == len(engine.saved)
    assert result.image_id == IMAGE_ID
    assert result.tags == ("app:1",)
    assert result.layers == 3


def test_export_image_tells_how_far_it_is(engine: FakeEngine, target: Path) -> None:
    """Progress grows from nothing to all bytes; the total is the engine's estimate."""
    told: list[Progress] = []
    export_image("app:1", target, progress=told.append, stop=go_on)
    done = [progress.done for progress in told]
    assert done == sorted(done)
    assert done[-1] == len(engine.saved)
    assert {progress.phase for progress in told} == {"save"}
    assert {progress.total for progress in told} == {sum(map(len, IMAGE.layers))}


def test_export_image_refuses_an_existing_target(engine: FakeEngine, target: Path) -> None:
    """A file is overwritten only where that was asked for, and then whole."""
    target.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        export(target)
    assert target.read_text() == "mine"
    assert engine.asked == []
    export(target, force=True)
    assert target.read_bytes() == engine.saved


def test_export_image_follows_a_link_to_its_file(engine: FakeEngine, target: Path) -> None:
    """A link stays a link; what it points to is replaced."""
    real = target.with_name("real.tar")
    real.write_text("old")
    target.symlink_to(real)
    export(target, force=True)
    assert target.is_symlink()
    assert real.read_bytes() == engine.saved


def test_export_image_refuses_what_is_no_file(engine: FakeEngine, target: Path) -> None:
    """A folder or a device is never replaced, not even with force."""
    target.mkdir()
    with pytest.raises(UsageError, match="not a regular file"):
        export(target, force=True)


def test_export_image_says_that_the_folder_is_missing(engine: FakeEngine, target: Path) -> None:
    """A target in a folder that is not there is trouble with the disk, exit code 5."""
    with pytest.raises(StorageError, match="is not a folder") as caught:
        export(target / "deeper" / "app.tar")
    assert caught.value.exit_code == 5


def _cut_anywhere(engine: FakeEngine) -> None:
    engine.cut_after = len(engine.saved) // 2


def _end_after_a_layer(engine: FakeEngine) -> None:
    # What is left ends in the zeros that end the layer's own tar.
    end = engine.saved.index(BASE) + len(BASE)
    engine.saved = engine.saved[:end]


def _lose_the_end_mark(engine: FakeEngine) -> None:
    engine.saved = engine.saved[:-1024]


def _fail_in_words(engine: FakeEngine) -> None:
    engine.cut_after = (len(engine.saved) // 2) & ~511
    engine.ends_with = b'{"errorDetail":{"message":"no space left on device"},"error":"x"}\r\n'


def _lose_the_manifest(engine: FakeEngine) -> None:
    engine.saved = engine.saved.replace(b"manifest.json", b"manifest.nope")


def _lose_a_layer(engine: FakeEngine) -> None:
    engine.saved = engine.saved.replace(b"/layer.tar", b"/lay.r.tar", 1)


def _send_nothing(engine: FakeEngine) -> None:
    engine.saved = b""


def _refuse(engine: FakeEngine) -> None:
    engine.refusal = (500, "driver failed")


@pytest.mark.parametrize(
    "spoil",
    [
        _cut_anywhere,
        _end_after_a_layer,
        _lose_the_end_mark,
        _fail_in_words,
        _lose_the_manifest,
        _lose_a_layer,
        _send_nothing,
        _refuse,
    ],
)
def test_export_image_leaves_nothing_when_the_engine_fails(
    engine: FakeEngine, target: Path, spoil: Callable[[FakeEngine], None]
) -> None:
    """Whatever comes short of a whole archive is an engine's error, and no file."""
    spoil(engine)
    with pytest.raises(EngineError) as caught:
        export(target)
    assert not _left(target)
    assert len(str(caught.value).splitlines()) <= 3


def test_export_image_repeats_the_engines_own_words(engine: FakeEngine, target: Path) -> None:
    """An engine that fails in the middle says why at the end of its answer."""
    _fail_in_words(engine)
    with pytest.raises(EngineError, match="no space left on device"):
        export(target)


def test_export_image_keeps_an_existing_target_when_it_fails(
    engine: FakeEngine, target: Path
) -> None:
    """Until the new archive is whole the old one stays."""
    target.write_text("old")
    _cut_anywhere(engine)
    with pytest.raises(EngineError):
        export(target, force=True)
    assert target.read_text() == "old"
    assert _left(target) == [target.name]


def test_export_image_stops_in_the_middle(engine: FakeEngine, target: Path) -> None:
    """A user who stops finds no file, not even a hidden one."""
    engine.saved = BIG
    seen: list[Progress] = []
    with pytest.raises(StoppedError):
        export_image("app:1", target, progress=seen.append, stop=lambda: bool(seen))
    assert not _left(target)


def test_export_image_leaves_nothing_on_ctrl_c(engine: FakeEngine, target: Path) -> None:
    """An interrupt in the middle is passed on, after the file is gone."""

    def interrupt(_: Progress) -> None:
        assert len(_left(target)) == 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_image("app:1", target, progress=interrupt, stop=go_on)
    assert not _left(target)


def test_export_image_leaves_nothing_on_a_signal(engine: FakeEngine, target: Path) -> None:
    """Ctrl-C ends a process that waits for a silent engine, and leaves no file."""
    engine.silent = threading.Event()
    script = (
        "import signal, sys\nfrom pathlib import Path\n"
        "from layertrace.archive.export.saved_image import export_image\n"
        # Whoever runs the tests in the background may have it ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "export_image('app:1', Path(sys.argv[1]), progress=print, stop=bool)\n"
    )
    with subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", script, str(target)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + 20
        while not engine.asked and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(_left(target)) == 1
        process.send_signal(signal.SIGINT)
        process.wait(20)
    engine.silent.set()
    assert process.returncode == -signal.SIGINT
    assert not _left(target)


def _limited_export(target: Path, limit: int) -> subprocess.CompletedProcess[str]:
    """Export in a process whose files may not grow past ``limit``, as on a full disk."""
    script = (
        "import sys\nfrom pathlib import Path\n"
        "from layertrace.archive.export.saved_image import export_image\n"
        "from layertrace.errors import LayertraceError\n"
        "try:\n"
        "    export_image('app:1', Path(sys.argv[1]), progress=lambda _: None, stop=bool)\n"
        "except LayertraceError as error:\n"
        "    print(type(error).__name__, error, sep='\\n')\n"
    )
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", script, str(target)],
        capture_output=True,
        check=True,
        encoding="utf-8",
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )


def test_export_image_leaves_nothing_when_the_file_cannot_grow(
    engine: FakeEngine, target: Path
) -> None:
    """A write that fails is trouble with the disk, in words, and leaves no file."""
    done = _limited_export(target, limit=8192)
    lines = done.stdout.splitlines()
    assert lines[0] == "StorageError"
    assert str(target) in lines[1]
    assert len(lines) <= 4
    assert not _left(target)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
def test_export_image_leaves_nothing_on_a_full_disk(engine: FakeEngine, target: Path) -> None:
    """A disk that fills up in the middle is named as that."""
    mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(target.parent)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:  # noqa: S603
        pytest.skip("mounting is not allowed here")
    try:
        with pytest.raises(StorageError, match="No space left on device"):
            export(target)
        assert not _left(target)
    finally:
        subprocess.run(["/bin/umount", str(target.parent)], check=True)  # noqa: S603
