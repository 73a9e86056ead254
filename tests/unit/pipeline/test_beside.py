"""Layers walked by two processes, against the same layers walked by one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from layertrace.errors import LayerError, StoppedError
from layertrace.layers.index import LayerIndex, load_index
from layertrace.layers.walk import walk_layer
from layertrace.pipeline import beside
from layertrace.pipeline.beside import WORTH, Beside, See, can_fork, walk_beside
from tests.builders import docker_archive, file, image, layer
from tests.readers import MemoryReader
from tests.sample_support import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


TARS = [layer({f"f{number}": file(bytes(number))}) for number in range(5)]
ALONE = "from layertrace.pipeline import walking; walking.walk_beside = lambda *_: None"
OPEN = """
import hashlib, json, os, sys, threading
from pathlib import Path
{prepare}
from layertrace.layers import walk
from layertrace.layers.cache import IndexCache
from layertrace.pipeline.hints import Hints
from layertrace.pipeline.trace import open_image

walked = []
real = walk.walk_layer
walk.walk_layer = lambda *a, **k: walked.append(k["name"]) or real(*a, **k)
cache = IndexCache(Path(sys.argv[2]))
opening = open_image(sys.argv[1], Hints(), cache)
trace = opening.walk(hashing=False)
rows = [[each.size, each.files, each.wasted] for each in trace.sized_head.layers]
notes = [[*index.paths, *map(list, index.notes), index.verified] for index in trace.rootfs.layers]
opening.close()
cache.close()
kept = [(item.key, item.verified) for item in cache.items()]
print(json.dumps([walked, rows, notes, sorted(kept)]))
"""


def walk(number: int, see: See | None = None) -> LayerIndex:
    """Return the index of one of the layers above."""
    assert see is None or not see(0, 0)
    return walk_layer(MemoryReader(TARS[number]), name=f"layer {number}").index


@pytest.fixture
def unforked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Let no process begin; give the end of the pipe that it would have written to."""
    ends: list[int] = []
    real = os.pipe

    def pipe() -> tuple[int, int]:
        told, tell = real()
        ends.append(os.dup(tell))
        return told, tell

    monkeypatch.setattr(os, "pipe", pipe)
    monkeypatch.setattr(os, "fork", lambda: 1)
    monkeypatch.setattr(os, "getppid", os.getpid)
    monkeypatch.setattr(os, "kill", lambda *_: None)
    monkeypatch.setattr(os, "waitpid", lambda *_: None)
    yield ends
    for end in ends:
        os.close(end)


def never() -> bool:
    """Stop never."""
    return False


def taken(both: Beside, layer: int) -> LayerIndex | None:
    """Return what the other process made of a layer."""
    data = both.take(layer, never)
    return None if data is None else load_index(data)


def test_other_process_goes_from_the_last_until_it_meets_this_one(unforked: list[int]) -> None:
    """What this one has taken is its own, all above it is there to be had."""
    both = Beside([0, 1, 3, 4], walk)
    assert both.take(0, never) is None
    assert both.take(2, never) is None, "it is none of those to be walked"
    both.serve(unforked[0])
    assert [taken(both, number) for number in (1, 3, 4)] == [walk(1), walk(3), walk(4)]
    both.close()


@pytest.mark.parametrize("trouble", ["error", "damage", "gone"])
def test_trouble_is_left_to_this_process(unforked: list[int], trouble: str) -> None:
    """It meets it again, in its order, and tells of it."""

    def fail(number: int, _: See) -> LayerIndex:
        if trouble == "error":
            raise LayerError("no")
        if trouble == "gone":
            os.close(unforked.pop())
            raise KeyboardInterrupt
        return walk_layer(MemoryReader(TARS[number][:512]), name="layer").index

    both = Beside([0, 1], fail)
    try:
        both.serve(unforked[0])
    except KeyboardInterrupt:
        assert trouble == "gone"
    assert both.take(1, never) is None
    both.close()


