"""Every terminal there is: what is drawn on it, and where nothing is."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import pytest

from tests.builders import docker_archive, image, layer
from tests.cli_support import SECONDS, Cli
from tests.sample_support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCREEN: Final = b"\x1b[?1049h"
"""The alternate screen: the view is drawn."""
SUMMARY: Final = b"LAYER"
RICH: Final = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}


@pytest.fixture
def here(alone: Path) -> Path:
    """A folder with an image."""
    tar = layer({"caf\u00e9/\x1b[31mx": b"a", "b": b"b" * 900})
    (alone / "app.tar").write_bytes(docker_archive(image(tar, history=["COPY x / # buildkit"])))
    return alone


def _seen(folder: Path, environ: dict[str, str], *words: str, until: bytes) -> bytes:
    """Return what the command sends to a terminal until the view shows ``until``, or ends."""
    main, side = pty.openpty()
    termios.tcsetwinsize(side, (36, 120))
    clean = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "CI"}}
    process = subprocess.Popen(  # noqa: S603 - the command under test
        [sys.executable, "-m", "layertrace", *words],
        cwd=folder, env={**clean, "PYTHONPATH": str(ROOT), **environ},
        stdin=side, stdout=side, stderr=side, start_new_session=True,
    )  # fmt: skip
    os.close(side)
    try:
        return b"".join(_pieces(main, until))
    finally:
        process.kill()
        process.wait()
        os.close(main)


def _pieces(end: int, until: bytes) -> Iterator[bytes]:
    seen, last = b"", time.monotonic() + SECONDS
    with suppress(OSError):  # EIO: the last one on the other side is gone
        while until not in seen and time.monotonic() < last:
            if select.select([end], [], [], 0.2)[0]:
                piece = os.read(end, 1 << 16)
                seen += piece
                yield piece


def _colours(seen: bytes) -> set[bytes]:
    """Return how colours are named: ``2`` as red, green and blue, ``5`` of 256, ``ansi`` of 16."""
    found = {kind for _, kind in re.findall(rb"[\x1b;\[](38|48);([25]);", seen)}
    numbers = {int(n) for sgr in re.findall(rb"\x1b\[([\d;]+)m", seen) for n in sgr.split(b";")}
    if not found and numbers & ({*range(30, 38), *range(40, 48), *range(90, 98)}):
        found.add(b"ansi")
    return found


@pytest.mark.parametrize(
    ("environ", "colours"),
    [
        pytest.param({}, {b"2"}, id="truecolor"),
        pytest.param({"COLORTERM": ""}, {b"5"}, id="256"),
        pytest.param({"TERM": "screen", "COLORTERM": ""}, {b"ansi"}, id="16"),
        pytest.param({"TERM": "linux", "COLORTERM": ""}, {b"ansi"}, id="console"),
        pytest.param({"TERM": "xterm", "COLORTERM": "", "LC_ALL": "C"}, {b"ansi"}, id="ascii"),
        pytest.param({"NO_COLOR": "1", "LC_ALL": "C"}, set(), id="no-color"),
    ],
)
def test_the_view_uses_what_the_terminal_has(
    here: Path, environ: dict[str, str], colours: set[bytes]
) -> None:
    """As many colours as there are, none under NO_COLOR, ASCII where no more can be drawn."""
    seen = _seen(here, {**RICH, **environ}, "app.tar", until=b"Quit")
    assert SCREEN in seen
    if environ.get("NO_COLOR"):
        assert not _hued(seen)
    else:
        assert _colours(seen) == colours
    ascii_only = environ.get("LC_ALL") == "C" or environ.get("TERM") == "linux"
    assert seen.isascii() == ascii_only
    assert b"\x1b[31mx" not in seen


def _hued(seen: bytes) -> set[tuple[int, ...]]:
    """Return the colours with a hue: red, green and blue differ by more than a shade."""
    found = {tuple(map(int, each)) for each in re.findall(rb"[34]8;2;(\d+);(\d+);(\d+)", seen)}
    return {each for each in found if max(each) - min(each) > 24}


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        pytest.param({"TERM": "dumb"}, (), id="dumb"),
        pytest.param({}, ("--plain",), id="plain"),
    ],
)
def test_a_summary_where_no_view_is_wanted(
    here: Path, environ: dict[str, str], words: tuple[str, ...]
) -> None:
    """A terminal that cannot, and a user who does not want it."""
    seen = _seen(here, {**RICH, **environ}, "app.tar", *words, until=b"never")
    assert SUMMARY in seen
    assert SCREEN not in seen


def test_the_view_can_be_forced(here: Path) -> None:
    """TERM may be wrong."""
    assert SCREEN in _seen(here, {**RICH, "TERM": "dumb"}, "app.tar", "--tui", until=SCREEN)


def test_without_an_image_a_terminal_is_asked_which(here: Path) -> None:
    """The archive that lies there is offered."""
    seen = _seen(here, RICH, until=b"app.tar")
    assert SCREEN in seen
    assert b"Which image?" in seen


def test_off_a_terminal_nothing_is_asked_and_nothing_drawn(cli: Cli, here: Path) -> None:
    """Help, a summary, or what is missing."""
    assert "Usage: layertrace" in cli.run().out
    assert SUMMARY.decode() in cli.run("app.tar").out
    assert "Missing argument 'IMAGE'" in cli.fail("open", code=2)[0]
    assert "--tui needs a terminal" in cli.fail("app.tar", "--tui", code=2)[0]
    assert "opposite" in cli.fail("app.tar", "--tui", "--plain", code=2)[0]
