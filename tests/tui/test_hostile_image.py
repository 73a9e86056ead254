"""An image made to do harm, browsed through every pane and view at every size."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

import pytest

from layertrace.views.text import show_name
from layertrace.views.tui.ports import Comparing, TuiOptions
from layertrace.views.tui.themes import DARK
from tests.builders import docker_archive, file, folder, hardlink, image, layer, step, symlink
from tests.tui.driver import Driver, run
from tests.tui.real import compare, opened

if TYPE_CHECKING:
    from pathlib import Path

    from layertrace.views.tui.background import Background
    from tests.builders import Member

BAD: Final = (
    "\x1b]0;owned\x07\x1b[2J\x9b31m",
    "[@click=app.quit]press me[/]",
    "[red]red[/red][/nothing]",
    "two\nlines\r\tand\x0b more\u2028",
    "gpj\u202e.exe\u2066\u200b\ufeff",
    "caf\udce9\udcff\u0301",
    "x" * 255,
)
DEEP: Final = "/".join(f"[b]{number:02}\x1b" for number in range(60))
STEP: Final = f"RUN echo {' '.join(BAD[:5])}"

VIEWS: Final = ("L", "T", "W", "U", "P", "O", "A", "M")
"""Whatever can stand in pane 2; the map last, as it has other keys."""
SIZES: Final = (
    pytest.param((120, 36), False, id="wide"),
    pytest.param((80, 24), True, id="narrow-and-ascii"),
)


def _contents(text: bytes) -> dict[str, bytes | Member]:
    """Return members with every bad name as a file, a folder, a link and a target."""
    found: dict[str, bytes | Member] = {f"d/{DEEP}/end": text}
    for number, name in enumerate(BAD):
        found[f"a{number}"] = folder()
        found[f"a{number}/{name}"] = file(text, mode=0o4755)
        found[f"b{number}"] = symlink(f"/{name}/{name}")
        found[f"c{number}"] = hardlink(f"a{number}/{name}")
    names = "".join(f"Package: {show_name(name)}\nVersion: {name}\n" for name in BAD[:3])
    status = f"{names}Status: install ok installed\n\n"
    found["var/lib/dpkg/status"] = status.encode("utf-8", "surrogateescape")
    return found


def _write(path: Path, text: bytes) -> Path:
    removed: dict[str, bytes | Member] = {
        f"a0/.wh.{BAD[0]}": b"",
        f"a1/{BAD[1]}": file(text + b"!", mode=0o600),
    }
    labels = {"[red]": BAD[0], BAD[1]: BAD[2]}
    built = image(
        layer(_contents(text)),
        layer(removed),
        layer({f"e/{BAD[2]}": text}),
        history=[STEP, f"{STEP} # buildkit", step(f"ENV {BAD[0]}={BAD[1]}", empty=True), BAD[3]],
        runtime={
            "Labels": labels,
            "Env": [f"{BAD[0]}={BAD[1]}"],
            "User": BAD[2],
            "Cmd": list(BAD[:5]),
        },
        platform=f"linux/{BAD[1]}",
    )
    path.write_bytes(docker_archive(built))
    return path


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """An image, an older one of the same kind, and a Dockerfile."""
    place = tmp_path_factory.mktemp("hostile")
    dockerfile = place / "Dockerfile"
    line = STEP.replace("\n", " ").replace("\r", " ")
    told = f"# {BAD[0]}\nFROM scratch AS build\n{line}\nFROM scratch\nCOPY --from=build / /\n"
    dockerfile.write_bytes(told.encode("utf-8", "surrogateescape"))
    text = "\n".join(BAD).encode("utf-8", "surrogateescape")
    return _write(place / "new.tar", text), _write(place / "[red]old.tar", text[:9]), dockerfile


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
        assert tui.browse._walked is not None
        tui.browse.files.go_to(tui.browse._walked.tree.find(f"a2/{BAD[2]}") or 0)
        for key in ("v", "H"):
            await _press(tui, key, plain=plain)
            await tui.until(lambda: not _busy(tui.browse._reader))
            await _press(tui, "down", "G", "d", "escape", "escape", plain=plain)
        await _press(tui, "1", "g", "2", "asterisk", plain=plain)
        await tui.see("[red]red[", "gpj\\u202e.exe")

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
