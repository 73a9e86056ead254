"""An image made to do harm, shown by the command itself: what reaches a real terminal."""

from __future__ import annotations

import base64
import re
import unicodedata
from typing import TYPE_CHECKING, Final

import pytest

from tests.tui.hostile import TEXT, write_dockerfile, write_image
from tests.tui.terminal import Terminal

if TYPE_CHECKING:
    from pathlib import Path

OWN: Final = re.compile(
    rb"\x1b\[(?:\d+;\d+H"  # the cursor goes to a place
    rb"|[0-9;]*m"  # colours
    rb"|\?(?:7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)(?:[hl]|\$p)"  # modes
    rb"|[<>]\d*u|=\d+;\d+u|\?u|c)"  # the keyboard
    rb"|\x1b\]22;[a-z-]*\x07"  # the shape of the pointer
    rb"|\x1b\]52;c;([A-Za-z0-9+/=]*)\x07"  # the clipboard
)
"""All that Textual itself has a terminal do."""
WALK: Final = (
    # All files, stages, why, Dockerfile; findings, help; the path and the command to copy.
    "T * G 1 G space g 3 j 4 G 2 F:Findings esc ? G esc g y:Copy down enter:]52;c;",
    # Lists and the map; what changed since an older image.
    "W * G U * G P * G A G D:older esc O M enter c",
    # A file in its versions, as bytes, in its history; what is filtered, extracted, written.
    "T G v:Close b esc H:History d d esc / esc x:Extract esc R:Report enter",
)
"""Keys, some with what must be painted before the next one."""
KEYS: Final = {"esc": "\x1b", "enter": "\r", "down": "\x1b[B", "space": " "}
TERMINALS: Final = (
    pytest.param((120, 36), {"COLORTERM": "truecolor"}, (), id="wide"),
    pytest.param((80, 24), {"TERM": "xterm", "COLORFGBG": "0;15"}, (), id="narrow-16-colours"),
    pytest.param((50, 14), {"NO_COLOR": "1", "LC_ALL": "C"}, ("--ascii",), id="small-and-ascii"),
)


def _rest(written: bytes) -> str:
    """Return what a terminal draws, which must be text and nothing else."""
    rest = OWN.sub(b"", written).decode("utf-8")
    odd = {
        character
        for character in rest
        if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    }
    assert odd <= {"\r", "\n"}, [
        rest[max(0, rest.index(c) - 40) :][:80] for c in odd - {"\r", "\n"}
    ]
    return rest


@pytest.mark.parametrize(("size", "environment", "words"), TERMINALS)
def test_a_terminal_is_told_nothing_by_an_image(
    tmp_path: Path, size: tuple[int, int], environment: dict[str, str], words: tuple[str, ...]
) -> None:
    """Every sequence is Textual's own, in every view; nothing runs, nothing breaks."""
    write_image(tmp_path / "new.tar", TEXT)
    write_image(tmp_path / "[red]\x1b[2Jold.tar", TEXT[:9])
    write_dockerfile(tmp_path / "Dockerfile")
    asked = ("new.tar", "-f", "Dockerfile", "--diff", "[red]\x1b[2Jold.tar", "--tui", *words)
    with Terminal(tmp_path, *asked, size=size, environment=environment) as terminal:
        terminal.wait_for(b"2 Diff")
        for keys in WALK:
            for each in keys.split():
                key, _, until = each.partition(":")
                terminal.press(KEYS.get(key, key).encode(), until.encode())
        assert terminal.end(b"\x11", once=lambda: any(tmp_path.glob("layertrace-*.txt"))) == 0
    text = _rest(terminal.seen)
    assert "\\x1b]0;owned\\x07" in text
    assert "[@click=app.quit]" in text
    assert "\\u202e" in text
    copied = [base64.b64decode(found) for found in OWN.findall(terminal.seen) if found]
    assert copied
    assert all(part.isascii() and part.decode().isprintable() for part in copied)
    reports = list(tmp_path.glob("layertrace-*.txt"))
    for report in reports:
        _rest(report.read_bytes())
