"""What reaches a screen or a pipe: hostile names, narrow terminals, other locales."""

from __future__ import annotations

import io
import json
import os
import sys
import unicodedata
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

import pytest

from layertrace.archive.export.saved_image import Progress
from layertrace.pipeline.watch import WalkProgress
from layertrace.views.cli import main
from layertrace.views.commands import export as export_module
from layertrace.views.progress import Line, describe_walk, walking
from tests.builders import docker_archive, docker_files, image, layer, symlink
from tests.cli_support import Cli, spawn

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE: Final = {
    "escape\x1b[2J\x1b]0;pwned\x07": "/escape\\x1b[2J\\x1b]0;pwned\\x07",
    "new\nline": "/new\\x0aline",
    "carriage\rreturn": "/carriage\\x0dreturn",
    "tab\there": "/tab\\x09here",
    "bidi\u202egpj.exe": "/bidi\\u202egpj.exe",
    "zero\u200bwidth": "/zero\\u200bwidth",
    "line\u2028end": "/line\\u2028end",
    "c1\x9b31m": "/c1\\u009b31m",
    "latin\udce9": "/latin\\xe9",
    "[bold]markup": "/[bold]markup",
    "日本/café": "/日本/café",
}
"""Names as tar holds them, and as they may be shown."""
LONG: Final = "/opt/" + "a-long-folder-name/" * 8 + "file.txt"


@pytest.fixture
def hostile(alone: Path) -> str:
    """An image whose every word is hostile."""
    only = layer([*((name, b"x") for name in HOSTILE), ("link", symlink("to\x1b[0m\nnowhere"))])
    evil = image(only, history=["RUN echo \x1b[31mred\nforged \u202e line # buildkit"])
    (alone / "app.tar").write_bytes(docker_archive(evil))
    return "app.tar"


@pytest.fixture
def long(alone: Path) -> str:
    """An image with a long path and a long instruction."""
    only = image(layer({LONG[1:]: b"x" * 100}), history=["RUN make " + "all of it " * 30])
    (alone / "app.tar").write_bytes(docker_archive(only))
    return "app.tar"


