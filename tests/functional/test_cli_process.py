"""The command as a process: pipes that close, full disks, signals, stdin, a real terminal."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pytest

from tests.builders import docker_archive, image, layer
from tests.cli_support import SECONDS, sh
from tests.sample_support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

MANY: Final = image(
    layer({"a": b"a", **{f"folder/{number:05}-{'x' * 60}": b"" for number in range(3000)}})
)
FULL: Final = "/dev/full"
INTERRUPTIBLE: Final = (
    "import os, signal, sys; "
    "signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from layertrace.__main__ import run; run()"
)
"""The command, though whoever started us may have Ctrl-C ignored."""


@pytest.fixture
def many(alone: Path) -> Path:
    """A folder with an archive whose listing fills any pipe."""
    (alone / "app.tar").write_bytes(docker_archive(MANY))
    return alone


# --- stdout


@pytest.mark.parametrize(
    "command",
    [
        "files app.tar", "files app.tar --json", "files app.tar -0", "cat app.tar /big",
    ],
)  # fmt: skip
def test_a_reader_that_has_enough_is_no_error(alone: Path, command: str) -> None:
    """``| head -c 9`` ends the command in silence, with 0."""
    big = {"big": b"line\n" * 100_000}
    tar = layer({**big, **{f"d/{number:05}-{'x' * 60}": b"" for number in range(3000)}})
    (alone / "app.tar").write_bytes(docker_archive(image(tar)))
    done = sh(f"{{ layertrace {command}; echo $? > code; }} | head -c 9", folder=alone)
    assert len(done.stdout) == 9
    assert done.stderr in {b"", b"3,002 of 3,002 paths\n"}
    assert (alone / "code").read_text() == "0\n"


@pytest.mark.skipif(not os.path.exists(FULL), reason="needs /dev/full")  # noqa: PTH110
@pytest.mark.parametrize(
    "command", ["files app.tar --json", "layers app.tar", "cat app.tar /a", "schema why"]
)
def test_a_full_disk_is_told(many: Path, command: str) -> None:
    """Not one word of the result is lost in silence: exit code 5."""
    done = sh(f"layertrace {command} > {FULL}", folder=many)
    assert done.returncode == 5
    assert done.stderr == b"error: reading or writing failed\n  No space left on device\n"


def test_a_closed_stdout_is_told(many: Path) -> None:
    """There is nowhere to write the result."""
    done = sh("layertrace layers app.tar >&-", folder=many)
    assert done.returncode == 5
    assert done.stderr == b"error: stdout is closed: there is nowhere to write the result\n"


@pytest.mark.parametrize("closed", ["2>&-", "<&- 2>&-"])
def test_a_closed_stderr_or_stdin_changes_nothing(many: Path, closed: str) -> None:
    """The result is the same."""
    wanted = sh("layertrace app.tar", folder=many).stdout
    done = sh(f"{{ layertrace app.tar && layertrace doctor > doctor; }} {closed}", folder=many)
    assert done.returncode == 0
    assert done.stdout == wanted


def test_an_error_without_stderr_keeps_its_code(many: Path) -> None:
    """A script sees the code all the same."""
    assert sh("layertrace layers missing.tar 2>&-", folder=many).returncode == 3


# --- stdin


def test_an_archive_comes_on_stdin(many: Path) -> None:
    """Through a pipe, packed too, or as a file."""
    wanted = sh("layertrace files app.tar --jsonl", folder=many).stdout
    for feed in ("cat app.tar |", "gzip -c app.tar |", "< app.tar"):
        done = sh(f"{feed} layertrace files - --jsonl", folder=many)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout == wanted


@pytest.mark.parametrize("words", ["< /dev/null", "<&-", "< /bin/sh"])
def test_stdin_without_an_archive_is_told(many: Path, words: str) -> None:
    """Empty, closed or garbage: exit code 3."""
    done = sh(f"layertrace layers - {words}", folder=many)
    assert done.returncode == 3
    assert done.stderr.startswith(b"error: ")
    assert len(done.stderr.splitlines()) <= 3
    assert done.stdout == b""


def test_an_archive_may_be_a_pipe_with_a_name(many: Path) -> None:
    """As ``<(curl …)`` gives one."""
    done = sh("mkfifo fifo; cat app.tar > fifo & layertrace layers ./fifo", folder=many)
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 3


# --- signals


def _start(folder: Path, *words: str, **wishes: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - the command under test
        [sys.executable, "-c", INTERRUPTIBLE, *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=wishes.get("stdin", subprocess.DEVNULL),
        stdout=wishes.get("stdout", subprocess.PIPE),
        stderr=wishes.get("stderr", subprocess.PIPE),
    )


def test_ctrl_c_ends_with_130_and_one_word(many: Path) -> None:
    """While it waits for the rest of its input, which here never comes."""
    process = _start(many, "layers", "-", stdin=subprocess.PIPE)
    with process:
        assert process.stdin is not None
        process.stdin.write(docker_archive(MANY)[:100_000])
        process.stdin.flush()
        _until_it_reads(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read() == b""
        assert process.stderr.read() == b"stopped\n"


def _until_it_reads(process: subprocess.Popen[bytes]) -> None:
    """Wait until the pipe that feeds the process was emptied."""
    assert process.stdin is not None
    end = time.monotonic() + SECONDS
    # A pipe holds 64 KiB: 100,000 bytes went in only as it was read, and what is
    # left goes while the command, awake, waits for more.
    while time.monotonic() < end:
        time.sleep(0.05)
        if select.select([], [process.stdin], [], 0)[1] and _waits(process.pid):
            return
    pytest.fail("it never read its input")


def _waits(pid: int) -> bool:
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:  # noqa: PTH123
        return file.read().rpartition(")")[2].split()[0] == "S"


# --- a terminal


def _on_terminal(
    folder: Path, *words: str, keys: bytes = b"", until: bytes = b""
) -> tuple[int, bytes]:
    """Run the command with a terminal at all three ends; press ``keys`` when it shows ``until``."""
    main, side = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color"}
    environment.pop("CI", None)
    process = subprocess.Popen(  # noqa: S603 - the command under test
        [sys.executable, "-m", "layertrace", *words],
        cwd=folder, env=environment, stdin=side, stdout=side, stderr=side, start_new_session=True,
    )  # fmt: skip
    os.close(side)
    seen, end = b"", time.monotonic() + SECONDS
    with suppress(OSError):  # EIO: the last one on the other side is gone
        while time.monotonic() < end:
            if select.select([main], [], [], 0.2)[0]:
                piece = os.read(main, 1 << 16)
                if not piece:
                    break
                seen += piece
            if keys and until in seen:
                os.write(main, keys)
                keys = b""
    try:
        return process.wait(max(end - time.monotonic(), 1)), seen
    finally:
        process.kill()
        process.wait()
        os.close(main)


def test_demo_opens_the_view_on_a_terminal(alone: Path) -> None:
    """The sample is there to look at, and ``q`` leaves."""
    code, seen = _on_terminal(alone, "demo", keys=b"q", until=b"tiny-node")
    assert code == 0
    assert b"\x1b[?1049h" in seen
    assert b"\x1b[?1049l" in seen


def test_cat_on_a_terminal_obeys_nothing(alone: Path) -> None:
    """A file of the image cannot clear the screen."""
    (alone / "app.tar").write_bytes(docker_archive(image(layer({"x": b"a\x1b[2Jb\n"}))))
    code, seen = _on_terminal(alone, "cat", "app.tar", "/x")
    assert code == 0
    assert seen == b"a\\x1b[2Jb\r\n"


def test_a_missing_file_is_told_on_a_terminal_too(alone: Path) -> None:
    """On a card, for as long as the user likes; the code is the error's."""
    code, seen = _on_terminal(alone, "missing.tar", keys=b"q", until=b"does not exist")
    assert code == 3
    assert b"Traceback" not in seen
