"""Hostile names through every pane: nothing is obeyed, nothing is lost."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest

from layertrace.model.entry import EntryKind
from layertrace.model.origin import Finding
from layertrace.views.text import show_name
from layertrace.views.tui.dialogs import shell_word
from layertrace.views.tui.ports import TuiOptions
from layertrace.views.tui.themes import DARK
from tests.tui.driver import Driver, run
from tests.tui.fakes import BUILD, DOCKERFILE, FakeOpening, Row, directory, head, table

NAMES = (
    pytest.param("\x1b[31m\x9b2J\x07red\ntwo\r\tlines", id="controls"),
    pytest.param("gpj\u202e.exe\u200bcaf\udce9\u2028", id="bidi-and-bytes"),
    pytest.param("[/red].js", id="closing-tag"),
    pytest.param("[@click=app.quit]x", id="action"),
    pytest.param("[slug].tsx[[", id="tag"),
    pytest.param("漢字漢字.txt", id="wide"),
    pytest.param(" leading", id="space"),
)


def _hostile(name: str) -> FakeOpening:
    """Return an image with ``name`` wherever an image can put one."""
    rows = [
        directory("app", 2),
        directory(f"app/{name}", 2, BUILD),
        Row(path=f"app/{name}/{name}", size=5, layer=2, label=BUILD),
        Row(path=f"app/{name}/{name}-link", layer=2, label=BUILD, kind=EntryKind.SYMLINK),
    ]
    known = head(
        reference=f"reg/{name}",
        findings=(Finding(code="odd", message=name, facts={name: name}),),
    )
    build = known.build
    assert build is not None
    stages = tuple(replace(s, name=f"{name}{s.index}", base=name) for s in known.stages)
    known = replace(
        known,
        layers=tuple(
            replace(n, created_by=name, instruction=f"RUN {name}", stage=name) for n in known.layers
        ),
        stages=stages,
        build=replace(build, name=name, text=DOCKERFILE.replace("npm", name.replace("\n", " "))),
    )
    return FakeOpening(known=known, files=table(rows))


def _drawn(tui: Driver) -> str:
    """Return the screen, after making sure that a terminal would obey none of it."""
    lines = tui.lines()
    for line in lines:
        bad = {c for c in line if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
        assert not bad, line
    strips = tui.app.screen._compositor.render_strips()
    width = tui.app.size.width
    assert [strip.cell_length for strip in strips] == [width] * len(strips)
    return "\n".join(lines)


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_shown_and_never_obeyed(name: str) -> None:
    """In every pane, on the frames, in help, findings and the copy list."""
    shown = show_name(name)

    async def script(tui: Driver) -> None:
        assert shown in _drawn(tui)
        await tui.press("*", "down", "down", "down")
        await tui.see("3 Why /app/", "created here")
        text = _drawn(tui)
        assert shown in text
        assert f"{shown}-link@" in text
        await tui.press("1", "down", "down", "space", "G", "up", "space")
        _drawn(tui)
        await tui.press("g")
        await tui.press("F")
        await tui.see("Findings", "odd")
        assert f"{shown}: {shown}" in _drawn(tui)
        await tui.press("escape", "2", "y")
        await tui.see("layertrace why")
        _drawn(tui)
        await tui.press("enter")
        await tui.see("copied")
        _drawn(tui)
        assert tui.app.is_running

    run(script, _hostile(name), title=f"reg/{name}", size=(160, 40))


@pytest.mark.parametrize("name", ["caf\u00e9\udce9", "✔ ▸"])
def test_ascii_mode_draws_nothing_else(name: str) -> None:
    """Frames, marks, folds and names."""

    async def script(tui: Driver) -> None:
        await tui.press("*", "down", "down", "down")
        await tui.see("created here")
        assert _drawn(tui).isascii()
        await tui.press("question_mark")
        await tui.see("Help")
        assert _drawn(tui).isascii()
        await tui.press("escape")
        await tui.filter("x")
        await tui.see("0 of 2")
        assert _drawn(tui).isascii()

    run(script, _hostile(name), options=TuiOptions(ascii=True, theme=DARK))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        pytest.param("/app/server.js", "/app/server.js", id="plain"),
        pytest.param("/a b", "'/a b'", id="space"),
        pytest.param("/it's", "'/it'\"'\"'s'", id="quote"),
        pytest.param("/a\nrm -rf /", "$'/a\\nrm -rf /'", id="newline"),
        pytest.param("/\x1b[2J", "$'/\\x1b[2J'", id="escape"),
        pytest.param("/caf\udce9'", "$'/caf\\xe9\\''", id="byte"),
        pytest.param("/\u202e", "$'/\\xe2\\x80\\xae'", id="bidi"),
    ],
)
def test_what_is_copied_is_one_harmless_word(text: str, word: str) -> None:
    """Pasting a name into a shell names that file and does nothing."""
    assert shell_word(text) == word