@pytest.fixture
def terminal(
    alone: Path, capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> Cli:
    """The command line with a terminal for its output, one that knows no full screen."""
    monkeypatch.setenv("TERM", "dumb")
    return Cli(capsysbinary, terminal=True)


def _is_safe(text: str) -> bool:
    """Whether a terminal obeys or hides nothing of it."""
    return all(c == "\n" or unicodedata.category(c) not in {"Cc", "Cf", "Cs", "Zl"} for c in text)


# --- hostile names


@pytest.mark.parametrize(
    "words",
    [["open"], ["files"], ["files", "--all"], ["layers"], ["stages"], ["tree"]],
    ids=" ".join,
)
def test_text_shows_what_a_name_hides(terminal: Cli, hostile: str, words: list[str]) -> None:
    """No byte out of an image moves the cursor, turns the text or makes a line."""
    answer = terminal.run(words[0], hostile, *words[1:])
    assert _is_safe(answer.out)
    assert _is_safe(answer.err)
    if words[0] == "files":
        shown = {line.split(maxsplit=6)[6] for line in answer.lines if " B " in line}
        assert set(HOSTILE.values()) <= shown


@pytest.mark.parametrize("name", HOSTILE)
def test_why_and_cat_take_the_exact_name(terminal: Cli, hostile: str, name: str) -> None:
    """A name is asked for as it is, and shown safely."""
    answer = terminal.run("why", hostile, name)
    assert _is_safe(answer.out)
    assert answer.lines[0].startswith(HOSTILE[name])
    assert terminal.run("cat", hostile, f"/{name}").out == "x"


def test_why_shows_the_target_of_a_link_safely(cli: Cli, hostile: str) -> None:
    """The target comes out of the image too."""
    assert "→ to\\x1b[0m\\x0anowhere" in cli.run("why", hostile, "link").lines[0]


def test_json_holds_exact_names_and_moves_no_cursor(cli: Cli, hostile: str) -> None:
    """Escaped as JSON does it; read back it is the name, byte for byte."""
    for words in (["files", "--json"], ["files", "--jsonl"], ["layers", "--json"]):
        assert _is_safe(cli.run(words[0], hostile, words[1]).out)
    names = {record["path"][1:] for record in cli.json("files", hostile)["data"]}
    assert set(HOSTILE) - {"latin\udce9"} <= names
    assert "latin\\xe9" in names


def test_null_ended_paths_are_exact(cli: Cli, hostile: str) -> None:
    """``-0`` is for programs: nothing is escaped."""
    out = cli.run("files", hostile, "-0").out
    assert {f"/{name}" for name in HOSTILE} <= set(out.split("\0"))


def test_a_hostile_reference_is_shown_safely(terminal: Cli, alone: Path) -> None:
    """So are tags that an archive lists, and its own name."""
    one = image(layer({"a": b""}), tags=("evil\x1b[31m:1",))
    other = image(layer({"b": b""}), tags=("other:\u202e2",))
    (alone / "two\x1b[5m.tar").write_bytes(docker_archive(one, other))
    lines = terminal.fail("layers", "two\x1b[5m.tar", code=3)
    assert _is_safe("\n".join(lines))
    assert "evil\\x1b[31m:1" in "".join(lines)


def test_a_hostile_configuration_is_shown_safely(terminal: Cli, alone: Path) -> None:
    """Its platform is any text."""
    evil = image(layer({"a": b""}), platform="linux/amd\x1b[2J64")
    (alone / "app.tar").write_bytes(docker_archive(evil))
    assert _is_safe(terminal.run("open", "app.tar").out)
    assert terminal.json("layers", "app.tar")["image"]["platform"] == "linux/amd\x1b[2J64"


def test_findings_are_shown_safely_and_beside_the_result(terminal: Cli, alone: Path) -> None:
    """A note on stderr, one line, and the finding in the JSON."""
    files = docker_files(image(layer([("a\nb", b"1"), ("a\nb", b"2")])))
    (alone / "app.tar").write_bytes(layer(files))
    answer = terminal.run("files", "app.tar")
    notes = [line for line in answer.err.splitlines() if line.startswith("note: ")]
    findings = terminal.checked_json("files", "app.tar")["findings"]
    assert len(notes) == len(findings) == 1
    assert _is_safe(answer.err)


# --- cat on a terminal


def test_cat_escapes_controls_on_a_terminal(terminal: Cli, alone: Path) -> None:
    """Lines and tabs stay; with ``--raw`` everything does."""
    content = b"one\ttwo\n\x1b[2Jthree\r\n" + b"\xff\xe9\n" + "é\u202e".encode()
    (alone / "app.tar").write_bytes(docker_archive(image(layer({"x": content}))))
    assert terminal.run("cat", "app.tar", "/x").out == (
        "one\ttwo\n\\x1b[2Jthree\\x0d\n\\xff\\xe9\né\\u202e"
    )
    raw = terminal.run("cat", "app.tar", "/x", "--raw").out
    assert raw.encode("utf-8", "surrogateescape") == content


def test_cat_on_a_terminal_keeps_characters_whole(terminal: Cli, alone: Path) -> None:
    """One that begins in one piece of the reading and ends in the next."""
    content = ("x" + "é" * 400_000).encode()
    (alone / "app.tar").write_bytes(docker_archive(image(layer({"x": content}))))
    assert terminal.run("cat", "app.tar", "/x").out == content.decode()
    cut = layer({"x": "é".encode()[:1]})
    (alone / "cut.tar").write_bytes(docker_archive(image(cut)))
    assert terminal.run("cat", "cut.tar", "/x").out == "\\xc3"


# --- narrow, wide, no terminal


@pytest.mark.parametrize("columns", [40, 60, 80, 132])
def test_tables_fit_the_terminal(
    terminal: Cli, long: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the last column is cut, and a path in its middle."""
    monkeypatch.setenv("COLUMNS", str(columns))
    for line in terminal.run("files", long).lines:
        assert len(line) <= max(columns, 47)
    layers = terminal.run("layers", long).lines
    assert all(len(line) <= max(columns, 69) for line in layers)
    assert "…" in layers[1]
    assert "100 B" in layers[1]
    row = terminal.run("files", long, "type:file").lines[0]
    assert row.endswith("file.txt"[-8:])
    assert "…" in row


def test_why_fits_the_terminal(terminal: Cli, long: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long instruction is cut; the path of the question never."""
    monkeypatch.setenv("COLUMNS", "100")
    lines = terminal.run("why", long, LONG).lines
    assert lines[0].startswith(f"{LONG}  file  100 B")
    hop = next(line for line in lines if line.startswith("    1"))
    assert "…" in hop
    assert len(hop) <= 100


def test_wide_characters_count_for_two_cells(
    terminal: Cli, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path of them is cut to the terminal's width as any other."""
    wide = "opt/" + "日本語のフォルダ" * 8 + "/ファイル.txt"
    (alone / "app.tar").write_bytes(docker_archive(image(layer({wide: b""}))))
    monkeypatch.setenv("COLUMNS", "60")
    for line in terminal.run("files", "app.tar", "type:file").lines:
        cells = sum(2 if unicodedata.east_asian_width(c) == "W" else 1 for c in line)
        assert 50 < cells <= 60
        assert line.endswith("ル.txt")


def test_nothing_is_cut_in_a_pipe(cli: Cli, long: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However narrow ``COLUMNS`` says the terminal is."""
    monkeypatch.setenv("COLUMNS", "20")
    assert LONG in cli.run("files", long).out
    assert "all of it " * 29 in cli.run("layers", long).out
    assert "…" not in cli.run("tree", long, "--depth", "20").out


@pytest.mark.parametrize("words", [["layers"], ["stages"], ["files"], ["tree"], ["open"]])
def test_there_are_no_colours_in_text(
    terminal: Cli, long: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With and without ``NO_COLOR`` text is the same: no escape sequence."""
    plain = terminal.run(*words, long).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert terminal.run(*words, long).out == plain
    assert "\x1b" not in plain


# --- locales


ASCII_LOCALES: Final = (
    {"LC_ALL": "C"},
    {"LC_ALL": "POSIX", "LANG": "en_US.UTF-8"},
    {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
)


@pytest.mark.parametrize("locale", ASCII_LOCALES, ids=str)
def test_a_locale_without_utf8_gets_ascii(
    sample: Path, alone: Path, locale: dict[str, str]
) -> None:
    """Marks have their ASCII form, names are escaped."""
    done = spawn("files", sample, "stage:build", environment=locale)
    assert done.returncode == 0
    assert done.stdout.isascii()
    assert {line[:1] for line in done.stdout.splitlines()} == {b"V"}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_json_is_json_in_every_locale(hostile: str, alone: Path, encoding: str) -> None:
    """What the encoding of stdout lacks is escaped as JSON does it, not as Python does."""
    locale = {"LC_ALL": "C", "PYTHONIOENCODING": encoding}
    out = spawn("files", hostile, "--json", environment=locale, folder=alone).stdout
    records = json.loads(out.decode("ascii"))["data"]
    assert "/日本/café" in [record["path"] for record in records]


def test_the_c_locale_escapes_names(hostile: str, alone: Path) -> None:
    """As code points; a byte that is no character stays a byte."""
    done = spawn("files", hostile, environment={"LC_ALL": "C"}, folder=alone)
    assert done.stdout.isascii()
    assert b"/\\u65e5\\u672c/caf\\u00e9\n" in done.stdout
    assert b"/latin\\xe9\n" in done.stdout


def test_a_utf8_locale_gets_the_marks(sample: Path) -> None:
    """Without a word about the locale too, as in many containers."""
    for locale in ({"LC_ALL": "C.UTF-8"}, {"LC_ALL": "", "LC_CTYPE": "", "LANG": ""}):
        done = spawn("files", sample, "stage:build", environment=locale)
        assert done.stdout.startswith("✔".encode())


# --- streams that are no files


def test_main_writes_where_stdout_leads(hostile: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever calls ``main`` may have put another object there."""
    monkeypatch.setattr(sys, "stdout", text := io.StringIO())
    assert main(["files", hostile, "markup"]) == 0
    assert text.getvalue().endswith("+  /[bold]markup\n")
    monkeypatch.setattr(sys, "stdout", text := io.StringIO())
    assert main(["files", hostile, "--json"]) == 0
    assert "/日本/café" in [record["path"] for record in json.loads(text.getvalue())["data"]]
    assert main(["layers", "missing.tar"]) == 3


# --- progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, to be set."""
    now = [100.0]
    time = SimpleNamespace(monotonic=lambda: now[0])
    monkeypatch.setattr("layertrace.views.progress.time", time)
    monkeypatch.setattr("layertrace.views.commands.export.time", time)
    return now


@pytest.fixture
def watched(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 60 cells for stderr."""
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("layertrace.views.progress.is_terminal", lambda _: True)
    monkeypatch.setattr("os.get_terminal_size", lambda _: os.terminal_size((60, 9)))


WALK: Final = WalkProgress(
    layer=2, layers=9, bytes_done=50_000_000, bytes_total=200_000_000, entries=12_345
)


def test_progress_comes_after_half_a_second_and_goes(
    watched: None, clock: list[float], capfd: pytest.CaptureFixture[str]
) -> None:
    """One line that overwrites itself ten times a second at most, and nothing of it stays."""
    with walking() as tell:
        tell(WALK)
        assert capfd.readouterr().err == ""
        clock[0] += 0.6
        tell(WALK)
        shown = capfd.readouterr().err
        clock[0] += 0.05
        tell(WALK)
        assert capfd.readouterr().err == ""
    assert shown.startswith("\r\x1b[Kreading layer 3 of 9  50.0 MB of 200.0 MB")
    assert len(shown) == len("\r\x1b[K") + 59
    assert capfd.readouterr().err == "\r\x1b[K"


def test_progress_is_quiet_where_nobody_watches(
    watched: None,
    clock: list[float],
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In CI, and where stderr is a file."""
    monkeypatch.setenv("CI", "true")
    with walking() as tell:
        clock[0] += 9
        tell(WALK)
    monkeypatch.delenv("CI")
    monkeypatch.setattr("layertrace.views.progress.is_terminal", lambda _: False)
    with walking() as tell:
        clock[0] += 9
        tell(WALK)
    line = Line(mute=True)
    assert not line.due()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("walk", "seconds", "text"),
    [
        pytest.param(WALK, 5.0, "reading layer 3 of 9  50.0 MB of 200.0 MB  10.0 MB/s"
                     "  15 seconds left  12,345 entries", id="all-known"),
        pytest.param(
            WalkProgress(layer=0, layers=0, bytes_done=10, bytes_total=None, entries=1), 2.0,
            "reading layer 1  10 B  5 B/s  1 entries", id="a-stream"),
        pytest.param(
            WalkProgress(layer=0, layers=1, bytes_done=0, bytes_total=5, entries=0), 0.0,
            "reading layer 1 of 1  0 B of 5 B  0 B/s  0 entries", id="just-begun"),
    ],
)  # fmt: skip
def test_progress_says_what_is_known(walk: WalkProgress, seconds: float, text: str) -> None:
    """Layer, bytes, rate, time left and entries."""
    assert describe_walk(walk, seconds) == text


def test_export_tells_its_progress(
    watched: None, clock: list[float], capfd: pytest.CaptureFixture[str]
) -> None:
    """Bytes, the estimate, the rate and the time left."""
    with export_module._telling(quiet=False) as tell:
        clock[0] += 2
        tell(Progress(phase="save", done=0, total=400))
        assert capfd.readouterr().err == ""
        tell(Progress(phase="save", done=200, total=400))
        assert "save  200 B of about 400 B  100 B/s  2 seconds" in capfd.readouterr().err
        clock[0] += 2
        tell(Progress(phase="context", done=200))
        assert "context  200 B  50 B/s" in capfd.readouterr().err