def test_other_process_ends_where_this_one_is_gone(
    unforked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed, this one ends nobody."""
    both = Beside([0, 1], walk)
    monkeypatch.setattr(os, "getppid", lambda: 1)
    both.serve(unforked[0])
    assert both.take(1, never) is None
    both.close()


def test_waiting_can_be_stopped(unforked: list[int]) -> None:
    """Whoever waits for the other process sees to it that somebody may stop it."""
    both = Beside([0, 1], walk)
    both._taken[2 + 1] = 1  # as the other process would
    looks = iter([False, True])
    with pytest.raises(StoppedError):
        both.take(1, lambda: next(looks))
    assert unforked
    both.close()


@pytest.mark.parametrize(
    ("sizes", "safe", "both"),
    [
        pytest.param({0: WORTH, 1: 0}, True, True, id="two"),
        pytest.param({0: WORTH}, True, False, id="one"),
        pytest.param({0: WORTH - 2, 1: 1}, True, False, id="small"),
        pytest.param({0: WORTH, 1: 1}, False, False, id="unsafe"),
    ],
)
def test_one_process_does_where_two_do_not_pay(
    sizes: dict[int, int],
    *,
    safe: bool,
    both: bool,
    monkeypatch: pytest.MonkeyPatch,
    unforked: list[int],
) -> None:
    """It takes two layers at least, and bytes."""
    monkeypatch.setattr(beside, "can_fork", lambda: safe)
    found = walk_beside(sizes, walk)
    assert (found is not None) is both is bool(unforked)
    if found is not None:
        found.close()


def test_one_process_does_where_no_second_can_be_had(
    monkeypatch: pytest.MonkeyPatch, unforked: list[int]
) -> None:
    """A container may have no processes left; nothing of the attempt is."""

    def refuse() -> int:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(os, "fork", refuse)
    monkeypatch.setattr(beside, "can_fork", lambda: True)
    open_files = len([*Path("/dev/fd").iterdir()])
    assert walk_beside({0: WORTH, 1: 1}, walk) is None
    assert len([*Path("/dev/fd").iterdir()]) == open_files + len(unforked)
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_no_fork_beside_threads_or_without_a_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lock that another thread holds would be held in the second process for ever."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    assert can_fork()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert not can_fork()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert not can_fork()
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not can_fork()


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """An image of three layers, large enough for two processes."""
    layers = [
        layer({"a": file(b"a"), "big": file(bytes(17 << 20))}),
        layer({"b": file(b"b"), "a": file(b"aa")}),
        layer({"c": file(b"c"), "bigger": file(bytes(1 << 20))}),
    ]
    data = docker_archive(image(*layers))
    path = tmp_path / "large.tar"
    path.write_bytes(data)
    return path


def opened(path: Path, cache: Path, prepare: str) -> list[list[object]]:
    """Return what a process of its own tells of an image."""
    done = subprocess.run(  # noqa: S603 - this Python
        [sys.executable, "-W", "error::DeprecationWarning:layertrace", "-c",
         OPEN.format(prepare=prepare), str(path), str(cache)],
        capture_output=True, check=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    found: list[list[object]] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="one process walks alone there")
def test_two_processes_tell_what_one_does(large: Path, tmp_path: Path) -> None:
    """The same layers, notes and cache, though this one walked the first alone."""
    two_cores = "os.sched_getaffinity = lambda _: {0, 1}"
    # The other process gets a start that is far longer than it needs.
    late = (
        "import time; from layertrace.pipeline import walking; "
        "begin = walking.walk_beside; "
        "walking.walk_beside = lambda *a: (begin(*a), time.sleep(0.5))[0]"
    )
    both = opened(large, tmp_path / "both", f"{two_cores}\n{late}")
    alone = opened(large, tmp_path / "alone", ALONE)
    assert len(alone[0]) == 3
    assert len(both[0]) < 3
    assert both[1:] == alone[1:]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="one process walks alone there")
def test_second_process_ends_with_the_first(large: Path, tmp_path: Path) -> None:
    """Stopped from the keyboard while the second one works, nothing is left behind."""
    code = """
import os, signal, sys, time
from layertrace.pipeline import walking
# A background job that runs the tests ignores the keyboard.
signal.signal(signal.SIGINT, signal.default_int_handler)
begin = walking.walk_beside
def begin_slowly(sizes, walk):
    def wait(number, see):
        while not see(0, 0):
            time.sleep(0.05)
    return begin(sizes, wait)
walking.walk_beside = begin_slowly
os.sched_getaffinity = lambda _: {0, 1}
from layertrace.__main__ import run
run()
"""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "LAYERTRACE_CACHE_DIR": str(tmp_path / "cache")}
    process = subprocess.Popen(  # noqa: S603 - this Python
        [sys.executable, "-c", code, "layers", str(large)],
        env=env, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    wait_for(lambda: bool(children.read_text().split()))
    child = int(children.read_text().split()[0])
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(20) == 130
    wait_for(lambda: not is_alive(child))


def is_alive(process: int) -> bool:
    """Say whether a process runs, who ever has to bury it."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(done: Callable[[], bool]) -> None:
    """Wait until something is so, some seconds at most."""
    waiting = threading.Event()
    for _ in range(400):
        if done():
            return
        waiting.wait(0.05)
    raise AssertionError("it did not become so")
