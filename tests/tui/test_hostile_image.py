"""An image made to do harm, browsed through every pane and view at every size."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

import pytest

from layertrace.views.tui.ports import Comparing, TuiOptions
from layertrace.views.tui.themes import DARK
from tests.tui.driver import Driver, run
from tests.tui.hostile import BAD, TEXT, write_dockerfile, write_image
from tests.tui.real import compare, opened

if TYPE_CHECKING:
    from pathlib import Path

    from layertrace.views.tui.background import Background

VIEWS: Final = ("L", "T", "W", "U", "P", "O", "A", "M")
"""Whatever can stand in pane 2; the map last, as it has other keys."""
SIZES: Final = (
    pytest.param((120, 36), False, id="wide"),
    pytest.param((80, 24), True, id="narrow-and-ascii"),
)


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """An image, an older one of the same kind, and a Dockerfile."""
    place = tmp_path_factory.mktemp("hostile")
    new = write_image(place / "new.tar", TEXT)
    return (
        new,
        write_image(place / "[red]old.tar", TEXT[:9]),
        write_dockerfile(place / "Dockerfile"),
    )


def _check(tui: Driver, *, plain: bool) -> str:
    """Return the screen: no control, no markup that acts, every line as wide as the screen."""
    strips = tui.app.screen._compositor.render_strips()
    assert [strip.cell_length for strip in strips] == [tui.app.size.width] * len(strips)
    for strip in strips:
        for text, style, control in strip:
            assert not control
            bad = {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
            assert not bad, text
            assert not plain or text.isascii(), text
            assert style is None or "@click" not in style.meta
            assert style is None or style.link is None
    return "\n".join("".join(part.text for part in strip) for strip in strips)


def _busy(reader: Background) -> bool:
    return bool(reader._todo or reader._running)


async def _press(tui: Driver, *keys: str, plain: bool) -> str:
    """Press keys, look after each, and return what is seen in the end."""
    seen = ""
    for key in keys:
        tui.app.simulate_key(key)
        await tui.pilot.pause()
        seen = _check(tui, plain=plain)
        assert tui.app.is_running
    return seen


async def _look_into_files(tui: Driver, *, plain: bool) -> None:
    """Open pages on what holds bad texts, and the history of a file that two layers have."""
    assert tui.browse._walked is not None
    for path in ("e/members.tar", f"e/{BAD[1]}.py", "b1", "var/lib/dpkg/status"):
        tui.browse.files.go_to(tui.browse._walked.tree.find(path) or 0)
        await _press(tui, "v", plain=plain)
        await tui.until(lambda: not _busy(tui.browse._reader))
        await _press(tui, "G", "b", "l", "escape", plain=plain)
    tui.browse.files.go_to(tui.browse._walked.tree.find(f"a2/{BAD[2]}") or 0)
    for key in ("v", "H"):
        await _press(tui, key, plain=plain)
        await tui.until(lambda: not _busy(tui.browse._reader))
        await _press(tui, "down", "G", "d", "escape", "escape", plain=plain)


@pytest.mark.parametrize(("size", "plain"), SIZES)
def test_nothing_that_an_image_holds_is_obeyed(
    archives: tuple[Path, Path, Path], tmp_path: Path, size: tuple[int, int], *, plain: bool
) -> None:
    """All panes, views, pages and dialogs: nothing runs, nothing breaks, nothing gets through."""
    new, old, dockerfile = archives
    options = TuiOptions(theme=DARK, ascii=plain)
    comparing = Comparing(make=compare, against=str(old))

    async def script(tui: Driver) -> None:
        await tui.see("2 Diff")
        await _press(tui, "ctrl+@", "ctrl+@", "down", "G", "D", "escape", "T", plain=plain)
        await _press(tui, "asterisk", "4", "j", "3", "j", "1", "G", "space", plain=plain)
        await _press(tui, "2", "F", "escape", "question_mark", "escape", "y", "enter", plain=plain)
        for view in VIEWS:
            await _press(tui, view, plain=plain)
            await tui.until(lambda: not _busy(tui.browse._reader))
            await _press(tui, "down", "G", plain=plain)
        await _press(tui, "enter", "backspace", "c", "T", plain=plain)
        tui.app.clear_notifications()
        await _look_into_files(tui, plain=plain)
        await _press(tui, "1", "g", "2", "asterisk", plain=plain)
        await tui.see("[red]red[")
        assert tui.browse._walked is not None
        tui.browse.files.go_to(tui.browse._walked.tree.find(f"a4/{BAD[4]}") or 0)
        await tui.see("gpj\\u202e.exe")

    with opened(new, tmp_path, dockerfile=dockerfile) as opening:
        run(
            script,
            opening,
            size=size,
            options=options,
            comparing=comparing,
            title=f"{BAD[1]}{BAD[0]}",
            read=False,
        )
